"""The suite of hosts: OpenSSL, through the package `cryptography`. Never on the device.

Randomness is injected, so that a simulated day repeats itself. Loading a key costs as much as using it;
loaded keys are kept, a bounded number of them.
"""

import hmac
import os

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from doorward_protocol.errors import BAD_CIPHERTEXT, BAD_KEY, ProtocolError
from doorward_protocol.suite import P256_N, TAG, Suite

_CURVE = ec.SECP256R1()
_VERIFIES = ec.ECDSA(hashes.SHA256())
_SIGNS = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
_KEPT = 8192  # loaded keys, some KB each; each unit that connects brings three


class _Kept:
    """Loaded keys by their bytes; when full, the oldest goes."""

    def __init__(self, load):
        self._load = load
        self._keys = {}

    def __getitem__(self, data):
        data = bytes(data)
        key = self._keys.get(data)
        if key is None:
            try:
                key = self._load(data)
            except ValueError:
                raise ProtocolError(BAD_KEY) from None
            if len(self._keys) >= _KEPT:
                self._keys.pop(next(iter(self._keys)), None)
            self._keys[data] = key
        return key


def _load_public(data):
    if len(data) == 32:  # x alone: either y gives the same product
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, b"\x02" + data)
    if len(data) == 64:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, b"\x04" + data)
    raise ValueError("a public key has 32 or 64 bytes")


def _load_private(data):
    number = int.from_bytes(data, "big")
    if len(data) != 32 or not 0 < number < P256_N:
        raise ValueError("a private key is between 1 and n - 1")
    return ec.derive_private_key(number, _CURVE)


class OpenSSLSuite(Suite):
    """The suite on OpenSSL; random(count) -> bytes is the only source of randomness."""

    def __init__(self, random=os.urandom):
        self._random = random
        self._public = _Kept(_load_public)
        self._private = _Kept(_load_private)

    def random(self, count):
        return self._random(count)

    def hmac(self, key, data):
        return hmac.digest(key, data, "sha256")

    def seal(self, key, nonce, aad, plaintext):
        return AESCCM(key, tag_length=TAG).encrypt(nonce, plaintext, aad)

    def open(self, key, nonce, aad, ciphertext):
        try:
            return AESCCM(key, tag_length=TAG).decrypt(nonce, bytes(ciphertext), aad)
        except (InvalidTag, ValueError):
            raise ProtocolError(BAD_CIPHERTEXT) from None

    async def new_key(self):
        while True:
            private = self._random(32)
            if 0 < int.from_bytes(private, "big") < P256_N:
                return private, await self.public_key(private)

    async def public_key(self, private):
        numbers = self._private[private].public_key().public_numbers()
        return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")

    async def shared_secret(self, private, public):
        return self._private[private].exchange(ec.ECDH(), self._public[public])

    async def sign(self, private, message):
        r, s = decode_dss_signature(self._private[private].sign(message, _SIGNS))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    async def verify(self, public, message, signature):
        if len(public) != 64:
            raise ProtocolError(BAD_KEY, "a signer's key has x and y")
        key = self._public[public]
        if len(signature) != 64:
            return False
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            key.verify(encode_dss_signature(r, s), message, _VERIFIES)
        except InvalidSignature:
            return False
        return True
