"""The conversation on one open session: what is sent next, and what becomes of what comes.

One task sends, the most urgent first: answers and status, live records, the head when it is due, requests for
blobs, then in turn the backlog and the chunks that the server asked for. One task receives. Everything is
idempotent, so a connection may end anywhere and the next one begins with what is not acknowledged.
"""

import asyncio
import hashlib

from doorward_protocol import messages, objects
from doorward_protocol.compat import const
from doorward_protocol.errors import BAD_HASH, BAD_SEQUENCE, WRONG_KIND, WRONG_UNIT, ProtocolError

from doorward_firmware.store.journal import CAUSE_DISAGREES
from doorward_firmware.sync import trust
from doorward_firmware.sync.clock_setting import ClockSetting
from doorward_firmware.sync.commands import id_of
from doorward_firmware.sync.feed import Feed
from doorward_firmware.sync.fetch import Fetch
from doorward_firmware.sync.refusals import MAX_DETAIL
from doorward_firmware.sync.serve import Serve
from doorward_firmware.sync.stream import Disconnected

STATUS_MS = const(30_000)  # from one status to the next: the server's picture of us, and our clock
SILENCE_MS = const(15_000)  # without any frame after a status, which has to be answered, the server is gone
MAX_WAITING = const(32)  # answers that wait to be sent


