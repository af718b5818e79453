"""Reads a scenario's YAML strictly: unknown keys, steps and arguments are errors that name the line.

A scenario has `title` (zh, en), `shows` (requirement numbers), `begins` (local date and time of the bank),
`seed`, `units` (site codes), `plan` (the day's runs), `steps`, and optionally the server's `settings`, a
smaller `flash` (sectors by partition), whether units were `commissioned` on the bench, and `power_cuts`: to
play it again with power failing at so many points (`power.sweep`). A step is a mapping with one of

  do: NAME, fault: NAME     with the named arguments of that function beside it
  expect: NAME              the same; `within` says how long it may take to come true
  wait: DURATION            let world time pass

and optionally a `note`. Durations are written 500ms, 5s, 2min, 1h. The functions are in the modules that
`scenario.VOCABULARY` names; their signatures are the schema.
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).with_name("scenarios")
_UNITS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_REQUIREMENT = re.compile(r"[SDF][1-9][0-9]?")
_KINDS = ("do", "expect", "fault", "wait")


class ScenarioError(Exception):
    """The file says something that cannot be meant; the text names file and line."""


class StepTable:
    """Step functions by name; decorate a function with it to add one. The first argument is the stage."""

    def __init__(self, kind: str):
        self.kind = kind
        self._functions: dict[str, Callable] = {}

    def __call__(self, function: Callable) -> Callable:
        self._functions[function.__name__] = function
        return function

    def __iter__(self):
        return iter(self._functions)

    def __getitem__(self, name: str) -> Callable:
        return self._functions[name]

    def get(self, name: str) -> Callable | None:
        return self._functions.get(name)


@dataclass(frozen=True)
class Step:
    """One step as written: `line` in the file, `kind`, name, arguments, and the note beside it."""

    line: int
    kind: str
    name: str
    arguments: dict[str, Any]
    note: str = ""

    def __str__(self) -> str:
        words = [f"{key} {_plain(value)}" for key, value in self.arguments.items()]
        return " ".join([self.kind, self.name.replace("_", " "), *words])


@dataclass(frozen=True)
class Scenario:
    """One file, checked. `begins` is naive local time of the bank."""

    name: str
    title: dict[str, str]
    shows: list[str]
    begins: datetime
    units: list[str]
    plan: list[dict[str, Any]]
    steps: list[Step]
    seed: int = 1
    settings: dict[str, Any] = field(default_factory=dict)
    flash: dict[str, int] = field(default_factory=dict)
    commissioned: bool = True
    power_cuts: int = 0


_RUN = {"vehicle": str, "door": list, "stops": list}
_RUN_OPTIONAL = {"drive": list, "date": str}
_STOP = {"site": str, "kind": str, "window": list, "boxes": list}


def duration(value: Any) -> int:
    """`500ms`, `5s`, `2min`, `1h` or `1d` in milliseconds; a minus goes in front."""
    found = re.fullmatch(r"(-?\d+)\s*(ms|s|min|h|d)", str(value).strip())
    if not found:
        raise ScenarioError(f"{value!r} is no duration: write 500ms, 5s, 2min, 1h")
    return int(found[1]) * _UNITS[found[2]]


def find(name: str) -> Path:
    """The file of a scenario by its name, or a path as it is."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.yaml")))
        raise ScenarioError(f"there is no scenario {name!r}: use a file or one of {known}")
    return path


