"""One open-drain line, three chips that may pull it: ask each until the line is free.

The line is a level, its interrupt an edge. A chip that pulls while another one is being served makes no
edge of its own, so the line is looked at again after every round. A line that stays low although nobody has
anything to say (a broken chip or cable) is reported and then tried rarely, so that it cannot hold the loop.
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.errors import SENSOR_SILENT

from .errors import DriverError, ignore_fault

_ROUNDS = const(20)  # idle rounds before the line counts as stuck
_PAUSE = const(2)  # ms between idle rounds: some chips need a moment to let go
_RARELY = const(1000)  # ms between two looks at a stuck line


class InterruptLine:
    """Serves everybody on the line. `pin` is low while a chip wants something."""

    name = "interrupt"

    def __init__(self, pin):
        self._pin = pin
        self._flag = asyncio.ThreadSafeFlag()
        self._sources = []
        self._failed = set()
        self.on_fault = ignore_fault
        pin.irq(handler=self._on_edge, trigger=pin.IRQ_FALLING)

    def add(self, source) -> None:
        """`source.service()` fetches what its chip has and returns True if there was anything."""
        self._sources.append(source)

    async def run(self) -> None:
        """Serve for ever."""
        idle = 0
        while True:
            if self._pin():
                if idle >= _ROUNDS:
                    self.on_fault(self.name, 0, "")
                idle = 0
                await self._flag.wait()
                continue
            if self._serve():
                idle = 0
                await asyncio.sleep_ms(0)
                continue
            idle += 1
            if idle == _ROUNDS:
                self.on_fault(self.name, SENSOR_SILENT, "the line is held low and nobody says why")
            await asyncio.sleep_ms(_PAUSE if idle < _ROUNDS else _RARELY)

    def _serve(self):
        busy = False
        for source in self._sources:
            try:
                busy = source.service() or busy
            except DriverError as error:
                if source not in self._failed:
                    self._failed.add(source)
                    self.on_fault(source.name, error.reason, error.detail)
                continue
            if source in self._failed:
                self._failed.discard(source)
                self.on_fault(source.name, 0, "")
        return busy

    def _on_edge(self, _pin):
        self._flag.set()
