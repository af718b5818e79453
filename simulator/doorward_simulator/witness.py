"""A unit on the protocol's own code that remembers what the server has acknowledged, to hold it against it.

It writes records, signs heads and offers pictures as fast as the server takes them, connects again whenever
the line or the server is gone, and repeats what has no receipt. `Disorder` makes it a nuisance as far as the
protocol allows: it repeats, shuffles, sends heads before their records and heads that are long past.
"""

import asyncio
import contextlib
import hashlib
import random
import time
from typing import Any, NamedTuple

from doorward_protocol import channel, edhoc, merkle, messages, objects, records
from doorward_protocol.errors import ProtocolError
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

EPOCH = 1
BURST = 12  # records before a head
AHEAD = 120  # records without a receipt before it waits for one
PATIENCE = 20  # s without a receipt, though one is due, before it connects again
AGAIN_SECONDS = 0.05
STATUS_SECONDS = 0.5
_GONE = (OSError, WebSocketException, ProtocolError, TimeoutError)


class BrokenWordError(Exception):
    """The server's receipt says something else than the journal it is for."""


class Disorder(NamedTuple):
    """How often, of 1: a record twice, a burst shuffled, a head first, an old head or record again."""

    twice: float = 0.0
    shuffled: float = 0.0
    head_first: float = 0.0
    stale: float = 0.0


NO_DISORDER = Disorder()


class ServerKeys(NamedTuple):
    """What a unit's trust object names: kid and public key of the handshake, and of receipts."""

    handshake: tuple[bytes, bytes]
    receipts: tuple[bytes, bytes]


class Part(NamedTuple):
    """What a witness may truthfully report: a task and what belongs to it, by the server's numbers."""

    task: int
    vehicle: int
    vehicle_tag: tuple[bytes, bytes]
    crew: list[int]
    officer: int
    boxes: list[bytes]


