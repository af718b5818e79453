"""Bundles: both directions, and everything that must not be read from one."""

from doorward_protocol import bundle, cbor, errors, messages

from portable_support import refuses, refuses_later

NEEDS_SUITE = True

UNIT, DISPATCH = b"unit0001", b"dispatch"


class _File:
    """A file of which read gives at most seven bytes at once."""

    def __init__(self, data):
        self._data = data
        self._at = 0

    def read(self, count):
        piece = self._data[self._at : self._at + min(count, 7)]
        self._at += len(piece)
        return piece


class _Case:
    def __init__(self, s, kind="bundle"):
        self.s = s
        self.kind = kind

    async def make(self):
        self.private, self.public = await self.s.new_key()
        self.signer, self.signer_public = await self.s.new_key()
        return self

    async def pieces(self, contents, unit=UNIT):
        writer = bundle.Writer(self.s, self.kind)
        pieces = [
            await writer.start(
                self.signer,
                DISPATCH,
                self.public,
                UNIT,
                unit=unit,
                sequence=5,
                issued=1000,
                expires=2000,
                manifest=None,
            )
        ]
        for message in contents:
            pieces.append(writer.add(message))
        pieces.append(writer.end())
        refuses(errors.BAD_SEQUENCE, writer.end)
        refuses(errors.BAD_SEQUENCE, writer.add, b"")
        return pieces

    async def read(self, data, keys=None, kid=UNIT, kind=None):
        reader = bundle.Reader(self.s, kind or self.kind, _File(data).read)
        header = await reader.start(
            self.private, kid, {DISPATCH: self.signer_public} if keys is None else keys
        )
        found = []
        while True:
            message = reader.next()
            if message is None:
                return header, found
            found.append(message)


def _orders():
    return [
        messages.encode("object", kind="manifest", object=b"signed"),
        messages.encode("blob", hash=b"h" * 32, offset=0, total=3500, data=bytes(3500)),
        messages.encode("blob", hash=b"i" * 32, offset=0, total=1, data=b"x"),
    ]


async def check_both_directions(s):
    """What is written is read, message by message; a bundle holds only what its direction allows."""
    record = messages.encode("record", epoch=1, index=2, entry=b"entry")
    for kind, contents, wrong in (("bundle", _orders(), record), ("export", [record], _orders()[0])):
        case = await _Case(s, kind).make()
        data = b"".join(await case.pieces(contents))
        header, found = await case.read(data)
        assert (header["unit"], header["sequence"], header["expires"]) == (UNIT, 5, 2000)
        assert found == [messages.decode(message) for message in contents]
        await refuses_later(errors.WRONG_DIRECTION, case.pieces([wrong]))
        other = "export" if kind == "bundle" else "bundle"
        await refuses_later(errors.WRONG_KIND, case.read(data, kind=other))
    assert (await case.read(b"".join(await case.pieces([]))))[1] == []


async def check_who(s):
    """Another recipient, an unknown signer, another signer's key, another bundle key."""
    case = await _Case(s).make()
    other = await _Case(s).make()
    data = b"".join(await case.pieces(_orders()))
    await refuses_later(errors.WRONG_UNIT, case.read(data, kid=b"unit0002"))
    await refuses_later(errors.UNKNOWN_KEY, case.read(data, keys={}))
    await refuses_later(errors.BAD_SIGNATURE, case.read(data, keys={DISPATCH: other.signer_public}))
    await refuses_later(errors.BAD_CIPHERTEXT, other.read(data))


async def check_pieces(s):
    """Chunks left out, repeated, exchanged, added or cut off are noticed."""
    case = await _Case(s).make()
    start, first, second, third, last = await case.pieces(_orders())
    bad = errors.BAD_CIPHERTEXT
    for pieces, reason in (
        ((start, second, third, last), bad),
        ((start, first, first, second, third, last), bad),
        ((start, first, third, second, last), bad),
        ((start, last), bad),
        ((start, first, second, last), bad),
        ((start, first, second, third), errors.MALFORMED),
        ((start, first, second, third, last, last), errors.MALFORMED),
        ((start, first, second, third, last, b"\0"), errors.MALFORMED),
        ((start,), errors.MALFORMED),
        ((), errors.MALFORMED),
    ):
        await refuses_later(reason, case.read(b"".join(pieces)))


async def check_wrapped_again(s):
    """A header that was signed for one envelope opens nothing in another one."""
    case = await _Case(s).make()
    data = b"".join(await case.pieces([]))
    reader = bundle.Reader(s, "bundle", _File(data).read)
    envelope = reader._item()
    secret = await s.shared_secret(case.private, cbor.decode(envelope)[2])
    header = bundle._Sealing(s, secret, envelope).open(reader._item())
    ephemeral, public = await s.new_key()
    forged = cbor.encode([1, UNIT, public[:32]])
    sealing = bundle._Sealing(s, await s.shared_secret(ephemeral, case.public), forged)
    again = cbor.encode(forged) + sealing.seal(header) + sealing.seal(b"", b"\x01")
    await refuses_later(errors.BAD_HASH, case.read(again))


async def check_shape(s):
    """What is no bundle is refused before anything is computed; lengths before anything is read."""
    case = await _Case(s).make()
    x = b"x" * 32
    for envelope in ([2, UNIT, x], [True, UNIT, x], [1, UNIT], [1, UNIT, b"x"], [1, UNIT, None], {}, 1):
        await refuses_later(errors.MALFORMED, case.read(cbor.encode(cbor.encode(envelope))))
    await refuses_later(errors.BAD_KEY, case.read(cbor.encode(cbor.encode([1, UNIT, b"\xff" * 32]))))
    for start in (b"\x00", b"\x80", b"\x60", b"\x5f", b"\x5a\0\0\0\1x", b"\x58"):
        await refuses_later(errors.MALFORMED, case.read(start))
    await refuses_later(errors.NOT_DETERMINISTIC, case.read(b"\x58\x01x"))
    await refuses_later(errors.TOO_LARGE, case.read(b"\x59\xff\xff"))
    reader = bundle.Reader(s, "bundle", _File(b"").read)
    refuses(errors.BAD_SEQUENCE, reader.next)
    writer = bundle.Writer(s, "bundle")
    refuses(errors.BAD_SEQUENCE, writer.add, b"")
    await writer.start(
        case.signer, DISPATCH, case.public, UNIT, unit=UNIT, sequence=1, issued=1, expires=2, manifest=None
    )
    refuses(errors.TOO_LARGE, writer.add, bytes(5000))


async def check_altered(s):
    """Any byte of a bundle changed is noticed."""
    case = await _Case(s).make()
    data = b"".join(await case.pieces(_orders()[2:]))
    for position in range(0, len(data), 5):
        changed = bytearray(data)
        changed[position] ^= 0x10
        try:
            await case.read(bytes(changed))
        except errors.ProtocolError:
            continue
        raise AssertionError("byte %d" % position)


async def check_judge(s):
    """Unit, sequence and expiry to the millisecond; gaps are allowed."""
    header = {"unit": UNIT, "sequence": 5, "expires": 2000}
    bundle.judge(header, UNIT, 4, 1999)
    bundle.judge(header, UNIT, 0, 0)
    refuses(errors.WRONG_UNIT, bundle.judge, header, b"unit0002", 4, 1999)
    refuses(errors.REPLAYED, bundle.judge, header, UNIT, 5, 1999)
    refuses(errors.REPLAYED, bundle.judge, header, UNIT, 9, 1999)
    refuses(errors.EXPIRED, bundle.judge, header, UNIT, 4, 2000)
