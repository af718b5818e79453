"""Edges for tests of the logic: a journal that is a list, relays that are a set, and the guard in between.

`Edges.handle` does what the application does with a step's effects: a RECORD is followed by RECORDED, a
failed RECORD ends the list except for what keeps people safe, RELEASE asks the guard. It checks on the way
what must hold always.
"""
# pyright: reportOptionalMemberAccess=false

from doorward_firmware.logic import entering, events, guard, interlock, settings, unit
from doorward_firmware.logic.task import Member, Task
from doorward_protocol import records
from doorward_protocol.objects import DELIVER, ESCORT, OFFICER
from doorward_protocol.records import CAUSE_HANDOVER, PANEL_INNER, PANEL_OUTER

WALL = 1_800_000_000_000
NONCE = b"nonce001"
PICTURE = b"p" * 32
VAN = (b"van-epc", b"van-tid")
BOXES = tuple((b"box%d" % i, b"tid%d" % i) for i in range(3))
ESCORTS = (11, 12)
OFFICERS = (21, 22)
HOUR = 3_600_000


def member(person, role, until=WALL + 10 * HOUR):
    return Member(person, role, WALL - HOUR, until)


def a_task(nonce=NONCE, **changes):
    people = tuple(member(person, ESCORT) for person in ESCORTS)
    people += tuple(member(person, OFFICER) for person in OFFICERS)
    task = Task(7, nonce, VAN[0], 3, DELIVER).but(
        expires=WALL + 2 * HOUR,
        manifest=5,
        vehicle=9,
        tid=VAN[1],
        last_contact=WALL - 1000,
        door=ESCORTS,
        officers=OFFICERS,
        people=people,
        boxes=BOXES,
    )
    return task.but(**changes)


class Edges:
    """The application, reduced to what the logic can see of it."""

    def __init__(self, state=None, journal_room=10_000):
        self.state = state or unit.Unit()
        self.settings = settings.defaults()
        self.now = 1_000
        self.room = journal_room
        self.journal, self.stored, self.effects = [], {}, []
        self.relays, self.denied = set(), []

    @property
    def handover(self):
        return self.state.handover

    @property
    def wall(self):
        return WALL + self.now - 1_000

    def names(self):
        return [name for name, _ in self.journal]

    def last(self, name):
        return [fields for each, fields in self.journal if each == name][-1]

    def handle(self, *event):
        events.check(events.EVENTS, event)
        self.state, effects = unit.step(self.state, event, self.now, self.settings)
        for answer in self.carry_out(effects):
            self.handle(*answer)
        return effects

    def carry_out(self, effects):
        failed, answers = False, []
        for effect in effects:
            events.check(events.EFFECTS, effect)
            self.effects.append(effect)
            if effect[0] == events.LOCK:
                self.relays.discard(effect[1])
            elif failed and not (effect[0] == events.RELEASE and effect[2] != CAUSE_HANDOVER):
                continue
            elif effect[0] == events.RECORD:
                failed = not self._record(effect[1], effect[2])
                answers.append((events.RECORDED, effect[1], len(self.journal) - 1))
            elif effect[0] == events.STORE:
                self.stored[effect[1]] = effect[2]
            elif effect[0] == events.RELEASE:
                self._release(effect[1], effect[2])
        self.check()
        return [(events.RECORD_FAILED,)] if failed else answers

    def _record(self, name, fields):
        records.encode(
            name, self.wall, 0, 1, bytes(16), **fields
        )  # every record must fit the protocol's table
        if len(self.journal) >= self.room:
            return False
        self.journal.append((name, fields))
        return True

    def _release(self, door, cause):
        if guard.may_release(door, cause, self.state.doors, self.handover, self.relays):
            self.relays.add(door)
            if cause == CAUSE_HANDOVER:
                self.check_reason_to_release()
        else:
            self.denied.append((door, cause))

    def check_reason_to_release(self):
        """A handover released a door: the journal says why, for this very attempt."""
        nonce = self.handover.task.nonce
        reasons = [
            name
            for name, fields in self.journal
            if fields.get("nonce") == nonce and (name == "closed" or fields.get("approved") is True)
        ]
        assert reasons, "a door was released without an approval in the journal"
        crews = [fields for name, fields in self.journal if name == "crew" and fields["nonce"] == nonce]
        if crews:
            assert set(crews[-1]["people"]) == set(ESCORTS)  # the whole planned crew, and nobody else

    def check(self):
        doors = self.state.doors
        if not doors.fire and not doors.emergency:
            assert len(self.relays) <= 1, "both doors are released"
            assert len(interlock.released(doors)) <= 1
        assert self.relays <= set(interlock.released(doors)) or doors.fire or doors.emergency

    def wait(self, ms):
        """Let time pass, with a TICK at every deadline on the way."""
        end = self.now + ms
        for _ in range(1000):
            deadline = unit.next_deadline(self.state)
            if deadline is None or deadline > end:
                break
            self.now = max(self.now, deadline)
            self.handle(events.TICK)
        else:
            raise AssertionError("a deadline never passes")
        self.now = end
        self.handle(events.TICK)

    def end(self, hand):
        """(name, index) of the newest record that says how the task in hand ended."""
        for index in range(len(self.journal) - 1, -1, -1):
            name, fields = self.journal[index]
            if hand is not None and name in entering.ENDS and fields["nonce"] == hand[1][1]:
                return name, index
        return None

    # What people do.

    def arrive(self, task=None):
        self.handle(events.ARRIVED, task or a_task(), self.wall)
        self.handle(events.LOADED, self.handover.task.nonce if self.handover.task else b"")

    def touch(self, panel, person=None, reason=60, picture=PICTURE, duress=False):
        self.handle(events.TOUCH, panel)
        if not self.state.lockout(panel).asking:
            return
        nonce = self.handover.task.nonce
        if person is None:
            self.handle(events.NO_MATCH, panel, nonce, reason, picture, self.wall)
        else:
            match = (events.MATCH, panel, nonce, person, 1, duress, 90, "sensor", picture, self.wall)
            self.handle(*match)

    def crew(self):
        for person in self.handover.task.door:
            self.touch(PANEL_OUTER, person)
        self.handle(events.PICTURE, self.handover.task.nonce, PICTURE)

    def command(self, verb, **changes):
        task = self.handover.task or a_task()
        fields = {
            "id": b"c" * 16,
            "verb": verb,
            "task": task.id,
            "nonce": task.nonce,
            "decided_by": [OFFICERS[1]],
            "issued": self.wall,
            "picture": PICTURE,
            "head_count": len(task.door),
            "panel": None,
        }
        fields.update(changes)
        self.handle(events.COMMAND, fields)

    def walk(self, *doors):
        for door in doors:
            self.handle(events.DOOR, door, True)
            self.now += 3_000
            self.handle(events.DOOR, door, False)

    def boxes(self, *boxes):
        for epc, tid in boxes:
            self.handle(events.BOX, epc, tid)

    def close(self, officer=OFFICERS[0], escort=ESCORTS[0]):
        self.touch(PANEL_INNER, officer)
        self.touch(PANEL_INNER, escort)
