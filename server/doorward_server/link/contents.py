"""Contents that units fetch: read several at a time, and kept for a little while: a unit asks in pieces.

While one read is in work, what is asked for meanwhile makes the next. Nothing is kept for long: when a key is
destroyed, what it had sealed must be gone here too.
"""

import asyncio

from doorward_server.services import Services
from doorward_server.units import blobs

AT_ONCE = 32  # contents in one read
KEPT_SECONDS = 30
KEPT_BYTES = 64 << 20  # what is kept longest goes first


class Contents:
    """Reads for all connections. Made on their event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._loop = asyncio.get_running_loop()
        self._kept: dict[bytes, bytes] = {}
        self._kept_bytes = 0
        self._asked: dict[bytes, asyncio.Future[bytes | None]] = {}
        self._next: list[bytes] = []  # those of the asked that no read has taken yet
        self._task: asyncio.Task[None] | None = None

    async def get(self, name: bytes) -> bytes | None:
        """The content of this hash; None if it is unknown, or deleted with its person's key."""
        if name in self._kept:
            return self._kept[name]
        if name not in self._asked:
            self._asked[name] = self._loop.create_future()
            self._next.append(name)
        if self._task is None:
            self._task = self._loop.create_task(self._read_all())
        return await asyncio.shield(self._asked[name])  # others may wait for it too

    async def close(self) -> None:
        """Wait for the read that is in work."""
        if self._task is not None:
            await self._task

    async def _read_all(self) -> None:
        while self._next:
            names, self._next = self._next[:AT_ONCE], self._next[AT_ONCE:]
            asked = {name: self._asked[name] for name in names}
            try:
                found = await self._loop.run_in_executor(None, self._read, names)
            except Exception as problem:  # such as a lost disk: whoever asked is told
                for future in asked.values():
                    future.set_exception(problem)
            else:
                for name, future in asked.items():
                    future.set_result(found.get(name))
                    if name in found:
                        self._keep(name, found[name])
            for name in names:
                del self._asked[name]
        self._task = None

    def _read(self, names: list[bytes]) -> dict[bytes, bytes]:
        with self._services.database.reading() as session:
            return blobs.get_all(session, names)

    def _keep(self, name: bytes, content: bytes) -> None:
        self._kept[name] = content
        self._kept_bytes += len(content)
        while self._kept_bytes > KEPT_BYTES:
            self._forget(next(iter(self._kept)))
        self._loop.call_later(KEPT_SECONDS, self._forget, name)

    def _forget(self, name: bytes) -> None:
        self._kept_bytes -= len(self._kept.pop(name, b""))
