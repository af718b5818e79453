"""Faults on any wire: a `Tap` sits in a line and does to its bytes what bad cables and bad people do.

Every wire of the world has one tap per direction: serial lines, the network's streams, buses, the speaker.
While no fault is set it is a piece of wire. Faults: cut (nothing passes), drop (chunks vanish), corrupt
(bits flip), garbage (random bytes in place of the true ones), duplicate (chunks come twice), delay (chunks
come late, in order).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from .devices.device import Scheduler

KINDS = ("cut", "drop", "corrupt", "garbage", "duplicate", "delay")


@dataclass
class Fault:
    """One fault. `chance` per chunk (per byte for corrupt), `count` chunks at most (None: until cleared)."""

    kind: str
    chance: float = 1.0
    count: int | None = None
    delay_ms: int = 0
    hits: int = field(default=0, init=False)

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}: use one of {', '.join(KINDS)}")
        if not 0 < self.chance <= 1:
            raise ValueError(f"chance {self.chance}: use a number above 0, at most 1")


class Tap:
    """One direction of one wire."""

    def __init__(self, scheduler: Scheduler, name: str):
        self.name = name
        self.faults: list[Fault] = []
        self.middle: Callable[[bytes], list[bytes]] | None = None  # who passes on what, in place of the wire
        self.disturbed = False  # ever: what its part complains about proves nothing
        self._scheduler = scheduler
        self._free_at = 0

    def set(self, fault: Fault) -> None:
        self.faults.append(fault)

    def clear(self) -> None:
        self.faults.clear()
        self.middle = None

    @property
    def cut(self) -> bool:
        """Nothing at all passes."""
        return any(fault.kind == "cut" for fault in self.faults)

    def alter(self, data: bytes) -> list[bytes]:
        """What becomes of one chunk now, delay apart: none, one or two chunks."""
        return self._alter(data)[0]

    def carry(self, data: bytes, deliver: Callable[[bytes], None]) -> None:
        """Pass one chunk on: at once, later, changed, twice, or not at all; never out of order."""
        if self.middle is None:
            self._carry(data, deliver)
            return
        for chunk in self.middle(data):
            self._carry(chunk, deliver)

    def _carry(self, data: bytes, deliver: Callable[[bytes], None]) -> None:
        chunks, delay = self._alter(data)
        now = self._scheduler.now()
        moment = max(self._free_at, now + delay)
        for chunk in chunks:
            if moment <= now:
                deliver(chunk)
            else:
                self._free_at = moment
                self._scheduler.call_later(moment - now, lambda chunk=chunk: deliver(chunk))

    def _alter(self, data: bytes) -> tuple[list[bytes], int]:
        chunks, delay, random = [data], 0, self._scheduler.random
        for fault in list(self.faults):
            if fault.kind != "corrupt" and fault.chance < 1 and random.random() >= fault.chance:
                continue
            if fault.count is not None and fault.hits >= fault.count:
                self.faults.remove(fault)
                continue
            fault.hits += 1
            self.disturbed = True
            if fault.kind in ("cut", "drop"):
                return [], 0
            if fault.kind == "delay":
                delay += fault.delay_ms
            elif fault.kind == "duplicate":
                chunks = chunks * 2
            elif fault.kind == "garbage":
                chunks = [random.randbytes(len(chunk)) for chunk in chunks]
            else:
                chunks = [_flip(chunk, fault.chance, random) for chunk in chunks]
        return chunks, delay


def _flip(chunk: bytes, chance: float, random) -> bytes:
    """Flip one bit in each byte that the dice choose; at least one byte when the chance is 1."""
    flipped = bytearray(chunk)
    for position in range(len(flipped)):
        if random.random() < chance:
            flipped[position] ^= 1 << random.randrange(8)
    return bytes(flipped)
