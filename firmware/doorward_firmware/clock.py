"""The unit's two clocks: monotonic ticks for all that lasts, wall time for all that is recorded.

Wall time is read from the chip's clock once, at the start, and then follows the ticks: a chip's clock that
jumps is noticed and put right, not believed. Its floor is the newest time that is proven to have passed: the
last record, the last signed object. A clock below its floor, or so far above it that nobody can have been
away so long, is unsure, and every record says so until the server has set it (D16).

This is the only file that reads the chip's time.
"""

import time

from doorward_protocol.compat import const
from doorward_protocol.records import CLOCK_SURE, CLOCK_UNSURE

TRUST_MS = const(1_209_600_000)  # 14 days: longer without the server, a crystal may be a minute off
JUMP_MS = const(60_000)  # what a clock may be off

_DAY = const(86_400_000)


class Clock:
    """`rtc` is a machine.RTC, or anything with its `datetime`."""

    def __init__(self, rtc):
        self._rtc = rtc
        self._last = time.ticks_ms()
        self._ticks = 0
        self._base = from_calendar(rtc.datetime())  # wall time at tick 0
        self._sure_until = None  # ticks; None: unsure
        self._floor = 0

    def ticks(self):
        """Monotonic ms since the start. Unlike the chip's they do not wrap, if read every few days."""
        chip = time.ticks_ms()
        self._ticks += time.ticks_diff(chip, self._last)
        self._last = chip
        return self._ticks

    def now(self):
        """Wall time in ms since 1970 UTC."""
        return self._base + self.ticks()

    def state(self):
        """CLOCK_SURE or CLOCK_UNSURE."""
        if self._sure_until is None or self.ticks() >= self._sure_until:
            return CLOCK_UNSURE
        return CLOCK_SURE

    def begin(self, floor):
        """Judge the time that the chip's clock had kept: sure if it is not below the floor (ms since 1970)
        and not further above it than a unit may be without the server."""
        self.raise_floor(floor)
        away = self.now() - floor
        if floor and 0 <= away < TRUST_MS:
            self._sure_until = self.ticks() + TRUST_MS - away

    def raise_floor(self, floor):
        """Something signed proves that this time (ms since 1970) has come; a clock below it is unsure."""
        self._floor = max(self._floor, floor)
        if self.now() < self._floor - JUMP_MS:
            self._sure_until = None

    def set(self, milliseconds):
        """Take the server's time (ms since 1970 UTC). False, and unsure, if it lies before the floor."""
        if milliseconds < self._floor - JUMP_MS:
            self._sure_until = None
            return False
        ticks = self.ticks()
        self._base = milliseconds - ticks
        self._sure_until = ticks + TRUST_MS
        self._rtc.datetime(to_calendar(milliseconds))
        return True

    def check(self):
        """Compare with the chip's clock. Return (before, after) if it jumped and was put right, or None."""
        chip, now = from_calendar(self._rtc.datetime()), self.now()
        if abs(chip - now) <= JUMP_MS:
            return None
        self._rtc.datetime(to_calendar(now))
        return chip, now


def from_calendar(fields):
    """Return ms since 1970 UTC of a machine.RTC().datetime(), whatever epoch the interpreter has.

    Days from the civil date, in years that begin in March so that leap days come last.
    """
    year, month, day, _, hour, minute, second, microsecond = fields
    year -= month <= 2
    month = (month + 9) % 12
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 719_469
    return max(0, days * _DAY + (hour * 60 + minute) * 60_000 + second * 1000 + microsecond // 1000)


def to_calendar(milliseconds):
    """Return the fields for machine.RTC().datetime(), of ms since 1970 UTC."""
    days, rest = divmod(milliseconds, _DAY)
    era_days = days + 719_468  # since 0000-03-01
    era, in_era = divmod(era_days, 146_097)
    year = (in_era - in_era // 1460 + in_era // 36_524 - in_era // 146_096) // 365
    in_year = in_era - (365 * year + year // 4 - year // 100)
    month = (5 * in_year + 2) // 153
    day = in_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    year += era * 400 + (month <= 2)
    minutes, rest = divmod(rest, 60_000)
    hour, minute = divmod(minutes, 60)
    return (year, month, day, (days + 3) % 7, hour, minute, rest // 1000, rest % 1000 * 1000)
