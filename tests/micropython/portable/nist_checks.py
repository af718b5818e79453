"""NIST's vectors, and those of RFC 6979, 5869 and 4231; nist_vectors.py collects them at test time."""

from binascii import unhexlify

from doorward_protocol import errors, suite

from portable_support import refuses, refuses_later, vectors

NEEDS_SUITE = True


def _all(name):
    """The vectors of this name, hexadecimal texts as bytes."""
    for vector in vectors("nist")[name]:
        yield {
            field: unhexlify(value) if isinstance(value, str) else value for field, value in vector.items()
        }


async def _signatures(s, name):
    for v in _all(name):
        if v["private"]:
            assert await s.public_key(v["private"]) == v["public"]
        assert await s.verify(v["public"], v["message"], v["signature"]) == v["valid"], v


async def check_siggen(s):
    await _signatures(s, "siggen")


async def check_siggen_response(s):
    await _signatures(s, "siggen_response")


async def check_sigver(s):
    await _signatures(s, "sigver")


async def check_rfc6979(s):
    await _signatures(s, "rfc6979")
    for v in _all("rfc6979"):
        if v["private"]:
            assert await s.sign(v["private"], v["message"]) == v["signature"]


async def check_public_keys(s):
    one = bytes(31) + b"\x01"
    for v in _all("public_keys"):
        if v["valid"]:
            assert await s.shared_secret(one, v["public"]) == v["public"][:32]
        else:
            await refuses_later(errors.BAD_KEY, s.shared_secret(one, v["public"]))


async def check_key_pairs(s):
    for v in _all("key_pairs"):
        assert await s.public_key(v["private"]) == v["public"]


async def _agreement_is_right(s, v):
    """All that the validity test asks of one side."""
    try:
        secret = await s.shared_secret(v["private"], v["peer"])
        own = await s.public_key(v["private"])
    except errors.ProtocolError:
        return False
    return secret == v["secret"] and own == v["public"] and s.sha256(secret) == v["hash"]


async def check_agreement_initiator(s):
    for v in _all("agreement_initiator"):
        assert await _agreement_is_right(s, v) == v["valid"], v


async def check_agreement_responder(s):
    for v in _all("agreement_responder"):
        assert await _agreement_is_right(s, v) == v["valid"], v


async def check_ccm(s):
    for v in _all("ccm"):
        sealed = s.seal(v["key"], v["nonce"], v["aad"], v["plaintext"])
        assert (sealed if v["tagged"] else sealed[: -suite.TAG]) == v["ciphertext"]
        assert s.open(v["key"], v["nonce"], v["aad"], sealed) == v["plaintext"]
        wrong = sealed[:-1] + bytes([sealed[-1] ^ 1])
        refuses(errors.BAD_CIPHERTEXT, s.open, v["key"], v["nonce"], v["aad"], wrong)


async def check_hkdf(s):
    for v in _all("hkdf"):
        prk = s.hkdf_extract(v["salt"], v["ikm"])
        assert not v["prk"] or prk == v["prk"]
        assert s.hkdf_expand(prk, v["info"], len(v["okm"])) == v["okm"]


async def check_hmac(s):
    for v in _all("hmac"):
        assert s.hmac(v["key"], v["data"])[: len(v["mac"])] == v["mac"]
