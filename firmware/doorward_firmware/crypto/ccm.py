"""AES-CCM-16-64-128 on the chip's AES (RFC 3610): nonce of 13 bytes, tag of 8, up to 65535 bytes of data.

`cryptolib` has ECB and CBC but no CTR. So the tag is the last block of one CBC call, the key stream is one
ECB call over all counter blocks, and the XOR is that of two long integers: three calls into C, however long
the data is.
"""

from cryptolib import aes
from doorward_protocol.compat import const
from doorward_protocol.errors import BAD_CIPHERTEXT, TOO_LARGE, ProtocolError
from doorward_protocol.suite import TAG

_ECB = const(1)
_CBC = const(2)
_BLOCK = const(16)
_ZERO = bytes(_BLOCK)


def _padded(data):
    return data + bytes(-len(data) % _BLOCK)


def _tag(key, nonce, aad, plaintext):
    """The CBC-MAC of the blocks B_0 … B_n (RFC 3610 §2.2), cut to the tag's length."""
    flags = (0x40 if aad else 0) | ((TAG - 2) // 2) << 3 | 1
    blocks = bytes([flags]) + nonce + len(plaintext).to_bytes(2, "big")
    if aad:
        blocks += _padded(len(aad).to_bytes(2, "big") + aad)
    blocks += _padded(plaintext)
    return aes(key, _CBC, _ZERO).encrypt(blocks)[-_BLOCK:][:TAG]


def _xor(first, second):
    length = len(first)
    return (int.from_bytes(first, "big") ^ int.from_bytes(second, "big")).to_bytes(length, "big")


def _keystream(key, nonce, length):
    """S_0 for the tag, then length bytes of S_1, S_2 … (RFC 3610 §2.3)."""
    count = 1 + (length + _BLOCK - 1) // _BLOCK
    counters = bytearray(count * _BLOCK)
    for number in range(count):
        at = number * _BLOCK
        counters[at] = 1
        counters[at + 1 : at + 14] = nonce
        counters[at + 14] = number >> 8
        counters[at + 15] = number & 0xFF
    stream = aes(key, _ECB).encrypt(bytes(counters))
    return stream[:TAG], stream[_BLOCK : _BLOCK + length]


def seal(key, nonce, aad, plaintext):
    """Return ciphertext and tag. Raises TOO_LARGE."""
    if len(plaintext) > 0xFFFF or len(aad) >= 0xFF00:
        raise ProtocolError(TOO_LARGE, "AES-CCM")
    first, stream = _keystream(key, nonce, len(plaintext))
    tag = _xor(_tag(key, nonce, aad, plaintext), first)
    return (_xor(plaintext, stream) if plaintext else b"") + tag


def open_sealed(key, nonce, aad, data):
    """Return the plaintext. Raises BAD_CIPHERTEXT."""
    length = len(data) - TAG
    if not 0 <= length <= 0xFFFF or len(aad) >= 0xFF00:
        raise ProtocolError(BAD_CIPHERTEXT)
    first, stream = _keystream(key, nonce, length)
    plaintext = _xor(data[:length], stream) if length else b""
    expected = _xor(_tag(key, nonce, aad, plaintext), first)
    if _xor(expected, data[length:]) != bytes(TAG):
        raise ProtocolError(BAD_CIPHERTEXT)
    return plaintext
