"""The engine that carries out a task: reads the flow, asks the state's step, goes where the outcome leads.

Every deadline is judged before the event that meets it: what arrives at the very millisecond of a time-out
arrives too late. Whatever the state, the engine itself answers a restart by the centre, five failures at a
panel, a revised order, an order that expires before anybody was let in, and a journal that takes no more.

A finger reaches the engine only when `judge` found nothing against it and the lockout has been told.
"""

from doorward_protocol.errors import (
    FIVE_FAILURES,
    FLASH_FULL,
    NOT_WANTED,
    OLD_VERSION,
    ORDER_EXPIRED,
    RESTARTED_BY_CENTRE,
    TIMED_OUT,
    WRONG_TASK,
)
from doorward_protocol.objects import RESTART

from doorward_firmware.logic import (
    arrival,
    authentication,
    box_steps,
    events,
    flows,
    prompts,
    settings,
    steps,
)
from doorward_firmware.logic.entering import ENTERING, closing_recorded, ended, frozen, idle
from doorward_firmware.logic.flows import TIMEOUT
from doorward_firmware.logic.value import Value, sequence


class Handover(Value):
    """state: of the flow; task: a Task or None; deadline and expires_at: monotonic ms or None; reason: why
    it freezes or restarts; identified: ids of the crew; picture: hash; officer, officer_until: who may press
    a button, and how long; permit: journal index of the record that allows a passage, or None; stranded:
    people may stand in the chamber; passing: they are on their way out; gone: their vehicle has left
    meanwhile; attempt, read, foreign: boxes; signed_officer, signed_crew: ids;
    completed: ((task, epc, expires) …), the newest last."""

    __slots__ = (
        "attempt",
        "completed",
        "deadline",
        "expires_at",
        "foreign",
        "gone",
        "identified",
        "officer",
        "officer_until",
        "passing",
        "permit",
        "picture",
        "read",
        "reason",
        "signed_crew",
        "signed_officer",
        "state",
        "stranded",
        "task",
    )

    def __init__(self, completed=()):
        self.completed = completed
        self.state = flows.IDLE
        self.task = None
        self.deadline = None
        self.expires_at = None
        self.reason = 0
        self.identified = ()
        self.picture = None
        self.officer = None
        self.officer_until = 0
        self.permit = None
        self.stranded = False
        self.passing = False
        self.gone = False
        self.attempt = 0
        self.read = ()
        self.foreign = ()
        self.signed_officer = None
        self.signed_crew = None


STEPS = {
    (flows.PREPARE, events.LOADED): steps.prepare_loaded,
    (flows.CREW, events.MATCH): steps.crew_match,
    (flows.PICTURE, events.PICTURE): steps.picture_taken,
    (flows.APPROVAL, events.MATCH): steps.approval_match,
    (flows.APPROVAL, events.BUTTON): steps.approval_button,
    (flows.APPROVAL, events.COMMAND): steps.approval_command,
    (flows.ENTRY, events.RECORDED): steps.entry_recorded,
    (flows.ENTRY, events.PASSAGE): steps.entry_passage,
    (flows.CHAMBER, events.BUTTON): steps.chamber_button,
    (flows.CHAMBER, events.COMMAND): steps.approval_command,
    (flows.CHAMBER, events.PASSAGE): steps.chamber_passage,
    (flows.BOXES, events.BOX): box_steps.box_read,
    (flows.RECOUNT, events.BUTTON): box_steps.recount_button,
    (flows.CLOSE, events.MATCH): steps.close_match,
    (flows.LEAVE, events.RECORDED): closing_recorded,
    (flows.LEAVE, events.PASSAGE): steps.leave_passage,
    (flows.LEAVE, events.BUTTON): steps.leave_button,
    (flows.LEAVE, events.GONE): steps.leave_gone,
}


def step(state, event, now, settings):
    """Return (state, effects) after one event; now in monotonic ms."""
    state, effects = _deadlines(state, now, settings)
    name = event[0]
    if name in _ANYWHERE and not (name == events.COMMAND and _decides(state, event)):
        state, more = _ANYWHERE[name](state, event, now, settings)
    elif name not in flows.ACCEPTS[state.state]:
        more = ()
    elif state.state == flows.IDLE:
        state, more = _IDLE[name](state, event, now, settings)
    else:
        outcome, state, more = STEPS[state.state, name](state, event, now, settings)
        if outcome is not None:
            state, after = _go(state, outcome, now, settings)
            more += after
    return state, effects + more


def judge(state, event):
    """Return 0 if the finger of a MATCH is accepted in this state, else the reason why not."""
    _, panel, nonce, person, _, _, _, _, _, wall = event
    task, known = state.task, state.identified
    if task is None or task.nonce != nonce:
        return NOT_WANTED
    if state.state == flows.CREW:
        return authentication.crew_finger(task, person, known, panel, wall)
    if state.state == flows.APPROVAL:
        return authentication.officer_finger(task, person, known, panel, wall)
    if state.state == flows.CLOSE:
        officer, crew = state.signed_officer, state.signed_crew
        return authentication.closing_finger(task, person, known, panel, wall, officer, crew)
    return NOT_WANTED


