"""What expectations are made of: checks, questions to the server, and values as the bank names them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from doorward_protocol import records
from doorward_protocol.errors import NAMES

from .scenario_loader import ScenarioError, StepTable
from .stage import Stage

EXPECT = StepTable("expect")
SOON = "10s"

_CODES = {
    "reason": {name: code for code, name in NAMES.items()},
    "panel": {"outer": records.PANEL_OUTER, "inner": records.PANEL_INNER},
    "door": {"outer": records.DOOR_OUTER, "inner": records.DOOR_INNER},
    "event": {"released": 1, "locked": 2, "opened": 3, "closed": 4, "held_open": 5, "forced": 6},
    "cause": {"handover": 1, "egress": 2, "fire": 3, "emergency": 4, "timeout": 5},
    "where": {"host": records.WHERE_HOST, "panel": records.WHERE_PANEL},
}
_CODES["approved_where"] = _CODES["where"]  # as the server calls it
_PEOPLE = ("person", "officer", "crew", "people", "by", "approved_by", "crew_closer")
_BOXES = ("expected", "read", "missing", "foreign", "epc")


@dataclass
class Check:
    """`holds()` is asked after every step of the world, for `within` ms; `missing()` says what is not so.

    `lasting` checks must not fail for the whole time, in place of coming true once.
    """

    holds: Callable[[], bool]
    missing: Callable[[], str]
    within: int
    lasting: bool = False


class Asked:
    """The server's answer to a question, asked anew at most twice a second of world time."""

    EVERY = 500

    def __init__(self, stage: Stage, ask: Callable[[], Any]):
        self._stage, self._ask = stage, ask
        self._next = 0
        self.last: Any = None

    def answer(self) -> Any:
        if self.last is None or self._stage.world.now() >= self._next:
            self.last = self._ask()
            self._next = self._stage.world.now() + self.EVERY
        return self.last


def value_of(stage: Stage, name: str, value: Any) -> Any:
    """A field's value as a scenario writes it, in the protocol's terms."""
    if isinstance(value, list):
        return [value_of(stage, name, one) for one in value]
    if not isinstance(value, str):
        return value
    if name in _CODES:
        if value not in _CODES[name]:
            raise ScenarioError(f"{name} {value!r}: use one of {', '.join(_CODES[name])}")
        return _CODES[name][value]
    if name in _PEOPLE:
        stage.person(value)
        return stage.preparation.people[value]
    if name in _BOXES:
        return stage.box_tags([value])[value].epc
    if name == "vehicle":
        stage.vehicle_tag(value)
        return stage.preparation.vehicles[value]
    return value


def matches(fields: dict, wanted: dict) -> bool:
    """Whether all wanted fields have their values; lists in any order."""
    for name, value in wanted.items():
        if name not in fields:
            raise ScenarioError(f"there is no field {name!r}: use one of {', '.join(fields)}")
        found = fields[name]
        if isinstance(value, list) and isinstance(found, list):
            if sorted(found) != sorted(value):
                return False
        elif found != value:
            return False
    return True


def in_words(fields: dict) -> str:
    """Fields for a person to read."""
    plain = {key: value.hex() if isinstance(value, bytes) else value for key, value in fields.items()}
    return ", ".join(f"{key}={str(value)[:60]}" for key, value in plain.items())
