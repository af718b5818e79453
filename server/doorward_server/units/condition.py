"""What is found about a unit, from what it has said and what is known of it: connection, clock, health. Pure.

Words for people are made elsewhere: a finding names parts, reasons and moments (ms since 1970 UTC).
"""

from collections.abc import Iterator
from typing import NamedTuple

from doorward_protocol import errors

from doorward_server.units.difference import RESTORED, Difference
from doorward_server.units.models import Unit
from doorward_server.units.thresholds import GOOD, Finding, state_of

_CODES = {name: code for code, name in errors.NAMES.items()}
_OUTPUTS = (errors.SPEAKER_FAILED, errors.SCREEN_FAILED)


class Fill(NamedTuple):
    """A store that is nearly full, as the unit recorded it last."""

    store: str
    used: int
    total: int


class Recorded(NamedTuple):
    """What a unit's records say that its status does not: what stands, and what the last 24 h have seen."""

    fills: tuple[Fill, ...] = ()
    # Rules of alarms (alarms/rules.py) of tampering that stand, or that nobody has closed yet.
    tampering: tuple[str, ...] = ()
    # Parts that failed the self-test of the last start.
    failed: tuple[str, ...] = ()
    starts: int = 0
    watchdog: int = 0


NOTHING = Recorded()


class Given(NamedTuple):
    """A unit's manifests: when the newest was made, and until when the one in force there is fresh."""

    issued: int | None = None
    fresh_until: int | None = None


def is_heard(unit: Unit, now: int) -> bool:
    """Whether the unit is connected and has not been silent for longer than a connected one ever is."""
    return unit.online and state_of(_connection(unit, now)) == GOOD


def findings_of(unit: Unit, recorded: Recorded, now: int) -> Iterator[Finding]:
    """All findings but those about what the unit holds; of a unit that never connected only that."""
    yield _connection(unit, now)
    if unit.last_seen is None:
        return
    if unit.clock_offset is not None:
        yield Finding("offset", abs(unit.clock_offset), {"offset": unit.clock_offset})
        if not unit.clock_sure:
            yield Finding("unsure", 1, {})
    yield from _reported(unit, recorded)
    yield Finding("starts", recorded.starts or None, {})
    if recorded.watchdog:
        yield Finding("watchdog", recorded.watchdog, {})


def contents_of(unit: Unit, found: Difference, given: Given, now: int) -> Iterator[Finding]:
    """The findings about what the unit holds."""
    if found.refusal is not None:
        yield Finding("refused", 1, {"what": found.refusal.what, "reason": found.refusal.reason})
    else:
        made = unit.registered if given.issued is None else given.issued
        late = now - (found.since if found.why == RESTORED and found.since is not None else made)
        about = {"why": found.why, "version": unit.manifest_version, "missing": found.missing}
        yield Finding("behind", max(0, late) if found.why else None, {**about, "since": found.since})
    if given.fresh_until is not None:
        yield Finding("outdated", now - given.fresh_until, {"until": given.fresh_until})


def _connection(unit: Unit, now: int) -> Finding:
    since = unit.registered if unit.last_seen is None else unit.last_seen
    about = {"since": since, "never": unit.last_seen is None}
    return Finding("silence" if unit.online else "absence", max(0, now - since), about)


def _reported(unit: Unit, recorded: Recorded) -> Iterator[Finding]:
    """What is wrong by the last status and by what stands; each of these measures without trouble as None."""
    found = [_fault(item) for item in unit.health]
    complained = {one.about["part"] for one in found}
    found += [
        Finding("broken", 1, {"part": part, "test": True})
        for part in recorded.failed
        if part not in complained
    ]
    found += [
        Finding("fill", 100 * one.used // max(1, one.total), {"part": one.store}) for one in recorded.fills
    ]
    found += [Finding("tampered", 1, {"rule": rule}) for rule in recorded.tampering]
    yield from found
    for quiet, *others in (("broken", "output"), ("fill", "unstored"), ("tampered",), ("unprotected",)):
        if not any(one.measure in (quiet, *others) for one in found):
            yield Finding(quiet, None, {})


def _fault(item: object) -> Finding:
    """An item of a status' health, "PART: REASON"; what is not in this form is shown as it is."""
    part, _, name = str(item).rpartition(": ")
    reason = _CODES.get(name)
    if reason is None:
        return Finding("broken", 1, {"part": str(item), "reason": None})
    about = {"part": part, "reason": reason}
    if reason == errors.UNPROTECTED:
        return Finding("unprotected", 1, about)
    if reason == errors.SENSOR_TAMPERED:
        return Finding("tampered", 1, about)
    if part == "journal" or reason == errors.FLASH_FULL:
        return Finding("unstored", 1, about)
    return Finding("output" if reason in _OUTPUTS else "broken", 1, about)
