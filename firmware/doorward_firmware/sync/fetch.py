"""Fetching what the manifest lists: one blob at a time, in windows of 16 chunks, from where flash has it.

    want(hash, offset)  ->            <-  blob … up to 16 chunks           want(hash, next offset)  -> …

A blob that the server refuses, or that is wrong twice, is left alone until the next connection.
"""

from doorward_protocol.compat import const
from doorward_protocol.errors import BAD_HASH, FLASH_FULL, NOT_WANTED, ProtocolError
from doorward_protocol.messages import CHUNKS_PER_WANT

ANSWER_MS = const(20_000)  # without a chunk for so long, the window is asked for again
MAX_TRIES = const(3)  # of one window without any chunk, and of one blob with wrong content


class Fetch:
    """What one connection fetches for desired (`Desired`) into blobs (`Blobs`)."""

    def __init__(self, blobs, desired):
        self._blobs, self._desired = blobs, desired
        self._current = None  # hash of the blob that is being fetched
        self._chunks = 0  # that still belong to the window
        self._asked_at = 0
        self._tries = {}  # hash -> how often it failed
        self._left_alone = set()

    def next_want(self, now):
        """Return (hash, offset) to ask for, or None. now: monotonic ms."""
        if self._current and self._chunks and now - self._asked_at < ANSWER_MS:
            return None
        if self._current and self._chunks:
            self._fail(self._current)
        if self._current is None or self._current not in self._desired.missing():
            self._current = self._next()
        if self._current is None:
            return None
        self._chunks, self._asked_at = CHUNKS_PER_WANT, now
        return self._current, self._blobs.progress(self._current)

    def deadline(self):
        """Return when next_want has to be asked again at the latest (monotonic ms), or None."""
        return self._asked_at + ANSWER_MS if self._current else None

    def take(self, name, offset, total, data, now):
        """Take a chunk. Returns True if its blob is now whole; raises ProtocolError to refuse it."""
        if name != self._current:
            raise ProtocolError(NOT_WANTED, "blob")
        self._asked_at = now
        self._chunks = max(0, self._chunks - 1)
        try:
            self._begin(name, total)
            if self._blobs.write(name, offset, data) < total:
                return False
            self._current = None
            self._blobs.finish(name)
        except ProtocolError as error:
            if error.reason == BAD_HASH:
                self._fail(name)
            else:
                self.leave(name)
            raise
        return True

    def leave(self, name):
        """Ask no more for a blob on this connection."""
        self._left_alone.add(name)
        if self._current == name:
            self._current = None

    def _begin(self, name, total):
        try:
            self._blobs.begin(name, total)
        except ProtocolError as error:
            if error.reason != FLASH_FULL:
                raise
            self._desired.make_room()
            self._blobs.begin(name, total)

    def _fail(self, name):
        self._tries[name] = self._tries.get(name, 0) + 1
        if self._tries[name] >= MAX_TRIES:
            self.leave(name)

    def _next(self):
        for name in self._desired.missing():
            if name not in self._left_alone:
                return name
        return None
