"""`cryptolib` for MicroPython under node, which has none: OpenSSL by way of `encrypt` in interpreter.mjs.

Only the calls of the stock ESP32 build: ECB and CBC, whole blocks. Bytes cross as hexadecimal text.
"""

from binascii import hexlify, unhexlify

import host_aes  # pyright: ignore[reportMissingImports] - made by interpreter.mjs

MODE_ECB = 1
MODE_CBC = 2
_ANY = bytes(16)


class aes:  # noqa: N801 - MicroPython's own name
    def __init__(self, key, mode, iv=None):
        if mode not in (MODE_ECB, MODE_CBC) or (iv is None) != (mode == MODE_ECB):
            raise ValueError("mode")
        if len(key) != 16 or len(iv or _ANY) != 16:
            raise ValueError("key")
        self._mode = "aes-128-ecb" if mode == MODE_ECB else "aes-128-cbc"
        self._key = hexlify(key).decode()
        self._iv = hexlify(iv or b"").decode()

    def encrypt(self, data, into=None):
        if len(data) % 16:
            raise ValueError("blksize % 16")
        result = unhexlify(host_aes.encrypt(self._mode, self._key, self._iv, hexlify(data).decode()))
        if into is None:
            return result
        into[:] = result
        return into
