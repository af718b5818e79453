"""A panel while flash or a sensor fails: no attempt without an answer, no finger taken for another one."""

import asyncio
from unittest.mock import MagicMock

from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.effects import Effects
from doorward_firmware.logic import events, flows, handover, settings, unit
from doorward_firmware.logic.task import Task
from doorward_firmware.panels import Panel
from doorward_firmware.templates import Templates
from doorward_protocol.errors import NO_MATCH
from doorward_protocol.records import PANEL_OUTER

NONCE, WALL = b"nonce001", 1_800_000_000_000


def test_an_attempt_that_cannot_be_counted_is_over_and_the_next_one_is_asked():
    app, times = MagicMock(), settings.defaults()
    app.clock.now.return_value = WALL
    effects = Effects(app)
    work = handover.Handover().but(state=flows.CREW, task=Task(7, NONCE, kind=1))
    state, wanted = unit.step(unit.Unit(task=work), (events.TOUCH, PANEL_OUTER), 0, times)
    app.state.set.side_effect = OSError("flash")
    for answer in effects.carry_out(wanted):
        state, _ = unit.step(state, answer, 0, times)
    assert not app.panels[PANEL_OUTER].ask.called
    assert state.handover.state == flows.FROZEN
    assert state.outer.failures == 1
    state, wanted = unit.step(unit.Unit(task=work, outer=state.outer), (events.TOUCH, PANEL_OUTER), 0, times)
    assert (events.ASK, PANEL_OUTER, NONCE) in wanted


class Sensor:
    """A sensor whose templates are their own fingers; `finger` lies on it after each template it learns."""

    name, info, finger = "sensor", "opened", b""

    def __init__(self):
        self.library = []

    async def learnt(self):
        pass

    async def wipe(self):
        self.library = []

    async def load(self, slot, template, _model):
        self.library[slot:] = [template]
        await self.learnt()

    async def identify(self, slots):
        if self.finger not in self.library[:slots]:
            raise DriverError(NO_MATCH)
        return self.library.index(self.finger), 90


def test_while_a_sensor_learns_another_roster_nobody_is_taken_for_somebody_else():
    """Its slots are of the new roster, what is known of them was of the old one."""
    sensor, blobs, desired, found = Sensor(), MagicMock(), MagicMock(), []
    blobs.read.side_effect = lambda name, *_: name
    panel = Panel(MagicMock(), PANEL_OUTER, sensor)
    templates = Templates(MagicMock(), (panel,), blobs, desired)
    task = Task(7, NONCE).but(door=(11, 12))

    async def touch():
        found.append((await panel._identify())[1])

    async def main():
        desired.roster.return_value = people(11, b"a") | people(12, b"b")
        await templates._prepare(panel, task)
        assert panel.slots == ((11, 1, False), (12, 1, False))
        desired.roster.return_value = people(11, b"a", b"c") | people(12, b"b")
        sensor.finger, sensor.learnt = b"c", touch
        await templates._prepare(panel, task)
        await touch()

    asyncio.run(main())
    assert found == [None, None, None, (11, 2, False)]


def people(person, *fingers):
    return {person: {"fingers": [["model", n, False, name] for n, name in enumerate(fingers, 1)]}}
