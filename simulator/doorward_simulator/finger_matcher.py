"""Compare two sets of minutiae: a score of 0 for strangers, 100 and more for the same finger.

Three steps, each cheap enough to run millions of times:

1. *Pairs.* Two minutiae 25 to 85 pixels apart are described by their distance and by both directions
   relative to the line between them: three numbers that neither displacement nor rotation changes, packed
   into one key. One side files its keys, the other looks up every key within tolerance.
2. *Votes.* Each common pair proposes a rotation and a displacement. Only proposals that agree count;
   strangers seldom get four to agree and are dismissed here.
3. *Proof.* The best proposal is applied and minutiae that fall on each other are counted, each once.
   The score is ten times their number times their share of all that could have met in the common
   area, so that a large overlap with few meetings counts against a match.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from doorward_simulator.fingers import Minutia

NEAREST, FARTHEST = 25, 85  # pixels between the two of a pair
DISTANCE_BIN, TURN_BIN = 6, 8  # pixels, 1/256 turn
CLOSE, ALIGNED = 9, 20  # minutiae meet within these pixels and this direction (1/256 turn)
LEAST_VOTES = 4
TURN_STEP, TURNS = 16, 16  # 1/256 turn
CELL = 20  # pixels
ROW = 1 << 16  # cells of one column: more than displacements can reach
COS = tuple(math.cos(step * math.pi / 128) for step in range(256))
SIN = tuple(math.sin(step * math.pi / 128) for step in range(256))

Place = tuple[int, float, float]  # direction of a line, middle of its pair
Vote = tuple[int, float, float, int]  # rotation, displacement, and the cell that it falls into


class Features:
    """One print prepared for comparison; prepare once, compare often."""

    __slots__ = ("_wide", "columns", "minutiae", "order", "pairs")

    def __init__(self, minutiae: Sequence[Minutia]):
        self.minutiae = tuple((m.x, m.y, m.direction) for m in minutiae)
        self.order = sorted(range(len(self.minutiae)), key=self.minutiae.__getitem__)  # from left to right
        self.columns = [self.minutiae[i][0] for i in self.order]
        # key -> [(direction of the line, middle of the pair)]
        self.pairs: dict[int, list[Place]] = {}
        self._wide: dict[int, list[Place]] | None = None
        for distance, first, second, line in self._measured():
            key = (distance // DISTANCE_BIN << 16) | (first // TURN_BIN << 8) | second // TURN_BIN
            self.pairs.setdefault(key, []).append(line)

    def _measured(self):
        """Every pair once: distance, both directions seen from the line between them, and that line."""
        for i, (x1, y1, d1) in enumerate(self.minutiae):
            for x2, y2, d2 in self.minutiae[i + 1 :]:
                dx, dy = x2 - x1, y2 - y1
                if NEAREST * NEAREST <= dx * dx + dy * dy <= FARTHEST * FARTHEST:
                    line = round(math.atan2(dy, dx) * 128 / math.pi) & 255
                    place = (line, (x1 + x2) / 2, (y1 + y2) / 2)
                    yield int(math.hypot(dx, dy)), (d1 - line) & 255, (d2 - line) & 255, place

    @property
    def wide(self) -> dict[int, list[Place]]:
        """Keys of every pair, read from either end, with the neighbouring bins it could have fallen into."""
        if self._wide is None:
            self._wide = wide = {}
            for distance, first, second, (line, x, y) in self._measured():
                _file(wide, distance, first, second, (line, x, y))
                _file(wide, distance, second + 128 & 255, first + 128 & 255, (line + 128 & 255, x, y))
        return self._wide


def _file(wide: dict[int, list[Place]], distance: int, first: int, second: int, place: Place) -> None:
    for bin_distance in _bins(distance, DISTANCE_BIN, FARTHEST):
        for bin_first in _bins(first, TURN_BIN, 255):
            for bin_second in _bins(second, TURN_BIN, 255):
                key = (bin_distance << 16) | (bin_first << 8) | bin_second
                wide.setdefault(key, []).append(place)


def _bins(value: int, size: int, last: int) -> tuple[int, int]:
    """The bin of a value and the nearer of its neighbours; bins of a circle meet at the ends."""
    own, count = value // size, last // size + 1
    return own, (own + (1 if value % size * 2 >= size else -1)) % count


def compare(probe: Features, template: Features) -> int:
    """Score of a fresh print against a stored one."""
    alignment = align(probe, template)
    return _proof(probe, template, alignment)[0] if alignment else 0


def align(probe: Features, template: Features) -> tuple[int, float, float] | None:
    """The rotation (1/256 turn) and displacement (pixels) that bring the probe onto the template."""
    wide, pairs = probe.wide, template.pairs
    turns: list[list[Vote]] = [[] for _ in range(TURNS)]
    for key in pairs.keys() & wide.keys():
        for their_line, their_x, their_y in pairs[key]:
            for line, x, y in wide[key]:
                turn = their_line - line & 255
                cos, sin = COS[turn], SIN[turn]
                dx, dy = their_x - x * cos + y * sin, their_y - x * sin - y * cos
                cell = int(dx // CELL) * ROW + int(dy // CELL)
                turns[turn // TURN_STEP].append((turn, dx, dy, cell))
    best: list[Vote] = []
    enough = LEAST_VOTES  # groups that are smaller cannot become the best
    before = turns[-1]
    for own in turns:
        if len(own) + len(before) >= enough:
            agreed = _agreed(own + before, enough)
            if agreed:
                best, enough = agreed, len(agreed) + 1
        before = own
    return _middle(best) if best else None


def _agreed(votes: list[Vote], enough: int) -> list[Vote]:
    """The largest group of votes for one rotation that also agree on the displacement; [] below `enough`."""
    cells: dict[int, list[Vote]] = {}
    for vote in votes:
        cells.setdefault(vote[3], []).append(vote)
    best: list[Vote] = []
    for cell in cells:
        near = [cells[near] for near in (cell, cell + 1, cell + ROW, cell + ROW + 1) if near in cells]
        count = sum(map(len, near))
        if count >= enough:
            best, enough = [vote for group in near for vote in group], count + 1
    return best


def _middle(votes) -> tuple[int, float, float]:
    """Median of the proposals that agree."""
    middle = len(votes) // 2
    base = votes[0][0]
    turn = (sorted((vote[0] - base + 128 & 255) - 128 for vote in votes)[middle] + base) & 255
    return turn, sorted(vote[1] for vote in votes)[middle], sorted(vote[2] for vote in votes)[middle]


def _proof(probe: Features, template: Features, alignment) -> tuple[int, list[tuple[int, int]]]:
    """Score under an alignment, and which minutiae met (indices of probe and template)."""
    turn, dx, dy = alignment
    cos, sin = COS[turn], SIN[turn]
    moved = [(x * cos - y * sin + dx, x * sin + y * cos + dy, d + turn & 255) for x, y, d in probe.minutiae]
    theirs, order, columns = template.minutiae, template.order, template.columns
    candidates = []
    for i, (x, y, d) in enumerate(moved):
        for a in order[bisect_left(columns, x - CLOSE) : bisect_right(columns, x + CLOSE)]:
            tx, ty, td = theirs[a]
            if -CLOSE <= y - ty <= CLOSE:
                apart = (d - td + 128 & 255) - 128
                if -ALIGNED <= apart <= ALIGNED:
                    candidates.append((abs(x - tx) + abs(y - ty) + abs(apart), i, a))
    met, used_i, used_a = [], set(), set()
    for _, i, a in sorted(candidates):
        if i not in used_i and a not in used_a:
            used_i.add(i)
            used_a.add(a)
            met.append((i, a))
    if len(met) < 3:
        return 0, met
    left, right = _common(moved, theirs, 0)
    top, bottom = _common(moved, theirs, 1)
    mine = sum(left <= m[0] <= right and top <= m[1] <= bottom for m in moved)
    other = sum(left <= m[0] <= right and top <= m[1] <= bottom for m in theirs)
    return round(10 * len(met) * min(1.0, len(met) / max(1, mine, other))), met


def _common(first, second, axis: int) -> tuple[float, float]:
    """The range of one coordinate that both prints cover, with a margin."""
    low = max(min(m[axis] for m in first), min(m[axis] for m in second)) - CLOSE
    return low, min(max(m[axis] for m in first), max(m[axis] for m in second)) + CLOSE


def merge(first: Sequence[Minutia], second: Sequence[Minutia], least: int) -> list[Minutia] | None:
    """One print from two touches, in the frame of the first; None when they score below `least`."""
    probe, base = Features(second), Features(first)
    alignment = align(probe, base)
    if alignment is None:
        return None
    score, met = _proof(probe, base, alignment)
    if score < least:
        return None
    turn, dx, dy = alignment
    cos, sin = COS[turn], SIN[turn]
    seen_again = {a for _, a in met}
    known = {i for i, _ in met}
    confirmed = [m for a, m in enumerate(first) if a in seen_again]
    single = [m for a, m in enumerate(first) if a not in seen_again]
    single += [
        Minutia(
            round(m.x * cos - m.y * sin + dx),
            round(m.x * sin + m.y * cos + dy),
            m.direction + turn & 255,
            m.kind,
        )
        for i, m in enumerate(second)
        if i not in known
    ]
    return confirmed + single
