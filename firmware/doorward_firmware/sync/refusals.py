"""What was refused, recorded once: an attacker or a broken peer shall not be able to fill the journal."""

from doorward_protocol.compat import const

from doorward_firmware.store.journal import JournalFull

MAX_DETAIL = const(80)  # characters
REPEAT_MS = const(3_600_000)  # failures to connect are recorded again after this


class Refusals:
    """Records refusals in journal: each kind once per connection, failures to connect once an hour."""

    def __init__(self, journal, clock):
        self._journal, self._clock = journal, clock
        self._seen = set()
        self._failed = {}  # (what, reason) -> monotonic ms

    def connected(self):
        """A new connection begins."""
        self._seen.clear()

    def record(self, what, error, reference=None):
        """Record that something was refused, unless its kind already was on this connection."""
        kind = (what, error.reason)
        if kind not in self._seen:
            self._seen.add(kind)
            self._append(what, error, reference)

    def record_failure(self, what, error):
        """Record that a connection was refused or ended for a reason, unless it just was."""
        kind, now = (what, error.reason), self._clock.ticks()
        if kind not in self._failed or now - self._failed[kind] >= REPEAT_MS:
            self._failed[kind] = now
            self._append(what, error, None)

    def _append(self, what, error, reference):
        detail = error.detail[:MAX_DETAIL]
        try:
            self._journal.append(
                "refusal", what=what, reference=reference, reason=error.reason, detail=detail
            )
        except JournalFull:  # what was refused stays refused
            pass