def next_deadline(state):
    """Return the earliest time at which a TICK changes something, or None."""
    times = [state.deadline] if state.deadline is not None else []
    if state.expires_at is not None and state.state in flows.BEFORE_ENTRY:
        times.append(state.expires_at)
    return min(times) if times else None


def _deadlines(state, now, settings):
    if state.expires_at is not None and state.state in flows.BEFORE_ENTRY and now >= state.expires_at:
        return ended(state, ORDER_EXPIRED)
    if state.deadline is None or now < state.deadline:
        return state, ()
    if state.state == flows.BOXES:
        outcome, state, effects = box_steps.boxes_silent(state, settings)
    else:
        reason = state.reason if state.state == flows.RECOUNT else TIMED_OUT
        outcome, state, effects = TIMEOUT, state.but(reason=reason), ()
    state, after = _go(state, outcome, now, settings)
    return state, effects + after


def _go(state, outcome, now, settings):
    """Leave a state by an outcome. Return (state, effects)."""
    kind = state.task.kind
    following = flows.successor(kind, state.state, outcome)
    if following == flows.RESTART:
        return ended(state, state.reason)
    if following == flows.FROZEN:
        return frozen(state, state.reason)
    if following == flows.IDLE:
        return idle(state)
    return _enter(state, following, now, settings)


def _enter(state, following, now, settings):
    limit = flows.timeout(state.task.kind, following)
    deadline = None if limit is None else now + settings[limit]
    return ENTERING[following](state.but(state=following, deadline=deadline))


# What the engine answers in any state.


def _tick(state, _event, _now, _settings):
    return state, ()  # the deadlines have been judged already


def _turned_away(state, event, _now, _settings):
    _, task_id, epc, tid, reason = event
    record = (events.RECORD, "vehicle_refused", {"task": task_id, "epc": epc, "tid": tid, "reason": reason})
    name = prompts.TURNED_AWAY.get(reason)
    if name is None:
        return state, (record,)
    drawn = prompts.both(name) if state.state == flows.IDLE else (prompts.say(name),)
    return state, sequence(*drawn, record)  # people are told even if a full journal takes no record of it


def _command(state, event, _now, _settings):
    fields = event[1]
    if state.task is None or fields["task"] != state.task.id or fields["nonce"] != state.task.nonce:
        return state, (steps.refused_command(fields, WRONG_TASK),)
    if fields["verb"] == RESTART and state.state != flows.LEAVE:
        return ended(state, RESTARTED_BY_CENTRE)
    return state, (steps.refused_command(fields, NOT_WANTED),)


def _revised(state, event, _now, _settings):
    _, task_id, version = event
    if state.state not in flows.BEFORE_ENTRY or task_id != state.task.id or version == state.task.version:
        return state, ()
    return ended(state, OLD_VERSION)


def _locked_out(state, _event, _now, _settings):
    return (state, ()) if state.state in flows.SETTLED else ended(state, FIVE_FAILURES)


def _record_failed(state, _event, _now, _settings):
    """A closing without its record is none: only with it LEAVE has a permit."""
    closed = state.state != flows.LEAVE or state.permit is not None
    return (state, ()) if state.state in flows.SETTLED and closed else frozen(state, FLASH_FULL)


def _decides(state, event):
    """True if a command is a decision that this state waits for, about this attempt."""
    fields = event[1]
    if events.COMMAND not in flows.ACCEPTS[state.state] or fields["verb"] == RESTART:
        return False
    return fields["task"] == state.task.id and fields["nonce"] == state.task.nonce


def _arrived(state, event, now, settings):
    _, task, wall = event
    known = arrival.still_known(state.completed, wall)
    state = Handover(known).but(task=task, expires_at=now + task.expires - wall)
    return _enter(state, flows.FIRST[task.kind], now, settings)


def _gone(state, _event, _now, _settings):
    return state, prompts.rest()


_ANYWHERE = {
    events.TICK: _tick,
    events.TURNED_AWAY: _turned_away,
    events.COMMAND: _command,
    events.REVISED: _revised,
    events.LOCKED_OUT: _locked_out,
    events.RECORD_FAILED: _record_failed,
}

_IDLE = {events.ARRIVED: _arrived, events.GONE: _gone}


def _check():
    for kind in flows.FLOWS:
        flow = flows.FLOWS[kind]
        flows.check(flow, flows.FIRST[kind], settings.SETTINGS)
        for state in flow:
            if state != flows.FROZEN and state not in ENTERING:
                raise ValueError("%s: nothing says what entering it does" % state)
            for event in flows.ACCEPTS[state]:
                if (state, event) not in STEPS:
                    raise ValueError("%s: no step for %s" % (state, event))
    for state, event in STEPS:
        if event not in flows.ACCEPTS[state]:
            raise ValueError("%s: does not accept %s" % (state, event))
    for event in flows.EVERYWHERE:
        if event not in _ANYWHERE:
            raise ValueError("nothing answers %s" % event)


_check()
