"""Two doors with a chamber between them: who is released when, and what goes wrong.

A passage follows a route, a sequence of doors. Each door of it is released, opened (and locked at once, so
that it latches when it falls shut) and closed before the next is released. So no two doors are ever released
together; only a fire and the deliberate emergency release make exceptions, and both are recorded as such.

    ENTRY        outer, inner     a crew comes in, after approval
    ENTRY_REST   inner            the rest of an entry that stopped in the chamber
    EXIT         inner, outer     the crew goes out, after the handover was closed
    EXIT_REST    outer            the rest of an exit that stopped in the chamber
    EGRESS       inner, outer     somebody pressed the egress button; ends whatever was going on

Egress looks after people wherever they stand. Somebody who may be in the chamber gets the outer door, anybody
else the inner one and, when that is shut again or nobody took it in time, the outer one. A door that stands
open delays this by HELD_OPEN_MS at most.
"""

from doorward_protocol.records import (
    CAUSE_EGRESS,
    CAUSE_EMERGENCY,
    CAUSE_FIRE,
    CAUSE_HANDOVER,
    CAUSE_TIMEOUT,
    DOOR_CLOSED,
    DOOR_FORCED,
    DOOR_HELD_OPEN,
    DOOR_INNER,
    DOOR_LOCKED,
    DOOR_OPENED,
    DOOR_OUTER,
    DOOR_RELEASED,
    INPUT_EGRESS,
    INPUT_FIRE,
)

from doorward_firmware.logic import events
from doorward_firmware.logic.value import Value, sequence

DOORS = (DOOR_OUTER, DOOR_INNER)

ENTRY = "entry"
ENTRY_REST = "entry rest"
EXIT = "exit"
EXIT_REST = "exit rest"
EGRESS = "egress"

# route: (its doors in order, cause of their release)
ROUTES = {
    ENTRY: ((DOOR_OUTER, DOOR_INNER), CAUSE_HANDOVER),
    ENTRY_REST: ((DOOR_INNER,), CAUSE_HANDOVER),
    EXIT: ((DOOR_INNER, DOOR_OUTER), CAUSE_HANDOVER),
    EXIT_REST: ((DOOR_OUTER,), CAUSE_HANDOVER),
    EGRESS: ((DOOR_INNER, DOOR_OUTER), CAUSE_EGRESS),
}

# Stages of a passage, as the handover hears of them.
BEGUN = "begun"  # the first door is released
IN_CHAMBER = "in chamber"  # the first door opened
NEXT_DOOR = "next door"  # the first door closed, the next is released
THROUGH = "through"  # the last door closed
NOT_BEGUN = "not begun"  # refused, or nobody opened the first door
STRANDED = "stranded"  # ended while people may stand in the chamber

ENDS = (THROUGH, NOT_BEGUN, STRANDED)
STAGES = sequence(BEGUN, IN_CHAMBER, NEXT_DOOR, *ENDS)

ACCEPTS = (
    events.TICK,
    events.DOOR,
    events.INPUT,
    events.EMERGENCY,
    events.CONFIGURED,
    events.LET_THROUGH,
    events.RESET,
)


class Interlock(Value):
    """route: one of ROUTES or None; step: which of its doors; opened: that door has been opened.
    outer_open, inner_open: contacts. outer_held, inner_held: when an open door is reported, or None.
    fire, emergency: bools; fire_exit: egress was pressed during a fire. deadline: of the released door.
    fail_secure: doors that a fire does not release (site type)."""

    __slots__ = (
        "deadline",
        "emergency",
        "fail_secure",
        "fire",
        "fire_exit",
        "inner_held",
        "inner_open",
        "opened",
        "outer_held",
        "outer_open",
        "route",
        "step",
    )

    def __init__(self, outer_open=False, inner_open=False, fail_secure=()):
        self.route = None
        self.step = 0
        self.opened = False
        self.outer_open = outer_open
        self.inner_open = inner_open
        # Nobody saw how long a door has stood open that is open at the start: it is reported at once.
        self.outer_held = 0 if outer_open else None
        self.inner_held = 0 if inner_open else None
        self.fire = False
        self.fire_exit = False
        self.emergency = False
        self.deadline = None
        self.fail_secure = fail_secure


