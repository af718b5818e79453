"""COSE_Sign1: the example of RFC 9052, and every way in which a signed object must not be accepted."""

from doorward_protocol import cbor, cose, errors

from portable_support import hexed, refuses, refuses_later, vectors

NEEDS_SUITE = True

KID = b"12345678"


async def check_rfc9052(s):
    """The example's signature fits our Sig_structure, and our signature of it is what RFC 6979 gives."""
    known = vectors("cose_rfc9052")
    del known["source"]
    v = hexed(known)
    signed = cose.to_be_signed(v["protected"], v["external_aad"], v["payload"])
    assert signed == v["to_be_signed"]
    assert await s.verify(v["public"], signed, v["signature"])
    assert await s.public_key(v["private"]) == v["public"]


async def check_there_and_back(s):
    """What is signed verifies, for its kind and with its key alone, and has exactly one encoding."""
    private, public = await s.new_key()
    _, other_public = await s.new_key()
    signed = await cose.sign1(s, private, KID, "manifest", b"payload")
    assert await cose.verify1(s, "manifest", signed, {KID: public, b"87654321": other_public}) == b"payload"
    assert cose.peek_kid(signed) == KID
    assert cose.peek_payload(signed) == b"payload"
    assert signed == await cose.sign1(s, private, KID, "manifest", b"payload")
    assert cbor.decode(cbor.decode(signed)[0]) == {1: -7, 4: KID, 16: "doorward/manifest"}
    await refuses_later(errors.WRONG_KIND, cose.verify1(s, "command", signed, {KID: public}))
    await refuses_later(errors.UNKNOWN_KEY, cose.verify1(s, "manifest", signed, {}))
    await refuses_later(errors.UNKNOWN_KEY, cose.verify1(s, "manifest", signed, {b"87654321": public}))
    await refuses_later(errors.BAD_SIGNATURE, cose.verify1(s, "manifest", signed, {KID: other_public}))


async def check_altered(s):
    """Payload, header and signature hang together; a header that claims another kind or key gains nothing."""
    private, public = await s.new_key()
    keys = {KID: public, b"87654321": public}
    protected, unprotected, payload, signature = cbor.decode(
        await cose.sign1(s, private, KID, "head", b"payload")
    )
    other_kid = cbor.encode({1: -7, 4: b"87654321", 16: "doorward/head"})
    other_kind = cbor.encode({1: -7, 4: KID, 16: "doorward/receipt"})
    bad = errors.BAD_SIGNATURE
    for kind, array, reason in (
        ("head", [protected, unprotected, b"pAyload", signature], bad),
        ("head", [protected, unprotected, payload, bytes(64)], bad),
        ("head", [protected, unprotected, payload, b"\xff" * 64], bad),
        ("head", [other_kid, unprotected, payload, signature], bad),
        ("receipt", [other_kind, unprotected, payload, signature], bad),
        ("head", [other_kind, unprotected, payload, signature], errors.WRONG_KIND),
    ):
        await refuses_later(reason, cose.verify1(s, kind, cbor.encode(array), keys))


async def check_shape(s):
    """Another shape, algorithm, header or nesting is refused before any key is touched."""
    header = {1: -7, 4: KID, 16: "doorward/head"}
    good = [cbor.encode(header), {}, b"payload", bytes(64)]
    for at, value in (
        (0, cbor.encode({1: -8, 4: KID, 16: "doorward/head"})),
        (0, cbor.encode({1: -7, 4: KID})),
        (0, cbor.encode({1: -7, 16: "doorward/head"})),
        (0, cbor.encode({1: -7, 4: KID, 16: "doorward/head", 99: 0})),
        (0, cbor.encode({1: -7, 4: "12345678", 16: "doorward/head"})),
        (0, cbor.encode({1: -7, 4: KID, 16: b"doorward/head"})),
        (0, cbor.encode({1: -7, 2: [16], 4: KID})),
        (0, cbor.encode({})),
        (0, cbor.encode([])),
        (0, b""),
        (0, header),
        (1, {4: KID}),
        (1, None),
        (2, None),
        (2, "payload"),
        (3, bytes(63)),
        (3, bytes(65)),
        (3, None),
    ):
        array = list(good)
        array[at] = value
        await refuses_later(errors.MALFORMED, cose.verify1(s, "head", cbor.encode(array), {}))
    for array in (good[:3], good + [b""], {}, b"", None):
        refuses(errors.MALFORMED, cose.peek_kid, cbor.encode(array))
    refuses(errors.OUTSIDE_PROFILE, cose.peek_kid, b"\xd2" + cbor.encode(good))
