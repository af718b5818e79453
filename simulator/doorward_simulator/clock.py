"""World time: integer milliseconds since the world began, virtual or in step with the PC.

Virtual time jumps from cause to cause: computing costs none of it, and no clock of the PC is ever read. In
real time the same world waits for each cause, for people who want to watch. The wall clock of the world
(what a perfect radio clock would show) is `epoch + now`; each unit's own clock may drift from it or be
lost.
"""

import time
from collections.abc import Callable


class Clock:
    """World time in ms. `epoch` is the wall time (ms since 1970 UTC) at which the world begins."""

    realtime = False

    def __init__(self, epoch: int):
        if epoch < 0:
            raise ValueError(f"epoch {epoch}: use milliseconds since 1970")
        self.epoch = epoch
        self.now = 0

    def wall(self) -> int:
        """Milliseconds since 1970 UTC."""
        return self.epoch + self.now

    def reach(self, moment: int) -> None:
        """Go to `moment` (ms of world time); time never runs backwards."""
        self.now = max(self.now, moment)

    def elapsed(self) -> int:
        """The moment (ms of world time) that has really come: in virtual time this one."""
        return self.now

    def wait(self, moment: int | None) -> float | None:  # noqa: ARG002
        """Seconds of the PC's time to wait before `moment`: none in virtual time."""
        return 0.0

    def catch_up(self) -> None:
        """The PC was busy with what takes no world time (starting processes); go on from the present."""


class RealClock(Clock):
    """World time that follows the PC's monotonic clock, `speed` times as fast."""

    realtime = True

    def __init__(self, epoch: int, speed: float = 1.0, monotonic: Callable[[], float] = time.monotonic):
        super().__init__(epoch)
        if speed <= 0:
            raise ValueError(f"speed {speed}: use a positive factor")
        self._speed, self._monotonic = speed, monotonic
        self._start = monotonic()

    def elapsed(self) -> int:
        """Milliseconds of world time that have really passed."""
        return int((self._monotonic() - self._start) * 1000 * self._speed)

    def catch_up(self) -> None:
        lost = self.elapsed() - self.now
        self._start += lost / 1000 / self._speed
        self.epoch += lost

    def wait(self, moment: int | None) -> float | None:
        if moment is None:
            return None
        return max(0.0, (moment - self.elapsed()) / 1000 / self._speed)
