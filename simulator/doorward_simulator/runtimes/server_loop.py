"""asyncio for the server's process in virtual time: real sockets, the world's clock.

The loop's selector looks at the real sockets first. Only when none is ready, nothing waits to be sent and
no worker thread is busy does it say `idle(deadline)` on the bus and wait for the world. The world writes to
a socket first and then gives the cause, so the bytes are always there when the loop looks again: equal runs
stay equal.
"""

import asyncio
import selectors
from collections.abc import Callable

from .cpython import SocketTransport, open_bus
from .stubs.simulated_bus import Bus
from .world_loop import deadline_delay

STUCK = 60.0  # seconds of the PC's time after which a worker that never ends is reported


class ServerSelector(selectors.DefaultSelector):
    """Real readiness first, then the world."""

    def __init__(self, bus: Bus, busy: Callable[[], int]):
        super().__init__()
        self._bus, self._busy = bus, busy
        self.now = bus.call("system", "now")

    def select(self, timeout: float | None = None) -> list:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self._busy() or self._sending():
            ready = super().select(STUCK)
            if not ready:
                raise RuntimeError(
                    "a worker thread or a socket has been busy for a minute: the world cannot go on"
                )
            return ready
        deadline = None if timeout is None else self.now + deadline_delay(timeout)
        self.now, action = self._bus.idle(deadline)
        if action is not None:
            action()
        return super().select(0)

    def _sending(self) -> bool:
        return any(key.events & selectors.EVENT_WRITE for key in self.get_map().values())


class ServerLoop(asyncio.SelectorEventLoop):
    """An event loop in world time that counts busy workers."""

    def __init__(self, bus: Bus):
        self._workers = 0
        self._server = ServerSelector(bus, lambda: self._workers)
        super().__init__(self._server)
        self._clock_resolution = 0.0005

    def time(self) -> float:
        return self._server.now / 1000

    def run_in_executor(self, executor, func, *args):
        """As asyncio's; the world waits until the work is done."""
        future = super().run_in_executor(executor, func, *args)
        self._workers += 1
        future.add_done_callback(self._work_done)
        return future

    def _work_done(self, _future: asyncio.Future) -> None:
        self._workers -= 1

    def count_anyio_workers(self) -> None:
        """Count the threads of anyio (FastAPI's synchronous routes) too, whichever limiter they are under."""
        from anyio._backends._asyncio import AsyncIOBackend

        name = "run_sync_in_worker_thread"
        run = getattr(AsyncIOBackend, name).__func__

        async def counted(backend, *arguments, **settings):
            self._workers += 1
            try:
                return await run(backend, *arguments, **settings)
            finally:
                self._workers -= 1

        setattr(AsyncIOBackend, name, classmethod(counted))


def open_loop(where: str) -> tuple[ServerLoop, Bus]:
    """The loop and the bus of a server's process; `where` is what the world gave as `--bus`."""
    bus = Bus(SocketTransport(open_bus(where)))
    loop = ServerLoop(bus)
    asyncio.set_event_loop(loop)
    return loop, bus
