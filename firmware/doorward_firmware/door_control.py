"""The relays' only driver, and what the doors and the inputs say.

`release` asks the guard right before it energises a relay; nothing else in the firmware releases a door.
"""

import asyncio

from doorward_protocol.errors import NOT_WANTED
from doorward_protocol.objects import APPROVE, REFUSE
from doorward_protocol.records import INPUT_EGRESS, INPUT_FIRE, INPUT_TAMPER

from doorward_firmware.logic import events, guard, interlock

_INPUTS = {"EGRESS": INPUT_EGRESS, "FIRE": INPUT_FIRE, "TAMPER": INPUT_TAMPER}
_BUTTONS = {"APPROVE": APPROVE, "REFUSE": REFUSE}


class DoorControl:
    """Doors, egress, fire and tamper inputs, and the inner panel's two buttons."""

    def __init__(self, app, doors, inputs):
        self._app, self._doors, self._inputs = app, doors, inputs
        self._both, self._alone = asyncio.Event(), True
        doors.on_change = self._door
        inputs.listen(self._input)

    def release(self, door, cause):
        """Energise a relay if the guard agrees; a refusal is recorded."""
        energised = [each for each in interlock.DOORS if self._doors.is_released(each)]
        unit = self._app.unit
        if guard.may_release(door, cause, unit.doors, unit.handover, energised):
            self._doors.release(door)
            return
        self._doors.lock(door)
        detail = "door %d, cause %d" % (door, cause)
        self._app.journal.append("refusal", what="release", reference=None, reason=NOT_WANTED, detail=detail)

    def lock(self, door):
        """Let a relay fall."""
        self._doors.lock(door)

    async def watch_buttons(self):
        """Both buttons held together release both doors: deliberate, recorded, alarmed (D12). For ever."""
        while True:
            await self._both.wait()
            self._both.clear()
            await asyncio.sleep_ms(self._app.settings["EMERGENCY_HOLD_MS"])
            if self._both_held():
                self._app.handle(events.EMERGENCY)

    def _door(self, door, is_open):
        self._app.handle(events.DOOR, door, is_open)

    def _input(self, name, active):
        if name in _INPUTS:
            self._app.handle(events.INPUT, _INPUTS[name], active)
        elif name in _BUTTONS:
            if self._both_held():
                self._both.set()
                self._alone = False
            elif not active:  # let go: only then it is known that it was no emergency
                if self._alone:
                    self._app.handle(events.BUTTON, _BUTTONS[name])
                self._alone = not any(self._inputs[each].active for each in _BUTTONS)

    def _both_held(self):
        return all(self._inputs[name].active for name in _BUTTONS)
