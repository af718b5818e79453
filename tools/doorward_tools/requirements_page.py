"""docs/requirements.md: each number of the requirements, its state, and what shows it. `make docs` writes it.

Titles and claims come from docs/requirements.yaml, proofs from the scenarios' `shows:` and from the marker
`pytest.mark.shows("D18", ...)` on a module (`pytestmark`), a class or a function of the tests, which are
read, not imported. Claims and proofs have to agree: what works is shown by something, what comes later by
nothing.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from doorward_simulator import scenario_loader

ROOT = Path(__file__).parents[2]
CLAIMS = ROOT / "docs" / "requirements.yaml"
PAGE = ROOT / "docs" / "requirements.md"
PARTS = {"S": "Source items", "D": "Domain rules", "F": "Field expectations"}

HEAD = """\
# What is required, and what shows it

Made by `make docs` from [requirements.yaml](requirements.yaml), the scenarios and the tests; do not edit.
`doorward scenario NAME` plays a scenario, `make test TESTS=tests/PATH` runs a test.
Of {total} numbers, {works} work, {part} work in part and {none} are not shown yet.
"""


class DisagreementError(Exception):
    """Claims and proofs do not fit each other; says each number and what to do."""


Proofs = dict[str, list[str]]  # by number: links in Markdown; scenarios first


def page() -> str:
    """The page's text; DisagreementError."""
    claims = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    proofs = collect(shown_by_scenarios(), shown_by_tests(ROOT / "tests"))
    check(claims, proofs)
    return render(claims, proofs)


def collect(*sources: Iterator[tuple[str, str]]) -> Proofs:
    """Each number's proofs, in the order of the sources."""
    proofs: Proofs = {}
    for source in sources:
        for number, link in source:
            if link not in proofs.setdefault(number, []):
                proofs[number].append(link)
    return proofs


def shown_by_scenarios() -> Iterator[tuple[str, str]]:
    """(number, link) for what the scenarios show; tests/scenarios plays all of them."""
    for name in scenario_loader.names():
        file = scenario_loader.FOLDER / f"{name}.yaml"
        for number in yaml.safe_load(file.read_text(encoding="utf-8"))["shows"]:
            yield number, f"[{name}](../{file.relative_to(ROOT).as_posix()})"


def shown_by_tests(folder: Path) -> Iterator[tuple[str, str]]:
    """(number, link) for what is marked in the files of a folder that pytest collects."""
    for file in sorted(folder.rglob("test_*.py")):
        path = file.relative_to(folder.parent).as_posix()
        for number, name in marked(file.read_text(encoding="utf-8")):
            label = f"{path.removeprefix('tests/')}::{name}" if name else path.removeprefix("tests/")
            yield number, f"[{label}](../{path})"


def marked(source: str) -> Iterator[tuple[str, str]]:
    """(number, name) for each marker in a file: a test, Class, Class::test, or "" for the whole module."""
    module = ast.parse(source)
    for statement in module.body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "pytestmark" for target in statement.targets
        ):
            yield from ((number, "") for number in _numbers(statement.value))
    yield from _marked_within(module.body, "")


def _marked_within(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, str]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                yield from ((number, prefix + node.name) for number in _numbers(decorator))
        if isinstance(node, ast.ClassDef):
            yield from _marked_within(node.body, f"{prefix}{node.name}::")


def _numbers(expression: ast.expr) -> Iterator[str]:
    """The arguments of every `pytest.mark.shows(...)` in an expression."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.shows":
            yield from (ast.literal_eval(argument) for argument in node.args)


def check(claims: dict[str, dict[str, str]], proofs: Proofs) -> None:
    """DisagreementError unless every proof is of a known number, and every claim agrees with its proofs."""
    wrong = [
        f"{number} is shown by {links[0]} and is no requirement's number"
        for number, links in proofs.items()
        if number not in claims
    ]
    for number, claim in claims.items():
        kind = _kind(claim)
        if kind not in ("works", "part", "later"):
            wrong.append(f"{number}: {claim['state']!r} begins with neither works, part nor later")
        elif kind == "later" and number in proofs:
            wrong.append(f"{number} comes later by its state, but {proofs[number][0]} shows it")
        elif kind != "later" and number not in proofs:
            wrong.append(f"{number} is said to work, but no scenario and no test shows it")
    if wrong:
        advice = f"Put it right in docs/{CLAIMS.name}, a scenario's `shows:` or a test's marker."
        raise DisagreementError("\n".join([*wrong, advice]))


def render(claims: dict[str, dict[str, str]], proofs: Proofs) -> str:
    """The page of claims that agree with their proofs."""
    kinds = [_kind(claim) for claim in claims.values()]
    lines = [
        HEAD.format(
            total=len(kinds), works=kinds.count("works"), part=kinds.count("part"), none=kinds.count("later")
        )
    ]
    for letter, title in PARTS.items():
        lines += [f"## {title}", "", "| no. | what | state | shown by |", "|---|---|---|---|"]
        for number, claim in claims.items():
            if re.fullmatch(rf"{letter}\d+", number):
                shown = _cell(proofs.get(number, []))
                lines.append(f"| {number} | {claim['title']} | {_state(claim)} | {shown} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _cell(links: list[str]) -> str:
    """Scenarios in one line, then each test in its own."""
    tests = [link for link in links if ".py" in link]
    scenarios = [link for link in links if link not in tests]
    return "<br>".join(filter(None, [", ".join(scenarios), *tests]))


def _kind(claim: dict[str, str]) -> str:
    return claim["state"].partition(":")[0]


def _state(claim: dict[str, str]) -> str:
    return claim["state"].replace("later", "not shown yet", 1) if _kind(claim) == "later" else claim["state"]


if __name__ == "__main__":
    try:
        PAGE.write_text(page(), encoding="utf-8")
    except DisagreementError as error:
        raise SystemExit(str(error)) from None
