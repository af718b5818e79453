"""Which journal entry goes to the server next, and when its head.

What is appended while connected is the *live feed* and goes at once. What was appended before and is not
acknowledged is the *backlog*; it goes in order between live entries, never before them. A signed head follows
within 2 s of a live entry, or at once at the end of a handover. While there is a backlog, heads cover what
has been sent of it, step by step, so a line that breaks again and again still makes progress.

Epochs that have ended get no heads: the record that began the next one names theirs.
"""

from doorward_protocol.compat import const

HEAD_AFTER_MS = const(1_500)  # after the first entry that no head covers; signing and sending take the rest
BACKLOG_STEP = const(256)  # entries from one head to the next


class Feed:
    """The feed of one connection. A place is (epoch, index); times are monotonic ms."""

    def __init__(self, journal):
        self._journal = journal
        self._backlog = journal.first_unacknowledged()  # None when it has been sent
        self._live = self._end = (journal.epoch, journal.size)
        self._head_sent = self._backlog
        self._head_due = None

    def next_live(self, now):
        """Return (epoch, index, entry) of the next live entry, or None."""
        leaf = self._journal.next_leaf(self._live)
        if leaf is not None:
            self._live = (leaf[0], leaf[1] + 1)
            if self._head_due is None:
                self._head_due = now + HEAD_AFTER_MS
        return leaf

    def next_backlog(self, now):
        """Return (epoch, index, entry) of the next entry of the backlog, or None."""
        if self._backlog is None:
            return None
        leaf = self._journal.next_leaf(self._backlog) if self._backlog < self._end else None
        if leaf is None or leaf[:2] >= self._end:
            self._backlog = None
            self._head_due = now
            return None
        self._backlog = (leaf[0], leaf[1] + 1)
        return leaf

    def send_all_again(self):
        """The server lacks what it once had: send everything that is still here."""
        self._backlog, self._end = self._journal.first_kept(), self._live
        self._head_sent = self._backlog

    def head_now(self, now):
        """Let the head follow at once."""
        self._head_due = now

    def head_place(self, now):
        """Return (epoch, size) of the head that has to be sent now, or None."""
        if self._backlog is None:
            due = self.head_deadline()
            return (self._journal.epoch, self._journal.size) if due is not None and now >= due else None
        epoch, size = self._backlog
        covered = self._head_sent[1] if self._head_sent[0] == epoch else 0
        return self._backlog if epoch == self._journal.epoch and size - covered >= BACKLOG_STEP else None

    def head_deadline(self):
        """Return when a head is due, or None: while there is nothing new, or a backlog."""
        if self._backlog is not None or (self._journal.epoch, self._journal.size) == self._head_sent:
            return None
        return self._head_due

    def head_sent(self, place):
        """The head of (epoch, size) was signed and sent."""
        self._head_sent = place
        if self._backlog is None:
            self._head_due = None
