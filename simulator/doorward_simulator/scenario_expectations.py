"""What must come true in a scenario: the functions behind `expect: NAME`.

Each returns a `Check`. The world runs until it holds or `within` is over. Records are consumed in order: an
expected record lies behind the one that was expected before it at the same unit. Field values are written
with the bank's names; `_VALUES` says how each field reads.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from doorward_protocol import records
from doorward_protocol.errors import REASONS

from .desk import DeskError
from .scenario_loader import ScenarioError, StepTable, duration
from .stage import CLOCKS_DIFFER, HEARD_WITHIN, WATCHER, Stage

EXPECT = StepTable("expect")
SOON = "10s"

_CODES = {
    "reason": {name: code for code, (name, _) in REASONS.items()},
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


@EXPECT
def ready(stage: Stage, unit: str | None = None, within: str = "5min") -> Check:
    """The unit is connected and holds everything that its manifest lists."""
    every = 500

    def row() -> dict:
        return stage.unit_row(unit)

    state = {"next": 0, "row": {}}

    def holds() -> bool:
        if stage.world.now() < state["next"]:
            return False
        state["row"] = row()
        state["next"] = stage.world.now() + every
        if not (state["row"]["online"] and state["row"]["difference"] == ""):
            return False
        stage.ready_at.setdefault(stage.unit(unit).name, stage.world.now())
        return True

    return Check(holds, lambda: f"the server says: {state['row']}", duration(within))


@EXPECT
def record(
    stage: Stage, kind: str, having: dict | None = None, unit: str | None = None, within: str = SOON
) -> Check:
    """The unit's journal gets a record of this kind with these fields, behind the last one expected."""
    if kind not in records.RECORDS:
        raise ScenarioError(f"there is no record {kind!r}: use one of {', '.join(records.RECORDS)}")
    wanted = {name: _value(stage, name, value) for name, value in (having or {}).items()}
    code = stage.unit(unit).name

    def holds() -> bool:
        entries = stage.entries(code)
        for position in range(stage.cursors[code], len(entries)):
            found = entries[position].record
            if found.name == kind and _matches(found.fields, wanted):
                stage.cursors[code] = position + 1
                return True
        return False

    def missing() -> str:
        seen = [
            f"{e.record.name} {_shown(e.record.fields)}" for e in stage.entries(code)[stage.cursors[code] :]
        ]
        return "since the last expected record there is only: " + ("; ".join(seen) or "nothing")

    return Check(holds, missing, duration(within))


@EXPECT
def no_record(
    stage: Stage, kind: str, having: dict | None = None, unit: str | None = None, during: str = "5s"
) -> Check:
    """No such record comes behind the last expected one for a while."""
    expected = record(stage, kind, having, unit, during)
    code = stage.unit(unit).name
    cursor = stage.cursors[code]

    def holds() -> bool:
        came = expected.holds()
        stage.cursors[code] = cursor
        return not came

    return Check(holds, lambda: f"a record {kind} came", duration(during), lasting=True)


@EXPECT
def door(stage: Stage, door: str, state: str, unit: str | None = None, within: str = SOON) -> Check:
    """A door is released, locked, open or closed."""
    leaf = stage.unit(unit).parts.doors[door]
    states = {
        "released": lambda: leaf.released,
        "locked": lambda: not leaf.released,
        "open": lambda: leaf.open,
        "closed": lambda: not leaf.open,
    }
    if state not in states:
        raise ScenarioError(f"a door is {', '.join(states)}, not {state!r}")
    return Check(
        states[state], lambda: f"the {door} door is not {state}: {leaf.history[-3:]}", duration(within)
    )


@EXPECT
def shown(stage: Stage, prompt: str, panel: str, unit: str | None = None, within: str = SOON) -> Check:
    """A panel's screen shows a prompt's picture, pixel by pixel."""
    rows = _prompt(stage, prompt).rows
    screen = stage.unit(unit).parts.screens[f"{panel}_screen"]

    def holds() -> bool:
        return screen.pixels[: len(rows)] == rows

    def missing() -> str:
        known = stage.preparation.prompts.items()
        there = [name for name, other in known if screen.pixels[: len(other.rows)] == other.rows]
        return f"the {panel} screen shows {', '.join(there) or 'none of the prompts'}"

    return Check(holds, missing, duration(within))


@EXPECT
def spoken(stage: Stage, prompt: str, unit: str | None = None, within: str = SOON) -> Check:
    """The speaker plays a prompt's clip, whole, and has not ended before the last `do` or `fault`."""
    clip = _prompt(stage, prompt).clip
    speaker = stage.unit(unit).parts.speaker
    since = stage.acted_at

    def holds() -> bool:
        return speaker.heard(clip, since)

    def missing() -> str:
        known = stage.preparation.prompts.items()
        heard = [name for name, other in known if speaker.heard(other.clip, since)]
        return f"the speaker said {', '.join(heard) or 'none of the prompts'}"

    return Check(holds, missing, duration(within))


@EXPECT
def light(stage: Stage, panel: str, colour: str, unit: str | None = None, within: str = SOON) -> Check:
    """The ring of a panel's fingerprint sensor has a colour, or is off."""
    colours = ("off", "red", "blue", "purple", "green", "yellow", "cyan", "white")
    if colour not in colours:
        raise ScenarioError(f"a ring is one of {', '.join(colours)}, not {colour!r}")
    module = stage.unit(unit).parts.fingerprints[f"{panel}_fingerprint"]

    def now() -> str:
        return "off" if module.light.mode == 4 else colours[module.light.colour]

    return Check(lambda: now() == colour, lambda: f"the ring is {now()}", duration(within))


