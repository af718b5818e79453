"""The one table of journal records: everything that a unit sees and does.

An entry is the CBOR array [kind, time, clock, boot, salt, [field …]]: when (milliseconds since 1970 UTC),
whether the clock was sure (0) or unsure (1), in which boot of the unit, and 16 random bytes, so that nobody
can guess an entry from its leaf hash once its content has been deleted (RFC 6962 §2.1 hashes the whole
entry). Records hold ids instead of names, for the same reason.
"""

from doorward_protocol import cbor
from doorward_protocol.compat import const
from doorward_protocol.errors import MALFORMED, ProtocolError
from doorward_protocol.schema import TYPES, Table

CLOCK_SURE = const(0)
CLOCK_UNSURE = const(1)

PANEL_OUTER = const(1)
PANEL_INNER = const(2)

WHERE_HOST = const(1)  # approved at the host screen
WHERE_PANEL = const(2)  # approved at the inner panel

DOOR_OUTER = const(1)
DOOR_INNER = const(2)

DOOR_RELEASED = const(1)
DOOR_LOCKED = const(2)
DOOR_OPENED = const(3)
DOOR_CLOSED = const(4)
DOOR_HELD_OPEN = const(5)
DOOR_FORCED = const(6)

CAUSE_HANDOVER = const(1)
CAUSE_EGRESS = const(2)
CAUSE_FIRE = const(3)
CAUSE_EMERGENCY = const(4)
CAUSE_TIMEOUT = const(5)

INPUT_EGRESS = const(1)
INPUT_FIRE = const(2)
INPUT_TAMPER = const(3)

RECORDS = {
    "boot": (1, "reason:uint firmware:text tests:[test] manifest:uint"),
    "clock_set": (2, "before:time after:time"),
    "manifest": (3, "version:uint hash:hash"),
    "refusal": (4, "what:text reference:bytes? reason:uint detail:text"),
    "vehicle": (
        5,
        "task:uint nonce:nonce vehicle:uint epc:bytes tid:bytes order_version:uint manifest:uint "
        "last_contact:time",
    ),
    "vehicle_refused": (6, "task:uint? epc:bytes tid:bytes? reason:uint"),
    "finger": (
        7,
        "panel:uint task:uint nonce:nonce person:uint finger:uint duress:bool score:uint sensor:text "
        "picture:hash?",
    ),
    "finger_refused": (8, "panel:uint task:uint? reason:uint failures:uint picture:hash?"),
    "locked": (9, "panel:uint failures:uint until:time"),
    "released": (10, "panel:uint by:[uint] command:id16?"),
    "crew": (11, "task:uint nonce:nonce people:[uint] picture:hash?"),
    "approval": (
        12,
        "task:uint nonce:nonce approved:bool by:[uint] where:uint head_count:uint? picture:hash? "
        "command:id16? reason:uint?",
    ),
    "door": (13, "door:uint event:uint cause:uint"),
    "boxes": (
        14,
        "task:uint nonce:nonce expected:[bytes] read:[bytes] missing:[bytes] foreign:[bytes] attempt:uint",
    ),
    "foreign_box": (15, "task:uint nonce:nonce epc:bytes tid:bytes? reason:uint"),
    "closed": (16, "task:uint nonce:nonce officer:uint crew:uint boxes:uint order_version:uint"),
    "frozen": (17, "task:uint nonce:nonce reason:uint"),
    "restarted": (18, "task:uint nonce:nonce reason:uint"),
    "left": (19, "task:uint nonce:nonce"),
    "sensor": (20, "name:text reason:uint detail:text"),
    "input": (21, "name:uint active:bool"),
    "epoch": (22, "previous_epoch:uint previous_size:uint previous_root:hash cause:uint"),
    "storage": (23, "name:text used:uint total:uint"),
}

TABLE = Table(RECORDS, parts={"test": "name:text ok:bool"})

MAX_ENTRY = const(3800)  # bytes: an entry fits one `record` message in one channel frame


class Record:
    """One journal entry: kind (code), name, time (ms since 1970 UTC), clock, boot, salt, fields (a dict)."""

    __slots__ = ("boot", "clock", "fields", "kind", "name", "salt", "time")

    def __init__(self, kind, name, time, clock, boot, salt, fields):
        self.kind = kind
        self.name = name
        self.time = time
        self.clock = clock
        self.boot = boot
        self.salt = salt
        self.fields = fields


def encode(kind_name, time, clock, boot, salt, **fields):
    """Return the bytes of an entry; time in ms since 1970 UTC, salt of 16 bytes. Raises ProtocolError."""
    packed = TABLE.pack(kind_name, **fields)
    _check(time, clock, boot, salt)
    return cbor.encode([packed[0], time, clock, boot, salt, packed[1:]])


def decode(entry):
    """Return the Record that entry encodes. Raises ProtocolError."""
    array = cbor.decode(entry)
    if not isinstance(array, list) or len(array) != 6 or not isinstance(array[5], list):
        raise ProtocolError(MALFORMED, "no journal entry")
    kind, time, clock, boot, salt, values = array
    name, fields = TABLE.unpack([kind] + values)  # noqa: RUF005 - MicroPython's compiler prefers it plain
    _check(time, clock, boot, salt)
    return Record(kind, name, time, clock, boot, salt, fields)


def _check(time, clock, boot, salt):
    is_uint = TYPES["uint"]
    if not is_uint(time) or not is_uint(boot) or not is_uint(clock) or clock > CLOCK_UNSURE:
        raise ProtocolError(MALFORMED, "time, clock or boot of a journal entry")
    if not TYPES["id16"](salt):
        raise ProtocolError(MALFORMED, "salt of a journal entry")
