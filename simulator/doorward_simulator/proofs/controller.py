"""The firmware's part of the proof: interlock, guard and relays, driven as the application drives them.

Time is reduced to its order: a timer that runs may run out at any moment, alone or together with others. That
allows more than a clock does, so what holds here holds for all times and settings. The handover is reduced to
what the guard asks about: whether a passage is permitted, and which. It may begin, break off or end at any
moment, and any record of a release may fail. Each distinct step is computed once and judged by `claims`.
"""

from typing import NamedTuple

from doorward_firmware.logic import events, flows, guard, interlock, settings
from doorward_firmware.logic.handover import Handover
from doorward_firmware.logic.interlock import Interlock
from doorward_protocol.records import CAUSE_HANDOVER, DOOR_INNER, DOOR_OUTER

UP, HUNG, OFF = "up", "hung", "off"
TIMERS = ("deadline", "outer_held", "inner_held")
LATER = 1 << 40  # when every running timer runs out; steps are taken at time 0
PERMITTED = {
    interlock.ENTRY: flows.ENTRY,
    interlock.ENTRY_REST: flows.ENTRY,
    interlock.EXIT: flows.LEAVE,
    interlock.EXIT_REST: flows.LEAVE,
}
EXITS = (interlock.EXIT, interlock.EXIT_REST)
SETTINGS = settings.defaults()

# Events of the model beside those of `logic.events`.
BREAK_OFF = "break off"  # restart, freeze: the handover ends the passage
VEHICLE_GONE = "vehicle gone"
HANG = "hang"
POWER_OFF = "power off"
START = "start"


class Controller(NamedTuple):
    """The unit as far as its doors go. phase: of the handover, IDLE unless a passage is permitted; gone: it
    waits only for the crew's way out to end; relays: the doors that are really energised; status: UP, HUNG or
    OFF."""

    doors: Interlock
    phase: str = flows.IDLE
    relays: tuple = ()
    status: str = UP
    gone: bool = False


def contacts(controller: Controller) -> tuple:
    """Return ((door, whether the unit takes it for open) …)."""
    return ((DOOR_OUTER, controller.doors.outer_open), (DOOR_INNER, controller.doors.inner_open))


def asked(controller: Controller) -> tuple:
    """The routes for which the handover may now ask: once for each permission to enter, and, after the task
    was closed, again and again until the crew is out."""
    if controller.phase == flows.IDLE:
        return tuple(PERMITTED)
    on_the_way = controller.doors.route in EXITS
    return () if controller.phase == flows.ENTRY or on_the_way else EXITS


class Step(NamedTuple):
    """One event and all that it did. granted, refused: (door, cause) that the guard was asked for; heard:
    (route, stage) that the handover was told; recorded: (door, event, cause)."""

    before: Controller
    event: tuple
    after: Controller
    granted: tuple = ()
    refused: tuple = ()
    heard: tuple = ()
    recorded: tuple = ()


class Controllers:
    """All controllers that occur, by number; `judge(step)` is called once for each distinct step."""

    def __init__(self, judge):
        self.known: list[Controller] = []
        self._numbers: dict[Controller, int] = {}
        self._steps: dict[tuple, tuple[int, ...]] = {}
        self._judge = judge
        self.steps = 0

    def number(self, controller: Controller) -> int:
        """The number of a controller."""
        if controller not in self._numbers:
            self._numbers[controller] = len(self.known)
            self.known.append(controller)
        return self._numbers[controller]

    def after(self, number: int, event: tuple) -> tuple[int, ...]:
        """The numbers of the controllers that an event may lead to: one, or two where a record may fail."""
        found = self._steps.get((number, event))
        if found is None:
            made = [take(self.known[number], event, False)]
            if any(cause == CAUSE_HANDOVER for _, cause in made[0].granted):
                made.append(take(self.known[number], event, True))
            for step in made:
                self.steps += 1
                self._judge(step)
            found = self._steps[number, event] = tuple(self.number(step.after) for step in made)
        return found


