"""A bad line before a real server: a TCP relay that dribbles, stalls, falls silent and breaks, by a seed.

It works on bytes, below the WebSocket: whatever it does, what arrives is a prefix of what was sent, as TCP
promises. A silent line is the worst: both ends believe in it until the unit gives up and connects anew, while
the server still holds the old connection.
"""

import asyncio
import contextlib
import random
from collections import Counter

DRIBBLE = 7  # bytes at once on a slow line
PIECE = 4096
TRICKS = ("clear", "slow", "stalling", "breaking", "silent")


class BadLine:
    """Listens on a loopback port of its own and relays to `port`; `tricks` counts what it has done."""

    def __init__(self, port: int, seed: int, seconds: float = 2.0) -> None:
        """`seconds`: the longest life of a line that breaks or falls silent."""
        self._target, self._seconds = port, seconds
        self._random = random.Random(f"bad line/{seed}")  # noqa: S311
        self._round: list[str] = []  # tricks that are still to come before any comes again
        self._server: asyncio.Server
        self._lives: set[asyncio.Task] = set()
        self.tricks: Counter[str] = Counter()
        self.is_mended = False
        self.port = 0

    async def open(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """End all connections."""
        self._server.close()
        for life in list(self._lives):
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)

    async def _relay(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        life = asyncio.current_task()
        assert life is not None
        self._lives.add(life)
        trick = "clear" if self.is_mended else self._next_trick()
        self.tricks[trick] += 1
        there, forth = await asyncio.open_connection("127.0.0.1", self._target)
        pumps = asyncio.gather(self._pump(here, forth, trick), self._pump(there, back, trick))
        try:
            if trick in ("breaking", "silent"):
                async with asyncio.timeout(self._random.uniform(0.1, self._seconds)):
                    await pumps
            else:
                await pumps
        except TimeoutError:
            if trick == "silent":  # partition: neither end is told, and both have sent into the void
                await asyncio.sleep(self._seconds)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            pumps.cancel()
            for writer in (forth, back):
                writer.transport.abort()  # a reset, not an orderly end
            self._lives.discard(life)

    def _next_trick(self) -> str:
        if not self._round:
            self._round = self._random.sample(TRICKS, len(TRICKS))
        return self._round.pop()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, trick: str) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(PIECE):
                if trick == "stalling" and self._random.random() < 0.2:
                    await asyncio.sleep(self._random.uniform(0, 0.3))
                step = DRIBBLE if trick == "slow" else PIECE
                for start in range(0, len(data), step):
                    target.write(data[start : start + step])
                    await target.drain()
                    if trick == "slow":
                        await asyncio.sleep(0)
            target.close()