def released(state) -> tuple:
    """Return the doors whose relays are to be energised in this state, as a tuple."""
    if state.fire and not state.fire_exit:
        return tuple([door for door in DOORS if door not in state.fail_secure])
    if state.fire or state.emergency:
        return DOORS
    if state.route is None or state.opened:
        return ()
    return (current(state),)


def current(state):
    """Return the door that the route is at, or None."""
    return None if state.route is None else ROUTES[state.route][0][state.step]


def is_open(state, door):
    """Return what the door's contact says."""
    return state.outer_open if door == DOOR_OUTER else state.inner_open


def next_deadline(state):
    """Return the earliest time at which a TICK changes something, or None."""
    times = [time for time in (state.deadline, state.outer_held, state.inner_held) if time is not None]
    return min(times) if times else None


def step(state, event, now, settings):
    """Return (state, effects) after one event. now in monotonic ms; the effects lock before they release."""
    if event[0] not in ACCEPTS:
        return state, ()
    new, before, after, cause = _STEPS[event[0]](state, event, now, settings)
    was, wanted, moves = released(state), released(new), []
    for door in was:
        if door not in wanted:
            moves.append((events.RECORD, "door", {"door": door, "event": DOOR_LOCKED, "cause": cause}))
            moves.append((events.LOCK, door))
    for door in wanted:
        why = release_cause(new, door)
        # For another cause a door is released anew: its first release may have failed, a way out may not.
        if door not in was or why != release_cause(state, door):
            moves.append((events.RECORD, "door", {"door": door, "event": DOOR_RELEASED, "cause": why}))
            moves.append((events.RELEASE, door, why))
    return new, before + tuple(moves) + after


def release_cause(state, door):
    """Return why a door is released in this state."""
    if state.fire:
        return CAUSE_FIRE if door not in state.fail_secure else CAUSE_EGRESS
    return CAUSE_EMERGENCY if state.emergency else ROUTES[state.route][1]


# Each of the following returns (new state, effects before the relays move, effects after, cause of locking).


def _pass(state, event, now, settings):
    """A passage begins only from rest, with both doors shut."""
    route = event[1]
    if state.route or state.fire or state.emergency or state.outer_open or state.inner_open:
        return state, (), ((events.PASSAGE, route, NOT_BEGUN),), CAUSE_HANDOVER
    new = state.but(route=route, step=0, opened=False, deadline=now + settings["DOOR_RELEASE_MS"])
    return new, (), ((events.PASSAGE, route, BEGUN),), CAUSE_HANDOVER


def _door(state, event, now, settings):
    door, open_now = event[1], event[2]
    if is_open(state, door) == open_now:
        return state, (), (), CAUSE_HANDOVER
    held = now + settings["HELD_OPEN_MS"] if open_now else None
    if door == DOOR_OUTER:
        new = state.but(outer_open=open_now, outer_held=held)
    else:
        new = state.but(inner_open=open_now, inner_held=held)
    if open_now and door not in released(state):
        record = (_door_record(door, DOOR_FORCED, CAUSE_HANDOVER),)
        if state.route == EGRESS:  # the button's own wire may be quicker than the unit
            return new, (_door_record(door, DOOR_OPENED, CAUSE_EGRESS),), (), CAUSE_EGRESS
        new, after = _ended(new)
        return new, record, after, CAUSE_HANDOVER
    cause = _passage_cause(state)
    if open_now:
        record = (_door_record(door, DOOR_OPENED, cause),)
        if state.fire or state.emergency:
            return new, record, (), cause
        stage = ((events.PASSAGE, state.route, IN_CHAMBER),) if state.step == 0 else ()
        deadline = held if state.route == EGRESS and state.step == 0 else None
        return new.but(opened=True, deadline=deadline), record, stage, cause
    record = (_door_record(door, DOOR_CLOSED, cause),)
    if door != current(state) or not state.opened:
        return new, record, (), cause
    new, after = _advanced(new, now, settings)
    return new, record, after, cause


def _advanced(state, now, settings):
    """The current door has done its part: go on to the next one, or end. Return (state, effects)."""
    route, step_index = state.route, state.step + 1
    if step_index == len(ROUTES[route][0]):
        return _at_rest(state), ((events.PASSAGE, route, THROUGH),)
    door = ROUTES[route][0][step_index]
    already = is_open(state, door)  # only after an egress that did not wait
    deadline = None if already else now + settings["DOOR_RELEASE_MS"]
    new = state.but(step=step_index, opened=already, deadline=deadline)
    return new, ((events.PASSAGE, route, NEXT_DOOR),)


