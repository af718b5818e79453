"""What MicroPython has and CPython lacks, so that protocol and firmware run unchanged on a PC.

`install()` adds to CPython's own modules: `asyncio.sleep_ms`, `asyncio.wait_for_ms`,
`asyncio.ThreadSafeFlag`, `time.ticks_ms/ticks_us/ticks_add/ticks_diff` and a module `micropython`. Ticks
follow the running event loop's `time()`, so that a test's or the world's virtual time is the firmware's time
too; they wrap at 2**30 as on the ESP32.
"""

import asyncio
import sys
import time
import types

TICKS_PERIOD = 1 << 30
_HALF = TICKS_PERIOD >> 1


class ThreadSafeFlag:
    """asyncio.ThreadSafeFlag of MicroPython: set from an interrupt, one waiter, `wait()` clears it."""

    def __init__(self):
        self._set = False
        self._waiter: asyncio.Future | None = None

    def set(self) -> None:
        self._set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def clear(self) -> None:
        self._set = False

    async def wait(self) -> None:
        while not self._set:
            if self._waiter is not None and not self._waiter.done():
                raise RuntimeError("a ThreadSafeFlag has one waiter only: use an Event for several")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._set = False


async def sleep_ms(milliseconds: int) -> None:
    await asyncio.sleep(max(0, milliseconds) / 1000)


async def wait_for_ms(awaitable, milliseconds: int):
    """As `asyncio.wait_for`, with milliseconds; raises asyncio.TimeoutError."""
    return await asyncio.wait_for(awaitable, milliseconds / 1000)


def ticks_us() -> int:
    """Microseconds of the running loop's time, or of the PC where no loop runs."""
    try:
        seconds = asyncio.get_running_loop().time()
    except RuntimeError:
        seconds = time.monotonic()
    return round(seconds * 1_000_000) % TICKS_PERIOD


def ticks_ms() -> int:
    try:
        seconds = asyncio.get_running_loop().time()
    except RuntimeError:
        seconds = time.monotonic()
    return int(seconds * 1000 + 0.0005) % TICKS_PERIOD


def ticks_add(ticks: int, delta: int) -> int:
    return (ticks + delta) % TICKS_PERIOD


def ticks_diff(end: int, start: int) -> int:
    """Signed difference, right as long as both lie within half a period (6 days)."""
    return (end - start + _HALF) % TICKS_PERIOD - _HALF


def install() -> None:
    """Add the missing names; harmless when called twice."""
    added = {
        asyncio: (sleep_ms, wait_for_ms, ThreadSafeFlag),
        time: (ticks_ms, ticks_us, ticks_add, ticks_diff),
    }
    for module, functions in added.items():
        for function in functions:
            setattr(module, function.__name__, function)
    if not hasattr(sys.modules.get("micropython"), "const"):  # a mere folder of that name counts for nothing
        sys.modules["micropython"] = _Micropython("micropython")


class _Micropython(types.ModuleType):
    """Names of MicroPython's module that the firmware uses."""

    @staticmethod
    def const(value):
        return value

    @staticmethod
    def native(function):
        return function

    viper = native

    @staticmethod
    def schedule(function, argument):
        function(argument)
