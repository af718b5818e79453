"""What CPython's heap holds while the firmware is idle, a line of JSON each: `{"at": ms, "blocks": count}`.

Counted are the blocks that the interpreter has allocated (`sys.getallocatedblocks`), after a forced
collection: every object, list, dictionary and text is one or more of them. Bytes would tell of CPython and
not of a device, so this finds what grows and says nothing of how large it is.
"""

import gc
import json
import sys
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
            gc.collect()
            lines.write(json.dumps({"at": now, "blocks": sys.getallocatedblocks()}) + "\n")
        found = wait(deadline)
        now = found[0]
        return found

    bus.idle = measured
