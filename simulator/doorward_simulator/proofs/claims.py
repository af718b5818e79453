"""What must hold of two doors and a chamber (D12), written from the requirement and not from the interlock.

`Steps` judges each distinct step of the unit; `Places` each state of the whole building; `Ways` follows a
person who wants to get out. All of them collect breaches, and none of them stops the search.
"""

from doorward_firmware.logic import events, flows, interlock
from doorward_protocol.records import (
    CAUSE_HANDOVER,
    DOOR_INNER,
    DOOR_OUTER,
    DOOR_RELEASED,
    INPUT_EGRESS,
    INPUT_FIRE,
)

from .building import CHAMBER, INSIDE, OUTSIDE, Building, Place
from .controller import PERMITTED, TIMERS, UP, Controllers, Step, contacts

ONE_DOOR = "two relays are energised without fire or emergency"
PERMISSION = "a door is released for a handover that permits no such passage"
BESIDE_OPEN = "a handover releases a door while one stands open"
RECORD_FIRST = "a door is released without its record"
REFUSED = "the interlock wants what the guard refuses"
NO_RELAY_ALONE = "a relay is energised that the interlock does not know of"
NO_END = "a released door has no time limit"
LOCKED_AGAIN = "a released door outlives its time limit"
FIRE_WINS = "a fire does not release a door that it should"
EGRESS_WINS = "egress was heard, and no way is open"
OWN_EMERGENCY = "an emergency release that nobody asked for"
INTERLOCKED = "a leaf stands open and the other gives way, without egress, fire, emergency or dead supply"
TRAPPED = "a person cannot get out by the unit's own means"
TRAPPED_WITHOUT_UNIT = "a person cannot get out while the unit is dead"

CLAIMS = (
    ONE_DOOR,
    PERMISSION,
    BESIDE_OPEN,
    RECORD_FIRST,
    REFUSED,
    NO_RELAY_ALONE,
    NO_END,
    LOCKED_AGAIN,
    FIRE_WINS,
    EGRESS_WINS,
    OWN_EMERGENCY,
    INTERLOCKED,
    TRAPPED,
    TRAPPED_WITHOUT_UNIT,
)


class Steps:
    """Judges steps of the unit. `breaches`: (claim, Step); `rows`: what occurred of the tables."""

    def __init__(self):
        self.breaches: list[tuple[str, Step]] = []
        self.rows: set[tuple] = set()

    def __call__(self, step: Step) -> None:
        self.breaches += [(claim, step) for claim in _broken(step)]
        doors = step.after.doors
        self.rows.add(("event", step.event[0]))
        if doors.route is not None:
            self.rows.add(("route", doors.route, doors.step, doors.opened))
        self.rows.update(("stage", *heard) for heard in step.heard)
        self.rows.update(("door", event, cause) for _, event, cause in step.recorded)
        self.rows.update(("released", cause) for _, cause in step.granted)


def _broken(step):
    before, after, doors = step.before, step.after, step.after.doors
    if len(after.relays) > 1 and not doors.fire and not doors.emergency:
        yield ONE_DOOR
    if doors.emergency and not before.doors.emergency and step.event != (events.EMERGENCY,):
        yield OWN_EMERGENCY
    for door, cause in step.granted:
        if (door, DOOR_RELEASED, cause) not in step.recorded:
            yield RECORD_FIRST
        if cause == CAUSE_HANDOVER:
            if after.phase == flows.IDLE or PERMITTED.get(doors.route) != after.phase:
                yield PERMISSION
            if doors.outer_open or doors.inner_open:
                yield BESIDE_OPEN
    if step.refused:
        yield REFUSED
    if after.status != UP:
        return
    if not set(after.relays) <= set(interlock.released(doors)):
        yield NO_RELAY_ALONE
    if after.relays and not doors.fire and doors.deadline is None:
        yield NO_END
    ran_out = step.event[0] == events.TICK and "deadline" in step.event[1]
    if ran_out and not doors.fire and set(after.relays) & set(before.relays):
        yield LOCKED_AGAIN
    free = {door for door in (DOOR_OUTER, DOOR_INNER) if door not in doors.fail_secure}
    if step.event == (events.INPUT, INPUT_FIRE, True) and not free <= set(after.relays):
        yield FIRE_WINS
    some_way = after.relays or doors.outer_open or doors.inner_open
    if step.event == (events.INPUT, INPUT_EGRESS, True) and not some_way:
        yield EGRESS_WINS


