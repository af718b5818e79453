"""Deterministic CBOR: the one encoding of everything that is signed, hashed, sent or stored.

RFC 8949 with the core deterministic rules of §4.2.1, and nothing more than this project uses: integers of 64
bits, byte and text strings, arrays, maps with integer or text keys, false, true and null. Whatever is not the
shortest form, has an indefinite length, or has its keys out of order is refused, so that one value has one
encoding and two implementations can never read one signed object differently. Floats, tags, bignums,
undefined and other simple values are outside the profile. Map keys are never `True`, which Python would take
for 1.

Input is judged by length before anything is allocated: an array cannot announce more items than bytes follow.
"""

from doorward_protocol.compat import const, text_from_utf8
from doorward_protocol.errors import (
    DUPLICATE_KEY,
    MALFORMED,
    NOT_DETERMINISTIC,
    OUTSIDE_PROFILE,
    TOO_DEEP,
    ProtocolError,
)

MAX_DEPTH = const(8)  # arrays and maps inside one another

_UINT = const(0)
_NEGATIVE = const(1)
_BYTES = const(2)
_TEXT = const(3)
_ARRAY = const(4)
_MAP = const(5)
_SIMPLE = const(7)


def encode(item, max_depth=MAX_DEPTH):
    """Return the encoding of item. Raises MALFORMED, OUTSIDE_PROFILE or TOO_DEEP for what has none."""
    out = bytearray()
    _write(out, item, max_depth)
    return bytes(out)


def encode_sequence(items):
    """Return the encodings of items one after the other (RFC 8742)."""
    out = bytearray()
    for item in items:
        _write(out, item, MAX_DEPTH)
    return bytes(out)


def decode(data, max_depth=MAX_DEPTH):
    """Return the one item that data, the whole of it, encodes. Raises ProtocolError."""
    items = _read(data, max_depth, 1)
    if not items:
        raise ProtocolError(MALFORMED, "no data")
    return items[0]


def decode_sequence(data, max_depth=MAX_DEPTH):
    """Return the list of items that data encodes one after the other (RFC 8742). Raises ProtocolError."""
    return _read(data, max_depth, len(data))


def _read(data, max_depth, most):
    """The items that data consists of, which may not be more than most."""
    reader = _Reader(bytes(data))
    items = []
    while reader.at != len(reader.data):
        if len(items) == most:
            raise ProtocolError(MALFORMED, "bytes after the end of the item")
        items.append(reader.item(max_depth))
    return items


def _head(out, major, argument):
    if argument < 24:
        out.append(major << 5 | argument)
        return
    code, size = 24, 1
    while argument >> (8 * size):
        code += 1
        size *= 2
    if size > 8:
        raise ProtocolError(OUTSIDE_PROFILE, "integer over 64 bits")
    out.append(major << 5 | code)
    out.extend(argument.to_bytes(size, "big"))


def _write(out, item, depth):
    if item is None:
        out.append(0xF6)
    elif item is True:
        out.append(0xF5)
    elif item is False:
        out.append(0xF4)
    elif isinstance(item, int):
        if item >= 0:
            _head(out, _UINT, item)
        else:
            _head(out, _NEGATIVE, -1 - item)
    elif isinstance(item, (bytes, bytearray, memoryview)):
        item = bytes(item)
        _head(out, _BYTES, len(item))
        out.extend(item)
    elif isinstance(item, str):
        try:
            data = item.encode()
        except UnicodeError:
            raise ProtocolError(MALFORMED, "text with a lone surrogate") from None
        _head(out, _TEXT, len(data))
        out.extend(data)
    elif isinstance(item, (list, tuple)):
        _deeper(depth)
        _head(out, _ARRAY, len(item))
        for member in item:
            _write(out, member, depth - 1)
    elif isinstance(item, dict):
        _deeper(depth)
        _write_map(out, item, depth - 1)
    else:
        raise ProtocolError(OUTSIDE_PROFILE, "cannot encode %s" % type(item).__name__)


def _deeper(depth):
    if depth <= 0:
        raise ProtocolError(TOO_DEEP)


def _write_map(out, item, depth):
    members = {}
    for key in item:
        if not _is_key(key):
            raise ProtocolError(MALFORMED, "a map key is an integer or a text")
        members[encode(key)] = item[key]
    _head(out, _MAP, len(members))
    for key in sorted(members):  # bytewise order of the encoded keys (§4.2.1)
        out.extend(key)
        _write(out, members[key], depth)


def _is_key(key):
    return isinstance(key, str) or (isinstance(key, int) and not isinstance(key, bool))


class _Reader:
    __slots__ = ("at", "data")

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        """The next count bytes; the length is checked before anything is copied."""
        end = self.at + count
        if end > len(self.data):
            raise ProtocolError(MALFORMED, "the data ends too early")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def argument(self, info):
        """The number that belongs to a head (§3), in its shortest form or refused."""
        if info < 24:
            return info
        if info == 31:
            raise ProtocolError(NOT_DETERMINISTIC, "indefinite length")
        if info > 27:
            raise ProtocolError(MALFORMED, "reserved additional information")
        size = 1 << (info - 24)
        value = int.from_bytes(self.take(size), "big")
        if value < (24 if size == 1 else 1 << (4 * size)):
            raise ProtocolError(NOT_DETERMINISTIC, "integer not in its shortest form")
        return value

    def count(self, info, each, depth):
        """The announced number of members, believed only if that many bytes can follow."""
        _deeper(depth)
        count = self.argument(info)
        if count * each > len(self.data) - self.at:
            raise ProtocolError(MALFORMED, "the data ends too early")
        return count

    def item(self, depth):
        first = self.take(1)[0]
        major = first >> 5
        info = first & 31
        if major == _UINT:
            return self.argument(info)
        if major == _NEGATIVE:
            return -1 - self.argument(info)
        if major == _BYTES:
            return self.take(self.argument(info))
        if major == _TEXT:
            try:
                return text_from_utf8(self.take(self.argument(info)))
            except UnicodeError:
                raise ProtocolError(MALFORMED, "text is not UTF-8") from None
        if major == _ARRAY:
            return [self.item(depth - 1) for _ in range(self.count(info, 1, depth))]
        if major == _MAP:
            return self.map(info, depth)
        if major == _SIMPLE:
            return _simple(info)
        raise ProtocolError(OUTSIDE_PROFILE, "tag")

    def map(self, info, depth):
        result = {}
        last = b""  # every encoded key is greater
        for _ in range(self.count(info, 2, depth)):
            start = self.at
            key = self.item(0)
            if not _is_key(key):
                raise ProtocolError(MALFORMED, "a map key is an integer or a text")
            encoded = self.data[start : self.at]
            if encoded == last:
                raise ProtocolError(DUPLICATE_KEY)
            if encoded < last:
                raise ProtocolError(NOT_DETERMINISTIC, "map keys out of order")
            last = encoded
            result[key] = self.item(depth - 1)
        return result


def _simple(info):
    if info == 20:
        return False
    if info == 21:
        return True
    if info == 22:
        return None
    if info == 31:
        raise ProtocolError(MALFORMED, "break without an indefinite length")
    if 28 <= info <= 30:
        raise ProtocolError(MALFORMED, "reserved additional information")
    raise ProtocolError(OUTSIDE_PROFILE, "float or simple value")
