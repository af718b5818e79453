"""What happens when a task enters a state, and how it ends: by restart, by freezing, by leaving.

What must survive a power cut about the task in hand is one small value, `hand`: [how far it was, what is kept
of the task, and for a frozen one why, for a closed one the index of its record].
"""

from doorward_protocol.records import PANEL_INNER, PANEL_OUTER

from doorward_firmware.logic import arrival, events, flows, interlock, prompts
from doorward_firmware.logic.steps import record
from doorward_firmware.logic.task import Task
from doorward_firmware.logic.value import sequence

RUNNING = 1
FROZEN = 2
CLOSED = 3


def hand(state, phase, detail=0):
    """The STORE effect that remembers the task in hand."""
    task = state.task
    known = [task.id, task.nonce, task.epc, task.version, task.kind, task.expires]
    return (events.STORE, "hand", [phase, known, detail])


def task_of(kept):
    """Return the Task of a stored hand, as far as it was kept."""
    task_id, nonce, epc, version, kind, expires = kept[1]
    return Task(task_id, nonce, epc, version, kind).but(expires=expires)


# Records that say how an attempt ended, or where it stands for good. Each is made once; what is stored of the
# task in hand may be one step behind them.
ENDS = ("closed", "frozen", "restarted", "left")

NOTHING_IN_HAND = (events.STORE, "hand", None)

# Whatever was going on for a task stops.
STOPPED = ((events.RESET,), (events.READ_BOXES, False), (events.COMPARE, None), (events.WIPE,))


def prepare(state):
    """The vehicle is announced while the sensors learn its crew."""
    task = state.task
    vehicle = record(
        state,
        "vehicle",
        vehicle=task.vehicle,
        epc=task.epc,
        tid=task.tid,
        order_version=task.version,
        manifest=task.manifest,
        last_contact=task.last_contact,
    )
    announced = prompts.both("vehicle_arrived", (events.VEHICLE, task.id))
    shown = ((events.COMPARE, task), (events.LOAD, task))  # the crew's photos at the inner panel (S1)
    return state, sequence(hand(state, RUNNING), vehicle, *announced, *shown)


def crew(state):
    """The outer panel asks for fingers."""
    return state, prompts.at(PANEL_OUTER, "touch_finger")


def picture(state):
    """Everybody has been identified: one picture of all of them."""
    camera = (events.TAKE_PICTURE, state.task.nonce)
    return state, sequence(*prompts.at(PANEL_OUTER, "look_at_camera"), camera)


def approval(state):
    """Somebody is to compare; whatever was approved before counts no longer."""
    state = state.but(permit=None, stranded=False, officer=None)
    shown = prompts.at(PANEL_OUTER, "crew_complete_wait") + prompts.at(PANEL_INNER, "compare_pictures")
    return state, sequence(*shown, (events.COMPARE, state.task))


def entry(state):
    """A fresh approval is asked for its record first; a crew in the chamber goes on under the one it has."""
    effects = ((events.COMPARE, None),)
    if state.permit is not None:
        effects += ((events.LET_THROUGH, interlock.ENTRY_REST),)
    return state, effects


def chamber(state):
    """The officer sees that a crew waits between the doors."""
    return state, prompts.both("frozen_wait")


def boxes(state):
    """Only now, with vehicle and crew verified and inside, are the boxes asked for (D5)."""
    state = state.but(attempt=state.attempt + 1, read=(), foreign=())
    name = "bring_boxes" if state.attempt == 1 else "reading_boxes"
    return state, ((events.READ_BOXES, True), prompts.say(name), prompts.show(PANEL_INNER, "reading_boxes"))


def recount(state):
    """The screen already says what is wrong."""
    return state, ()


def close(state):
    """Both sign, the officer is asked first."""
    return state, prompts.at(PANEL_INNER, "officer_finger")


def leave(state):
    """Closed, as soon as its record is durable: see `closing_recorded`."""
    return state.but(permit=None, stranded=False), ()


def closing_recorded(state, event, _now, _settings):
    """The step of LEAVE that makes the closing final: remembered for ever, sensors emptied, all told."""
    if event[1] != "closed" or state.permit is not None:
        return None, state, ()
    state, kept = remembered(state, event[2])
    shown = prompts.both("handover_closed") + prompts.at(PANEL_INNER, "leave_through_door")
    return None, state, sequence(*kept, (events.WIPE,), (events.HEAD,), *shown)


def remembered(state, index):
    """The task is closed by the record of this index. Return (state, the effects that keep it)."""
    completed = arrival.add_completed(state.completed, state.task)
    state = state.but(state=flows.LEAVE, permit=index, completed=tuple(completed))
    return state, ((events.STORE, "completed", completed), hand(state, CLOSED, index))


ENTERING = {
    flows.PREPARE: prepare,
    flows.CREW: crew,
    flows.PICTURE: picture,
    flows.APPROVAL: approval,
    flows.ENTRY: entry,
    flows.CHAMBER: chamber,
    flows.BOXES: boxes,
    flows.RECOUNT: recount,
    flows.CLOSE: close,
    flows.LEAVE: leave,
}


def frozen(state, reason):
    """Nothing goes on until the centre restarts the task."""
    state, effects = still_frozen(state, reason)
    kept = (hand(state, FROZEN, reason), record(state, "frozen", reason=reason))
    return state, STOPPED + kept + effects


def still_frozen(state, reason):
    """As it was already recorded."""
    state = state.but(state=flows.FROZEN, reason=reason, deadline=None, permit=None)
    return state, prompts.both("frozen_wait")


def ended(state, reason):
    """The attempt is over. The vehicle that still stands at the gate is judged afresh, with a new nonce."""
    kept = (record(state, "restarted", reason=reason), NOTHING_IN_HAND)
    effects = sequence(*STOPPED, (events.ARRIVE_AGAIN,), *kept, *prompts.both("task_restarted"))
    return at_rest(state), effects


def idle(state):
    """The vehicle has left."""
    return at_rest(state), sequence((events.COMPARE, None), NOTHING_IN_HAND, *prompts.rest())


def at_rest(state):
    """No task in hand; what is completed stays completed."""
    return type(state)(state.completed)
