"""What CPython's heap holds while the firmware is idle, a line of JSON each: `{"at": ms, "objects": count}`.

Counted is every object that another one knows, after a forced collection: lists, dictionaries, texts,
numbers. Bytes would tell of CPython and not of a device, and so would the blocks that it has allocated, some
of which it keeps for itself. This finds what grows and says nothing of how large it is.
"""

import gc
import json
from pathlib import Path

from .stubs.simulated_bus import Bus


def install(bus: Bus, path: Path, interval: int) -> None:
    """Write a line before the bus waits, if the last one is `interval` ms of world time old."""
    wait = bus.idle
    lines = path.open("a", encoding="ascii", buffering=1)
    now = due = 0

    def measured(deadline: int | None):
        nonlocal now, due
        if now >= due:
            due = now + interval
            lines.write(json.dumps({"at": now, "objects": _objects()}) + "\n")
        found = wait(deadline)
        now = found[0]
        return found

    bus.idle = measured


def _objects() -> int:
    gc.collect()
    waiting = gc.get_objects()  # what holds others; what they hold may hold nothing itself
    known: set[int] = set()
    while waiting:
        found = waiting.pop()
        if id(found) not in known:
            known.add(id(found))
            waiting.extend(gc.get_referents(found))
    return len(known)
