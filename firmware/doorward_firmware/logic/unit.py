"""The unit's whole logic as one step function: interlock, two lockouts and the handover, and what they tell
each other.

    state, effects = step(state, event, now, settings)

Words that only travel inside (LET_THROUGH, PASSAGE, LOCKED_OUT, RESET) never come out; everything else in
the effects is for the edges to carry out in order. After them `next_deadline` says when the next TICK is due.
"""

from doorward_protocol.errors import ALREADY_IDENTIFIED, MALFORMED, NOT_WANTED, UNIT_RESTARTED
from doorward_protocol.objects import RELEASE_LOCKOUT
from doorward_protocol.records import PANEL_INNER, PANEL_OUTER

from doorward_firmware.logic import entering, events, flows, handover, interlock, lockout, prompts, steps
from doorward_firmware.logic.value import Value, sequence

PANELS = (PANEL_OUTER, PANEL_INNER)
LOCKOUTS = {PANEL_OUTER: "outer", PANEL_INNER: "inner"}

LAST_MOMENT = 253_402_300_799_000  # end of the year 9999: the calendars of those who read records end there

# Reasons that say nothing against a finger: it was recognised, but nobody needed it now.
NEUTRAL = (ALREADY_IDENTIFIED, NOT_WANTED)


class Unit(Value):
    """doors: Interlock; handover: Handover; outer, inner: Lockouts of the panels."""

    __slots__ = ("doors", "handover", "inner", "outer")

    def __init__(self, doors=None, task=None, outer=None, inner=None):
        self.doors = doors or interlock.Interlock()
        self.handover = task or handover.Handover()
        self.outer = outer or lockout.Lockout()
        self.inner = inner or lockout.Lockout()

    def lockout(self, panel):
        """The Lockout of a panel."""
        return self.outer if panel == PANEL_OUTER else self.inner


def step(state, event, now, settings):
    """Return (state, effects) after one event; now in monotonic ms."""
    state, effects = _route(state, (events.TICK,), now, settings)
    if event[0] != events.TICK:
        state, more = _route(state, event, now, settings)
        effects += more
    return state, effects


def next_deadline(state):
    """Return the earliest time at which a TICK changes something, in monotonic ms, or None."""
    times = (
        interlock.next_deadline(state.doors),
        handover.next_deadline(state.handover),
        lockout.next_deadline(state.outer),
        lockout.next_deadline(state.inner),
    )
    times = [time for time in times if time is not None]
    return min(times) if times else None


def restore(hand, completed, end, lockouts, doors, now, wall):
    """Return (state, effects) after a start: nothing forgotten, nothing carried on half-way.

    hand, completed, lockouts ({panel: stored or None}): as stored; end: (name, journal index) of the record
    that says how the task in hand ended (`entering.ENDS`), or None; doors: an Interlock with the contacts as
    they are. A task that was under way is restarted, a frozen one stays frozen, a closed one waits for its
    vehicle to leave. What is stored may be one step behind the journal: nothing is recorded twice for that. A
    panel that is locked says so again: the power may have been cut before it could.
    """
    work, effects = handover.Handover(tuple([tuple(entry) for entry in completed])), ()
    if hand is not None:
        work, effects = _taken_up(work.but(task=entering.task_of(hand)), hand, end)
    outer, inner = [lockout.restore(lockouts[panel], now) for panel in PANELS]
    state = Unit(doors, work, outer, inner)
    for panel in PANELS:
        if lockout.is_locked(state.lockout(panel)):
            effects += (_locked(panel, state.lockout(panel), wall),)
    locks = tuple([(events.LOCK, door) for door in interlock.DOORS])
    return state, sequence((events.WIPE,), *locks, *_outgoing(effects))


def _taken_up(work, hand, end):
    """The task in hand as it was left: (handover, effects)."""
    phase, _, detail = hand
    name, index = end or (None, None)
    if name in ("restarted", "left"):
        return entering.at_rest(work), (entering.NOTHING_IN_HAND,)
    if name == "frozen":
        return entering.still_frozen(work, detail)
    if phase == entering.FROZEN:
        return entering.frozen(work, detail)
    if name == "closed" or phase == entering.CLOSED:
        work, effects = entering.remembered(work, index if name == "closed" else detail)
        return work, effects + prompts.both("leave_through_door")
    return entering.ended(work, UNIT_RESTARTED)


def _outgoing(effects):
    return tuple([effect for effect in effects if effect[0] in events.EFFECTS])


def _route(state, event, now, settings):
    """One event to whoever it concerns, and the words that this causes inside."""
    state, effects = _ROUTES.get(event[0], _to_handover)(state, event, now, settings)
    outgoing, waiting = [], list(effects)
    while waiting:
        word = waiting.pop(0)
        if word[0] in events.EFFECTS:
            outgoing.append(word)
            continue
        to = _to_doors if word[0] in (events.LET_THROUGH, events.RESET) else _to_handover
        state, more = to(state, word, now, settings)
        waiting = list(more) + waiting
    return state, tuple(outgoing)


def _to_doors(state, event, now, settings):
    doors, effects = interlock.step(state.doors, event, now, settings)
    return state.but(doors=doors), effects


