"""Frames of the M100/R200 UHF reader modules.

    BB | type | command | length, 2 | parameters | checksum | 7E

The checksum is the low byte of the sum from type to the last parameter (MagicRF M100/QM100 firmware manual,
chapter 1). BB and 7E may stand in the parameters, so frames are cut by length; a header that leads nowhere is
skipped by one byte and the search goes on behind it.
"""

from doorward_protocol.compat import const

COMMAND = const(0x00)
ANSWER = const(0x01)
NOTICE = const(0x02)

_HEAD = const(5)
_FRAME = const(7)  # bytes around the parameters
_MAX_PARAMETERS = const(128)  # an EPC has at most 62 bytes, a reading 62 + 12 and a few more
_MAX_BUFFER = const(1024)


def encode(command: int, parameters: bytes = b"") -> bytes:
    """A command frame."""
    body = bytes((COMMAND, command, len(parameters) >> 8, len(parameters) & 255)) + parameters
    return b"\xbb" + body + bytes((sum(body) & 255, 0x7E))


class Parser:
    """Cuts what arrives into frames. `garbage` counts bytes that belonged to none."""

    def __init__(self):
        self._buffer = b""
        self.garbage = 0

    def feed(self, data: bytes) -> None:
        """Add received bytes; what exceeds the buffer is dropped from the front."""
        self._buffer += data
        if len(self._buffer) > _MAX_BUFFER:
            self._skip(len(self._buffer) - _MAX_BUFFER)

    def next(self) -> tuple | None:
        """The next whole frame as (type, command, parameters), or None until more bytes have come."""
        while True:
            start = self._buffer.find(b"\xbb")
            self._skip(len(self._buffer) if start < 0 else start)
            if len(self._buffer) < _HEAD:
                return None
            kind = self._buffer[1]
            length = self._buffer[3] << 8 | self._buffer[4]
            if kind not in (ANSWER, NOTICE) or length > _MAX_PARAMETERS:
                self._skip(1)
                continue
            end = _FRAME + length
            if len(self._buffer) < end:
                return None
            if self._buffer[end - 1] != 0x7E or sum(self._buffer[1 : end - 2]) & 255 != self._buffer[end - 2]:
                self._skip(1)
                continue
            frame = kind, self._buffer[2], self._buffer[_HEAD : end - 2]
            self._buffer = self._buffer[end:]
            return frame

    def clear(self) -> None:
        """Forget a frame that has begun."""
        self._skip(len(self._buffer))

    def _skip(self, count):
        self.garbage += count
        self._buffer = self._buffer[count:]