@EXPECT
def heard(
    stage: Stage,
    kind: str,
    spoken: bool | None = None,
    unit: str | None = None,
    within: str = f"{HEARD_WITHIN}ms",
) -> Check:
    """The centre's live view told the newest record of this kind at most `within` after the unit wrote it;
    `spoken`: with or without a sentence for the loudspeaker."""
    code, limit = stage.unit(unit).name, duration(within)
    wrote = [entry.record.time for entry in stage.entries(code) if entry.record.name == kind]
    earliest = -CLOCKS_DIFFER if stage.world.clock.realtime else 0
    state = {"why": "the unit has no such record"}

    def holds() -> bool:
        for moment, event in stage.told(code, kind):
            late = stage.world.clock.epoch + moment - wrote[-1] if wrote else earliest - 1
            if late >= earliest:
                state["why"] = f"told {late} ms after the record, speech: {bool(event.get('speech'))}"
            if earliest <= late <= limit and spoken in (None, bool(event.get("speech"))):
                return True
        return False

    return Check(holds, lambda: state["why"], limit)


@EXPECT
def handover(
    stage: Stage, state: str, having: dict | None = None, unit: str | None = None, within: str = SOON
) -> Check:
    """The server's newest handover at the unit's site has this state and these fields."""
    wanted = {name: _value(stage, name, value) for name, value in (having or {}).items()}
    asked = _Asked(stage, lambda: (stage.handovers(unit) or [{}])[-1])

    def holds() -> bool:
        row = asked.answer()
        return row.get("state") == state and _matches(row, wanted)

    return Check(holds, lambda: f"the server's newest handover is {_shown(asked.last)}", duration(within))


@EXPECT
def alarm(
    stage: Stage,
    rule: str,
    severity: str | None = None,
    saying: dict | None = None,
    times: int | str = 1,
    unit: str | None = None,
    within: str = SOON,
) -> Check:
    """The centre has this alarm, so often (or `any`). One that no step expects is an error."""
    stage.expected_alarms.add(rule)
    site = stage.preparation.sites[stage.unit(unit).name]
    asked = _Asked(stage, stage.alarms)

    def holds() -> bool:
        found = [row for row in asked.answer() if row["rule"] == rule and row["site"] == site]
        return (
            bool(found)
            and times in ("any", len(found))
            and all(
                severity in (None, row["severity"]) and (saying or {}).items() <= row["details"].items()
                for row in found
            )
        )

    return Check(
        holds,
        lambda: f"alarms: {[(row['rule'], row['severity'], row['details']) for row in asked.last]}",
        duration(within),
    )


@EXPECT
def no_alarm(stage: Stage) -> Check:
    """Up to now the centre has no alarm at all (S11)."""
    found = [row["rule"] for row in stage.alarms()]
    return Check(lambda: not found, lambda: f"alarms: {', '.join(found)}", 0)


@EXPECT
def stored(stage: Stage, unit: str | None = None, within: str = SOON) -> Check:
    """The server holds every leaf of the unit, byte for byte, none lost and none twice."""
    code = stage.unit(unit).name

    def here() -> list[tuple[int, int, bytes]]:
        return [(entry.epoch, entry.index, entry.content) for entry in stage.entries(code)]

    asked = _Asked(stage, lambda: [leaf[:3] for leaf in stage.stored_leaves(code)])

    def missing() -> str:
        there = asked.last
        lost = [leaf[:2] for leaf in here() if leaf not in there]
        return f"unit {len(here())} leaves, server {len(there)}; not there: {lost[:5]}"

    return Check(lambda: asked.answer() == here(), missing, duration(within))


@EXPECT
def picture(stage: Stage, kind: str, unit: str | None = None, within: str = SOON) -> Check:
    """The picture that the newest record of this kind names is at the centre, a JPEG with that hash."""
    named = [entry.record.fields["picture"] for entry in stage.entries(unit) if entry.record.name == kind]
    state = {"why": "the record names no picture"}

    def fetch() -> bool:
        if not named or named[-1] is None:
            return False
        try:
            content = stage.desk(WATCHER).download(f"/api/pictures/{named[-1].hex()}")
        except DeskError as error:
            state["why"] = str(error)
            return False
        return content[:2] == b"\xff\xd8" and hashlib.sha256(content).digest() == named[-1]

    asked = _Asked(stage, fetch)
    return Check(asked.answer, lambda: state["why"], duration(within))


@EXPECT
def online(stage: Stage, state: bool = True, unit: str | None = None, within: str = "2min") -> Check:
    """The server sees the unit as connected, or not."""
    asked = _Asked(stage, lambda: stage.unit_row(unit))
    return Check(
        lambda: asked.answer()["online"] is state, lambda: f"the server says {asked.last}", duration(within)
    )


@EXPECT
def report(stage: Stage, unit: str | None = None, within: str = SOON) -> Check:
    """The report of the newest handover has been printed by itself."""
    asked = _Asked(stage, lambda: stage.printed(unit))
    return Check(lambda: bool(asked.answer()), lambda: "nothing was printed", duration(within))


class _Asked:
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


def _prompt(stage: Stage, name: str):
    if name not in stage.preparation.prompts:
        raise ScenarioError(f"there is no prompt {name!r}: use one of {', '.join(stage.preparation.prompts)}")
    return stage.preparation.prompts[name]


def _value(stage: Stage, name: str, value: Any) -> Any:
    """A field's value as a scenario writes it, in the protocol's terms."""
    if isinstance(value, list):
        return [_value(stage, name, one) for one in value]
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


def _matches(fields: dict, wanted: dict) -> bool:
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


def _shown(fields: dict) -> str:
    shown = {key: value.hex() if isinstance(value, bytes) else value for key, value in fields.items()}
    return ", ".join(f"{key}={str(value)[:60]}" for key, value in shown.items())
