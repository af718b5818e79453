"""asyncio on CPython in the world's time: `time()` is the world's, and waiting means asking for a cause.

The loop runs as any asyncio loop does; only its selector differs. While callbacks are ready it returns at
once; when the loop would sleep, it says `idle(deadline)` on the bus and blocks until the world gives one
cause: a timer (the clock moves, due timers run) or one input (its listener runs, as a soft interrupt would
on the device).
"""

import asyncio
import math
import selectors


class WorldSelector(selectors.SelectSelector):
    """Waits for the world instead of for file descriptors."""

    def __init__(self, bus):
        super().__init__()
        self._bus = bus
        self.now = bus.call("system", "now")

    def select(self, timeout: float | None = None) -> list:
        if timeout is not None and timeout <= 0:
            return []
        deadline = None if timeout is None else self.now + deadline_delay(timeout)
        self.now, action = self._bus.idle(deadline)
        if action is not None:
            action()
        return []


def deadline_delay(timeout: float) -> int:
    """Whole milliseconds until a timer `timeout` seconds ahead is due; errors of floats forgiven."""
    return math.ceil(timeout * 1000 - 0.01)


class WorldLoop(asyncio.SelectorEventLoop):
    """An event loop in world time."""

    def __init__(self, bus):
        self._world = WorldSelector(bus)
        super().__init__(self._world)
        self._clock_resolution = 0.0005  # timers of this very millisecond are due, whatever floats make of it

    def time(self) -> float:
        return self._world.now / 1000


class WorldPolicy(asyncio.DefaultEventLoopPolicy):
    """Makes `asyncio.run` use the world's time."""

    def __init__(self, bus):
        super().__init__()
        self._bus = bus

    def new_event_loop(self) -> WorldLoop:
        return WorldLoop(self._bus)
