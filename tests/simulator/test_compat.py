"""The MicroPython names on CPython behave as the device's."""
# pyright: reportAttributeAccessIssue=false

import asyncio
import time

import pytest
from doorward_simulator.runtimes import compat

compat.install()


def test_ticks_wrap_as_on_the_device():
    end = time.ticks_add(compat.TICKS_PERIOD - 5, 10)
    assert end == 5
    assert time.ticks_diff(end, compat.TICKS_PERIOD - 5) == 10
    assert time.ticks_diff(compat.TICKS_PERIOD - 5, end) == -10


def test_ticks_follow_the_running_loop():
    async def measure():
        asyncio.get_running_loop().time = lambda: 1234.567
        return time.ticks_ms(), time.ticks_us()

    loop = asyncio.new_event_loop()
    try:
        assert loop.run_until_complete(measure()) == (1234567, 1234567000 % compat.TICKS_PERIOD)
    finally:
        loop.close()


def test_const_is_there():
    from micropython import const

    assert const(7) == 7


def test_thread_safe_flag_is_cleared_by_its_waiter():
    async def play():
        flag = asyncio.ThreadSafeFlag()
        flag.set()
        await asyncio.wait_for_ms(flag.wait(), 100)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for_ms(flag.wait(), 1)
        waiting = asyncio.create_task(flag.wait())
        await asyncio.sleep_ms(0)
        flag.set()
        await waiting
        flag.set()
        flag.clear()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for_ms(flag.wait(), 1)

    asyncio.run(play())


def test_thread_safe_flag_has_one_waiter():
    async def play():
        flag = asyncio.ThreadSafeFlag()
        first = asyncio.create_task(flag.wait())
        await asyncio.sleep_ms(0)
        with pytest.raises(RuntimeError, match="one waiter"):
            await flag.wait()
        flag.set()
        await first

    asyncio.run(play())
