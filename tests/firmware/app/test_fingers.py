"""A panel while flash or a sensor fails: no attempt without an answer, no finger taken for another one."""

from unittest.mock import MagicMock

from doorward_firmware.effects import Effects
from doorward_firmware.logic import events, flows, handover, settings, unit
from doorward_firmware.logic.task import Task
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
