"""The world's part of the proof: a building as docs/hardware.md has it. It knows nothing of the interlock.

Two leaves, a chamber between them. A leaf opens if its lock is free, or by the handle of a fail secure lock,
which only its inner side has. A lock is free while its relay is energised; a fail safe lock also while it has
no current: the egress button, the fire contact, a dead supply take it away, whatever the processor does.
People walk through leaves that stand open. Anybody between the doors or inside can press the egress button.

An opening is seen at once, a closing after any delay (contacts bounce). The button frees the locks before the
unit has heard of it. The unit may hang with its relays as they are, until the watchdog starts it again, or
lose its power; the locks' supply may die as well.
"""

from itertools import chain, combinations
from typing import NamedTuple

from doorward_firmware.logic import events, flows
from doorward_protocol.records import DOOR_INNER, DOOR_OUTER, INPUT_EGRESS, INPUT_FIRE

from . import controller as unit
from .controller import UP, Controllers

OUTSIDE, CHAMBER, INSIDE = 0, 1, 2
SIDES = {DOOR_OUTER: (OUTSIDE, CHAMBER), DOOR_INNER: (CHAMBER, INSIDE)}  # the second has the handle
DOORS = (DOOR_OUTER, DOOR_INNER)

# The egress button: let go, pressed but not yet heard of, pressed and heard of.
LET_GO, PRESSED, HEARD = 0, 1, 2


class Place(NamedTuple):
    """The whole world. unit: number of a Controller; open_doors: leaves; crew, officers: how many stand
    outside, in the chamber, inside; dead: the locks' supply; calm: nothing but handovers since both leaves
    were shut last."""

    unit: int
    open_doors: tuple[int, ...] = ()
    crew: tuple = (0, 0, 0)
    officers: tuple = (0, 0, 0)
    button: int = LET_GO
    fire: bool = False
    dead: bool = False
    calm: bool = True


class Building:
    """The moves from one Place to the next. fail_secure: the doors with such a lock (site type)."""

    def __init__(self, controllers: Controllers, fail_secure: tuple):
        self._controllers = controllers
        self._fail_secure = fail_secure
        self._timers: dict[int, list[tuple]] = {}

    def moves(self, place: Place):
        """Yield (move, Place after it): of people, locks and inputs, then of the unit by itself."""
        yield from self._people(place)
        yield from self._inputs(place)
        yield from self._unit(place)

    def is_free(self, place: Place, door: int) -> bool:
        """Whether a lock holds its leaf no more, on both sides."""
        without_current = place.dead or place.fire or place.button != LET_GO
        relays = self._controllers.known[place.unit].relays
        return door in relays or (without_current and door not in self._fail_secure)

    def _people(self, place):
        for door in DOORS:
            here, there = SIDES[door]
            if door in place.open_doors:
                for near, far in ((here, there), (there, here)):
                    if place.crew[near]:
                        yield ("crew walks", near, far), place._replace(crew=_moved(place.crew, near, far))
                    if place.officers[near]:
                        moved = _moved(place.officers, near, far)
                        yield ("officer walks", near, far), place._replace(officers=moved)
                shut = tuple(other for other in place.open_doors if other != door)
                yield ("closes", door), self._settled(place._replace(open_doors=shut))
            elif self.is_free(place, door) and _somebody(place, here, there):
                yield from self._opened(place, ("opens", door), door)
            elif door in self._fail_secure and _somebody(place, there):
                yield from self._opened(place._replace(calm=False), ("opens by its handle", door), door)

    def _opened(self, place, move, door):
        place = place._replace(open_doors=tuple(sorted((*place.open_doors, door))))
        yield from self._told(place, move, (events.DOOR, door, True))

    def _inputs(self, place):
        up = self._controllers.known[place.unit].status == UP
        if place.button == LET_GO and _somebody(place, CHAMBER, INSIDE):
            yield ("presses egress",), place._replace(button=PRESSED, calm=False)
        if place.button == PRESSED and up:
            heard = (events.INPUT, INPUT_EGRESS, True)
            yield from self._told(place._replace(button=HEARD), ("egress is heard",), heard)
        if place.button == HEARD or (place.button and not up):
            let_go = (events.INPUT, INPUT_EGRESS, False)
            yield from self._told(place._replace(button=LET_GO), ("lets egress go",), let_go)
        burning = not place.fire
        changed = place._replace(fire=burning, calm=False)
        yield from self._told(changed, ("fire", burning), (events.INPUT, INPUT_FIRE, burning))
        yield ("locks' supply", place.dead), self._settled(place._replace(dead=not place.dead, calm=False))
        if up and _somebody(place, INSIDE):
            yield from self._told(place._replace(calm=False), ("emergency",), (events.EMERGENCY,))

    def _unit(self, place):
        controller = self._controllers.known[place.unit]
        if controller.status != UP:
            contacts = (DOOR_OUTER in place.open_doors, DOOR_INNER in place.open_doors)
            yield from self._happens(place, (unit.START, *contacts, place.fire))
            return
        for door, sensed in unit.contacts(controller):
            if sensed and door not in place.open_doors:
                yield from self._happens(place, (events.DOOR, door, False))
        for tick in self._ticks(place.unit):
            yield from self._happens(place, tick)
        for route in unit.asked(controller):
            yield from self._happens(place, (events.LET_THROUGH, route))
        if controller.phase == flows.ENTRY:
            yield from self._happens(place, (unit.BREAK_OFF,))
        if controller.phase == flows.LEAVE and not controller.gone:
            yield from self._happens(place, (unit.VEHICLE_GONE,))
        for fail_secure in {(), self._fail_secure}:
            if fail_secure != controller.doors.fail_secure:
                yield from self._happens(place, (events.CONFIGURED, fail_secure))
        yield from self._happens(place, (unit.HANG,))
        yield from self._happens(place, (unit.POWER_OFF,))

    def _happens(self, place, event):
        for number in self._controllers.after(place.unit, event):
            yield event, self._settled(place._replace(unit=number))

    def _told(self, place, move, event):
        """The same, of what people did; a unit that does not run hears nothing."""
        if self._controllers.known[place.unit].status != UP:
            yield move, self._settled(place)
            return
        for number in self._controllers.after(place.unit, event):
            yield move, self._settled(place._replace(unit=number))

    def _ticks(self, number):
        """Every way in which running timers may run out."""
        found = self._timers.get(number)
        if found is None:
            doors = self._controllers.known[number].doors
            running = [name for name in unit.TIMERS if getattr(doors, name) is not None]
            several = (combinations(running, count) for count in range(1, len(running) + 1))
            found = self._timers[number] = [(events.TICK, names) for names in chain.from_iterable(several)]
        return found

    def _settled(self, place):
        """Calm again, once nothing exceptional is left of what was."""
        if place.calm or place.open_doors or place.fire or place.dead or place.button != LET_GO:
            return place
        controller = self._controllers.known[place.unit]
        return place._replace(calm=not controller.relays)


def _moved(people, near, far):
    changed = list(people)
    changed[near] -= 1
    changed[far] += 1
    return tuple(changed)


def _somebody(place, *rooms):
    return any(place.crew[room] or place.officers[room] for room in rooms)
