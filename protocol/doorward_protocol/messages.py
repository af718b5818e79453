"""The one table of messages between a unit and the server: name, code, who may send it, fields.

Each message is the CBOR array [code, field …] in one channel frame. Everything is idempotent: records go by
index, objects by version or id, blobs by hash. `want` is answered by up to 16 `blob` chunks from its offset;
the asker then asks again for more. `time` echoes the nonce of a `status`; the first frame after the handshake
is a `time` with a null nonce. `stored` is sent after the records are committed.
"""

from doorward_protocol import cbor
from doorward_protocol.compat import const
from doorward_protocol.errors import TOO_LARGE, WRONG_DIRECTION, ProtocolError
from doorward_protocol.schema import Table

TO_SERVER = const(1)
TO_UNIT = const(2)
BOTH = const(3)

MAX_CHUNK = const(3500)  # bytes of blob data in one `blob` message
CHUNKS_PER_WANT = const(16)
MAX_MISSING = const(64)  # hashes in one `have` message

MESSAGES = {
    "status": (
        1,
        TO_SERVER,
        "nonce:nonce manifest:uint epoch:uint size:uint acknowledged:uint clock:uint time:time firmware:text "
        "health:[any]",
    ),
    "record": (2, TO_SERVER, "epoch:uint index:uint entry:bytes"),
    "head": (3, TO_SERVER, "object:bytes"),
    "want": (4, BOTH, "hash:hash offset:uint"),
    "blob": (5, BOTH, "hash:hash offset:uint total:uint data:bytes"),
    "have": (6, TO_SERVER, "manifest:uint complete:bool missing:[hash]"),
    "refused": (7, BOTH, "what:text reference:bytes reason:uint detail:text"),
    "time": (8, TO_UNIT, "nonce:nonce? time:time"),
    "object": (9, TO_UNIT, "kind:text object:bytes"),
    "stored": (10, TO_UNIT, "object:bytes"),
}

TABLE = Table(MESSAGES)


def encode(message_name, **fields):
    """Return the bytes of a message. Raises ProtocolError if a field does not fit."""
    packed = TABLE.pack(message_name, **fields)
    _check_sizes(message_name, fields)
    return cbor.encode(packed)


def decode(data, direction=BOTH):
    """Return (name, {field: value}); direction says which way it travelled, BOTH asks nothing.

    Raises ProtocolError: WRONG_DIRECTION if that side may not send this message, UNKNOWN_MESSAGE, MALFORMED.
    """
    name, fields = TABLE.unpack(cbor.decode(data))
    if not MESSAGES[name][1] & direction:
        raise ProtocolError(WRONG_DIRECTION, name)
    _check_sizes(name, fields)
    return name, fields


def _check_sizes(name, fields):
    if name == "blob" and len(fields["data"]) > MAX_CHUNK:
        raise ProtocolError(TOO_LARGE, "blob.data")
    if name == "have" and len(fields["missing"]) > MAX_MISSING:
        raise ProtocolError(TOO_LARGE, "have.missing")
