"""One open-drain line, three chips that may pull it: ask each until the line is free.

The line is a level, its interrupt an edge. A chip that pulls while another one is being served makes no
edge of its own, so the line is looked at again after every round. A line that stays low although nobody has
anything to say (a broken chip or cable) is reported and then tried rarely, so that it cannot hold the loop.

A chip that could not be understood may have let go of the line all the same, so it is asked again without an
edge until it can be. Readings that contradict each other are no fault yet (contacts bounce): they are when
that lasts for twenty rounds.
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.errors import SENSOR_GARBAGE, SENSOR_SILENT

from .errors import DriverError, ignore_fault

_ROUNDS = const(20)  # idle rounds before the line counts as stuck, or a chip as broken
_PAUSE = const(2)  # ms between idle rounds: some chips need a moment to let go
_RARELY = const(1000)  # ms between two looks at a stuck line or a broken chip


class InterruptLine:
    """Serves everybody on the line. `pin` is low while a chip wants something."""

    name = "interrupt"

    def __init__(self, pin):
        self._pin = pin
        self._flag = asyncio.ThreadSafeFlag()
        self._sources = []
        self._tries = {}  # of sources that could not be understood
        self._failed = set()  # of these, the reported ones
        self._stuck = False
        self.on_fault = ignore_fault
        pin.irq(handler=self._on_edge, trigger=pin.IRQ_FALLING)

    def add(self, source) -> None:
        """`source.service()` fetches what its chip has and returns True if there was anything."""
        self._sources.append(source)

    def ask(self, source) -> None:
        """Serve a source once without an edge."""
        self._tries[source] = 0
        self._flag.set()

    async def run(self) -> None:
        """Serve for ever."""
        idle = 0
        while True:
            if self._pin():
                self._judge_line(False)
                if not self._tries:
                    idle = 0
                    await self._flag.wait()
            if self._serve():
                idle = 0
                await asyncio.sleep_ms(0)
                continue
            idle += 1
            if idle == _ROUNDS and not self._tries:
                self._judge_line(True)
            await self._pause(_PAUSE if idle < _ROUNDS else _RARELY)

    async def _pause(self, duration):
        try:
            await asyncio.wait_for_ms(self._flag.wait(), duration)
        except asyncio.TimeoutError:
            pass

    def _judge_line(self, stuck):
        if stuck != self._stuck:
            self._stuck = stuck
            self.on_fault(
                self.name,
                SENSOR_SILENT if stuck else 0,
                "the line is held low and nobody says why" if stuck else "",
            )

    def _serve(self):
        busy = False
        for source in self._sources:
            try:
                busy = source.service() or busy
            except DriverError as error:
                self._judge(source, error)
                continue
            self._tries.pop(source, None)
            if source in self._failed:
                self._failed.discard(source)
                self.on_fault(source.name, 0, "")
        return busy

    def _judge(self, source, error):
        tries = self._tries[source] = self._tries.get(source, 0) + 1
        if source not in self._failed and (error.reason != SENSOR_GARBAGE or tries >= _ROUNDS):
            self._failed.add(source)
            self.on_fault(source.name, error.reason, error.detail)

    def _on_edge(self, _pin):
        self._flag.set()