class Witness:
    """One unit. `serve` runs until `may_leave` is set."""

    def __init__(self, name: str, keys: ServerKeys, part: Part, disorder: Disorder = NO_DISORDER) -> None:
        self.name, self._keys, self._part, self._disorder = name, keys, part, disorder
        self._random = random.Random(f"witness/{name}")  # noqa: S311 - what it does, and keys of a test bank
        self._suite = OpenSSLSuite(self._random.randbytes)
        self.kid = self._random.randbytes(8)
        self.dh, self.signing, self.bundle = (run(self._suite.new_key()) for _ in range(3))
        self.entries: list[bytes] = []
        self.pictures: dict[bytes, bytes] = {}  # named in a record, so that the server may ask for them
        self._taken: dict[bytes, bytes] = {}
        self.receipts: dict[int, bytes] = {}  # by the size they cover
        self.refusals: list[tuple[str, int, str]] = []
        self.connections = 0
        self.sent = 0
        self._roots: dict[int, bytes] = {}
        self._heads: dict[int, bytes] = {}
        self._frontier = merkle.Frontier()
        self._story: list[tuple[str, dict[str, Any]]] = []
        self._last = 0
        self._port = 0
        self.is_finishing = False
        self.may_leave = asyncio.Event()

    @property
    def acknowledged(self) -> int:
        """How many records the server has signed for."""
        return max(self.receipts, default=0)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to acknowledge."""
        return self.acknowledged == len(self.entries)

    def finish(self) -> None:
        """Write no more records; see to it that all are acknowledged, and stay until `may_leave` is set.

        Nobody acknowledges a picture: the server asks until it has it, so whoever watches must say when.
        """
        self.is_finishing = True

    def move(self, port: int) -> None:
        """Connect to another port from now on."""
        self._port = port

    async def serve(self, port: int) -> None:
        """Connect, report, connect again. Raises BrokenWordError."""
        self._port = port
        while not self.may_leave.is_set():
            with contextlib.suppress(*_GONE):
                async with connect(
                    f"ws://127.0.0.1:{self._port}/link", compression=None, ping_interval=None, proxy=None,
                    open_timeout=10, close_timeout=0.2,
                ) as socket:  # fmt: skip
                    await Visit(self, socket).run()
            await asyncio.sleep(AGAIN_SECONDS)

    async def shake_hands(self, socket: ClientConnection) -> channel.Channel:
        """EDHOC as the Initiator."""
        kid, public = self._keys.handshake
        initiator = edhoc.Initiator(self._suite, self.dh[0], self.kid, self.dh[1], {kid: public}.get)
        await socket.send(await initiator.message_1())
        await socket.send(await initiator.message_3(await _received(socket)))
        return channel.Channel.after(initiator)

    def take_receipt(self, data: bytes) -> None:
        """Remember a receipt. Raises BrokenWordError if it is not for what this unit has signed."""
        kid, public = self._keys.receipts
        receipt = run(objects.verify(self._suite, "receipt", data, {kid: public}))
        size = receipt["size"]
        if receipt["unit"] != self.kid or receipt["root"] != self._roots.get(size):
            raise BrokenWordError(f"{self.name}: a receipt for {size} records says what nobody signed")
        if self.receipts.setdefault(size, data) != data:
            raise BrokenWordError(f"{self.name}: two receipts for one head of {size} records")

    def next_burst(self, position: int) -> list[int]:
        """The indices to send from `position` on, in order of sending; writes records if none are left."""
        if position == len(self.entries) and not self.is_finishing:
            for _ in range(self._random.randint(1, BURST)):
                self._write()
            self._sign()
        order = list(range(position, min(len(self.entries), position + BURST)))
        chance, mess = self._random.random, self._disorder
        order += [index for index in order if chance() < mess.twice]
        if self.entries and chance() < mess.stale:
            order.append(self._random.randrange(len(self.entries)))
        if chance() < mess.shuffled:
            self._random.shuffle(order)
        return order

    def heads_for(self, size: int) -> tuple[list[bytes], list[bytes]]:
        """Heads to send before and after the records up to `size`; what is sent again need not end at one."""
        signed = max((one for one in self._heads if self.acknowledged < one <= size), default=None)
        heads = [] if signed is None else [self._heads[signed]]
        before = []
        if heads and self._random.random() < self._disorder.head_first:
            before, heads = heads, []
        if self._heads and self._random.random() < self._disorder.stale:
            heads.append(self._heads[self._random.choice(sorted(self._heads))])
        return before, heads

    def first_to_send(self) -> int:
        """Where a new connection begins: at the receipt, or for certainty some records before it."""
        return max(0, self.acknowledged - self._random.choice((0, 0, 1, BURST)))

    def status(self) -> dict[str, Any]:
        """The fields of a `status`."""
        return {
            "nonce": self._random.randbytes(8), "manifest": 0, "epoch": EPOCH, "size": len(self.entries),
            "acknowledged": self.acknowledged, "clock": records.CLOCK_SURE, "time": self._now(),
            "firmware": "witness", "health": [],
        }  # fmt: skip

    def _write(self) -> None:
        if not self._story:
            self._story = self._next_story()
        kind, fields = self._story.pop(0)
        if fields.get("picture") is not None:
            self.pictures[fields["picture"]] = self._taken[fields["picture"]]
        salt = self._random.randbytes(16)
        entry = records.encode(kind, self._now(), records.CLOCK_SURE, 1, salt, **fields)
        self.entries.append(entry)
        self._frontier.append(merkle.leaf_hash(entry))

    def _sign(self) -> None:
        size = len(self.entries)
        self._roots[size] = self._frontier.root()
        self._heads[size] = run(
            objects.sign(
                self._suite, self.signing[0], self.kid, "head", unit=self.kid, epoch=EPOCH, size=size,
                root=self._roots[size], time=self._now(), previous=None,
            )
        )  # fmt: skip

    def _now(self) -> int:
        self._last = max(self._last + 1, int(time.time() * 1000))
        return self._last

    def _picture(self) -> bytes:
        content = b"\xff\xd8" + self._random.randbytes(self._random.randint(500, 12_000)) + b"\xff\xd9"
        name = hashlib.sha256(content).digest()
        self._taken[name] = content
        return name

    def _next_story(self) -> list[tuple[str, dict[str, Any]]]:
        """One attempt at the task, with some of the noise that units report."""
        part = self._part
        epc, tid = part.vehicle_tag
        about = {"task": part.task, "nonce": self._random.randbytes(8)}

        def finger(person: int, panel: int, sensor: str, picture: bytes | None) -> tuple[str, dict[str, Any]]:
            return "finger", {**about, "panel": panel, "person": person, "finger": 1, "duress": False,
                              "score": 90, "sensor": sensor, "picture": picture}  # fmt: skip

        crew_picture = self._picture()
        outer = [finger(one, records.PANEL_OUTER, "outer_fingerprint", self._picture()) for one in part.crew]
        inner = [
            finger(one, records.PANEL_INNER, "inner_fingerprint", None)
            for one in (part.officer, part.crew[0])
        ]
        doors = [
            ("door", {"door": door, "event": event, "cause": records.CAUSE_HANDOVER})
            for door in (records.DOOR_OUTER, records.DOOR_INNER)
            for event in (
                records.DOOR_RELEASED,
                records.DOOR_OPENED,
                records.DOOR_CLOSED,
                records.DOOR_LOCKED,
            )
        ]
        return [
            ("vehicle", {**about, "vehicle": part.vehicle, "epc": epc, "tid": tid, "order_version": 1,
                         "manifest": 1, "last_contact": self._now()}),
            *outer,
            ("crew", {**about, "people": part.crew, "picture": crew_picture}),
            ("approval", {**about, "approved": True, "by": [part.officer], "where": records.WHERE_HOST,
                          "head_count": len(part.crew), "picture": crew_picture, "command": None,
                          "reason": None}),
            *doors,
            ("boxes", {**about, "expected": part.boxes, "read": part.boxes, "missing": [], "foreign": [],
                       "attempt": 1}),
            *inner,
            ("closed", {**about, "officer": part.officer, "crew": part.crew[0], "boxes": len(part.boxes),
                        "order_version": 1}),
            ("left", about),
        ]  # fmt: skip


class Visit:
    """One connection of a witness, from the handshake to its end."""

    def __init__(self, witness: Witness, socket: ClientConnection) -> None:
        self._witness, self._socket = witness, socket
        self._channel: channel.Channel
        self._sending = asyncio.Lock()
        self._receipt = asyncio.Event()

    async def run(self) -> None:
        """Report until the line ends, or everything is acknowledged."""
        self._channel = await self._witness.shake_hands(self._socket)
        await self._receive()  # nothing leaves before the server's first frame has been verified
        self._witness.connections += 1
        await self._send("status", **self._witness.status())
        work = [asyncio.create_task(job()) for job in (self._listen, self._report)]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _report(self) -> None:
        witness = self._witness
        position = witness.first_to_send()
        while not (witness.is_finishing and witness.is_done):
            order = witness.next_burst(position)
            position = max(position, *(index + 1 for index in order)) if order else position
            before, after = witness.heads_for(position)
            for head in before:
                await self._send("head", object=head)
            for index in order:
                await self._send("record", epoch=EPOCH, index=index, entry=witness.entries[index])
                witness.sent += 1
            for head in after:
                await self._send("head", object=head)
            while position - witness.acknowledged > AHEAD or (
                position == len(witness.entries) and witness.is_finishing and not witness.is_done
            ):
                self._receipt.clear()
                async with asyncio.timeout(PATIENCE):
                    await self._receipt.wait()
        while not witness.may_leave.is_set():
            await self._send("status", **witness.status())  # the answer asks for what is missing
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STATUS_SECONDS):
                    await witness.may_leave.wait()

    async def _listen(self) -> None:
        while True:
            name, fields = await self._receive()
            if name == "stored":
                self._witness.take_receipt(fields["object"])
                self._receipt.set()
            elif name == "want":
                await self._send_picture(fields["hash"], fields["offset"])
            elif name == "refused":
                self._witness.refusals.append((fields["what"], fields["reason"], fields["detail"]))

    async def _send_picture(self, name: bytes, offset: int) -> None:
        content = self._witness.pictures[name]
        for start in range(offset, len(content), messages.MAX_CHUNK)[: messages.CHUNKS_PER_WANT]:
            chunk = content[start : start + messages.MAX_CHUNK]
            await self._send("blob", hash=name, offset=start, total=len(content), data=chunk)

    async def _send(self, name: str, **fields: Any) -> None:
        async with self._sending:
            await self._socket.send(self._channel.seal(messages.encode(name, **fields)))

    async def _receive(self) -> tuple[str, dict[str, Any]]:
        return messages.decode(self._channel.open(await _received(self._socket)), messages.TO_UNIT)


async def _received(socket: ClientConnection) -> bytes:
    data = await socket.recv()
    if not isinstance(data, bytes):
        raise ConnectionError("the server sent text")
    return data
