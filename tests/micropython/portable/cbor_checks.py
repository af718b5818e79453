"""CBOR: every vector of RFC 8949 Appendix A, and what the deterministic profile refuses."""

from binascii import unhexlify

from doorward_protocol import cbor, errors

from portable_support import refuses, vectors


def _value(item):
    """A value as vectors/cbor_rfc8949.json writes it."""
    if isinstance(item, dict):
        if "bytes" in item:
            return unhexlify(item["bytes"])
        return {key: _value(value) for key, value in item["map"]}
    if isinstance(item, list):
        return [_value(member) for member in item]
    return item


def check_appendix_a():
    """Each vector decodes to its value and encodes back to its bytes, or is refused for its reason."""
    table = vectors("cbor_rfc8949")["vectors"]
    assert len(table) == 81
    for vector in table:
        data = unhexlify(vector["encoding"])
        if "refused" in vector:
            refuses(getattr(errors, vector["refused"]), cbor.decode, data)
            continue
        value = _value(vector["value"])
        decoded = cbor.decode(data)
        assert decoded == value, vector
        assert type(decoded) is type(value), vector
        assert cbor.encode(value) == data, vector


REFUSED = (
    # Not the shortest form (§4.2.1): integers and lengths.
    ("1817", errors.NOT_DETERMINISTIC),
    ("1900ff", errors.NOT_DETERMINISTIC),
    ("1a0000ffff", errors.NOT_DETERMINISTIC),
    ("1b00000000ffffffff", errors.NOT_DETERMINISTIC),
    ("3817", errors.NOT_DETERMINISTIC),
    ("5800", errors.NOT_DETERMINISTIC),
    ("7801" + "61", errors.NOT_DETERMINISTIC),
    ("980100", errors.NOT_DETERMINISTIC),
    ("b8010000", errors.NOT_DETERMINISTIC),
    # Keys: order is bytewise by encoding, so 10 before 100 before -1 before "a" before "aa".
    ("a2020001" + "00", errors.NOT_DETERMINISTIC),
    ("a2200001" + "00", errors.NOT_DETERMINISTIC),
    ("a26261610061" + "6100", errors.NOT_DETERMINISTIC),
    ("a201000100", errors.DUPLICATE_KEY),
    ("a2616100616100", errors.DUPLICATE_KEY),
    # Keys that are not integers or texts; `true` is not 1.
    ("a1f500", errors.MALFORMED),
    ("a201" + "00f500", errors.MALFORMED),
    ("a1f600", errors.MALFORMED),
    ("a1410100", errors.MALFORMED),
    ("a1810100", errors.TOO_DEEP),
    # Reserved and misplaced heads.
    ("1c", errors.MALFORMED),
    ("1d", errors.MALFORMED),
    ("1e", errors.MALFORMED),
    ("fc", errors.MALFORMED),
    ("ff", errors.MALFORMED),
    ("1f", errors.NOT_DETERMINISTIC),
    ("5f", errors.NOT_DETERMINISTIC),
    ("bf", errors.NOT_DETERMINISTIC),
    # Truncated, or followed by more.
    ("", errors.MALFORMED),
    ("18", errors.MALFORMED),
    ("1901", errors.MALFORMED),
    ("4401", errors.MALFORMED),
    ("6261", errors.MALFORMED),
    ("8201", errors.MALFORMED),
    ("a101", errors.MALFORMED),
    ("0000", errors.MALFORMED),
    # Lengths that nothing backs: judged before anything is allocated.
    ("5bffffffffffffffff", errors.MALFORMED),
    ("7b7fffffffffffffff00", errors.MALFORMED),
    ("9bffffffffffffffff", errors.MALFORMED),
    ("bb7fffffffffffffff", errors.MALFORMED),
    ("9a00ffffff" + "00" * 64, errors.MALFORMED),
    # Text that is not UTF-8 (RFC 3629): stray, truncated, overlong, surrogate, beyond U+10FFFF.
    ("6180", errors.MALFORMED),
    ("61c3", errors.MALFORMED),
    ("62c328", errors.MALFORMED),
    ("62c080", errors.MALFORMED),
    ("63e08080", errors.MALFORMED),
    ("63eda080", errors.MALFORMED),
    ("63e282", errors.MALFORMED),
    ("64f0808080", errors.MALFORMED),
    ("64f4908080", errors.MALFORMED),
    ("64f5808080", errors.MALFORMED),
    ("64f09f9828", errors.MALFORMED),
)


