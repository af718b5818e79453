"""Nothing that happens to one part ends the others: every task is supervised, the watchdog watches them all.

A task that ends by an error is recorded and started again, after a pause that doubles while it keeps failing.
The watchdog is fed only from a task of this loop and only while every supervised task is running or waits for
its restart, so a loop that hangs, or a task that silently ended, resets the chip, which drops the relays.
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.errors import MALFORMED, NAMES

from doorward_firmware.drivers.errors import observed

_FIRST_PAUSE = const(500)  # ms
_LAST_PAUSE = const(60_000)
_STEADY = const(60_000)  # ms after which a failure counts as the first one again
FEED_MS = const(2_000)
WATCHDOG_MS = const(10_000)  # five missed feeds


def reason_of(error):
    """Return (reason, detail) that a record can hold, of any exception."""
    reason = getattr(error, "reason", MALFORMED)
    detail = getattr(error, "detail", None)
    if reason not in NAMES or not isinstance(detail, str):
        return MALFORMED, observed(error)[:120]
    return reason, detail[:120]


class Supervisor:
    """Runs tasks for ever. report(name, reason, detail) hears of every failure."""

    def __init__(self, clock, report):
        self._clock = clock
        self._report = report
        self._tasks = {}

    def start(self, name, function):
        """Run the coroutine function under supervision."""
        self._tasks[name] = asyncio.create_task(self._keep(name, function))

    def alive(self):
        """True while no supervised task has ended."""
        return not any(task.done() for task in self._tasks.values())

    def stop(self):
        """End all tasks."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks = {}

    async def _keep(self, name, function):
        pause = _FIRST_PAUSE
        while True:
            began = self._clock.ticks()
            try:
                await function()
                reason, detail = MALFORMED, "ended"
            except asyncio.CancelledError:
                raise
            except Exception as error:
                reason, detail = reason_of(error)
            if self._clock.ticks() - began >= _STEADY:
                pause = _FIRST_PAUSE
            self._report(name, reason, detail)
            await asyncio.sleep_ms(pause)
            pause = min(2 * pause, _LAST_PAUSE)


async def feed(watchdog, supervisor, housekeeping):
    """Feed the watchdog while all tasks are alive; housekeeping() is called at every turn before that."""
    while True:
        housekeeping()
        if supervisor.alive():
            watchdog.feed()
        await asyncio.sleep_ms(FEED_MS)


class Faults:
    """What does not work at the moment. record(name, reason, detail) is called only when that changes."""

    def __init__(self, record):
        self._record = record
        self.present = {}  # name -> reason

    def report(self, name, reason, detail=""):
        """A part failed (a code of NAMES) or works again (0)."""
        if self.present.get(name, 0) == reason:
            return
        if reason:
            self.present[name] = reason
        else:
            del self.present[name]
        self._record(name, reason, detail)
