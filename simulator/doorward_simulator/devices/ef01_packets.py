"""Packets of the EF01 family of fingerprint modules, as bytes.

    EF 01 | address 4 | identifier 1 | length 2 | content | sum 2        (all big-endian)

`length` counts content and sum; the sum adds identifier, length and content and drops overflow (R503 user
manual, "Data package format"; ZFM-20 manual, chapter 5). Identifiers: 01 command, 02 data, 07 acknowledge,
08 last data.
"""

import struct
from dataclasses import dataclass

START = b"\xef\x01"
COMMAND, DATA, ACKNOWLEDGE, LAST_DATA = 0x01, 0x02, 0x07, 0x08


@dataclass(frozen=True)
class Packet:
    """A packet with a correct sum."""

    address: int
    identifier: int
    content: bytes

    def to_bytes(self) -> bytes:
        body = struct.pack(">BH", self.identifier, len(self.content) + 2) + self.content
        return START + struct.pack(">I", self.address) + body + struct.pack(">H", sum(body) & 0xFFFF)


@dataclass(frozen=True)
class Broken:
    """Bytes that could not be a packet, and why."""

    reason: str
    data: bytes
    framed: bool  # a header was recognised, so that the sender waits for an answer


class PacketReader:
    """Cuts a stream of bytes, split in any way, into packets; bounded by the largest content allowed."""

    def __init__(self, largest_content: int = 256):
        self.largest_content = largest_content
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Packet | Broken]:
        """Take bytes; return what became complete, in order."""
        self._buffer += data
        found = []
        while (item := self._next()) is not None:
            found.append(item)
        return found

    def abandon(self) -> Broken | None:
        """Give up on a packet whose rest did not come."""
        data = bytes(self._buffer)
        self._buffer.clear()
        return Broken("packet was not finished", data, len(data) >= len(START)) if data else None

    @property
    def waiting(self) -> bool:
        """Whether part of a packet has come."""
        return bool(self._buffer)

    def _next(self) -> Packet | Broken | None:
        buffer = self._buffer
        start = buffer.find(START)
        if start:
            kept = 0 if start >= 0 else buffer.endswith(START[:1])
            junk = buffer[:start] if start > 0 else buffer[: len(buffer) - kept]
            if junk:
                del buffer[: len(junk)]
                return Broken("bytes outside a packet", bytes(junk), False)
            return None
        if len(buffer) < 9:
            return None
        address, identifier, length = struct.unpack_from(">IBH", buffer, 2)
        if not 2 <= length <= self.largest_content + 2:
            junk = bytes(buffer[:9])
            del buffer[:2]
            return Broken(f"length {length} is out of range", junk, True)
        if len(buffer) < 9 + length:
            return None
        raw = bytes(buffer[: 9 + length])
        del buffer[: 9 + length]
        if sum(raw[6:-2]) & 0xFFFF != int.from_bytes(raw[-2:], "big"):
            return Broken("sum is wrong", raw, True)
        return Packet(address, identifier, raw[9:-2])


def in_packets(address: int, data: bytes, size: int) -> list[Packet]:
    """Data cut into packets of `size` bytes; the last one says so."""
    cuts = range(0, len(data), size)
    return [Packet(address, LAST_DATA if cut == cuts[-1] else DATA, data[cut : cut + size]) for cut in cuts]
