"""Couriers beside the server: for each target a thread with an event loop of its own.

So a receiver that is slow or gone, or a name server that hangs, holds up nobody else: neither pages and units
nor the other targets.
"""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from doorward_server.notify import waiting
from doorward_server.notify.outbox import PART
from doorward_server.services import Services

if TYPE_CHECKING:
    from doorward_server.notify.delivery import Delivery

RETRY_SECONDS = 60
STOP_SECONDS = 2
logger = logging.getLogger(__name__)


class Courier:
    """Works through one target's outbox: awakened by what is new, and by itself for what failed."""

    def __init__(self, delivery: "Delivery") -> None:
        self._delivery = delivery
        self._loop = asyncio.new_event_loop()
        self._ready = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._ended = False
        # A daemon: nobody waits longer for it than `join` says.
        self._thread = threading.Thread(target=self._run, name=f"notify-{delivery.target.name}", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something to tell. May be called on any thread."""
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._ready.set)

    def end(self) -> None:
        """Stop, whatever is in work; it comes again after the next start."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._cancel)

    def join(self, seconds: float) -> None:
        """Wait until it has ended."""
        self._thread.join(seconds)

    def _cancel(self) -> None:
        self._ended = True
        if self._work is not None:
            self._work.cancel()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner, suppress(asyncio.CancelledError):
            runner.run(self._deliver())

    async def _deliver(self) -> None:
        self._work = asyncio.current_task()
        while not self._ended:
            self._ready.clear()
            try:
                pause = await self._delivery.round()
            except Exception:  # a full disk, a lost database: no target's own problem
                logger.exception("the outbox cannot be read or written; trying again in %d s", RETRY_SECONDS)
                pause = RETRY_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._ready.wait()


class Couriers:
    """All targets' couriers, by the target's name."""

    def __init__(self, services: Services) -> None:
        self._of: dict[str, Courier] = {}
        if not services.settings.notify:
            return
        # Its HTTP client is long in loading: no command and no server that tells nobody waits for it.
        from doorward_server.notify.delivery import Delivery

        for target in services.settings.notify:
            self._of[target.name] = Courier(Delivery(services, target))

    def wake(self, target: str) -> None:
        """There is something to tell this target. May be called on any thread."""
        if target in self._of:
            self._of[target].wake()

    def end(self) -> None:
        """Stop all of them."""
        until = time.monotonic() + STOP_SECONDS
        for courier in self._of.values():
            courier.end()
        for courier in self._of.values():
            courier.join(max(0, until - time.monotonic()))


@asynccontextmanager
async def delivering_in_background(services: Services) -> AsyncIterator[None]:
    """Runs the couriers beside the server; what an earlier run left over goes first."""
    forgotten = waiting.forget_others(services, [target.name for target in services.settings.notify])
    if forgotten:
        logger.warning("%d notices waited for targets that DOORWARD_NOTIFY no longer names", forgotten)
    couriers = services.parts[PART] = Couriers(services)
    try:
        yield
    finally:
        del services.parts[PART]
        couriers.end()