def place_breach(place: Place, building: Building, controllers: Controllers) -> str | None:
    """The claim that a state of the building breaks, or None."""
    controller = controllers.known[place.unit]
    if (
        len(controller.relays) > 1
        and not place.fire
        and not controller.doors.emergency
        and controller.status == UP
    ):
        return ONE_DOOR
    if place.calm and place.open_doors:
        shut = [door for door in (DOOR_OUTER, DOOR_INNER) if door not in place.open_doors]
        if not shut or building.is_free(place, shut[0]):
            return INTERLOCKED
    return None


class Ways:
    """Follows a person in the chamber or inside who presses egress, goes through whatever gives way, shuts it
    behind and waits where nothing does. Others hold open what stands open. Only the relays count here; the
    mechanical ways are judged apart. `worst`: most presses and most waits that anybody needed."""

    PRESSES, WAITS = 2, 4

    def __init__(self, controllers: Controllers, fail_secure: tuple):
        self._controllers, self._fail_secure = controllers, fail_secure
        self._judged: dict[tuple, bool] = {}
        self.worst = (0, 0)

    def lead_out(self, place: Place) -> bool:
        """True if everybody between the doors and inside gets out, if the unit runs."""
        if self._controllers.known[place.unit].status != UP:
            return True
        rooms = [room for room in (CHAMBER, INSIDE) if place.crew[room] or place.officers[room]]
        return all(self._leads_out(place.unit, place.open_doors, room) for room in rooms)

    def judged(self) -> int:
        """How many different ways have been followed."""
        return len(self._judged)

    def lead_out_without_unit(self, place: Place) -> bool:
        """True if everybody gets out while no relay moves: by the button or a fail secure lock's handle.

        Either is on the side that the person stands on, and each door that lies before them has one.
        """
        pressed = place._replace(button=1)
        without = Building(self._controllers, self._fail_secure)
        return all(
            door in place.open_doors or door in self._fail_secure or without.is_free(pressed, door)
            for door in (DOOR_OUTER, DOOR_INNER)
        )

    def _leads_out(self, number, open_doors, room):
        key = (number, open_doors, room)
        if key not in self._judged:
            self._judged[key] = self._follow(number, open_doors, room, 0, 0)
        return self._judged[key]

    def _follow(self, number, open_doors, room, presses, waits):
        if room == OUTSIDE:
            self.worst = max(self.worst, (presses, waits))
            return True
        if presses > self.PRESSES or waits > self.WAITS:
            return False
        controller = self._controllers.known[number]
        doors = controller.doors
        for door, sensed in contacts(controller):
            if sensed and door not in open_doors:
                return self._go_on(number, (events.DOOR, door, False), open_doors, room, presses, waits)
        way = DOOR_OUTER if room == CHAMBER else DOOR_INNER
        if way in open_doors:
            shut = tuple(door for door in open_doors if door != way)
            return self._follow(number, shut, room - 1, presses, waits)
        if way in controller.relays:
            opened = tuple(sorted((*open_doors, way)))
            return self._go_on(number, (events.DOOR, way, True), opened, room, presses, waits)
        if doors.route == interlock.EGRESS and doors.deadline is not None and presses:
            running = tuple(name for name in TIMERS if getattr(doors, name) is not None)
            return self._go_on(number, (events.TICK, running), open_doors, room, presses, waits + 1)
        press = (events.INPUT, INPUT_EGRESS, True)
        return self._go_on(number, press, open_doors, room, presses + 1, waits)

    def _go_on(self, number, event, open_doors, room, presses, waits):
        following = self._controllers.after(number, event)
        return all(self._follow(after, open_doors, room, presses, waits) for after in following)
