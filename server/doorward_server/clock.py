"""The server's clock, handed to whoever needs the time. Nothing else here asks the machine for it."""

import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's wall clock. A simulated clock has the same two methods."""

    def now(self) -> datetime:
        """Now, timezone-aware, in UTC."""
        return datetime.fromtimestamp(self.milliseconds() / 1000, UTC)

    def milliseconds(self) -> int:
        """Now, in whole milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000


def to_milliseconds(moment: datetime) -> int:
    """An aware datetime as whole milliseconds since 1970 UTC."""
    if moment.tzinfo is None:
        raise ValueError("a time without zone has no place here; use an aware datetime")
    return round(moment.timestamp() * 1000)


def from_milliseconds(milliseconds: int) -> datetime:
    """Whole milliseconds since 1970 UTC as an aware datetime in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
