"""Everything that is signed, and the blobs that a manifest lists: one table each.

A signed object is a COSE_Sign1 whose payload is the CBOR array [code, field …]. A blob content is such an
array without a signature: its hash stands in a signed manifest. Pictures, clips and templates are blobs too,
but plain bytes. The trust object has signatures of its own, see `trust.py`.
"""

from doorward_protocol import cbor, cose
from doorward_protocol.compat import const
from doorward_protocol.errors import MALFORMED, WRONG_KIND, ProtocolError
from doorward_protocol.schema import Table

# Kinds of a manifest's entries.
ROSTER = const(1)
ORDER = const(2)
CONFIGURATION = const(3)
PROMPTS = const(4)
RELEASE = const(5)

# Verbs of a command.
APPROVE = const(1)
REFUSE = const(2)
RELEASE_LOCKOUT = const(3)
RESTART = const(4)

# In `decided_by`: numbers below are people, the others are logins (LOGIN + the login's number) of desk
# workers who are in no roster. Approving needs people; releasing a lockout needs two of either.
LOGIN = const(1 << 32)

# Roles of people, duties of a crew, kinds of tasks.
ESCORT = const(1)
DRIVER = const(2)
OFFICER = const(3)
KEEPER = const(4)

DUTY_DOOR = const(1)
DUTY_VEHICLE = const(2)

DELIVER = const(1)
COLLECT = const(2)
TRANSFER = const(3)
REPLENISH = const(4)

OBJECTS = {
    "manifest": (1, "unit:unit version:uint issued:time fresh_until:time entries:[entry]"),
    "command": (
        2,
        "unit:unit id:id16 verb:uint task:uint nonce:nonce decided_by:[uint] picture:hash? head_count:uint? "
        "panel:uint? issued:time expires:time",
    ),
    "head": (3, "unit:unit epoch:uint size:uint root:hash time:time previous:hash?"),
    "receipt": (4, "unit:unit epoch:uint size:uint root:hash time:time"),
    "trust": (
        5,
        "version:uint server_kid:unit server_key:key dispatch_kid:unit dispatch_key:key roots:[root] "
        "threshold:uint",
    ),
    "bundle": (6, "unit:unit sequence:uint issued:time expires:time manifest:hash? envelope:hash"),
    "export": (7, "unit:unit sequence:uint issued:time expires:time manifest:hash? envelope:hash"),
}

OBJECT_PARTS = {
    "entry": "kind:uint id:uint version:uint hash:hash size:uint",
    "root": "kid:unit key:key",
}

BLOBS = {
    "roster": (1, "site:uint people:[person]"),
    "order": (
        2,
        "task:uint version:uint kind:uint site:uint window_from:time window_until:time expires:time "
        "vehicle:vehicle crew:[member] officers:[uint] boxes:[box]",
    ),
    "configuration": (
        3,
        "site:uint site_type:uint name:text language:text fail_secure:[uint] settings:[setting]",
    ),
    "prompts": (4, "language:text prompts:[prompt]"),
}

BLOB_PARTS = {
    "finger": "model:text number:uint duress:bool template:hash",
    "person": (
        "id:uint role:uint valid_from:time valid_until:time name:text staff_number:text company:text "
        "photo:hash? clip:hash? label:hash? card:bytes? fingers:[finger]"
    ),
    "vehicle": "id:uint plate:text epc:bytes tid:bytes clip:hash? label:hash?",
    "member": "person:uint duty:uint",
    "box": "id:uint number:text epc:bytes tid:bytes seal:text?",
    "setting": "name:text value:uint",
    "prompt": "number:uint clip:hash? picture:hash?",
}

OBJECT_TABLE = Table(OBJECTS, parts=OBJECT_PARTS)
BLOB_TABLE = Table(BLOBS, parts=BLOB_PARTS)


async def sign(suite, private, kid, object_name, **fields):
    """Return the signed object, a COSE_Sign1 in bytes. Raises ProtocolError if a field does not fit."""
    return await cose.sign1(
        suite, private, kid, object_name, cbor.encode(OBJECT_TABLE.pack(object_name, **fields))
    )


async def verify(suite, object_name, data, keys):
    """Return the fields of an object that one of keys, {kid: public}, signed. Raises ProtocolError."""
    return payload_fields(object_name, await cose.verify1(suite, object_name, data, keys))


def payload_fields(object_name, payload):
    """Return the fields in the payload of a signed object. Raises ProtocolError."""
    name, fields = OBJECT_TABLE.unpack(cbor.decode(payload))
    if name != object_name:
        raise ProtocolError(WRONG_KIND, object_name)
    return fields


def encode_blob(blob_name, **fields):
    """Return the content of a roster, order, configuration or prompts blob. Raises ProtocolError."""
    return cbor.encode(BLOB_TABLE.pack(blob_name, **fields))


def decode_blob(blob_name, data):
    """Return the fields of such a blob; nested rows stay positional lists. Raises ProtocolError."""
    name, fields = BLOB_TABLE.unpack(cbor.decode(data))
    if name != blob_name:
        raise ProtocolError(WRONG_KIND, blob_name)
    return fields


def part(part_name, row):
    """Return {field: value} of one nested row, as `person` or `box`, that has already been checked."""
    names = (BLOB_PARTS.get(part_name) or OBJECT_PARTS[part_name]).split()
    if len(row) != len(names):
        raise ProtocolError(MALFORMED, part_name)
    return {names[at].split(":")[0]: row[at] for at in range(len(names))}
