"""COBS: published examples, every split, what is cut or damaged, and the frames behind it."""

from binascii import unhexlify

from doorward_protocol import channel, cobs, errors

from portable_support import refuses

# From Wikipedia's table of encoding examples ("Consistent Overhead Byte Stuffing"); those with groups of 254
# bytes are in check_examples.
EXAMPLES = (
    (b"", "0100"),
    (b"\x00", "010100"),
    (b"\x00\x00", "01010100"),
    (b"\x00\x11\x00", "0102110100"),
    (b"\x11\x22\x00\x33", "031122023300"),
    (b"\x11\x22\x33\x44", "051122334400"),
    (b"\x11\x00\x00\x00", "021101010100"),
)


def _run(first, last):
    return bytes(range(first, last + 1))


def _check(frame, line):
    assert cobs.encode(frame) == line, (frame, cobs.encode(frame))
    assert cobs.decode(line[:-1]) == frame
    assert _all(line) == [frame]


def _all(line, size=None):
    """What a decoder makes of a line that comes in pieces: frames, and reasons of refusals."""
    decoder, found = cobs.Decoder(), []
    size = size or max(1, len(line))
    for start in range(0, len(line), size):
        decoder.feed(line[start : start + size])
        while True:
            try:
                frame = decoder.next()
            except errors.ProtocolError as error:
                found.append(error.reason)
                continue
            if frame is None:
                break
            found.append(frame)
    return found


def check_examples():
    """The published examples, both ways."""
    for frame, line in EXAMPLES:
        _check(frame, unhexlify(line))
    _check(_run(1, 254), b"\xff" + _run(1, 254) + b"\x00")
    _check(_run(0, 254), b"\x01\xff" + _run(1, 254) + b"\x00")
    _check(_run(1, 255), b"\xff" + _run(1, 254) + b"\x02\xff\x00")
    _check(_run(2, 255) + b"\x00", b"\xff" + _run(2, 255) + b"\x01\x01\x00")
    _check(_run(3, 255) + b"\x00\x01", b"\xfe" + _run(3, 255) + b"\x02\x01\x00")


def check_overhead():
    """One byte for each 254 begun, and the zero at the end; no zero before it; every length to 800."""
    for filling in (b"\x00", b"\x01", b"\xff"):
        for length in range(800):
            line = cobs.encode(filling * length)
            assert len(line) <= length + max(1, -(-length // 254)) + 1
            assert line.find(b"\x00") == len(line) - 1
            assert cobs.decode(line[:-1]) == filling * length


def check_needless_group():
    """An encoder may end 254 bytes with an empty group of its own, as some do: the same frame."""
    assert cobs.decode(b"\xff" + _run(1, 254) + b"\x01") == _run(1, 254)


def check_limits():
    """The channel's largest frame passes, whatever is in it; one byte more does not, nor on its way in."""
    assert cobs.MAX_FRAME == channel.MAX_FRAME
    for filling in (b"\x00", b"\x01"):
        frame = filling * cobs.MAX_FRAME
        line = cobs.encode(frame)
        assert _all(line) == _all(line, 100) == [frame]
        refuses(errors.TOO_LARGE, cobs.encode, frame + filling)
        # As an encoder without the limit would send it.
        longer = line[:-1] + b"\x01" if filling == b"\x00" else line[:-1] + b"\x02\x02"
        assert _all(longer + b"\x00") == _all(longer + b"\x00", 100) == [errors.TOO_LARGE]
    assert _all(b"\x01" * 100000 + b"\x00" + cobs.encode(b"next"), 1000) == [errors.TOO_LARGE, b"next"]


def check_bounded():
    """A line that never ends fills no memory."""
    decoder = cobs.Decoder()
    for _ in range(300):
        decoder.feed(b"\x55" * 100)
        assert decoder.next() is None
        assert len(decoder._begun) <= 4113
        assert not decoder._fed


def check_splits():
    """Frames come the same in pieces of any size, and several in one piece."""
    frames = [b"one", b"", b"\x00" * 5, _run(0, 255) * 2, b"\xff" * 254, b"last"]
    line = b"".join([cobs.encode(frame) for frame in frames])
    for size in list(range(1, 40)) + [255, 256, len(line)]:
        assert _all(line, size) == frames


def check_zeros():
    """Zeros before, between and behind frames are nothing; a zero ends what a sender left unfinished."""
    line = b"\x00\x00" + cobs.encode(b"a") + b"\x00" + cobs.encode(b"b") + b"\x00\x00"
    for size in (1, 2, 3, len(line)):
        assert _all(line, size) == [b"a", b"b"]
    unfinished = cobs.encode(b"unfinished")[:5]
    assert _all(unfinished + b"\x00" + cobs.encode(b"whole")) == [errors.MALFORMED, b"whole"]


def check_malformed():
    """A code that promises more than there is, nothing at all, and a zero inside."""
    for data in (b"", b"\x05abc", b"\x02", b"\xff" + b"a" * 253, b"\x01\x03a", b"\x00", b"\x03a\x00"):
        refuses(errors.MALFORMED, cobs.decode, data)


def check_truncated():
    """A line cut anywhere gives nothing, or a refusal at the next frame's zero; that next frame comes."""
    line = cobs.encode(b"first\x00second")
    for length in range(len(line)):
        assert _all(line[:length]) == []
    for length in range(1, len(line) - 1):
        found = _all(line[:length] + b"\x00" + cobs.encode(b"next"))
        assert len(found) == 2
        assert found[1] == b"next"


def check_damage():
    """Any bit turned costs the frame that it hit and at most its neighbour: the frame behind it comes."""
    line = cobs.encode(b"ab\x00cd")
    behind = cobs.encode(b"neighbour") + cobs.encode(b"sound")
    for position in range(len(line) * 8):
        changed = bytearray(line)
        changed[position >> 3] ^= 1 << (position & 7)
        assert _all(bytes(changed) + behind)[-1] == b"sound", position