def _tick(state, _event, now, settings):
    before = []
    for door, held in ((DOOR_OUTER, state.outer_held), (DOOR_INNER, state.inner_held)):
        if held is not None and now >= held:
            before.append(_door_record(door, DOOR_HELD_OPEN, CAUSE_TIMEOUT))
            state = state.but(outer_held=None) if door == DOOR_OUTER else state.but(inner_held=None)
    if state.deadline is None or now < state.deadline:
        return state, tuple(before), (), CAUSE_TIMEOUT
    if state.emergency:
        return state.but(emergency=False, deadline=None), tuple(before), (), CAUSE_TIMEOUT
    if state.route == EGRESS and state.step == 0:
        new, after = _advanced(state, now, settings)
    else:
        new, after = _ended(state)
    return new, tuple(before), after, CAUSE_TIMEOUT


def _input(state, event, now, settings):
    """Fire and egress win over everything."""
    name, active = event[1], event[2]
    before = ((events.RECORD, "input", {"name": name, "active": active}),)
    if name == INPUT_FIRE:
        ended, after = _ended(state)
        return ended.but(fire=active, fire_exit=False, emergency=False), before, after, CAUSE_FIRE
    if name != INPUT_EGRESS or not active:
        return state, before, (), CAUSE_HANDOVER
    if state.fire:
        return state.but(fire_exit=True), before, (), CAUSE_EGRESS
    if state.emergency:
        return state, before, (), CAUSE_EGRESS
    return _egress(state, before, now, settings)


def _egress(state, before, now, settings):
    """A way out begins, or goes on. One whose last door stands open is over: somebody else wants out now."""
    if state.route == EGRESS and not (state.step and state.opened):
        if not state.opened:
            state = state.but(deadline=now + settings["DOOR_RELEASE_MS"])
        return state, before, (), CAUSE_EGRESS
    outer_first = _chamber_occupied(state) and not state.outer_open and not state.inner_open
    new, after = _ended(state)
    new = new.but(route=EGRESS, step=1 if outer_first else 0, opened=state.inner_open)
    wait = settings["HELD_OPEN_MS"] if new.opened else settings["DOOR_RELEASE_MS"]
    return new.but(deadline=now + wait), before, after, CAUSE_EGRESS


def _emergency(state, _event, now, settings):
    if state.fire:
        return state, (), (), CAUSE_FIRE
    ended, after = _ended(state)
    deadline = now + settings["EMERGENCY_RELEASE_MS"]
    return ended.but(emergency=True, deadline=deadline), (), after, CAUSE_EMERGENCY


def _configured(state, event, _now, _settings):
    """Another site type: a fire that burns already releases its doors and no others."""
    return state.but(fail_secure=event[1]), (), (), CAUSE_FIRE


def _reset(state, _event, _now, _settings):
    """A handover's passage ends; people's own ways out do not."""
    if state.route is None or state.route == EGRESS:
        return state, (), (), CAUSE_HANDOVER
    return _at_rest(state), (), (), CAUSE_HANDOVER


def _chamber_occupied(state):
    if state.route is None:
        return False
    return state.step > 0 or state.opened or state.route in (ENTRY_REST, EXIT_REST)


def _ended(state):
    """Break off. Return (state at rest, what the handover hears)."""
    if state.route is None:
        return _at_rest(state), ()
    stage = STRANDED if _chamber_occupied(state) else NOT_BEGUN
    return _at_rest(state), ((events.PASSAGE, state.route, stage),)


def _at_rest(state):
    return state.but(route=None, step=0, opened=False, deadline=None)


def _passage_cause(state):
    if state.fire:
        return CAUSE_FIRE
    if state.emergency:
        return CAUSE_EMERGENCY
    return CAUSE_EGRESS if state.route == EGRESS else CAUSE_HANDOVER


def _door_record(door, what, cause):
    return (events.RECORD, "door", {"door": door, "event": what, "cause": cause})


_STEPS = {
    events.TICK: _tick,
    events.DOOR: _door,
    events.INPUT: _input,
    events.EMERGENCY: _emergency,
    events.CONFIGURED: _configured,
    events.LET_THROUGH: _pass,
    events.RESET: _reset,
}

if tuple(sorted(_STEPS)) != tuple(sorted(ACCEPTS)):
    raise ValueError("interlock: every accepted event needs a step, and nothing else")
