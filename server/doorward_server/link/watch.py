"""Timers of the link: a unit that stays away, records that stay unsigned. One per unit and subject."""

import asyncio
from collections.abc import Callable


class Timers:
    """Named timers on the event loop. Starting one that runs already changes nothing."""

    def __init__(self) -> None:
        self._handles: dict[tuple[str, int], asyncio.TimerHandle] = {}

    def start(self, subject: str, unit_id: int, seconds: float, action: Callable[[], None]) -> None:
        """Do `action` after so many seconds, unless stopped before."""
        key = (subject, unit_id)
        if key not in self._handles:
            loop = asyncio.get_running_loop()
            self._handles[key] = loop.call_later(seconds, self._fire, key, action)

    def stop(self, subject: str, unit_id: int) -> None:
        """Forget a timer; harmless if there is none."""
        handle = self._handles.pop((subject, unit_id), None)
        if handle is not None:
            handle.cancel()

    def stop_all(self) -> None:
        """Forget all timers."""
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()

    def _fire(self, key: tuple[str, int], action: Callable[[], None]) -> None:
        self._handles.pop(key, None)
        action()
