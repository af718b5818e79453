"""MicroPython's `cryptolib` for CPython, on OpenSSL, for the tests of what the device builds on its chip.

Only the calls of the stock ESP32 build: ECB and CBC, whole blocks, `encrypt(data[, into])`.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

MODE_ECB = 1
MODE_CBC = 2


class aes:  # noqa: N801 - MicroPython's own name
    def __init__(self, key, mode, iv=None):
        if mode not in (MODE_ECB, MODE_CBC) or (iv is None) != (mode == MODE_ECB):
            raise ValueError("mode")
        chosen = modes.ECB() if mode == MODE_ECB else modes.CBC(bytes(iv or b""))
        self._encryptor = Cipher(algorithms.AES(bytes(key)), chosen).encryptor()

    def encrypt(self, data, into=None):
        if len(data) % 16:
            raise ValueError("blksize % 16")
        result = self._encryptor.update(bytes(data))
        if into is None:
            return result
        into[:] = result
        return into
