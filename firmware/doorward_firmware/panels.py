"""The dialogue at one panel's sensor: a touch, an attempt that the logic has counted, a finger, an answer.

The logic decides whether the sensor may be asked at all (ASK); every ASK is answered by MATCH or NO_MATCH,
whatever happens, or the panel would wait for ever. At the outer panel a picture is taken meanwhile, at every
attempt, and is durable before the answer names it.
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.errors import NO_MATCH, POOR_IMAGE, SENSOR_GARBAGE, SPOOF_FINGER
from doorward_protocol.records import PANEL_OUTER

from doorward_firmware.drivers.errors import DriverError, observed
from doorward_firmware.logic import events

_CAPTURES = const(3)  # of one attempt, while they are too poor to be compared

# What says something of the finger, not of the sensor.
_FINGER_REASONS = (NO_MATCH, POOR_IMAGE, SPOOF_FINGER)


class Panel:
    """A sensor and the people loaded into it: `slots[n]` is (person, finger number, duress) of slot n."""

    def __init__(self, app, panel, sensor):
        self.panel, self.sensor = panel, sensor
        self.slots: tuple = ()
        self.on_sensor_fault = lambda: None  # the sensor may have lost its templates
        self._app = app
        self._asked = None

    def ask(self, nonce):
        """The effect ASK: an attempt has been counted for this task."""
        self._asked = nonce

    async def run(self):
        """Wait for touches for ever."""
        self._give_up()  # an attempt that a restart of this task interrupted
        while True:
            await self.sensor.wait_touch()
            self._app.handle(events.TOUCH, self.panel)
            if self._asked is not None:
                await self._answer()

    async def _answer(self):
        picture = None
        try:
            if self.panel == PANEL_OUTER:
                picture, found = await asyncio.gather(self._app.pictures.take(), self._identify())
            else:
                found = await self._identify()
        except Exception as error:
            self._app.report(self.sensor.name, SENSOR_GARBAGE, observed(error)[:120])
            found = (SENSOR_GARBAGE, None, 0)
        except asyncio.CancelledError:
            self._give_up()
            raise
        nonce, self._asked = self._asked, None
        wall, name = self._app.clock.now(), self.sensor.name
        reason, entry, score = found
        if entry is None:
            self._app.handle(events.NO_MATCH, self.panel, nonce, reason, picture, wall)
            return
        person, number, duress = entry
        self._app.handle(events.MATCH, self.panel, nonce, person, number, duress, score, name, picture, wall)
        if self.panel == PANEL_OUTER:
            await self._app.pictures.remember(person)

    async def _identify(self):
        """Return (0, (person, finger, duress), score), or (reason, None, 0) if nobody was found."""
        slots = self.slots
        for capture in range(_CAPTURES):
            try:
                slot, score = await self.sensor.identify(len(slots))
            except DriverError as error:
                if error.reason == POOR_IMAGE and capture < _CAPTURES - 1:
                    continue
                if error.reason not in _FINGER_REASONS:
                    self._app.report(self.sensor.name, error.reason, error.detail)
                    self.on_sensor_fault()
                return error.reason, None, 0
            self._app.report(self.sensor.name, 0)
            if slots is self.slots:
                return 0, slots[slot], score
            break  # other people have been loaded meanwhile
        return NO_MATCH, None, 0

    def _give_up(self):
        if self._asked is not None:
            nonce, self._asked = self._asked, None
            wall = self._app.clock.now()
            self._app.handle(events.NO_MATCH, self.panel, nonce, SENSOR_GARBAGE, None, wall)
