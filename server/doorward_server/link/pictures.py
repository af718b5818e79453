"""Fetches pictures from one unit: the newest first, one at a time, resumed after a cut, checked by hash."""

import hashlib
from collections.abc import Callable

from doorward_protocol import messages
from doorward_protocol.errors import BAD_HASH, NOT_WANTED, TOO_LARGE, ProtocolError

LARGEST_PICTURE = 512 * 1024  # bytes; the reference camera's pictures have 20 to 60 KB
QUEUE = 256
PARTIALS = 4  # of one unit, kept over its cuts; one that is given up is asked for from its start again


class Partial:
    """What has come of a picture so far. Outlives the connection, so that a cut costs nothing."""

    __slots__ = ("data", "total")

    def __init__(self) -> None:
        self.data = bytearray()
        self.total: int | None = None


class Pictures:
    """Wanted pictures of one unit. `ask(hash, offset)` sends a `want`; `partials` outlives sessions."""

    def __init__(self, ask: Callable[[bytes, int], None], partials: dict[bytes, Partial]) -> None:
        self._ask = ask
        self._partials = partials
        self._queue: list[bytes] = []
        self._current: bytes | None = None
        self._until_next_ask = 0

    def want(self, name: bytes) -> None:
        """Want a picture; the newest want is served first, the oldest is dropped when there are too many."""
        if name == self._current or name in self._queue:
            return
        self._queue.append(name)
        del self._queue[:-QUEUE]
        self._next()

    def take(self, fields: dict) -> bytes | None:
        """Take a `blob` message; returns the whole picture once it is complete and its hash is right.

        Raises NOT_WANTED for what nobody asked for, TOO_LARGE, or BAD_HASH.
        """
        name = fields["hash"]
        if name != self._current:
            raise ProtocolError(NOT_WANTED, "blob")
        if not 0 < fields["total"] <= LARGEST_PICTURE:
            self._give_up(name)
            raise ProtocolError(TOO_LARGE, "picture")
        partial = self._partials[name]
        total = fields["total"]
        if partial.total not in (None, total):
            self._give_up(name)
            raise ProtocolError(BAD_HASH, "picture of two sizes")
        partial.total = total
        if fields["offset"] != len(partial.data) or not fields["data"]:
            return None  # a chunk from before a cut, or one that was repeated
        partial.data += fields["data"]
        self._until_next_ask -= 1
        if len(partial.data) < total:
            if self._until_next_ask == 0:
                self._ask_on(name)
            return None
        content = bytes(partial.data)
        self._give_up(name)
        if hashlib.sha256(content).digest() != name:
            raise ProtocolError(BAD_HASH, "picture")
        return content

    def refused(self, name: bytes) -> None:
        """The unit does not have it (any more)."""
        if name == self._current:
            self._give_up(name)

    def _next(self) -> None:
        if self._current is None and self._queue:
            self._current = self._queue.pop()
            self._partials[self._current] = self._partials.pop(self._current, None) or Partial()
            for oldest in list(self._partials)[:-PARTIALS]:
                del self._partials[oldest]
            self._ask_on(self._current)

    def _ask_on(self, name: bytes) -> None:
        self._until_next_ask = messages.CHUNKS_PER_WANT
        self._ask(name, len(self._partials[name].data))

    def _give_up(self, name: bytes) -> None:
        self._partials.pop(name, None)
        self._current = None
        self._next()
