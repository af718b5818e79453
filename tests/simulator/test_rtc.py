"""A unit's clock drifts, jumps, is set, and is lost."""

import pytest
from doorward_simulator.clock import Clock
from doorward_simulator.participant import RefusedCall
from doorward_simulator.rtc import LOST, Rtc

EPOCH = 1_772_415_000_000  # Monday, 2026-03-02 01:30 UTC


def test_it_begins_right_and_drifts():
    clock = Clock(EPOCH)
    right, fast = Rtc(clock), Rtc(clock, drift=40)
    clock.reach(86_400_000)
    assert right.milliseconds() == EPOCH + 86_400_000
    assert fast.milliseconds() - right.milliseconds() == 3456  # 40 ppm of a day
    assert right.read() == [2026, 3, 3, 1, 1, 30, 0, 0]


def test_it_can_be_set_jump_and_be_lost():
    clock = Clock(EPOCH)
    rtc = Rtc(clock)
    rtc.jump(-3_600_000)
    assert rtc.milliseconds() == EPOCH - 3_600_000
    rtc.set(2026, 3, 2, 0, 1, 30, 0, 250_000)
    assert rtc.milliseconds() == EPOCH + 250
    clock.reach(1000)
    assert rtc.milliseconds() == EPOCH + 1250
    rtc.lose()
    assert rtc.milliseconds() == LOST
    assert rtc.read()[:3] == [2000, 1, 1]


def test_impossible_dates_are_refused():
    with pytest.raises(RefusedCall, match="no such date"):
        Rtc(Clock(EPOCH)).set(2026, 2, 30, 0, 0, 0, 0, 0)