def names() -> list[str]:
    """All scenarios that come with the simulator."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def load(path: Path, tables: dict[str, StepTable]) -> Scenario:
    """The scenario in a file, every step checked against its function's signature; or ScenarioError."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise ScenarioError(f"{path.name}: {error}") from error
    try:
        return _scenario(path.stem, content, tables)
    except ScenarioError as error:
        raise ScenarioError(f"{path.name}: {error}") from None


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, and remembers the line of each mapping."""


class _Mapping(dict):
    line = 0


def _mapping(loader: _Loader, node: yaml.MappingNode) -> _Mapping:
    found = _Mapping()
    found.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in found:
            raise ScenarioError(f"line {key_node.start_mark.line + 1}: {key!r} stands twice")
        found[key] = loader.construct_object(value_node, deep=True)
    return found


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":float"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}  # dates, times and 10:30 stay text


def _scenario(name: str, content: Any, tables: dict[str, StepTable]) -> Scenario:
    required = {"title": dict, "shows": list, "begins": str, "units": list, "plan": list, "steps": list}
    optional = {"seed": int, "settings": dict, "flash": dict, "commissioned": bool, "power_cuts": int}
    _check(content, required, optional, "the scenario")
    _check(content["title"], {"zh": str, "en": str}, {}, "title")
    for number in content["shows"]:
        if not _REQUIREMENT.fullmatch(str(number)):
            raise ScenarioError(f"shows: {number!r} is no requirement's number such as S1, D12 or F2")
    try:
        begins = datetime.strptime(content["begins"], "%Y-%m-%d %H:%M")  # noqa: DTZ007 - local time of the bank
    except ValueError:
        raise ScenarioError(f"begins: {content['begins']!r}: write YYYY-MM-DD HH:MM") from None
    for run in content["plan"]:
        _check(run, _RUN, _RUN_OPTIONAL, "a run of the plan")
        for stop in run["stops"]:
            _check(stop, _STOP, {}, "a stop of the plan")
    steps = [_step(entry, tables) for entry in content["steps"]]
    given = {key: content[key] for key in (*required, *optional) if key in content}
    return Scenario(name, **{**given, "begins": begins, "steps": steps})


def _check(mapping: Any, required: dict[str, type], optional: dict[str, type], what: str) -> None:
    if not isinstance(mapping, dict):
        raise ScenarioError(f"{what} is no mapping")
    where = f"line {getattr(mapping, 'line', '?')}: {what}"
    for key in required:
        if key not in mapping:
            raise ScenarioError(f"{where} lacks {key!r}")
    for key, value in mapping.items():
        kind = required.get(key) or optional.get(key)
        if kind is None:
            raise ScenarioError(
                f"{where} has an unknown key {key!r}: use {', '.join([*required, *optional])}"
            )
        if not isinstance(value, kind):
            raise ScenarioError(f"{where}: {key!r} should be a {kind.__name__}")


def _step(entry: Any, tables: dict[str, StepTable]) -> Step:
    if not isinstance(entry, _Mapping):
        raise ScenarioError(f"a step is no mapping: {entry!r}")
    where = f"line {entry.line}"
    kinds = [kind for kind in _KINDS if kind in entry]
    if len(kinds) != 1:
        raise ScenarioError(f"{where}: a step has exactly one of {', '.join(_KINDS)}")
    kind = kinds[0]
    name, note = str(entry[kind]), str(entry.get("note", ""))
    arguments = {key: value for key, value in entry.items() if key not in (kind, "note")}
    if kind == "wait":
        duration(name)
        if arguments:
            raise ScenarioError(f"{where}: wait takes nothing but a duration, not {', '.join(arguments)}")
        return Step(entry.line, kind, name, {}, note)
    if name not in tables[kind]:
        raise ScenarioError(f"{where}: unknown {kind} {name!r}: use one of {', '.join(tables[kind])}")
    _check_arguments(where, name, tables[kind][name], arguments)
    return Step(entry.line, kind, name, arguments, note)


def _check_arguments(where: str, name: str, function: Callable, arguments: dict[str, Any]) -> None:
    parameters = dict(list(inspect.signature(function).parameters.items())[1:])
    for key in arguments:
        if key not in parameters:
            raise ScenarioError(f"{where}: {name} has no {key!r}: it takes {', '.join(parameters)}")
    for key, parameter in parameters.items():
        if parameter.default is parameter.empty and key not in arguments:
            raise ScenarioError(f"{where}: {name} needs {key!r}")


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "none"
    return str(value)
