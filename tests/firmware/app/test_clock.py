"""Calendar arithmetic against Python's own, floors, jumps and ticks that do not wrap."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from doorward_firmware import clock
from doorward_firmware.clock import JUMP_MS, TRUST_MS, Clock, from_calendar, to_calendar
from doorward_protocol.records import CLOCK_SURE, CLOCK_UNSURE
from doorward_simulator.runtimes import compat

pytestmark = pytest.mark.shows("D16")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = 1_800_000_000_000
PERIOD = compat.TICKS_PERIOD


class Chip:
    """Ticks and calendar of a chip, moved by hand."""

    def __init__(self, wall=NOW, ticks=0):
        self.wall, self.ticks = wall, ticks

    def datetime(self, value=None):
        if value is not None:
            self.wall = from_calendar(value)
        return to_calendar(self.wall)

    def wait(self, ms):
        self.wall += ms
        self.ticks = (self.ticks + ms) % PERIOD


@pytest.fixture
def chip(monkeypatch):
    compat.install()
    chip = Chip()
    monkeypatch.setattr(clock.time, "ticks_ms", lambda: chip.ticks)
    return chip


def test_calendar_agrees_with_python():
    chance = random.Random(1)
    days = [chance.randrange(0, 200 * 365) for _ in range(3000)]
    days += [0, 58, 59, 60, 364, 365, 789, 790, 11_015, 11_016, 11_017, 47_540, 47_541]  # around leap days
    for day in days:
        moment = EPOCH + timedelta(days=day, milliseconds=chance.randrange(86_400_000))
        milliseconds = (moment - EPOCH) // timedelta(milliseconds=1)
        fields = to_calendar(milliseconds)
        assert fields[:3] == (moment.year, moment.month, moment.day)
        assert fields[3] == moment.weekday()
        assert fields[4:7] == (moment.hour, moment.minute, moment.second)
        assert from_calendar(fields) == milliseconds


def test_a_clock_is_sure_only_between_its_floor_and_a_fortnight_later(chip):
    for wall, state in (
        (NOW - 1, CLOCK_UNSURE),
        (NOW, CLOCK_SURE),
        (NOW + TRUST_MS - 1, CLOCK_SURE),
        (NOW + TRUST_MS, CLOCK_UNSURE),
    ):
        chip.wall = wall
        kept = Clock(chip)
        assert kept.state() == CLOCK_UNSURE  # until somebody has judged it
        kept.begin(NOW)
        assert kept.state() == state


def test_a_unit_that_knows_no_time_is_unsure(chip):
    kept = Clock(chip)
    kept.begin(0)
    assert kept.state() == CLOCK_UNSURE


def test_the_server_makes_it_sure_and_the_fortnight_begins_anew(chip):
    kept = Clock(chip)
    chip.wait(5)
    assert kept.set(NOW + 1000)
    assert (kept.now(), kept.state()) == (NOW + 1000, CLOCK_SURE)
    assert chip.wall == NOW + 1000
    for _ in range(14):
        assert kept.state() == CLOCK_SURE
        chip.wait(86_400_000)
    assert kept.state() == CLOCK_UNSURE


def test_a_time_before_the_floor_is_not_taken(chip):
    kept = Clock(chip)
    kept.begin(NOW)
    assert not kept.set(NOW - JUMP_MS - 1)
    assert (kept.now(), kept.state()) == (NOW, CLOCK_UNSURE)
    assert kept.set(NOW - JUMP_MS)


def test_a_newer_object_shows_that_the_clock_is_behind(chip):
    kept = Clock(chip)
    kept.begin(NOW)
    kept.raise_floor(NOW + JUMP_MS)
    assert kept.state() == CLOCK_SURE
    kept.raise_floor(NOW + JUMP_MS + 1)
    assert kept.state() == CLOCK_UNSURE


def test_a_jump_of_the_chips_clock_is_put_right(chip):
    kept = Clock(chip)
    kept.begin(NOW)
    for jump in (-10 * JUMP_MS, 10 * JUMP_MS):
        chip.wait(1000)
        before, right = chip.wall + jump, kept.now()
        chip.wall += jump
        assert kept.now() == right
        assert kept.check() == (before, right)
        assert chip.wall == right
    assert kept.check() is None
    chip.wall += JUMP_MS
    assert kept.check() is None


def test_ticks_do_not_wrap(chip):
    chip.ticks = PERIOD - 10
    kept = Clock(chip)
    chip.wait(20)
    assert kept.ticks() == 20
    for day in range(1, 30):
        chip.wait(86_400_000)
        assert kept.ticks() == 20 + day * 86_400_000
    assert kept.now() == NOW + kept.ticks()
