"""Times as pages show them: in the bank's zone, and without the date where it is today's."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

CLOCKS_DIFFER_MS = 2000


def clock_time(milliseconds: int, zone: ZoneInfo) -> str:
    """Milliseconds since 1970 UTC → "09:41:07"."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone(zone).strftime("%H:%M:%S")


def day_and_time(milliseconds: int, now: int, zone: ZoneInfo) -> str:
    """The same; of another day than `now` "11-29 09:41:07", of another year "2025-11-29 09:41:07"."""
    moment, today = (datetime.fromtimestamp(one / 1000, UTC).astimezone(zone) for one in (milliseconds, now))
    if moment.date() == today.date():
        return clock_time(milliseconds, zone)
    return moment.strftime("%m-%d %H:%M:%S" if moment.year == today.year else "%Y-%m-%d %H:%M:%S")


def window(begin: datetime, end: datetime, zone: ZoneInfo) -> str:
    """Two aware datetimes → "09:30–10:00"."""
    return f"{begin.astimezone(zone):%H:%M}–{end.astimezone(zone):%H:%M}"


def window_of_day(begin: datetime, end: datetime, today: date, zone: ZoneInfo) -> str:
    """The same; of another day than today "12-01 09:30–10:00"."""
    local = begin.astimezone(zone)
    return window(begin, end, zone) if local.date() == today else f"{local:%m-%d} {window(begin, end, zone)}"


def delay(recorded: int, received: int) -> str:
    """How long a record took to the centre: "0.2 s", "14 min"; nothing where the unit's clock is far ahead.

    Two clocks that are set never agree to the millisecond: a little less than nothing is nothing.
    """
    milliseconds = received - recorded
    if milliseconds < -CLOCKS_DIFFER_MS:
        return ""
    milliseconds = max(0, milliseconds)
    if milliseconds < 100_000:
        return f"{milliseconds / 1000:.1f} s"
    if milliseconds < 6_000_000:
        return f"{milliseconds // 60_000} min"
    return f"{milliseconds // 3_600_000} h"
