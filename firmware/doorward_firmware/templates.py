"""Whose fingers the sensors know: the people of the task in hand and nobody else, while it lasts (D19).

The outer sensor gets the crew at the door, the inner one the officers and that crew. What the logic wanted
last counts: a load that a wipe overtakes is given up. A sensor that fails is tried again until it works or
something else is wanted, so that no template stays behind and a task can begin when the sensor is back.
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.errors import ProtocolError
from doorward_protocol.records import PANEL_OUTER

from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.logic import events

_FIRST_PAUSE = const(1000)  # ms between two attempts to reach a sensor
_LAST_PAUSE = const(30_000)


class Templates:
    """The sensors of both panels as the task in hand wants them."""

    def __init__(self, app, panels, blobs, desired):
        self._app, self._panels, self._blobs, self._desired = app, panels, blobs, desired
        self._task = None
        self._news = asyncio.Event()
        for panel in panels:
            panel.on_sensor_fault = self.refresh

    def want(self, task):
        """Load the people of a task; None empties the sensors."""
        self._task = task
        for panel in self._panels:
            panel.slots = ()
        self._news.set()

    def refresh(self):
        """A sensor failed and may have lost what it held."""
        self._news.set()

    async def run(self):
        """Keep the sensors as wanted, for ever."""
        pause = _FIRST_PAUSE
        while True:
            await self._news.wait()
            self._news.clear()
            task = self._task
            done = await asyncio.gather(*[self._prepare(panel, task) for panel in self._panels])
            if self._news.is_set():
                pause = _FIRST_PAUSE
            elif all(done):
                pause = _FIRST_PAUSE
                if task is not None:
                    self._app.handle(events.LOADED, task.nonce)
            else:
                try:
                    await asyncio.wait_for_ms(self._news.wait(), pause)
                except asyncio.TimeoutError:
                    self._news.set()
                pause = min(2 * pause, _LAST_PAUSE)

    async def _prepare(self, panel, task):
        """Make one sensor hold exactly what the task needs. True if it does."""
        panel.slots = ()  # a sensor that failed is loaded anew, and the roster may be another one by now
        try:
            if panel.sensor.info is None:
                await panel.sensor.open()
            else:
                await panel.sensor.wipe()
            slots = []
            for person, finger in self._fingers(panel, task):
                model, number, duress, name = finger
                template = self._blobs.read(name, 0, self._blobs.size(name))
                await panel.sensor.load(len(slots), template, model)
                slots.append((person, number, duress))
                if self._news.is_set():
                    return False
            panel.slots = tuple(slots)
        except DriverError as error:
            self._app.report(panel.sensor.name, error.reason, error.detail)
            panel.sensor.info = None  # begin with its password and its library
            return False
        except ProtocolError as error:  # a template that is no longer here
            self._app.report(panel.sensor.name, error.reason, error.detail)
            return False
        self._app.report(panel.sensor.name, 0)
        return True

    def _fingers(self, panel, task):
        """Yield (person, finger of the roster) for everybody whom this panel may meet in the task."""
        if task is None:
            return
        people = task.door if panel.panel == PANEL_OUTER else task.officers + task.door
        roster = self._desired.roster()
        for person in people:
            fields = roster.get(person)
            for finger in fields["fingers"] if fields else ():
                yield person, finger