def take(controller: Controller, event: tuple, record_fails: bool) -> Step:
    """One event at a controller. record_fails: the journal takes no record of a release."""
    name = event[0]
    if name == HANG:
        return Step(controller, event, controller._replace(status=HUNG))
    if name == POWER_OFF:
        return Step(controller, event, controller._replace(status=OFF, relays=()))
    if name == START:
        return _started(controller, event)
    run = _Run(controller, event, record_fails)
    if name == BREAK_OFF:
        run.phase = flows.IDLE
        run.send((events.RESET,))
    elif name == VEHICLE_GONE:
        run.gone = True
        run.phase = flows.LEAVE if run.doors.route in EXITS else flows.IDLE
    elif name == events.LET_THROUGH:
        run.phase = PERMITTED[event[1]]
        run.send(event)
    elif name == events.TICK:
        run.doors = run.doors.but(**dict.fromkeys(event[1], 0))
        run.send((events.TICK,))
    else:
        run.send(event)
    return run.finish()


def _started(controller, event):
    """A start: contacts as they are; a closed handover still waits for its crew to leave, others are over."""
    _, outer_open, inner_open, fire = event
    doors = Interlock(outer_open, inner_open, controller.doors.fail_secure)
    phase = controller.phase if controller.phase == flows.LEAVE else flows.IDLE
    begun = Controller(doors, phase)
    if not fire:
        return Step(controller, event, begun)
    burning = take(begun, (events.INPUT, interlock.INPUT_FIRE, True), False)
    return burning._replace(before=controller, event=event)


class _Run:
    """What the application does with one event: effects in their order, the guard before each release."""

    def __init__(self, controller, event, record_fails):
        self._before, self._event, self._record_fails = controller, event, record_fails
        self.doors, self.phase, self._relays = controller.doors, controller.phase, set(controller.relays)
        self.gone = controller.gone
        self._granted, self._refused, self._heard, self._recorded = [], [], [], []

    def send(self, event):
        self.doors, effects = interlock.step(self.doors, event, 0, SETTINGS)
        failed = False
        for effect in effects:
            if effect[0] == events.PASSAGE:
                self._heard.append(effect[1:])
            elif effect[0] == events.LOCK:
                self._relays.discard(effect[1])
            elif effect[0] == events.RECORD and effect[1] == "door":
                self._recorded.append(tuple(effect[2][name] for name in ("door", "event", "cause")))
                failed = failed or (self._record_fails and effect[2]["event"] == interlock.DOOR_RELEASED)
            elif effect[0] == events.RELEASE and not (failed and effect[2] == CAUSE_HANDOVER):
                self._release(effect[1], effect[2])
        for route, stage in self._heard:
            if PERMITTED.get(route) == flows.ENTRY == self.phase and stage in interlock.ENDS:
                self.phase = flows.IDLE
            if self.gone and route in EXITS and stage in interlock.ENDS:
                self.phase = flows.IDLE
        if failed and self.phase == flows.ENTRY:  # the handover freezes; a closed one lets nothing disturb it
            self.phase = flows.IDLE
            self._record_fails = False
            self.send((events.RESET,))

    def _release(self, door, cause):
        permit = None if self.phase == flows.IDLE else 0
        handover = Handover().but(state=self.phase, permit=permit)
        if guard.may_release(door, cause, self.doors, handover, tuple(sorted(self._relays))):
            self._relays.add(door)
            self._granted.append((door, cause))
        else:
            self._relays.discard(door)
            self._refused.append((door, cause))

    def finish(self):
        gone = self.gone and self.phase == flows.LEAVE
        running = {name: LATER for name in TIMERS if getattr(self.doors, name) is not None}
        after = Controller(self.doors.but(**running), self.phase, tuple(sorted(self._relays)), gone=gone)
        lists = (self._granted, self._refused, self._heard, self._recorded)
        return Step(self._before, self._event, after, *map(tuple, lists))