def check_refused():
    """Whatever is not the one encoding of a value of the profile has a named reason."""
    for text, reason in REFUSED:
        try:
            refuses(reason, cbor.decode, unhexlify(text))
        except AssertionError as error:
            raise AssertionError("%s: %s" % (text, error)) from None


def check_depth():
    """Eight arrays inside one another decode, nine do not; a scalar at the bottom costs nothing."""
    assert cbor.decode(b"\x81" * 8 + b"\x00") == [[[[[[[[0]]]]]]]]
    refuses(errors.TOO_DEEP, cbor.decode, b"\x81" * 9 + b"\x00")
    refuses(errors.TOO_DEEP, cbor.decode, b"\x81" * 100000)
    refuses(errors.TOO_DEEP, cbor.decode, b"\xa1\x00" * 9 + b"\x00")
    assert cbor.decode(b"\x81\x81\x00", 2) == [[0]]
    refuses(errors.TOO_DEEP, cbor.decode, b"\x81\x81\x00", 1)
    nested = [[[[[[[[[0]]]]]]]]]
    refuses(errors.TOO_DEEP, cbor.encode, nested)


def check_encoder():
    """Keys are sorted, tuples are arrays, buffers are byte strings; the rest is refused."""
    assert cbor.encode({"aa": 1, "b": 2, 10: 3, -1: 4, 100: 5}) == unhexlify(
        "a50a0318640520046162026261" + "6101"
    )
    assert cbor.encode((1, (2,))) == unhexlify("82018102")
    assert cbor.encode([bytearray(b"ab"), memoryview(b"cd")]) == unhexlify("82426162426364")
    refuses(errors.MALFORMED, cbor.encode, {True: 1})
    refuses(errors.MALFORMED, cbor.encode, {b"a": 1})
    refuses(errors.MALFORMED, cbor.encode, {None: 1})
    refuses(errors.OUTSIDE_PROFILE, cbor.encode, 1.0)
    refuses(errors.OUTSIDE_PROFILE, cbor.encode, 1 << 64)
    refuses(errors.OUTSIDE_PROFILE, cbor.encode, -(1 << 64) - 1)
    refuses(errors.OUTSIDE_PROFILE, cbor.encode, {1, 2})


def check_buffers():
    """Any buffer decodes, and what comes out does not depend on it."""
    data = bytearray(b"\x42ab")
    item = cbor.decode(memoryview(data))
    data[1] = 0
    assert item == b"ab"
    assert type(item) is bytes


def check_sequence():
    """RFC 8742: items one after the other, none at all included."""
    assert cbor.decode_sequence(b"") == []
    assert cbor.decode_sequence(unhexlify("0182020342aabb")) == [1, [2, 3], b"\xaa\xbb"]
    assert cbor.encode_sequence([1, [2, 3], b"\xaa\xbb"]) == unhexlify("0182020342aabb")
    refuses(errors.MALFORMED, cbor.decode_sequence, unhexlify("018202"))


def check_every_truncation():
    """A message cut at any byte is refused, never accepted and never another kind of error."""
    data = cbor.encode([1, -500, b"bytes" * 10, "text \u6c34", {1: [True, False, None], "k": 1 << 40}])
    for length in range(len(data)):
        refuses(errors.MALFORMED, cbor.decode, data[:length])


def check_every_bit():
    """A message with any bit turned decodes to something that encodes to itself, or raises ProtocolError."""
    data = cbor.encode([1, -500, b"by", "t\u6c34", {1: [True, None], "k": 1 << 40}])
    for position in range(len(data) * 8):
        changed = bytearray(data)
        changed[position >> 3] ^= 1 << (position & 7)
        try:
            item = cbor.decode(changed)
        except errors.ProtocolError:
            continue
        assert cbor.encode(item) == bytes(changed), changed