def _to_handover(state, event, now, settings):
    before = state.handover.state
    work, effects = handover.step(state.handover, event, now, settings)
    state = state.but(handover=work)
    panel = flows.FINGER_PANELS.get(work.state)
    if work.state != before and panel and lockout.is_locked(state.lockout(panel)):
        effects += prompts.both("panel_locked")
    return state, effects


def _tick(state, event, now, settings):
    state, effects = _to_doors(state, event, now, settings)
    state, more = _to_handover(state, event, now, settings)
    effects += more
    for panel in PANELS:
        if lockout.ended(state.lockout(panel), now):
            state = _with(state, panel, lockout.free(state.lockout(panel)))
            if flows.FINGER_PANELS.get(state.handover.state) == panel:
                effects += prompts.both("touch_finger")
    return state, effects


def _touch(state, event, now, _settings):
    """Count first, durably; then ask. A touch that nobody waits for is not an attempt."""
    panel = event[1]
    if flows.FINGER_PANELS.get(state.handover.state) != panel:
        return state, ()
    counted, answer = lockout.attempt(state.lockout(panel), now)
    if answer == lockout.BUSY:
        return state, ()
    if answer != lockout.ALLOWED:
        return state, prompts.at(panel, "panel_locked")
    state = _with(state, panel, counted)
    shown = (prompts.show(panel, "look_at_camera"),) if panel == PANEL_OUTER else ()
    ask = (events.ASK, panel, state.handover.task.nonce)
    return state, sequence(_store(state, panel), *shown, ask)


def _match(state, event, now, settings):
    _, panel, _, _, _, _, _, _, picture, wall = event
    if not state.lockout(panel).asking:
        return state, ()
    reason = handover.judge(state.handover, event)
    if reason == 0:
        state = _with(state, panel, lockout.accepted(state.lockout(panel)))
        state, effects = _to_handover(state, event, now, settings)
        return state, sequence(*effects, _store(state, panel))
    if reason in NEUTRAL:
        state = _with(state, panel, lockout.not_needed(state.lockout(panel)))
        effects = _finger_refused(state, panel, reason, picture)
        if reason == ALREADY_IDENTIFIED:  # the second touch may be the one under duress
            effects = sequence(steps.finger(state.handover, event), *effects[1:])
        return state, sequence(*effects, _store(state, panel))
    return _failed(state, panel, reason, picture, now, wall)


def _no_match(state, event, now, _settings):
    _, panel, _, reason, picture, wall = event
    if not state.lockout(panel).asking:
        return state, ()
    return _failed(state, panel, reason, picture, now, wall)


def _failed(state, panel, reason, picture, now, wall):
    locked = lockout.failed(state.lockout(panel), now)
    state = _with(state, panel, locked)
    effects = _finger_refused(state, panel, reason, picture)
    if not lockout.is_locked(locked):
        return state, effects
    record = _locked(panel, locked, wall)
    return state, sequence(*effects, record, (events.LOCKED_OUT, panel), *prompts.both("panel_locked"))


def _locked(panel, locked, wall):
    until = min(wall + lockout.lock_ms(locked.failures), LAST_MOMENT)
    return (events.RECORD, "locked", {"panel": panel, "failures": locked.failures, "until": until})


def _finger_refused(state, panel, reason, picture):
    task = state.handover.task
    fields = {
        "panel": panel,
        "task": None if task is None else task.id,
        "reason": reason,
        "failures": state.lockout(panel).failures,
        "picture": picture,
    }
    name = prompts.FINGER_REFUSED.get(reason, "finger_refused_retry")
    return sequence((events.RECORD, "finger_refused", fields), *prompts.at(panel, name))


def _command(state, event, now, settings):
    """Releasing a lockout needs two people and no task."""
    fields = event[1]
    if fields["verb"] != RELEASE_LOCKOUT:
        return _to_handover(state, event, now, settings)
    panel, by = fields["panel"], fields["decided_by"]
    if panel not in PANELS or len(set(by)) < 2:
        detail = {"what": "command", "reference": fields["id"], "reason": MALFORMED, "detail": "two people"}
        return state, ((events.RECORD, "refusal", detail),)
    record = (events.RECORD, "released", {"panel": panel, "by": list(by), "command": fields["id"]})
    state = _with(state, panel, lockout.released(state.lockout(panel)))
    again = flows.FINGER_PANELS.get(state.handover.state) == panel
    shown = prompts.both("touch_finger") if again else ()
    return state, sequence(record, _store(state, panel), *shown)


def _with(state, panel, changed):
    return state.but(outer=changed) if panel == PANEL_OUTER else state.but(inner=changed)


def _store(state, panel):
    """The count of failures, durable."""
    return (events.STORE, "lockout_" + LOCKOUTS[panel], list(lockout.stored(state.lockout(panel))))


_ROUTES = {
    events.TICK: _tick,
    events.DOOR: _to_doors,
    events.INPUT: _to_doors,
    events.EMERGENCY: _to_doors,
    events.CONFIGURED: _to_doors,
    events.TOUCH: _touch,
    events.MATCH: _match,
    events.NO_MATCH: _no_match,
    events.COMMAND: _command,
}
