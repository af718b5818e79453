"""What must come true at a unit: its journal, doors, screens, loudspeaker and lights (`expect: NAME`).

Each returns a `Check`. The world runs until it holds or `within` is over. Records are consumed in order: an
expected record lies behind the one that was expected before it at the same unit. Field values are written
with the bank's names (`scenario_checks`).
"""

from doorward_protocol import records

from .preparation import Prompt
from .scenario_checks import EXPECT, SOON, Check, in_words, matches, value_of
from .scenario_loader import ScenarioError, duration
from .stage import Stage


@EXPECT
def record(
    stage: Stage, kind: str, having: dict | None = None, unit: str | None = None, within: str = SOON
) -> Check:
    """The unit's journal gets a record of this kind with these fields, behind the last one expected."""
    if kind not in records.RECORDS:
        raise ScenarioError(f"there is no record {kind!r}: use one of {', '.join(records.RECORDS)}")
    wanted = {name: value_of(stage, name, value) for name, value in (having or {}).items()}
    code = stage.unit(unit).name

    def holds() -> bool:
        entries = stage.entries(code)
        for position in range(stage.cursors[code], len(entries)):
            found = entries[position].record
            if found.name == kind and matches(found.fields, wanted):
                stage.cursors[code] = position + 1
                return True
        return False

    def missing() -> str:
        seen = [
            f"{e.record.name} {in_words(e.record.fields)}" for e in stage.entries(code)[stage.cursors[code] :]
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


def _prompt(stage: Stage, name: str) -> Prompt:
    if name not in stage.preparation.prompts:
        raise ScenarioError(f"there is no prompt {name!r}: use one of {', '.join(stage.preparation.prompts)}")
    return stage.preparation.prompts[name]
