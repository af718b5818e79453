"""One question, one answer with an EF01 module, over a line that may lose, damage or delay bytes.

Answers carry no number, so a late answer could be taken for the next question's. Hence: before a question
everything received is dropped; an answer must have exactly the length that its instruction gives it; and
after a question that was not answered properly (or whose asker was cancelled) the line is first listened to
until it has been quiet for a while. Every instruction we use may be asked twice without harm, so one
repetition is made.
"""

import asyncio
import time

from doorward_protocol.compat import const
from doorward_protocol.errors import SENSOR_GARBAGE, SENSOR_SILENT

from . import ef01_packets as packets
from .ef01_codes import DAMAGED_PACKET, DEFAULT_TIMEOUT, OK, TIMEOUTS
from .errors import DriverError

_QUIET = const(150)  # ms without a byte after which no old answer is under way any more
_MAX_NOISE = const(40)  # readings of a line that never falls quiet
_CHUNK = const(64)
_MAX_DATA = const(8192)  # bytes of a template, far above any module's


class Link:
    """Asks a module over a stream. `address` is 4 bytes, `packet_size` bytes per data packet."""

    def __init__(self, stream, address: bytes = b"\xff\xff\xff\xff"):
        self._stream = stream
        self._address = address
        self._parser = packets.Parser(address)
        self._doubtful = False
        self.packet_size = 32

    async def ask(self, instruction: int, parameters: bytes = b"", answer: int = 0) -> tuple:
        """Returns (confirmation code, rest); the rest has `answer` bytes when the code is 00.

        DriverError SENSOR_SILENT if nothing came back, SENSOR_GARBAGE if nothing that fits.
        """
        question = packets.encode(self._address, packets.COMMAND, bytes((instruction,)) + parameters)
        timeout = TIMEOUTS.get(instruction, DEFAULT_TIMEOUT)
        garbage = False
        for _attempt in (1, 2):
            if self._doubtful:
                garbage = await self._wait_for_quiet() or garbage
            self._doubtful = True
            self._stream.reset()
            self._parser.clear()
            before = self._parser.garbage
            self._stream.write(question)
            content = await self._answer(timeout)
            garbage = garbage or self._parser.garbage != before
            if content is None:
                continue
            code, rest = content[0], content[1:]
            if code == DAMAGED_PACKET or (code == OK and len(rest) != answer):
                garbage = True
                continue
            self._doubtful = False
            return code, rest
        if garbage:
            raise DriverError(SENSOR_GARBAGE, "no proper answer to instruction %02x" % instruction)
        raise DriverError(SENSOR_SILENT, "no answer to instruction %02x" % instruction)

    def send_data(self, data: bytes) -> None:
        """Send the data packets that follow an accepted instruction."""
        for start in range(0, len(data), self.packet_size):
            part = data[start : start + self.packet_size]
            last = start + self.packet_size >= len(data)
            kind = packets.LAST_DATA if last else packets.DATA
            self._stream.write(packets.encode(self._address, kind, part))

    async def receive_data(self) -> bytes:
        """Receive the data packets that follow an accepted instruction; at most 8 KB."""
        self._doubtful = True
        data = b""
        while True:
            packet = await self._packet(DEFAULT_TIMEOUT)
            if packet is None:
                raise DriverError(SENSOR_SILENT, "data packets stopped after %d bytes" % len(data))
            kind, content = packet
            data += content
            if kind == packets.ANSWER or len(data) > _MAX_DATA:
                raise DriverError(SENSOR_GARBAGE, "unexpected packets in place of data")
            if kind == packets.LAST_DATA:
                self._doubtful = False
                return data

    async def _answer(self, within):
        """Content of the next answer packet, or None; data packets of an older question are passed over."""
        end = time.ticks_add(time.ticks_ms(), within)
        while True:
            packet = await self._packet(time.ticks_diff(end, time.ticks_ms()))
            if packet is None or packet[0] == packets.ANSWER:
                return packet and packet[1]

    async def _packet(self, within):
        end = time.ticks_add(time.ticks_ms(), within)
        while True:
            packet = self._parser.next()
            if packet is not None:
                return packet
            rest = time.ticks_diff(end, time.ticks_ms())
            if rest <= 0:
                self._parser.clear()
                return None
            try:
                self._parser.feed(await asyncio.wait_for_ms(self._stream.read(_CHUNK), rest))
            except asyncio.TimeoutError:
                self._parser.clear()
                return None

    async def _wait_for_quiet(self):
        """True if bytes were still coming."""
        for count in range(_MAX_NOISE):
            try:
                await asyncio.wait_for_ms(self._stream.read(_CHUNK), _QUIET)
            except asyncio.TimeoutError:
                return count > 0
        raise DriverError(SENSOR_GARBAGE, "the line never falls quiet")
