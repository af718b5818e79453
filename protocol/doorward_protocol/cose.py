"""Signed bytes: COSE_Sign1 with ES256 (RFC 9052 §4.2), untagged.

    [ << {1: -7, 4: kid, 16: "doorward/" + kind} >>, {}, payload, signature ]

Algorithm, key and kind all stand in the protected header, and the kind once more in external_aad, so that a
receipt can never be taken for a manifest, not even by a reader that forgets to look. The key is chosen by kid
alone, from the keys that the caller hands over for this kind.
"""

from doorward_protocol import cbor
from doorward_protocol.compat import const
from doorward_protocol.errors import BAD_SIGNATURE, MALFORMED, UNKNOWN_KEY, WRONG_KIND, ProtocolError
from doorward_protocol.suite import COSE_ES256

HEADER_ALGORITHM = const(1)  # RFC 9052 §3.1
HEADER_KID = const(4)
HEADER_TYPE = const(16)  # RFC 9596
SIGNATURE = const(64)  # bytes

_PREFIX = "doorward/"


def to_be_signed(protected, external_aad, payload):
    """Return the encoded Sig_structure of a COSE_Sign1 (RFC 9052 §4.4); protected is already encoded."""
    return cbor.encode(["Signature1", protected, external_aad, payload])


async def sign1(suite, private, kid, kind, payload):
    """Return a COSE_Sign1 over payload as kind (text), by the key called kid (bytes)."""
    type_name = _PREFIX + kind
    protected = cbor.encode({HEADER_ALGORITHM: COSE_ES256, HEADER_KID: kid, HEADER_TYPE: type_name})
    signature = await suite.sign(private, to_be_signed(protected, type_name.encode(), payload))
    return cbor.encode([protected, {}, payload, signature])


async def verify1(suite, kind, data, keys):
    """Return the payload of a COSE_Sign1 that one of keys, {kid: public}, signed as kind.

    Raises MALFORMED, WRONG_KIND, UNKNOWN_KEY or BAD_SIGNATURE.
    """
    protected, header, payload, signature = _parse(data)
    type_name = _PREFIX + kind
    if header[HEADER_TYPE] != type_name:
        raise ProtocolError(WRONG_KIND, kind)
    public = keys.get(header[HEADER_KID])
    if public is None:
        raise ProtocolError(UNKNOWN_KEY, kind)
    if not await suite.verify(public, to_be_signed(protected, type_name.encode(), payload), signature):
        raise ProtocolError(BAD_SIGNATURE, kind)
    return payload


def peek_kid(data):
    """Return the kid that data claims. It proves nothing. Raises MALFORMED."""
    return _parse(data)[1][HEADER_KID]


def peek_payload(data):
    """Return the payload that data claims, unverified: for signatures that are gathered. Raises MALFORMED."""
    return _parse(data)[2]


def _parse(data):
    array = cbor.decode(data)
    if not isinstance(array, list) or len(array) != 4:
        raise ProtocolError(MALFORMED, "no COSE_Sign1")
    protected, unprotected, payload, signature = array
    if not isinstance(protected, bytes) or not isinstance(payload, bytes) or unprotected != {}:
        raise ProtocolError(MALFORMED, "no COSE_Sign1 of this profile")
    if not isinstance(signature, bytes) or len(signature) != SIGNATURE:
        raise ProtocolError(MALFORMED, "no ES256 signature")
    header = cbor.decode(protected)
    if not isinstance(header, dict) or sorted(header, key=str) != [HEADER_ALGORITHM, HEADER_TYPE, HEADER_KID]:
        raise ProtocolError(MALFORMED, "COSE header")
    if header[HEADER_ALGORITHM] != COSE_ES256:
        raise ProtocolError(MALFORMED, "COSE algorithm")
    if not isinstance(header[HEADER_KID], bytes) or not isinstance(header[HEADER_TYPE], str):
        raise ProtocolError(MALFORMED, "COSE header")
    return protected, header, payload, signature
