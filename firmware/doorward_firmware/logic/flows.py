"""A flow is data: the states of a task, what each accepts, and where it goes from there.

A row is (state, time-out setting or None, next on success, next on failure, next on time-out). The engine in
`handover` reads it; `steps` and `box_steps` say what an accepted event means in a state. What is wrong in
these tables is found when the engine is imported.

RESTART is no state that lasts: the attempt ends, is recorded, and the vehicle at the gate is judged afresh.
"""

from doorward_protocol.objects import DELIVER
from doorward_protocol.records import PANEL_INNER, PANEL_OUTER

from doorward_firmware.logic import events

IDLE = "idle"
PREPARE = "prepare"  # templates are being loaded
CREW = "crew"  # fingers at the outer panel
PICTURE = "picture"  # of the whole crew
APPROVAL = "approval"  # somebody compares and decides
ENTRY = "entry"  # through the interlock
CHAMBER = "chamber"  # stopped between the doors
BOXES = "boxes"  # being read
RECOUNT = "recount"  # they did not match; the officer may have them read again
CLOSE = "close"  # officer's and crew's finger
LEAVE = "leave"  # the crew goes out, the vehicle leaves
FROZEN = "frozen"  # until the centre restarts the task
RESTART = "restart"

SUCCESS = "success"
FAILURE = "failure"
TIMEOUT = "timeout"
OUTCOMES = (SUCCESS, FAILURE, TIMEOUT)

# What each state accepts, besides EVERYWHERE.
ACCEPTS = {
    IDLE: (events.ARRIVED, events.GONE),
    PREPARE: (events.LOADED,),
    CREW: (events.MATCH,),
    PICTURE: (events.PICTURE,),
    APPROVAL: (events.MATCH, events.BUTTON, events.COMMAND),
    ENTRY: (events.RECORDED, events.PASSAGE),
    CHAMBER: (events.BUTTON, events.COMMAND, events.PASSAGE),
    BOXES: (events.BOX,),
    RECOUNT: (events.BUTTON,),
    CLOSE: (events.MATCH,),
    LEAVE: (events.RECORDED, events.PASSAGE, events.BUTTON, events.GONE),
    FROZEN: (),
}

# Accepted in every state; the engine itself answers them.
EVERYWHERE = (
    events.TICK,
    events.TURNED_AWAY,
    events.COMMAND,
    events.REVISED,
    events.LOCKED_OUT,
    events.RECORD_FAILED,
)

# Entry ends with a time-out if nobody opened the first door: who stands there now is pictured and approved
# anew. It fails if people may stand in the chamber.
# Reading ends with a time-out if the officer may read again, and fails if not.
DELIVER_FLOW = (
    (PREPARE, "PREPARE_TIMEOUT_MS", CREW, RESTART, RESTART),
    (CREW, "CREW_TIMEOUT_MS", PICTURE, RESTART, RESTART),
    (PICTURE, "PICTURE_TIMEOUT_MS", APPROVAL, RESTART, RESTART),
    (APPROVAL, "APPROVAL_TIMEOUT_MS", ENTRY, FROZEN, RESTART),
    (ENTRY, None, BOXES, CHAMBER, PICTURE),
    (CHAMBER, "CHAMBER_TIMEOUT_MS", ENTRY, FROZEN, RESTART),
    (BOXES, "BOX_SILENCE_MS", CLOSE, FROZEN, RECOUNT),
    (RECOUNT, "RECOUNT_TIMEOUT_MS", BOXES, FROZEN, FROZEN),
    (CLOSE, "CLOSE_TIMEOUT_MS", LEAVE, FROZEN, FROZEN),
    (LEAVE, None, IDLE, IDLE, IDLE),
    (FROZEN, None, RESTART, RESTART, RESTART),
)

FLOWS = {DELIVER: {row[0]: row for row in DELIVER_FLOW}}
FIRST = {DELIVER: PREPARE}

# The panel whose sensor a state asks; in any other state a touch is not an attempt.
FINGER_PANELS = {CREW: PANEL_OUTER, APPROVAL: PANEL_INNER, CLOSE: PANEL_INNER}

# Before these end nobody has been let in: an order that expires or changes ends the attempt.
BEFORE_ENTRY = (PREPARE, CREW, PICTURE, APPROVAL)

# States that no failure at a panel restarts: nothing is asked there any more.
SETTLED = (IDLE, LEAVE, FROZEN)


def successor(kind, state, outcome):
    """Return where a flow goes from a state."""
    return FLOWS[kind][state][2 + OUTCOMES.index(outcome)]


def timeout(kind, state):
    """Return the name of the setting that limits a state, or None."""
    return FLOWS[kind][state][1]


def check(flow, first, settings):
    """Raise ValueError unless a flow is whole: known settings, known successors, every state reachable."""
    for state in flow:
        setting = flow[state][1]
        if setting is not None and setting not in settings:
            raise ValueError("%s: no setting %s" % (state, setting))
        if state not in ACCEPTS:
            raise ValueError("%s: accepts nothing" % state)
        for following in flow[state][2:]:
            if following not in flow and following not in (IDLE, RESTART):
                raise ValueError("%s: no state %s" % (state, following))
    reached, more = [], [first]
    while more:
        state = more.pop()
        if state in flow and state not in reached:
            reached.append(state)
            more.extend(flow[state][2:])
    for state in flow:
        if state not in reached:
            raise ValueError("%s: cannot be reached" % state)
