"""A byte stream to the server over `asyncio.open_connection`, which every runtime offers in its own way.

Whatever goes wrong with the network, also its silence, is one exception, `Disconnected`: that is no refusal
and nothing to record, only a reason to connect again.
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.errors import TOO_LARGE, ProtocolError

_PIECE = const(1024)  # bytes asked for at once

CONNECT_MS = const(10_000)
SEND_MS = const(30_000)  # to hand one frame to the network
CLOSE_MS = const(1_000)


class Disconnected(Exception):  # noqa: N818 - an event, not an error of anybody here
    """The network, or the other side, is gone."""


class Stream:
    """A connected stream with a bounded buffer; read by one task, written by several."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        self._buffer = b""
        self._sending = asyncio.Lock()

    async def read_exactly(self, count):
        """Return count bytes."""
        while len(self._buffer) < count:
            await self._fill()
        return self._take(count)

    async def read_until(self, marker, limit):
        """Return all bytes up to and with marker. Raises TOO_LARGE if it does not come within limit bytes."""
        while True:
            at = self._buffer.find(marker)
            if at >= 0:
                return self._take(at + len(marker))
            if len(self._buffer) >= limit:
                raise ProtocolError(TOO_LARGE, "header")
            await self._fill()

    async def send(self, data):
        """Write data and wait until the network has taken it."""
        async with self._sending:  # MicroPython's drain loses what another task writes meanwhile
            try:
                self._writer.write(data)
                await asyncio.wait_for_ms(self._writer.drain(), SEND_MS)
            except asyncio.TimeoutError:
                raise Disconnected("nothing goes out") from None
            except OSError as error:
                raise Disconnected(str(error)) from None

    async def close(self):
        """End the connection; never raises."""
        try:
            self._writer.close()
            await asyncio.wait_for_ms(self._writer.wait_closed(), CLOSE_MS)
        except (OSError, asyncio.TimeoutError):
            pass

    async def _fill(self):
        try:
            data = await self._reader.read(_PIECE)
        except OSError as error:
            raise Disconnected(str(error)) from None
        if not data:
            raise Disconnected("closed by the other side")
        self._buffer = self._buffer + data if self._buffer else bytes(data)

    def _take(self, count):
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken


async def connect(host, port):
    """Return a Stream to host and port. Raises Disconnected."""
    try:
        reader, writer = await asyncio.wait_for_ms(asyncio.open_connection(host, port), CONNECT_MS)
    except asyncio.TimeoutError:
        raise Disconnected("no answer") from None
    except OSError as error:
        raise Disconnected(str(error)) from None
    return Stream(reader, writer)
