"""A unit's real-time clock: it drifts, can be set, can jump, and is lost without its battery."""

from datetime import UTC, datetime, timedelta

from .clock import Clock
from .participant import RefusedCall

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOST = int((datetime(2000, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * 1000  # what the ESP32 starts with


class Rtc:
    """`drift` in parts per million: positive runs fast. Begins right to the millisecond."""

    def __init__(self, clock: Clock, drift: int = 0):
        self.drift = drift
        self._clock = clock
        self._value, self._since = clock.wall(), clock.now

    def milliseconds(self) -> int:
        """What the clock shows, ms since 1970 UTC."""
        passed = self._clock.now - self._since
        return self._value + passed + passed * self.drift // 1_000_000

    def show(self, milliseconds: int) -> None:
        self._value, self._since = milliseconds, self._clock.now

    def jump(self, milliseconds: int) -> None:
        """Somebody or something moves the hands."""
        self.show(self.milliseconds() + milliseconds)

    def lose(self) -> None:
        """The backup supply was gone: the clock starts at 2000 again."""
        self.show(LOST)

    def read(self) -> list[int]:
        """The fields of machine.RTC().datetime()."""
        now = EPOCH + timedelta(milliseconds=self.milliseconds())
        return [
            now.year,
            now.month,
            now.day,
            now.weekday(),
            now.hour,
            now.minute,
            now.second,
            now.microsecond,
        ]

    def set(
        self, year: int, month: int, day: int, _weekday: int, hour: int, minute: int, second: int, us: int
    ) -> None:
        try:
            moment = datetime(year, month, day, hour, minute, second, us, tzinfo=UTC)
        except ValueError as error:
            raise RefusedCall(f"no such date: {error}") from error
        self.show((moment - EPOCH) // timedelta(milliseconds=1))
