"""Packets of the fingerprint modules that begin with EF 01 (Synochip, ZhianTec, Grow, Hi-Link).

    EF 01 | address, 4 | kind | length, 2 | content, length - 2 | checksum, 2

Numbers are big-endian; length counts content and checksum; the checksum is the sum of kind, length and
content (R503 user manual 1.2.2, "Data package format"). Content may hold EF 01, so packets are cut by
length. A header that leads nowhere (bad length, foreign address, wrong checksum) is skipped by two bytes
and the search goes on behind it: the packet after a damaged one is found even when the damage hit the
length.
"""

from doorward_protocol.compat import const

COMMAND = const(0x01)
DATA = const(0x02)
ANSWER = const(0x07)
LAST_DATA = const(0x08)

_HEADER = b"\xef\x01"
_HEAD = const(9)  # header, address, kind, length
_MAX_CONTENT = const(256)  # the largest data packet a module can be set to
_MAX_BUFFER = const(1024)


def encode(address: bytes, kind: int, content: bytes) -> bytes:
    """One packet. `address` is the module's, 4 bytes; content at most 256 bytes."""
    length = len(content) + 2
    total = (kind + (length >> 8) + (length & 255) + sum(content)) & 0xFFFF
    return _HEADER + address + bytes((kind,)) + length.to_bytes(2, "big") + content + total.to_bytes(2, "big")


class Parser:
    """Cuts what arrives into packets. `garbage` counts bytes that belonged to none."""

    def __init__(self, address: bytes):
        self._address = address
        self._buffer = b""
        self.garbage = 0

    def feed(self, data: bytes) -> None:
        """Add received bytes; what exceeds the buffer is dropped from the front."""
        self._buffer += data
        if len(self._buffer) > _MAX_BUFFER:
            self._skip(len(self._buffer) - _MAX_BUFFER)

    def next(self) -> tuple | None:
        """The next whole packet as (kind, content), or None until more bytes have come."""
        while True:
            start = self._buffer.find(_HEADER)
            if start < 0:
                half = 1 if self._buffer[-1:] == _HEADER[:1] else 0
                self._skip(len(self._buffer) - half)
                return None
            self._skip(start)
            if len(self._buffer) < _HEAD:
                return None
            kind = self._buffer[6]
            length = self._buffer[7] << 8 | self._buffer[8]
            known = kind in (DATA, ANSWER, LAST_DATA) and self._buffer[2:6] == self._address
            if not known or not 2 < length <= _MAX_CONTENT + 2:
                self._skip(2)
                continue
            end = _HEAD + length
            if len(self._buffer) < end:
                return None
            content = self._buffer[_HEAD : end - 2]
            total = (sum(self._buffer[6:_HEAD]) + sum(content)) & 0xFFFF
            if total != self._buffer[end - 2] << 8 | self._buffer[end - 1]:
                self._skip(2)
                continue
            self._buffer = self._buffer[end:]
            return kind, content

    def clear(self) -> None:
        """Forget a packet that has begun."""
        self._skip(len(self._buffer))

    def _skip(self, count):
        self.garbage += count
        self._buffer = self._buffer[count:]
