"""Giving the server the pictures that it asks for: windows of 16 chunks, one chunk at a time.

Only blobs that the unit made itself are given; what the server sent is not for fetching back.
"""

from doorward_protocol.compat import const
from doorward_protocol.errors import NOT_WANTED, ProtocolError
from doorward_protocol.messages import CHUNKS_PER_WANT, MAX_CHUNK

MAX_WINDOWS = const(16)  # asked for at a time


class Serve:
    """What one connection gives from blobs (`Blobs`)."""

    def __init__(self, blobs):
        self._blobs = blobs
        self._windows = []  # [hash, next offset, chunks left]
        self._sent, self._proven = [], []  # hashes of what went out whole; the latter by the next answer

    def want(self, name, offset):
        """Take a request. Raises NOT_WANTED for what is not here, not ours, or too much at a time."""
        self._windows = [window for window in self._windows if window[0] != name]
        if not self._blobs.is_own(name) or offset > self._blobs.size(name):
            raise ProtocolError(NOT_WANTED, "want")
        if len(self._windows) == MAX_WINDOWS:
            raise ProtocolError(NOT_WANTED, "too many wants at a time")
        self._windows.append([name, offset, CHUNKS_PER_WANT])

    def next_chunk(self):
        """Return the fields of the next `blob` message, or None."""
        while self._windows:
            window = self._windows[0]
            name, offset, left = window
            if not self._blobs.has(name):  # gone in the meantime: oldest pictures make room
                self._windows.pop(0)
                continue
            total = self._blobs.size(name)
            data = self._blobs.read(name, offset, MAX_CHUNK)
            window[1], window[2] = offset + len(data), left - 1
            if window[1] >= total or not window[2]:
                self._windows.pop(0)
            if window[1] >= total:
                self._sent.append(name)
            return {"hash": name, "offset": offset, "total": total, "data": data}
        return None

    def answered(self):
        """The server has answered a status. It has got what was sent before the answer to the one before."""
        for name in self._proven:
            if self._blobs.has(name):
                self._blobs.delivered(name)
        self._proven, self._sent = self._sent, []
