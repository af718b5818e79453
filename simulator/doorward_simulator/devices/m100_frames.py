"""Frames of M100/R200 reader modules, as bytes.

    BB | type 1 | command 1 | length 2 | parameters | sum 1 | 7E        (big-endian)

Type 00 is a command, 01 its response, 02 a notice (one tag read). The sum adds type, command, length and
parameters and keeps the low byte. BB and 7E may stand anywhere in between: the length rules (YRM100/M100
"UHF RFID reader module user protocol" 2.3.3, chapter 1).
"""

from dataclasses import dataclass

HEAD, TAIL = 0xBB, 0x7E
COMMAND, RESPONSE, NOTICE = 0x00, 0x01, 0x02
LARGEST_PARAMETERS = 512


@dataclass(frozen=True)
class Frame:
    """A frame with correct sum and end."""

    type: int
    command: int
    parameters: bytes = b""

    def to_bytes(self) -> bytes:
        body = bytes([self.type, self.command]) + len(self.parameters).to_bytes(2, "big") + self.parameters
        return bytes([HEAD]) + body + bytes([sum(body) & 0xFF, TAIL])


@dataclass(frozen=True)
class Broken:
    """Bytes that are no frame, and why."""

    reason: str
    data: bytes


class FrameReader:
    """Cuts bytes, split in any way, into frames; bounded by the largest frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame | Broken]:
        """Take bytes; return what became complete, in order."""
        self._buffer += data
        found = []
        while (item := self._next()) is not None:
            found.append(item)
        return found

    def abandon(self) -> Broken | None:
        """Give up on a frame whose rest did not come."""
        data = bytes(self._buffer)
        self._buffer.clear()
        return Broken("frame was not finished", data) if data else None

    @property
    def waiting(self) -> bool:
        """Whether part of a frame has come."""
        return bool(self._buffer)

    def _next(self) -> Frame | Broken | None:
        buffer = self._buffer
        start = buffer.find(HEAD)
        if start:
            junk = bytes(buffer[:start] if start > 0 else buffer)
            del buffer[: len(junk)]
            return Broken("bytes outside a frame", junk) if junk else None
        if len(buffer) < 5:
            return None
        length = int.from_bytes(buffer[3:5], "big")
        if length > LARGEST_PARAMETERS:
            return self._drop_head(f"length {length} is out of range", 5)
        if len(buffer) < 7 + length:
            return None
        raw = bytes(buffer[: 7 + length])
        if raw[-1] != TAIL or sum(raw[1:-2]) & 0xFF != raw[-2]:
            return self._drop_head("end or sum is wrong", len(raw))
        del buffer[: len(raw)]
        return Frame(raw[1], raw[2], raw[5:-2])

    def _drop_head(self, reason: str, shown: int) -> Broken:
        """Skip one head byte and look for the next: the length itself may be what is damaged."""
        junk = bytes(self._buffer[:shown])
        del self._buffer[:1]
        return Broken(reason, junk)