class Transfer:
    """One connection of link (`Link`) over session (`Session`)."""

    def __init__(self, link, session):
        self._link, self._session = link, session
        self._feed = Feed(link.journal)
        self._fetch = Fetch(link.blobs, link.desired)
        self._serve = Serve(link.blobs)
        self._setting = ClockSetting(link.clock, link.journal, link.suite.random)
        self._waiting = []  # (message name, fields) to send first
        self._status_at = link.clock.ticks()
        self._silent_at = None  # when the server counts as gone
        self._head_root = None  # of the head that was sent last
        self._disagreed = self._sent_again = False
        self._turn = False
        self._answer_have()

    def head_now(self):
        """Let the head follow the records at once."""
        self._feed.head_now(self._link.clock.ticks())

    # Sending

    async def sending(self):
        """Send until the connection ends. Raises Disconnected."""
        link = self._link
        while True:
            link.wakened.clear()
            now = link.clock.ticks()
            if self._silent_at is not None and now >= self._silent_at:
                raise Disconnected("the server is silent")
            message = await self._next(now)
            if message is not None:
                await self._session.send(message[0], **message[1])
                continue
            try:
                await asyncio.wait_for_ms(link.wakened.wait(), max(1, self._deadline() - link.clock.ticks()))
            except asyncio.TimeoutError:
                pass

    def _deadline(self):
        times = (self._status_at, self._silent_at, self._feed.head_deadline(), self._fetch.deadline())
        return min([time for time in times if time is not None])

    async def _next(self, now):
        """The next message as (name, fields), or None if nothing is to be sent now."""
        if now >= self._status_at:
            self._status_at, self._silent_at = now + STATUS_MS, now + SILENCE_MS
            return "status", self._status()
        if self._waiting:
            return self._waiting.pop(0)
        leaf = self._feed.next_live(now)
        if leaf is not None:
            return _record(leaf)
        place = self._feed.head_place(now)
        if place is not None:
            return await self._head(place)
        want = self._fetch.next_want(now)
        if want is not None:
            return "want", {"hash": want[0], "offset": want[1]}
        return self._next_in_turn(now)

    def _next_in_turn(self, now):
        """Backlog and pictures by turns, so that neither waits for the other's end."""
        for _ in range(2):
            self._turn = not self._turn
            if self._turn:
                leaf = self._feed.next_backlog(now)
                if leaf is not None:
                    return _record(leaf)
            else:
                chunk = self._serve.next_chunk()
                if chunk is not None:
                    return "blob", chunk
        return None

    def _status(self):
        link = self._link
        return {
            "nonce": self._setting.ask(),
            "manifest": link.desired.version,
            "epoch": link.journal.epoch,
            "size": link.journal.size,
            "acknowledged": link.journal.acknowledged,
            "clock": link.clock.state(),
            "time": link.clock.now(),
            "firmware": link.firmware,
            "health": link.health(),
        }

    async def _head(self, place):
        link = self._link
        private, unit = link.identity.signing[0], link.identity.unit
        previous = link.journal.previous
        self._head_root = link.journal.root_at(*place)
        self._feed.head_sent(place)
        if self._head_root is None:  # acknowledged leaves that flash has lost since
            return None
        signed = await objects.sign(
            link.suite,
            private,
            unit,
            "head",
            unit=unit,
            epoch=place[0],
            size=place[1],
            root=self._head_root,
            time=link.clock.now(),
            previous=previous[2] if previous[0] else None,
        )
        return "head", {"object": signed}

    def _answer(self, message_name, **fields):
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append((message_name, fields))
        self._link.wakened.set()

    def _answer_have(self):
        desired = self._link.desired
        missing = desired.missing()[: messages.MAX_MISSING]
        self._answer("have", manifest=desired.version, complete=desired.is_complete(), missing=missing)

    # Receiving

    async def receiving(self):
        """Take messages until the connection ends. Raises Disconnected, or ProtocolError for a bad frame."""
        while True:
            data = await self._session.receive()
            if self._silent_at is not None:
                self._silent_at = self._link.clock.ticks() + SILENCE_MS
            self._link.heard()
            what, fields, reference = "message", {}, None
            try:
                what, fields = messages.decode(data, messages.TO_UNIT)
                reference = fields.get("hash")
                if "object" in fields:
                    reference = hashlib.sha256(fields["object"]).digest()
                if what == "object" and fields["kind"] in OBJECTS:
                    what = fields["kind"]
                    await OBJECTS[what](self, fields["object"])
                elif what in MESSAGES:
                    await MESSAGES[what](self, **fields)
                else:
                    raise ProtocolError(WRONG_KIND, what)
            except ProtocolError as error:
                if what == "command":
                    reference = id_of(fields["object"]) or reference
                self._refuse(what, error, reference)
            self._link.wakened.set()

    def _refuse(self, what, error, reference):
        self._link.refusals.record(what, error, reference)
        detail = error.detail[:MAX_DETAIL]
        self._answer("refused", what=what, reference=reference or b"", reason=error.reason, detail=detail)

    async def _take_time(self, nonce, time):
        self._setting.answer(nonce, time)
        self._serve.answered()
        self._silent_at = None

    async def _take_want(self, hash, offset):  # noqa: A002 - the field's name
        self._serve.want(hash, offset)

    async def _take_blob(self, hash, offset, total, data):  # noqa: A002
        if self._fetch.take(hash, offset, total, data, self._link.clock.ticks()):
            self._arrived(hash)

    async def _take_refused(self, what, reference, reason, detail):  # noqa: ARG002
        if what == "want":
            self._fetch.leave(reference)
        elif what == "head" and reason == BAD_HASH and reference == self._head_root:
            self._disagree(self._link.journal.epoch)
        elif what == "head" and reason == BAD_SEQUENCE and not self._sent_again:
            self._sent_again = True
            self._feed.send_all_again()

    async def _take_manifest(self, data):
        if await self._link.desired.accept(data):
            self._link.on_desired()
        self._answer_have()

    async def _take_command(self, data):
        self._link.on_command(await self._link.commands.accept(data))

    async def _take_trust(self, data):
        link = self._link
        await trust.accept(data, link.identity, link.suite, link.state)

    def _arrived(self, name):
        link = self._link
        listed = link.desired.arrived(name)
        complete = link.desired.is_complete()
        if listed or complete:
            link.on_desired()
        if complete:
            self._answer_have()

    async def _take_stored(self, object):  # noqa: A002
        """The server has our journal up to a size, if its root is ours. If not, one of us is not itself."""
        link, journal = self._link, self._link.journal
        fields = await objects.verify(link.suite, "receipt", object, link.identity.dispatch_keys())
        if fields["unit"] != link.identity.unit:
            raise ProtocolError(WRONG_UNIT, "receipt")
        epoch, size = fields["epoch"], fields["size"]
        if epoch < journal.epoch and (epoch, size) <= journal.first_unacknowledged():
            return  # of an epoch that is over
        root = journal.root_at(epoch, size)
        if root == fields["root"]:
            journal.acknowledge(size, epoch)
            link.idle.wake()
        elif root is not None or (epoch, size) > (journal.epoch, journal.size):
            self._disagree(epoch)

    def _disagree(self, epoch):
        """Begin an epoch above the receipt's, once per connection; then the server has to look into it."""
        journal = self._link.journal
        if epoch < journal.epoch:
            return  # that epoch has already been ended
        if self._disagreed:
            raise ProtocolError(BAD_HASH, "receipt")
        self._disagreed = True
        journal.new_epoch(CAUSE_DISAGREES, above=epoch)
        self.head_now()


MESSAGES = {
    "time": Transfer._take_time,
    "want": Transfer._take_want,
    "blob": Transfer._take_blob,
    "refused": Transfer._take_refused,
    "stored": Transfer._take_stored,
}
OBJECTS = {
    "manifest": Transfer._take_manifest,
    "command": Transfer._take_command,
    "trust": Transfer._take_trust,
}


def _record(leaf):
    return "record", {"epoch": leaf[0], "index": leaf[1], "entry": leaf[2]}
