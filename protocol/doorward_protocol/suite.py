"""The one place that names the algorithms, and the interface that every implementation of them offers.

    signatures    ES256: ECDSA with P-256 and SHA-256, nonces by RFC 6979
    key agreement P-256, ephemeral and static
    encryption    AES-CCM-16-64-128: key of 16 bytes, nonce of 13, tag of 8 (RFC 9053 §4.2)
    hash and KDF  SHA-256, HMAC, HKDF (RFC 5869)

There is no negotiation: a bank that needs SM2/SM3/SM4 exchanges the suite, not single algorithms. Elliptic
curve work is `async` because a device spends tenths of a second on it and yields in between. `suite_openssl`
serves hosts; the firmware brings its own. Private keys are 32 bytes, public keys x and y of 32 bytes each,
signatures r and s of 32 bytes each, all big-endian.
"""

import hashlib

from doorward_protocol.compat import const

NAME = "P-256/ES256/AES-CCM-16-64-128/SHA-256"

COSE_ES256 = const(-7)  # RFC 9053 §2.1
COSE_AES_CCM_16_64_128 = const(10)  # RFC 9053 §4.2
COSE_EC2 = const(2)  # key type (RFC 9053 §7.1)
COSE_P256 = const(1)  # curve (RFC 9053 §7.1)
EDHOC_SUITE = const(2)  # RFC 9528 §3.6

KEY = const(16)  # bytes
NONCE = const(13)
TAG = const(8)
HASH = const(32)
BLOCK = const(64)  # of SHA-256, for HMAC

# Domain parameters of P-256 (FIPS 186-5, SP 800-186 §3.2.1.3).
P256_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Suite:
    """What protocol and applications may ask of cryptography. Hash, HMAC and HKDF are the same everywhere."""

    name = NAME

    def random(self, count):
        """Return count random bytes, fit for keys."""
        raise NotImplementedError

    def seal(self, key, nonce, aad, plaintext):
        """Return ciphertext and tag (AES-CCM, RFC 3610); key 16, nonce 13 bytes."""
        raise NotImplementedError

    def open(self, key, nonce, aad, ciphertext):
        """Return the plaintext. Raises BAD_CIPHERTEXT."""
        raise NotImplementedError

    async def new_key(self):
        """Return a fresh (private, public)."""
        raise NotImplementedError

    async def public_key(self, private):
        """Return the public key of a private one. Raises BAD_KEY."""
        raise NotImplementedError

    async def shared_secret(self, private, public):
        """Return x of the product; public is x and y, or x alone (RFC 9528 §3.7). Raises BAD_KEY."""
        raise NotImplementedError

    async def sign(self, private, message):
        """Return the signature of message, hashed here (FIPS 186-5 §6.4, RFC 6979). Raises BAD_KEY."""
        raise NotImplementedError

    async def verify(self, public, message, signature):
        """True if signature is public's over message; any malformed signature is False. Raises BAD_KEY."""
        raise NotImplementedError

    def sha256(self, data):
        """Return the digest of data (32 bytes)."""
        return hashlib.sha256(data).digest()

    def hmac(self, key, data):
        """Return HMAC-SHA-256 (RFC 2104)."""
        if len(key) > BLOCK:
            key = hashlib.sha256(key).digest()
        key = key + bytes(BLOCK - len(key))
        inner = hashlib.sha256(bytes([byte ^ 0x36 for byte in key]) + data).digest()
        return hashlib.sha256(bytes([byte ^ 0x5C for byte in key]) + inner).digest()

    def hkdf_extract(self, salt, ikm):
        """Return the pseudorandom key (RFC 5869 §2.2)."""
        return self.hmac(salt, ikm)

    def hkdf_expand(self, prk, info, length):
        """Return length bytes of key material (RFC 5869 §2.3); length up to 8160."""
        if length > 255 * HASH:
            raise ValueError("HKDF gives at most 8160 bytes")
        out = block = b""
        counter = 1
        while len(out) < length:
            block = self.hmac(prk, block + info + bytes([counter]))
            out += block
            counter += 1
        return out[:length]


def run(coroutine):
    """Finish a coroutine that never waits (server worker threads, tests) and return its result."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise RuntimeError("this coroutine waits for something; it needs a loop")
