"""The channel: keys and nonces by RFC 8613's vectors; a sequence without gap, echo or alteration."""

from doorward_protocol import cbor, channel, errors
from doorward_protocol.channel import Channel

from portable_support import hexed, refuses, vectors

NEEDS_SUITE = True

SECRET, SALT = bytes(range(16)), bytes(range(8))


def _pair(s):
    return Channel(s, SECRET, SALT, "initiator"), Channel(s, SECRET, SALT, "responder")


async def check_rfc8613(s):
    """The keys, the common IV and the first nonces of C.1."""
    known = vectors("crypto")["oscore"]
    del known["source"]
    v = hexed(known)
    assert channel.derive(s, v["secret"], v["salt"], v["client"], "Key", 16) == v["client_key"]
    assert channel.derive(s, v["secret"], v["salt"], v["server"], "Key", 16) == v["server_key"]
    assert channel.derive(s, v["secret"], v["salt"], b"", "IV", 13) == v["common_iv"]
    assert channel.nonce_for(v["common_iv"], v["client"], 0) == v["client_nonce_0"]
    assert channel.nonce_for(v["common_iv"], v["server"], 0) == v["server_nonce_0"]


async def check_both_ways(s):
    """Frames of all sizes, in both directions at once, each with the next number."""
    unit, server = _pair(s)
    for number in range(300):
        text = b"frame %d" % number
        assert server.open(unit.seal(text)) == text
        assert unit.open(server.seal(text)) == text
    for size in (0, 1, 3500, channel.MAX_PLAINTEXT):
        frame = unit.seal(bytes(size))
        assert len(frame) <= channel.MAX_FRAME
        assert server.open(frame) == bytes(size)


async def check_frame(s):
    """A frame is the COSE_Encrypt0 that the module's head shows, its number in as few bytes as can be."""
    unit, _ = _pair(s)
    for number in range(258):
        protected, header, ciphertext = cbor.decode(unit.seal(b"abc"))
        assert protected == cbor.encode({1: 10})
        assert header == {6: bytes([number]) if number < 256 else (number).to_bytes(2, "big")}
        assert len(ciphertext) == 3 + 8


async def check_sequence(s):
    """Lost, repeated and exchanged frames close the channel, and it stays closed for the right frame too."""
    for accepted, refused in ((0, 1), (1, 0), (1, 2), (2, 0), (2, 1)):
        unit, server = _pair(s)
        frames = [unit.seal(b"%d" % number) for number in range(3)]
        for number in range(accepted):
            server.open(frames[number])
        refuses(errors.BAD_SEQUENCE, server.open, frames[refused])
        assert server.closed
        refuses(errors.BAD_SEQUENCE, server.open, frames[accepted])
        refuses(errors.BAD_SEQUENCE, server.seal, b"")


async def check_directions(s):
    """A frame that comes back to its sender opens nothing, although its number would fit."""
    unit, server = _pair(s)
    frame = unit.seal(b"secret")
    refuses(errors.BAD_CIPHERTEXT, unit.open, frame)
    other = Channel(s, SECRET, bytes(8), "responder")
    refuses(errors.BAD_CIPHERTEXT, other.open, frame)
    refuses(errors.MALFORMED, Channel, s, SECRET, SALT, "initiator", b"\x05", b"\x05")
    assert server.open(frame) == b"secret"


async def check_altered(s):
    """Any bit of a frame turned, and any truncation, closes the channel with a named reason."""
    frame = _pair(s)[0].seal(b"secret")
    for position in range(len(frame) * 8):
        changed = bytearray(frame)
        changed[position >> 3] ^= 1 << (position & 7)
        _, server = _pair(s)
        try:
            server.open(bytes(changed))
        except errors.ProtocolError:
            assert server.closed
            continue
        raise AssertionError("bit %d" % position)
    for length in range(len(frame)):
        refuses(errors.MALFORMED, _pair(s)[1].open, frame[:length])


async def check_shape(s):
    """Other headers, longer numbers and other types are refused; an overlong frame before it is read."""
    protected, header, ciphertext = cbor.decode(_pair(s)[0].seal(b"secret"))
    for array in (
        [protected, header],
        [protected, header, ciphertext, b""],
        [b"", header, ciphertext],
        [cbor.encode({1: 11}), header, ciphertext],
        [protected, {}, ciphertext],
        [protected, {6: b"\0", 4: b""}, ciphertext],
        [protected, {6: b""}, ciphertext],
        [protected, {6: b"\0\0"}, ciphertext],
        [protected, {6: 0}, ciphertext],
        [protected, {6: bytes(6)}, ciphertext],
        [protected, header, None],
        {},
        0,
    ):
        refuses(errors.MALFORMED, _pair(s)[1].open, cbor.encode(array))
    refuses(errors.TOO_LARGE, _pair(s)[1].open, bytes(channel.MAX_FRAME + 1))


async def check_limits(s):
    """Too large a plaintext harms nothing; after the last number nothing more is sent."""
    unit, server = _pair(s)
    refuses(errors.TOO_LARGE, unit.seal, bytes(channel.MAX_PLAINTEXT + 1))
    assert server.open(unit.seal(b"still")) == b"still"
    unit._out.number = server._in.number = (1 << 40) - 1
    assert server.open(unit.seal(b"last")) == b"last"
    refuses(errors.BAD_SEQUENCE, unit.seal, b"one more")
