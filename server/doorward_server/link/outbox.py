"""What goes out to one unit, in one order, by one sender: small messages first, chunks of blobs in between.

Both queues are bounded: a unit that asks for more than it takes is disconnected, and asks again later.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from doorward_protocol import messages
from doorward_protocol.errors import TOO_LARGE, ProtocolError

MESSAGES = 512
WANTS = 64


class Outbox:
    """Queues messages and wanted blobs; `run` sends them by `send`, which seals and awaits the carrier."""

    def __init__(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        self._send = send
        self._messages: deque[bytes] = deque()
        self._blobs: deque[tuple[bytes, int, bytes, int]] = deque()
        self._ready = asyncio.Event()

    def put(self, name: str, **fields: object) -> None:
        """Queue a message. Raises TOO_LARGE when the unit does not keep up."""
        if len(self._messages) >= MESSAGES:
            raise ProtocolError(TOO_LARGE, "messages waiting for the unit")
        self._messages.append(messages.encode(name, **fields))
        self._ready.set()

    def put_blob(self, name: bytes, offset: int, content: bytes) -> None:
        """Queue up to 16 chunks of a blob from `offset`. A repeated want takes the place of the first."""
        end = min(len(content), offset + messages.CHUNKS_PER_WANT * messages.MAX_CHUNK)
        self._blobs = deque(waiting for waiting in self._blobs if waiting[0] != name)
        if len(self._blobs) >= WANTS:
            raise ProtocolError(TOO_LARGE, "blobs waiting for the unit")
        self._blobs.append((name, offset, content, end))
        self._ready.set()

    async def run(self) -> None:
        """Send for ever; ends by being cancelled, or by what `send` raises."""
        while True:
            if self._messages:
                await self._send(self._messages.popleft())
            elif self._blobs:
                await self._send(self._next_chunk())
            else:
                self._ready.clear()
                await self._ready.wait()

    async def flush(self) -> None:
        """Send the messages that still wait; for the last words before closing."""
        while self._messages:
            await self._send(self._messages.popleft())

    def _next_chunk(self) -> bytes:
        name, offset, content, end = self._blobs.popleft()
        data = content[offset : min(end, offset + messages.MAX_CHUNK)]
        if offset + len(data) < end:
            self._blobs.appendleft((name, offset + len(data), content, end))
        return messages.encode("blob", hash=name, offset=offset, total=len(content), data=data)
