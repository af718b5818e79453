"""Carrying effects out, in their order: record first, then act.

A record is durable in the journal before anything that stands after it. If it cannot be made, the rest of the
list is dropped, except for what keeps people safe: locking, and releasing for egress, fire and emergency.

Records that anybody can cause from outside have no claim to the reserve of the journal. Without one, the unit
goes on (and says so in its health), or noise at the gate could freeze the handover that the reserve is for.
"""

from doorward_protocol.errors import FLASH_FULL
from doorward_protocol.records import CAUSE_HANDOVER

from doorward_firmware.logic import events
from doorward_firmware.store.journal import FROM_OUTSIDE

# What stands after these depends on them.
_NEEDED = (events.RECORD, events.STORE, events.RELEASE)


class Effects:
    """One method for each effect; all return at once, what takes time is left with a task of its own."""

    def __init__(self, app):
        self._app = app
        self._table = {
            events.STORE: app.state.set,
            events.RELEASE: app.door_control.release,
            events.LOCK: app.door_control.lock,
            events.LOAD: app.templates.want,
            events.WIPE: self._wipe,
            events.ASK: self._ask,
            events.TAKE_PICTURE: app.pictures.want,
            events.COMPARE: self._compare,
            events.READ_BOXES: app.boxes.read,
            events.SAY: app.prompts.say,
            events.SHOW: app.prompts.show,
            events.HEAD: app.link.head_now,
            events.ARRIVE_AGAIN: app.arrivals.again,
        }
        for word in events.EFFECTS:
            if word != events.RECORD and word not in self._table:
                raise ValueError("nobody carries out %s" % word)

    def carry_out(self, effects):
        """Return the events that answer: RECORDED for each record, RECORD_FAILED if one could not be made."""
        answers, failed = [], []
        for effect in effects:
            if failed and not _keeps_people_safe(effect):
                if effect[0] == events.ASK:  # not counted, so not asked, and answered all the same
                    wall = self._app.clock.now()
                    failed.append((events.NO_MATCH, effect[1], effect[2], FLASH_FULL, None, wall))
                continue
            try:
                if effect[0] == events.RECORD:
                    index = self._app.journal.append(effect[1], **effect[2])
                    answers.append((events.RECORDED, effect[1], index))
                else:
                    self._table[effect[0]](*effect[1:])
            except Exception as error:  # whatever it is, the unit goes on
                self._app.trouble(effect[0], error)
                if not failed and _must_succeed(effect):
                    failed.append((events.RECORD_FAILED,))
        if answers:
            self._app.recorded()
        return failed or answers

    def _wipe(self):
        self._app.templates.want(None)
        self._app.pictures.forget()

    def _ask(self, panel, nonce):
        self._app.panels[panel].ask(nonce)

    def _compare(self, task):
        self._app.prompts.compare(task, self._app.pictures.previews)


def _must_succeed(effect):
    return effect[0] in _NEEDED and not (effect[0] == events.RECORD and effect[1] in FROM_OUTSIDE)


def _keeps_people_safe(effect):
    if effect[0] == events.RELEASE:
        return effect[2] != CAUSE_HANDOVER
    return effect[0] == events.LOCK
