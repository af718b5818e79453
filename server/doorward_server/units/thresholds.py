"""How good a unit's condition is: one table from what is measured to good, attention or bad (F6). Pure.

A measure is a number, the worse the larger. What a unit has nothing of (no fault, no tampering) has no number
and is good; of what it has not reported yet nothing is known, and that deserves attention.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

GOOD, ATTENTION, BAD = "good", "attention", "bad"
STATES = (GOOD, ATTENTION, BAD)

_MINUTE = 60_000  # ms


class Threshold(NamedTuple):
    """From which value on a measure deserves attention, and from which on it is bad; None: from none.

    `grows`: with every millisecond that passes.
    """

    aspect: str
    measure: str
    attention: int | None
    bad: int | None
    grows: bool = False


# fmt: off
THRESHOLDS = (
    # ms without a connection; a unit works on, but nobody can decide for it, and no order comes through.
    Threshold("connection", "absence", 0, 15 * _MINUTE, grows=True),
    # ms since a connected unit's last status, of which one is due every 30 s.
    Threshold("connection", "silence", 90_000, 15 * _MINUTE, grows=True),
    # ms between its clock and ours, either way: bad over 60 s (D16).
    Threshold("clock", "offset", 30_001, 60_001),
    Threshold("clock", "unsure", 1, None),
    # ms since the manifest was made that it does not hold whole; after a restore, since that.
    Threshold("contents", "behind", 0, 15 * _MINUTE, grows=True),
    Threshold("contents", "refused", None, 1),
    # ms since the manifest that it holds ran out; before that less than nothing.
    Threshold("contents", "outdated", None, 0, grows=True),
    # Sensors and readers, without which no task gets through; screens and loudspeakers, which people miss.
    Threshold("sensors", "broken", None, 1),
    Threshold("sensors", "output", 1, None),
    # Percent of a store that cannot be given up (F2); what could not be recorded or kept.
    Threshold("storage", "fill", 90, 98),
    Threshold("storage", "unstored", None, 1),
    # In the last 24 h.
    Threshold("power", "starts", 3, 10),
    Threshold("power", "watchdog", 1, 3),
    Threshold("tamper", "tampered", None, 1),
    Threshold("protection", "unprotected", None, 1),
)
# fmt: on

_BY_MEASURE = {one.measure: one for one in THRESHOLDS}
ASPECTS = tuple(dict.fromkeys(one.aspect for one in THRESHOLDS))


class Finding(NamedTuple):
    """What was measured, None where there is nothing of it; `about` is what its words need."""

    measure: str
    value: int | None
    about: Mapping[str, Any]


class Aspect(NamedTuple):
    """One side of a unit's condition, and the findings that it follows from; none: not reported yet."""

    name: str
    state: str
    findings: tuple[Finding, ...]


def state_of(finding: Finding) -> str:
    """GOOD, ATTENTION or BAD."""
    limits = _BY_MEASURE[finding.measure]
    if finding.value is None:
        return GOOD
    if limits.bad is not None and finding.value >= limits.bad:
        return BAD
    return ATTENTION if limits.attention is not None and finding.value >= limits.attention else GOOD


def judge(findings: Iterable[Finding]) -> tuple[Aspect, ...]:
    """All aspects, in the table's order."""
    found = list(findings)
    return tuple(
        _aspect(name, tuple(one for one in found if _BY_MEASURE[one.measure].aspect == name))
        for name in ASPECTS
    )


def _aspect(name: str, findings: tuple[Finding, ...]) -> Aspect:
    return Aspect(name, worst(map(state_of, findings)) if findings else ATTENTION, findings)


def worst(states: Iterable[str]) -> str:
    """The worst of these states; GOOD of none."""
    return max(states, key=STATES.index, default=GOOD)


def changes_in(findings: Iterable[Finding]) -> int | None:
    """In how many ms time alone makes one of them worse; None if it never does."""
    return min(
        (
            limit - one.value
            for one in findings
            for limit in _BY_MEASURE[one.measure][2:4]
            if _BY_MEASURE[one.measure].grows and one.value is not None and limit is not None
            if limit > one.value
        ),
        default=None,
    )
