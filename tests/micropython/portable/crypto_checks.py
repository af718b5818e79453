"""The algorithms of a Suite, each by the vectors of its standard."""

from binascii import unhexlify

from doorward_protocol import errors, suite

from portable_support import hexed, refuses, refuses_later, vectors

NEEDS_SUITE = True

P = suite.P256_P
N = suite.P256_N


async def check_ecdsa(s):
    """RFC 6979 A.2.5: signatures are exactly these, verify, and any change of them does not."""
    known = vectors("crypto")["ecdsa"]
    private, public = unhexlify(known["private"]), unhexlify(known["public"])
    assert await s.public_key(private) == public
    message = signature = b""
    for vector in known["vectors"]:
        message, signature = vector["message"].encode(), unhexlify(vector["signature"])
        assert await s.sign(private, message) == signature
        assert await s.verify(public, message, signature)
        assert not await s.verify(public, message + b".", signature)
    assert not await s.verify(public, message, signature[32:] + signature[:32])


async def check_ecdsa_nonsense(s):
    """Signatures out of range and of another length are false, keys that are none are refused."""
    known = vectors("crypto")["ecdsa"]
    public = unhexlify(known["public"])
    signature = unhexlify(known["vectors"][0]["signature"])
    r, order, zero = signature[:32], N.to_bytes(32, "big"), bytes(32)
    for wrong in (
        b"",
        signature[:-1],
        signature + b"\0",
        zero + zero,
        r + zero,
        zero + r,
        r + order,
        order + r,
    ):
        assert not await s.verify(public, b"sample", wrong), wrong
    for key in (bytes(64), public[:-1] + b"\0", public[32:] + public[:32], public[:32], public + b"\0", b""):
        await refuses_later(errors.BAD_KEY, s.verify(key, b"sample", signature))


async def check_keys(s):
    """Private keys are from 1 to n - 1; the ends work, what lies beyond is refused."""
    one = bytes(31) + b"\x01"
    generator = await s.public_key(one)
    assert generator[:4] == unhexlify("6b17d1f2")
    last = await s.public_key((N - 1).to_bytes(32, "big"))
    assert last[:32] == generator[:32]
    assert int.from_bytes(last[32:], "big") == P - int.from_bytes(generator[32:], "big")
    for wrong in (bytes(32), N.to_bytes(32, "big"), b"\xff" * 32, one[1:], one + b"\0"):
        await refuses_later(errors.BAD_KEY, s.public_key(wrong))
    private, public = await s.new_key()
    other, other_public = await s.new_key()
    assert private != other
    assert await s.shared_secret(private, other_public) == await s.shared_secret(other, public)


async def check_ecdh(s):
    """NIST and RFC 5903 vectors, with the whole point and with its x alone."""
    for vector in vectors("crypto")["ecdh"]["vectors"]:
        v = hexed(vector)
        assert await s.shared_secret(v["private"], v["public"]) == v["secret"]
        assert await s.shared_secret(v["private"], v["public"][:32]) == v["secret"]


async def check_ecdh_nonsense(s):
    """Points that are not on the curve, or not reduced, give nothing (SP 800-56A §5.6.2.3.3)."""
    v = hexed(vectors("crypto")["ecdh"]["vectors"][0])
    x, y = v["public"][:32], v["public"][32:]
    beyond = P.to_bytes(32, "big")
    # x = 5 is on the curve, so x = p + 5 must not be taken for it; no point has this last x.
    off = unhexlify("a04e73601df544a70ba7ea1e57030f7d4b4eb7f673924e58d54ca77a5e7d4d4a")
    beyond_five = (P + 5).to_bytes(32, "big")
    await s.shared_secret(v["private"], bytes(31) + b"\x05")
    for wrong in (
        y + x,
        x + beyond,
        beyond + y,
        bytes(64),
        beyond,
        beyond_five,
        b"\xff" * 32,
        off,
        x[1:],
        x + b"\0",
    ):
        await refuses_later(errors.BAD_KEY, s.shared_secret(v["private"], wrong))


async def check_hkdf(s):
    """RFC 5869 A.1 and A.3; long keys and long outputs go round HMAC's and HKDF's corners."""
    for vector in vectors("crypto")["hkdf"]["vectors"]:
        v = hexed(vector)
        assert s.hkdf_extract(v["salt"], v["ikm"]) == v["prk"]
        assert s.hkdf_expand(v["prk"], v["info"], len(v["okm"])) == v["okm"]
    assert s.hmac(b"k" * 65, b"d") == s.hmac(s.sha256(b"k" * 65), b"d")
    assert s.hmac(b"k" * 64, b"d") != s.hmac(s.sha256(b"k" * 64), b"d")
    assert len(s.hkdf_expand(b"k" * 32, b"", 8160)) == 8160


async def check_ccm(s):
    """RFC 3610's packet vectors; every altered bit of one of them is noticed."""
    known = vectors("crypto")["ccm"]
    key = unhexlify(known["key"])
    v = hexed(known["vectors"][0])
    for vector in known["vectors"]:
        v = hexed(vector)
        assert s.seal(key, v["nonce"], v["aad"], v["plaintext"]) == v["ciphertext"]
        assert s.open(key, v["nonce"], v["aad"], v["ciphertext"]) == v["plaintext"]
    for position in range(len(v["ciphertext"]) * 8):
        changed = bytearray(v["ciphertext"])
        changed[position >> 3] ^= 1 << (position & 7)
        refuses(errors.BAD_CIPHERTEXT, s.open, key, v["nonce"], v["aad"], bytes(changed))
    refuses(errors.BAD_CIPHERTEXT, s.open, key, v["nonce"], v["aad"] + b"\0", v["ciphertext"])
    refuses(errors.BAD_CIPHERTEXT, s.open, key, v["nonce"], v["aad"], v["ciphertext"][:7])
    refuses(errors.BAD_CIPHERTEXT, s.open, key, v["nonce"], v["aad"], b"")


async def check_ccm_sizes(s):
    """All the sizes around a block, without and with additional data, there and back."""
    key, nonce = bytes(range(16)), bytes(range(13))
    for length in (0, 1, 15, 16, 17, 31, 32, 33, 255, 256, 4096):
        for aad in (b"", b"a" * 13, b"a" * 14, b"a" * 15):
            plaintext = bytes([number & 255 for number in range(length)])
            sealed = s.seal(key, nonce, aad, plaintext)
            assert len(sealed) == length + suite.TAG
            assert s.open(key, nonce, aad, sealed) == plaintext
