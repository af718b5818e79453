"""One connection of one unit: handshake, then a dispatch of its messages. The server speaks first: `time`.

Whatever a unit must not send (garbage, an unknown message, one for the other direction, a frame out of
sequence) is answered with `refused` where the channel still stands, alarms, and closes the connection. It
never ends more than this connection.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from doorward_protocol import channel, cose, edhoc, messages, objects
from doorward_protocol.errors import BAD_HASH, NAMES, NOT_WANTED, TIMED_OUT, TOO_LARGE, ProtocolError
from sqlmodel import Session

from doorward_server.link import state
from doorward_server.link.heads import refused_for_gap
from doorward_server.link.outbox import Outbox
from doorward_server.link.pictures import Pictures
from doorward_server.link.received import ReceivedHead, ReceivedPicture, ReceivedRecord
from doorward_server.units import authority

if TYPE_CHECKING:
    from doorward_server.link.links import Links

log = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 30  # a device needs two for its arithmetic, a poor line some more
POLICY_VIOLATION = 1008  # RFC 6455 §7.4.1
GOING_AWAY = 1001
INTERNAL_ERROR = 1011

Result = TypeVar("Result")


class Carrier(Protocol):
    """What carries the bytes: one binary message at a time."""

    async def receive(self) -> bytes | None:
        """The next message; None once the other side has gone."""

    async def send(self, data: bytes) -> None: ...

    async def close(self, code: int, reason: str) -> None: ...


class LinkSession:
    """A unit's connection from its first byte to its last. `run` is the whole life of it."""

    def __init__(self, links: "Links", carrier: Carrier) -> None:
        self._links = links
        self._services = links.services
        self._carrier = carrier
        # Both are there once the handshake is done, and nothing is received or sent before.
        self._channel: channel.Channel
        self._task: asyncio.Task[None] | None = None
        self._allowed: set[bytes] = set()
        self._greeted = False  # by a first status
        self._offered = 0  # manifests
        self._asked_for_all = False
        self.outbox = Outbox(self._send)
        self.unit_id = 0
        self.kid = b""
        self.pictures: Pictures
        # The task of `run`, which may be cancelled as long as it shakes hands.
        self.handshake: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve the connection until either side ends it."""
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                if not await self._handshake():
                    return
        except TimeoutError:
            await self._carrier.close(POLICY_VIOLATION, NAMES[TIMED_OUT])
            return
        except ProtocolError as problem:
            log.info("a handshake was refused: %s", problem)
            await self._carrier.close(POLICY_VIOLATION, NAMES[problem.reason])
            return
        await self._serve()

    def stop(self) -> None:
        """End the connection: a newer one took its place, or its records could not be stored."""
        task = self._task or self.handshake
        if task is not None:
            task.cancel()

    def offer_manifest(self, data: bytes, listed: set[bytes]) -> None:
        """Send a manifest; from now on the unit may fetch what it lists."""
        self._allowed |= listed
        self._offered += 1
        self.outbox.put("object", kind="manifest", object=data)

    async def _handshake(self) -> bool:
        """EDHOC as the Responder. False if the other side went away; raises ProtocolError."""
        key = authority.server_key(self._services)
        responder = edhoc.Responder(
            self._services.suite, key.private, key.kid, key.public, self._links.public_key_of
        )
        message_1 = await self._carrier.receive()
        if message_1 is None:
            return False
        await self._carrier.send(await responder.message_2(message_1))
        message_3 = await self._carrier.receive()
        if message_3 is None:
            return False
        await responder.finish(message_3)
        self.kid = responder.peer_kid
        self._channel = channel.Channel.after(responder)
        return True

    async def _serve(self) -> None:
        self.outbox.put("time", nonce=None, time=self._services.clock.milliseconds())
        sender = asyncio.create_task(self.outbox.run())
        self._task = asyncio.create_task(self._receive_all())
        code, reason = GOING_AWAY, ""
        try:
            done, _ = await asyncio.wait({sender, self._task}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.cancelled():
                    task.result()
        except ProtocolError as problem:
            code, reason = POLICY_VIOLATION, NAMES[problem.reason]
            await self._complain(problem)
        except ConnectionError:
            log.debug("unit %s is gone", self.kid.hex())
        except Exception:  # such as a full disk: this unit connects again and repeats itself
            log.exception("the connection of unit %s failed", self.kid.hex())
            code = INTERNAL_ERROR
        finally:
            for task in (sender, self._task):
                task.cancel()
            await asyncio.gather(sender, self._task, return_exceptions=True)
            await self._links.remove(self)
            await self._carrier.close(code, reason)

    async def _complain(self, problem: ProtocolError) -> None:
        log.warning("unit %s sent what it must not: %s", self.kid.hex(), problem)
        self._links.note_abuse(self.unit_id, problem)
        if self._channel.closed:
            return  # nothing can be said on a channel that has lost its sequence
        try:
            self.outbox.put(
                "refused", what="frame", reference=b"", reason=problem.reason, detail=problem.detail
            )
            await self.outbox.flush()
        except (ProtocolError, ConnectionError):
            log.debug("unit %s is gone before it could be told", self.kid.hex())

    async def _receive_all(self) -> None:
        await self._links.add(self)
        while True:
            frame = await self._carrier.receive()
            if frame is None:
                return
            name, fields = messages.decode(self._channel.open(frame), messages.TO_SERVER)
            await getattr(self, f"_on_{name}")(fields)

    async def _send(self, plaintext: bytes) -> None:
        await self._carrier.send(self._channel.seal(plaintext))

    async def _share(self, action: Callable[[Session], Result]) -> Result:
        return await self._links.writer.share(self.unit_id, action)

    async def _on_status(self, fields: dict) -> None:
        now = self._services.clock.milliseconds()
        self.outbox.put("time", nonce=fields["nonce"], time=now)
        first, self._greeted = not self._greeted, True
        offered = self._offered
        answer = await self._share(
            lambda session: state.note_status(session, self.unit_id, fields, now, first)
        )
        self._allowed |= answer.listed
        if answer.manifest is not None and offered == self._offered:  # else a newer one was faster
            self.offer_manifest(answer.manifest, answer.listed)
        if answer.receipt is not None:
            self.outbox.put("stored", object=answer.receipt)
        if answer.lacking:
            self.ask_for_all()
        for name in answer.pictures:
            self.pictures.want(name)

    def ask_for_all(self) -> None:
        """Let the unit send everything again that it keeps: records are missing here."""
        self._refuse_head(b"", refused_for_gap())
        self._asked_for_all = True

    def note_gap(self, head: bytes) -> None:
        """A head of the unit has waited for its records for too long.

        What it does not send again even when asked, it has no more. A new epoch names what is missing and
        goes on: else no record of this unit would ever have a receipt again.
        """
        if not self._asked_for_all:
            self.ask_for_all()
            return
        root = objects.payload_fields("head", cose.peek_payload(head))["root"]
        self._refuse_head(root, ProtocolError(BAD_HASH, "records before this head are lost"))

    def _refuse_head(self, root: bytes, problem: ProtocolError) -> None:
        self.outbox.put("refused", what="head", reference=root, reason=problem.reason, detail=problem.detail)

    async def _on_record(self, fields: dict) -> None:
        now = self._services.clock.milliseconds()
        item = ReceivedRecord(self.unit_id, fields["epoch"], fields["index"], fields["entry"], now)
        await self._links.ingest.put(item)

    async def _on_head(self, fields: dict) -> None:
        now = self._services.clock.milliseconds()
        await self._links.ingest.put(ReceivedHead(self.unit_id, fields["object"], now))

    async def _on_have(self, fields: dict) -> None:
        await self._share(lambda session: state.note_have(session, self.unit_id, fields))

    async def _on_want(self, fields: dict) -> None:
        name, offset = fields["hash"], fields["offset"]
        content = None
        if name in self._allowed:
            content = await self._links.contents.get(name)
        if content is None:
            self.outbox.put("refused", what="want", reference=name, reason=NOT_WANTED, detail="not listed")
        elif offset >= len(content):
            self.outbox.put("refused", what="want", reference=name, reason=TOO_LARGE, detail="offset")
        else:
            self.outbox.put_blob(name, offset, content)

    async def _on_blob(self, fields: dict) -> None:
        try:
            content = self.pictures.take(fields)
        except ProtocolError as problem:
            self.outbox.put(
                "refused", what="blob", reference=fields["hash"], reason=problem.reason, detail=problem.detail
            )
            return
        if content is not None:
            await self._links.ingest.put(ReceivedPicture(self.unit_id, fields["hash"], content))

    async def _on_refused(self, fields: dict) -> None:
        if fields["what"] == "want":
            self.pictures.refused(fields["reference"])
        await self._share(lambda session: state.note_refused(session, self.unit_id, fields))
