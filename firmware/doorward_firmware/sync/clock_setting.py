"""The unit's clock after the server's: one question, one answer that repeats its nonce, half the way back.

A `status` carries a fresh nonce; the `time` that echoes it is at most one round trip old, so half of the
round trip is added. An answer that took too long, that comes twice or that nobody asked for sets nothing.
"""

from doorward_protocol.compat import const
from doorward_protocol.errors import CLOCK_UNSURE, NOT_WANTED, ProtocolError
from doorward_protocol.records import CLOCK_SURE

from doorward_firmware.store.journal import JournalFull

MAX_ROUND_TRIP_MS = const(20_000)  # a third of what a clock may be off
JUMP_MS = const(1000)  # smaller corrections are not worth a record


class ClockSetting:
    """Sets clock from the server's answers and records it in journal."""

    def __init__(self, clock, journal, random):
        self._clock, self._journal, self._random = clock, journal, random
        self._nonce, self._asked = None, 0

    def ask(self):
        """Return the nonce (8 bytes) for a status that is sent now."""
        self._nonce, self._asked = self._random(8), self._clock.ticks()
        return self._nonce

    def answer(self, nonce, server_time):
        """Take a `time` message; server_time in ms since 1970 UTC. Raises NOT_WANTED or CLOCK_UNSURE."""
        if nonce is None or nonce != self._nonce:
            raise ProtocolError(NOT_WANTED, "time")
        self._nonce = None
        round_trip = self._clock.ticks() - self._asked
        if round_trip > MAX_ROUND_TRIP_MS:
            return
        before, was_sure = self._clock.now(), self._clock.state() == CLOCK_SURE
        after = server_time + round_trip // 2
        if self._clock.set(after) is False:
            raise ProtocolError(CLOCK_UNSURE, "the server's time lies before ours")
        if abs(after - before) > JUMP_MS or not was_sure:
            try:
                self._journal.append("clock_set", before=before, after=after)
            except JournalFull:  # the right time is worth more than its record
                pass
