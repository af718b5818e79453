"""Tasks that end are recorded and restarted, more and more rarely; the watchdog starves if one is gone."""

import asyncio
from itertools import pairwise
from unittest.mock import MagicMock

from doorward_firmware import supervision
from doorward_firmware.app import App
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.effects import Effects
from doorward_firmware.logic import events
from doorward_firmware.supervision import Faults, Supervisor, feed, reason_of
from doorward_protocol import errors
from doorward_protocol.errors import ProtocolError


class Clock:
    now = 0

    def ticks(self):
        return self.now


async def until(condition):
    """Let the other tasks run until the condition holds."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("never happened")


def in_virtual_time(clock, monkeypatch, main):
    """Run main(); every sleep only moves the clock."""
    real = asyncio.sleep

    async def sleep_ms(ms):
        clock.now += ms
        await real(0)

    monkeypatch.setattr(asyncio, "sleep_ms", sleep_ms)
    asyncio.run(main())


def test_reasons_of_all_kinds_of_errors():
    assert reason_of(DriverError(errors.CAMERA_FAILED, "no frame")) == (errors.CAMERA_FAILED, "no frame")
    assert reason_of(ProtocolError(errors.FLASH_FULL)) == (errors.FLASH_FULL, "")
    assert reason_of(ValueError("x" * 500)) == (errors.MALFORMED, ("ValueError " + "x" * 500)[:120])


def test_a_failing_task_comes_back_with_growing_pauses(monkeypatch):
    clock, told, starts = Clock(), [], []

    async def fails():
        starts.append(clock.now)
        raise DriverError(errors.READER_SILENT, "gone")

    async def main():
        supervisor = Supervisor(clock, lambda *fault: told.append(fault))
        supervisor.start("reader", fails)
        await until(lambda: len(starts) >= 12)
        assert supervisor.alive()
        supervisor.stop()

    in_virtual_time(clock, monkeypatch, main)
    pauses = [after - before for before, after in pairwise(starts)]
    assert pauses[:4] == [500, 1000, 2000, 4000]
    assert max(pauses) == 60_000
    assert told[0] == ("reader", errors.READER_SILENT, "gone")


def test_a_task_that_simply_ends_is_a_failure_too(monkeypatch):
    clock, told = Clock(), []

    async def ends():
        pass

    async def main():
        supervisor = Supervisor(clock, lambda *fault: told.append(fault))
        supervisor.start("task", ends)
        await until(lambda: told)
        supervisor.stop()

    in_virtual_time(clock, monkeypatch, main)
    assert told[0] == ("task", errors.MALFORMED, "ended")


def test_the_watchdog_is_fed_only_while_everybody_lives(monkeypatch):
    clock = Clock()

    class Watchdog:
        fed = 0

        def feed(self):
            self.fed += 1

    async def waits():
        await asyncio.Event().wait()

    async def main():
        supervisor, watchdog, turns = Supervisor(clock, print), Watchdog(), []
        supervisor.start("one", waits)
        supervisor.start("two", waits)
        task = asyncio.create_task(feed(watchdog, supervisor, lambda: turns.append(1)))
        await until(lambda: len(turns) >= 3)
        assert watchdog.fed == len(turns)
        supervisor._tasks["two"].cancel()
        await until(lambda: len(turns) >= 6)
        assert watchdog.fed < len(turns)
        assert not supervisor.alive()
        fed = watchdog.fed
        await until(lambda: len(turns) >= 9)
        assert watchdog.fed == fed
        task.cancel()
        supervisor.stop()

    in_virtual_time(clock, monkeypatch, main)
    assert supervision.FEED_MS * 4 < supervision.WATCHDOG_MS


def test_a_journal_that_takes_records_again_is_no_fault_any_more():
    """Whatever it was that recorded: a step's effects as well as a part's fault."""
    app = MagicMock()
    app.faults.present = {"journal": errors.FLASH_FULL}
    app.recorded.side_effect = lambda: App.recorded(app)
    Effects(app).carry_out(((events.RECORD, "left", {}),))
    assert app.faults.present == {}


def test_faults_are_told_when_they_change():
    told = []
    faults = Faults(lambda *fault: told.append(fault))
    for reason in (0, 72, 72, 63, 0, 0):
        faults.report("camera", reason, "why")
    assert [reason for _, reason, _ in told] == [72, 63, 0]
    assert faults.present == {}
