"""Whether a month of deliveries wore a unit out: what the evenings of `doorward_simulator.month` say.

Growth is judged by thirds: the largest figure of the last third against the largest of the first one. Two
things do grow, up to a bound: the unit remembers for a week which tasks are completed, by which it knows a
van that comes twice, and it keeps pictures until their room is needed, with an index of them on the heap.
The first is over within the first third of a month; each picture is allowed what it takes.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from doorward_simulator.month import Evening


class Heap(NamedTuple):
    """What one interpreter's heap may have more in the last third than in the first: `other` in all
    (orders differ in people and boxes, tables grow in steps), `blob` for each more that is kept: its name,
    what is known of it, its place in the index."""

    unit: str
    other: int
    blob: int


HEAPS = {
    "cpython": Heap("objects", other=60, blob=5),
    "micropython": Heap("bytes", other=2_048, blob=112),
}
STATE = 192  # bytes of flash: a van more or less among those that came within a week
BOUND_SECTORS = 12  # the next order's blobs may lie there already
WRAPS = 3.0
# A sector of a log is erased once in a round; a round that is not over makes one more, the one before it
# the other.
WEAR_FACTOR, WEAR_MORE = 2, 2
LOGS = ("journal", "state")
# The other partition is no log: blobs lie where they fit, so orders come and go in the same places. There
# the chip's life decides: 100,000 erases of a sector (W25Q128JV data sheet, "Features").
CYCLES = 100_000
YEARS = 20


class Wear(NamedTuple):
    """Erases of the sectors of one partition: how many sectors, how many of them were erased at all, the
    most erases of one, and the mean of those erased."""

    sectors: int
    worn: int
    most: int
    mean: float

    @staticmethod
    def of(erases: Sequence[int]) -> "Wear":
        worn = [count for count in erases if count]
        mean = sum(worn) / len(worn) if worn else 0.0
        return Wear(len(erases), len(worn), max(erases, default=0), round(mean, 2))


def problems(evenings: Sequence["Evening"], heap: Heap, wraps: float = WRAPS) -> list[str]:
    """What is wrong, in sentences. `wraps`: how often the journal must have come round to show anything."""
    if not evenings:
        return ["no day was played"]
    last = evenings[-1]
    found = _growth(evenings, heap)
    if last.wraps < wraps:
        found.append(f"the journal came round {last.wraps} times, not {wraps}: this shows nothing")
    for label in LOGS:
        wear = Wear.of(last.wear[label])
        if wear.most > WEAR_FACTOR * wear.mean + WEAR_MORE:
            found.append(f"{label} is worn unevenly: a sector {wear.most} times, {wear.mean} in the mean")
    for label, erases in last.wear.items():
        if (years := years_of(max(erases, default=0), last.day)) < YEARS:
            found.append(f"{label} is worn out after {years:.1f} years, not {YEARS}")
    return found


def years_of(erases: int, days: int) -> float:
    """How long a sector lives that is erased so often in so many days."""
    return CYCLES / max(1, erases) * days / 365


def _growth(evenings: Sequence["Evening"], heap: Heap) -> list[str]:
    length = max(1, len(evenings) // 3)
    first, last = evenings[:length], evenings[-length:]
    blobs = max(0, max(evening.blobs for evening in last) - max(evening.blobs for evening in first))
    found = []
    for name, what, more in (
        ("heap", f"heap, {heap.unit}", heap.other + heap.blob * blobs),
        ("state_bytes", "state, bytes", STATE),
        ("bound_sectors", "blobs that may not be given up, sectors", BOUND_SECTORS),
    ):
        before, after = (max(getattr(evening, name) for evening in part) for part in (first, last))
        if after > before + more:
            found.append(
                f"grows ({what}): {before} in the first third, {after} in the last, allowed {more:.0f}"
            )
    return found
