"""The words of the unit's logic: every event that may come in and every effect that may go out.

Both are tuples that begin with one of the names below. `EVENTS` and `EFFECTS` list what follows the name; the
tests hold every event and effect that occurs against these tables.

Times in events are wall time (ms since 1970 UTC) and are called wall; the `now` of every step is monotonic.
A nonce names one attempt at a task: what was asked for under another nonce is stale and changes nothing.
"""

# Events from the edges.
TICK = "tick"
DOOR = "door"
INPUT = "input"
EMERGENCY = "emergency"
CONFIGURED = "configured"
BUTTON = "button"
ARRIVED = "arrived"
TURNED_AWAY = "turned away"
GONE = "gone"
LOADED = "loaded"
TOUCH = "touch"
MATCH = "match"
NO_MATCH = "no match"
PICTURE = "picture"
COMMAND = "command"
BOX = "box"
REVISED = "revised"
RECORDED = "recorded"
RECORD_FAILED = "record failed"

# Events from one part of the logic to another.
LET_THROUGH = "let through"
PASSAGE = "passage"
LOCKED_OUT = "locked out"
RESET = "reset"

EVENTS = {
    TICK: "",  # a deadline may have passed
    DOOR: "door open",  # a door's contact changed; open is a bool
    INPUT: "name active",  # EGRESS, FIRE or TAMPER changed
    EMERGENCY: "",  # both buttons of the inner panel were held for EMERGENCY_HOLD_MS
    CONFIGURED: "fail_secure",  # the configuration says which doors a fire does not release
    BUTTON: "verb",  # APPROVE or REFUSE was pressed at the inner panel
    ARRIVED: "task wall",  # a vehicle arrived whose task may begin
    TURNED_AWAY: "task_id epc tid reason",  # a vehicle arrived that is refused; task_id and tid may be None
    GONE: "epc",  # the tag of a vehicle was not read for LEFT_AFTER_MS
    LOADED: "nonce",  # both sensors hold the templates of this task and no others
    TOUCH: "panel",  # a finger lies on the sensor, which has not been asked yet
    # The sensor found a live finger of this person; picture is a hash or None
    MATCH: "panel nonce person finger duress score sensor picture wall",
    NO_MATCH: "panel nonce reason picture wall",  # the sensor found nobody, or failed, for this reason
    PICTURE: "nonce picture",  # the picture of the whole crew is stored; None if the camera failed
    COMMAND: "fields",  # a verified command; fields as in the protocol's objects
    BOX: "epc tid",  # the reader of the handover area read a tag; tid may be None
    REVISED: "task_id version",  # the orders changed; version of this task's order now, None if revoked
    RECORDED: "name index",  # a record of the last step is durable in the journal
    RECORD_FAILED: "",  # a record could not be made durable; nothing after it was done
    LET_THROUGH: "route",  # handover to interlock: let people through
    PASSAGE: "route stage",  # interlock to handover: how far they are
    LOCKED_OUT: "panel",  # lockout to handover: five or more failures in a row
    RESET: "",  # handover to interlock: end a passage, lock both doors
}

# Effects, carried out in their order. A failed RECORD ends the list, except for what keeps people safe:
# LOCKs, and RELEASEs for egress, fire and emergency.
RECORD = "record"
STORE = "store"
RELEASE = "release"
LOCK = "lock"
LOAD = "load"
WIPE = "wipe"
ASK = "ask"
TAKE_PICTURE = "take picture"
COMPARE = "compare"
READ_BOXES = "read boxes"
SAY = "say"
SHOW = "show"
HEAD = "head"
ARRIVE_AGAIN = "arrive again"

EFFECTS = {
    RECORD: "name fields",  # append a journal record; durable before anything after it
    STORE: "name value",  # keep a small value across power cuts; durable before anything after it
    RELEASE: "door cause",  # energise a door's relay, if the guard agrees
    LOCK: "door",  # drop a door's relay
    LOAD: "task",  # load the templates of this task's people; answered by LOADED
    WIPE: "",  # empty both sensors
    ASK: "panel nonce",  # ask the sensor whose finger it is; answered by MATCH or NO_MATCH
    TAKE_PICTURE: "nonce",  # take a picture of the crew; answered by PICTURE
    COMPARE: "task",  # show live pictures beside enrolled photos at the inner panel; None ends it
    READ_BOXES: "on",  # start or stop the reader of the handover area
    SAY: "prompt subject",  # speak a prompt, then the name of the subject: None, a person or a vehicle
    SHOW: "panel prompt subject",  # draw a prompt, with the name of the subject, on a panel's screen
    HEAD: "",  # sign and send the journal's head now
    ARRIVE_AGAIN: "",  # judge the vehicle that stands at the gate afresh, as if it had just arrived
}

# Subjects of prompts: whose name is spoken and drawn.
PERSON = "person"
VEHICLE = "vehicle"


def names(table, word):
    """Return the names of what follows word in EVENTS or EFFECTS, as a list."""
    return table[word].split()


def check(table, item):
    """Raise ValueError unless item is a tuple that the table allows."""
    if item[0] not in table or len(item) != len(names(table, item[0])) + 1:
        raise ValueError("not in the table: %r" % (item,))
