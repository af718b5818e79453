"""The device's Suite: ECDSA with RFC 6979 nonces and Diffie-Hellman on `p256`, AES-CCM on `ccm`.

A signature is verified before it leaves, so that a computing fault (a dip in the supply, a worn flash cell)
can never give away the key. Every multiplication yields to the loop between its digits.
"""

import asyncio
import os

from doorward_protocol.errors import BAD_KEY, BAD_SIGNATURE, ProtocolError
from doorward_protocol.suite import Suite

from doorward_firmware.crypto import ccm, p256


async def yield_to_loop():
    """Let everything else that is due run."""
    await asyncio.sleep_ms(0)


def _number(data):
    return int.from_bytes(data, "big")


def _point(public):
    """The affine point of a public key of 64 bytes, or of x alone. Raises BAD_KEY."""
    point = None
    if len(public) == 64:
        x, y = _number(public[:32]), _number(public[32:])
        point = (x, y) if p256.is_on_curve(x, y) else None
    elif len(public) == 32:
        point = p256.lift_x(_number(public))
    if point is None:
        raise ProtocolError(BAD_KEY)
    return point


def _scalar(private):
    number = _number(private)
    if len(private) != 32 or not 0 < number < p256.N:
        raise ProtocolError(BAD_KEY)
    return number


class DeviceSuite(Suite):
    """The suite in plain MicroPython.

    random(count) -> bytes is where keys, salts and identifiers come from, drawn exactly as `suite_openssl`
    draws them, so that simulated days are equal under both. blinding(count) -> bytes only hides values inside
    the arithmetic and changes no result. Both are by default the chip's generator. pause() is awaited between
    pieces of arithmetic.
    """

    def __init__(self, random=None, blinding=None, pause=yield_to_loop):
        self._random = random or os.urandom
        self._blinding = blinding or os.urandom
        self._pause = pause

    def random(self, count):
        return self._random(count)

    def seal(self, key, nonce, aad, plaintext):
        return ccm.seal(key, nonce, aad, plaintext)

    def open(self, key, nonce, aad, ciphertext):
        return ccm.open_sealed(key, nonce, aad, ciphertext)

    def _below(self, limit):
        """A number for blinding from 1 to limit - 1, every one of them as likely."""
        while True:
            number = _number(self._blinding(32))
            if 0 < number < limit:
                return number

    async def new_key(self):
        while True:  # by rejection (FIPS 186-5 A.2.2)
            private = self.random(32)
            if 0 < _number(private) < p256.N:
                return private, await self.public_key(private)

    async def public_key(self, private):
        x, y = await p256.multiply(_scalar(private), p256.G, self._below(p256.P), self._pause)
        return x.to_bytes(32, "big") + y.to_bytes(32, "big")

    async def shared_secret(self, private, public):
        product = await p256.multiply(_scalar(private), _point(public), self._below(p256.P), self._pause)
        return product[0].to_bytes(32, "big")

    def _nonces(self, private, digest):
        """The candidates for k, one after the other (RFC 6979 §3.2; hash and order both have 256 bits)."""
        seed = private + (_number(digest) % p256.N).to_bytes(32, "big")
        value = b"\x01" * 32
        key = bytes(32)
        for separator in (b"\x00", b"\x01"):
            key = self.hmac(key, value + separator + seed)
            value = self.hmac(key, value)
        while True:
            value = self.hmac(key, value)
            if 0 < _number(value) < p256.N:
                yield _number(value)
            key = self.hmac(key, value + b"\x00")
            value = self.hmac(key, value)

    async def sign(self, private, message):
        secret = _scalar(private)
        digest = self.sha256(message)
        order = p256.N
        nonces = self._nonces(private, digest)
        while True:
            nonce = next(nonces)
            x, _ = await p256.multiply(nonce, p256.G, self._below(p256.P), self._pause)
            r = x % order
            blind = self._below(order)
            inverse = pow(nonce * blind % order, order - 2, order)
            s = inverse * (blind * _number(digest) + blind * r % order * secret) % order
            if r and s:
                break
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if not await self.verify(await self.public_key(private), message, signature):
            raise ProtocolError(BAD_SIGNATURE, "own signature: the processor computed wrongly")
        return signature

    async def verify(self, public, message, signature):
        if len(public) != 64:
            raise ProtocolError(BAD_KEY, "a signer's key has x and y")
        point = _point(public)
        if len(signature) != 64:
            return False
        order = p256.N
        r, s = _number(signature[:32]), _number(signature[32:])
        if not (0 < r < order and 0 < s < order):
            return False
        inverse = pow(s, order - 2, order)
        first = _number(self.sha256(message)) * inverse % order
        product = await p256.multiply_both(first, p256.G, r * inverse % order, point, self._pause)
        return product is not None and product[0] % order == r
