"""SHA-1 (FIPS 180-4 §6.1), for the WebSocket handshake alone, where RFC 6455 prescribes it.

It protects nothing there and is not in the `hashlib` of every MicroPython.
"""

import struct

_MASK = 0xFFFFFFFF


def _rotate(word, count):
    return (word << count | word >> (32 - count)) & _MASK


def sha1(data):
    """Return the digest of data (20 bytes)."""
    length = len(data)
    data += b"\x80" + bytes((55 - length) % 64) + struct.pack(">Q", length * 8)
    state = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)
    for start in range(0, len(data), 64):
        words = list(struct.unpack(">16I", data[start : start + 64]))
        for at in range(16, 80):
            words.append(_rotate(words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16], 1))
        a, b, c, d, e = state
        for at in range(80):
            if at < 20:
                mixed = (b & c | ~b & d) + 0x5A827999
            elif at < 40:
                mixed = (b ^ c ^ d) + 0x6ED9EBA1
            elif at < 60:
                mixed = (b & c | b & d | c & d) + 0x8F1BBCDC
            else:
                mixed = (b ^ c ^ d) + 0xCA62C1D6
            a, b, c, d, e = (_rotate(a, 5) + mixed + e + words[at]) & _MASK, a, _rotate(b, 30), c, d
        state = [(old + new) & _MASK for old, new in zip(state, (a, b, c, d, e))]  # noqa: B905
    return struct.pack(">5I", *state)
