"""The device's Suite: ECDSA and Diffie-Hellman on `p256`, AES-CCM on `ccm`.

A signature is verified before it leaves, so that a computing fault (a dip in the supply, a worn flash cell)
can never give away the key. All work on the curve yields to the loop between pieces of about a hundred
multiplications, some milliseconds on the device.
"""

import asyncio
import os

from doorward_protocol.errors import BAD_KEY, BAD_SIGNATURE, ProtocolError
from doorward_protocol.suite import P256_N as N
from doorward_protocol.suite import Suite

from doorward_firmware.crypto import ccm, comb, ecdsa, p256, windows
from doorward_firmware.crypto.ecdsa import number


async def yield_to_loop():
    """Let everything else that is due run."""
    await asyncio.sleep_ms(0)


def _scalar(private):
    scalar = number(private)
    if len(private) != 32 or not 0 < scalar < N:
        raise ProtocolError(BAD_KEY)
    return scalar


def _encoded(first, second):
    return first.to_bytes(32, "big") + second.to_bytes(32, "big")


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
        self._signer = (None, b"")  # the private key that signed last, and its public key

    def random(self, count):
        return self._random(count)

    def seal(self, key, nonce, aad, plaintext):
        return ccm.seal(key, nonce, aad, plaintext)

    def open(self, key, nonce, aad, ciphertext):
        return ccm.open_sealed(key, nonce, aad, ciphertext)

    def _below(self, limit):
        """A number for blinding from 1 to limit - 1, every one of them as likely."""
        while True:
            drawn = number(self._blinding(32))
            if 0 < drawn < limit:
                return drawn

    async def new_key(self):
        while True:  # by rejection (FIPS 186-5 A.2.2)
            private = self.random(32)
            if 0 < number(private) < N:
                return private, await self.public_key(private)

    async def public_key(self, private):
        return _encoded(*await comb.multiply_base(_scalar(private), self._below, self._pause))

    async def shared_secret(self, private, public):
        scalar = _scalar(private)
        point = await self._point(public)
        return (await windows.multiply_x(scalar, point, self._below, self._pause)).to_bytes(32, "big")

    async def _point(self, public):
        """The affine point of a public key of 64 bytes, or of x alone. Raises BAD_KEY."""
        point = None
        if len(public) == 64:
            x, y = number(public[:32]), number(public[32:])
            point = (x, y) if p256.is_on_curve(x, y) else None
        elif len(public) == 32:
            point = await p256.lift_x(number(public), self._pause)
        if point is None:
            raise ProtocolError(BAD_KEY)
        return point

    async def _unverified(self, private, message):
        digest = self.sha256(message)
        return _encoded(*await ecdsa.sign(_scalar(private), digest, self.hmac, self._below, self._pause))

    async def sign(self, private, message):
        signature = await self._unverified(private, message)
        known, public = self._signer
        if known != private:
            public = await self.public_key(private)
        self._signer = (None, b"")  # a wrong public key must not outlive this call
        if not await self.verify(public, message, signature):
            raise ProtocolError(BAD_SIGNATURE, "own signature: the processor computed wrongly")
        self._signer = (private, public)
        return signature

    async def verify(self, public, message, signature):
        if len(public) != 64:
            raise ProtocolError(BAD_KEY, "a signer's key has x and y")
        point = await self._point(public)
        if len(signature) != 64:
            return False
        r, s = number(signature[:32]), number(signature[32:])
        return await ecdsa.verify(point, self.sha256(message), r, s, self._pause)
