"""ECDSA with P-256 and SHA-256 (FIPS 186-5 §6.4), with nonces by RFC 6979. Digests come from the caller."""

from doorward_protocol.suite import P256_N as N
from doorward_protocol.suite import P256_P as P

from doorward_firmware.crypto.comb import multiply_base
from doorward_firmware.crypto.modular import inverse
from doorward_firmware.crypto.windows import add_products


def number(data):
    """Return big-endian bytes as an integer."""
    return int.from_bytes(data, "big")


def _nonces(secret, digest, hmac):
    """Yield the candidates for k, one after the other (RFC 6979 §3.2; hash and order both have 256 bits)."""
    seed = secret.to_bytes(32, "big") + (number(digest) % N).to_bytes(32, "big")
    value = b"\x01" * 32
    key = bytes(32)
    for separator in (b"\x00", b"\x01"):
        key = hmac(key, value + separator + seed)
        value = hmac(key, value)
    while True:
        value = hmac(key, value)
        if 0 < number(value) < N:
            yield number(value)
        key = hmac(key, value + b"\x00")
        value = hmac(key, value)


async def sign(secret, digest, hmac, draw, pause):
    """Return (r, s). It must not leave the device before it has been verified: a computing fault in it can
    give the key away. draw(limit) -> a random number from 1 to limit - 1."""
    for nonce in _nonces(secret, digest, hmac):
        x, _ = await multiply_base(nonce, draw, pause)
        r = x % N
        blind = draw(N)
        inverted = await inverse(nonce * blind % N, N, pause)
        s = (blind * number(digest) + blind * r % N * secret) % N * inverted % N
        if r and s:
            return r, s
    raise AssertionError("candidates never end")


async def verify(point, digest, r, s, pause):
    """True if (r, s) is a signature by the owner of an affine point of the curve; any integers will do."""
    if not (0 < r < N and 0 < s < N):
        return False
    inverted = await inverse(s, N, pause)
    x, _, z = await add_products(number(digest) * inverted % N, r * inverted % N, point, pause)
    # x/z² mod p, then mod n, is to be r: without a division, for the one or two x that r can mean.
    square = z * z % P
    return z != 0 and (x == r * square % P or (r + N < P and x == (r + N) * square % P))
