"""A fleet: any number of units on the protocol's own code, against a real server, for load.

Each `Client` does what the firmware does on its line, and nothing of what it does at its door: it shakes
hands, says its status, takes its manifest, fetches and checks the blobs that it lacks, and reports a delivery
in signed heads, each of which it holds against the server's receipt. What it delivers it has read in its own
order.
"""

import asyncio
import hashlib
import os
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field

from doorward_firmware.sync import contents
from doorward_protocol import channel, edhoc, merkle, messages, objects
from doorward_protocol.errors import ProtocolError
from doorward_protocol.suite_openssl import OpenSSLSuite
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from .fleet_delivery import Journal, journal_of

EPOCH = 1
CONNECT_AT_ONCE = 32  # handshakes under way; a bank's units do not all boot in one second
FETCH_AT_ONCE = 64
PATIENCE_SECONDS = 120.0  # for one answer, of a server that has a thousand others to serve

Pair = tuple[bytes, bytes]  # private and public key


@dataclass(frozen=True)
class Authorities:
    """Whom the units trust: the server's key of the handshake, and its signing authority."""

    server_kid: bytes
    server_key: bytes
    dispatch_kid: bytes
    dispatch_key: bytes


@dataclass(frozen=True)
class FleetUnit:
    """One registered unit: who it is, its two key pairs, and the blobs it got on the bench."""

    kid: bytes
    dh: Pair
    signing: Pair
    held: frozenset[bytes]


@dataclass
class Phase:
    """What one phase took: seconds on the wall, units that failed in it."""

    seconds: float
    failures: list[str]


@dataclass
class Delivered:
    """The third phase: seconds until a receipt since its head left, and since its first record did."""

    stored: list[float] = field(default_factory=list)
    receipts: list[float] = field(default_factory=list)


class FleetError(Exception):
    """The server did not do what the protocol says; the text names it."""


class Client:
    """One unit. `connect`, `fetch_orders`, `deliver`, `close`: in this order."""

    def __init__(self, unit: FleetUnit, authorities: Authorities, suite: OpenSSLSuite, url: str) -> None:
        self._unit = unit
        self._trust = authorities
        self._suite = suite
        self._url = url
        self._socket: ClientConnection
        self._channel: channel.Channel
        self._manifest: dict = {}
        self._order: dict = {}
        self.fetched_bytes = 0
        self.journal = Journal([], {})
        self._unasked: set[bytes] = set()  # pictures that the server has not fetched

    async def connect(self) -> None:
        """Shake hands, and wait for the server's proof of it: its first `time`."""
        self._socket = await connect(self._url, compression=None, ping_interval=None, max_queue=64)
        trust = self._trust
        initiator = edhoc.Initiator(
            self._suite, *_swapped(self._unit), {trust.server_kid: trust.server_key}.get
        )
        await self._socket.send(await initiator.message_1())
        await self._socket.send(await initiator.message_3(await self._receive_frame()))
        self._channel = channel.Channel.after(initiator)
        await self._receive("time")

    async def fetch_orders(self) -> None:
        """Say the status, take the manifest, fetch what is listed and not held, say that all is there."""
        await self._say_status()
        offered = (await self._receive("object"))["object"]
        dispatch = {self._trust.dispatch_kid: self._trust.dispatch_key}
        self._manifest = await objects.verify(self._suite, "manifest", offered, dispatch)
        held = dict.fromkeys(self._unit.held, b"")
        people: dict[int, dict] = {}
        for kind, _, _, name, size in self._manifest["entries"]:  # by kind: the roster before the orders
            if name not in held:
                held[name] = await self._fetch(name)
                if len(held[name]) != size:
                    raise FleetError("a blob has another size than its manifest says")
            if kind == objects.ROSTER:
                rows = objects.decode_blob("roster", held[name])["people"]
                people = {person["id"]: person for person in (objects.part("person", row) for row in rows)}
            if kind == objects.ORDER:
                self._order = objects.decode_blob("order", held[name])
                for inner in contents.of_order(self._order, people):
                    if inner not in held:
                        held[inner] = await self._fetch(inner)
        if not self._order:
            raise FleetError("the manifest lists no order")
        await self._send("have", manifest=self._manifest["version"], complete=True, missing=[])

    async def deliver(self, records: int, heads: int, delivered: Delivered) -> None:
        """Report the order's delivery; every head waits for the receipt of the one before it."""
        entries = self.journal.entries
        frontier = merkle.Frontier()
        for number in range(heads):
            begin = time.perf_counter()
            for index in range(records * number // heads, records * (number + 1) // heads):
                await self._send("record", epoch=EPOCH, index=index, entry=entries[index])
                frontier.append(merkle.leaf_hash(entries[index]))
            signed = await self._sign_head(frontier)
            sent = time.perf_counter()
            await self._send("head", object=signed)
            await self._check_receipt((await self._receive("stored"))["object"], frontier)
            end = time.perf_counter()
            delivered.stored.append(end - begin)
            delivered.receipts.append(end - sent)
        while self._unasked:
            await self._receive("want")

    def prepare(self, records: int) -> None:
        """Write the journal that `deliver` reports: what happened before the line was up."""
        self.journal = journal_of(self._order, self._manifest["version"], records, self._suite.random)
        self._unasked = set(self.journal.pictures)

    async def close(self) -> None:
        """Close; harmless before `connect`."""
        if hasattr(self, "_socket"):
            with suppress(OSError, WebSocketException):
                await self._socket.close()

    async def _say_status(self) -> None:
        await self._send(
            "status",
            nonce=self._suite.random(8),
            manifest=0,
            epoch=EPOCH,
            size=0,
            acknowledged=0,
            clock=0,
            time=_now(),
            firmware="fleet",
            health=[],
        )

    async def _fetch(self, name: bytes) -> bytes:
        """A whole blob, in pieces of 16 chunks as a unit asks for them; checked by its hash."""
        data = bytearray()
        total = None
        while total is None or len(data) < total:
            await self._send("want", hash=name, offset=len(data))
            for _ in range(messages.CHUNKS_PER_WANT):
                chunk = await self._receive("blob")
                if chunk["hash"] != name or chunk["offset"] != len(data):
                    raise FleetError("a chunk of another blob, or out of its place")
                data += chunk["data"]
                total = chunk["total"]
                if len(data) >= total:
                    break
        self.fetched_bytes += len(data)
        if hashlib.sha256(data).digest() != name:
            raise FleetError("a blob's content does not have its hash")
        return bytes(data)

    async def _sign_head(self, frontier: merkle.Frontier) -> bytes:
        fields = {"unit": self._unit.kid, "epoch": EPOCH, "size": frontier.size, "root": frontier.root()}
        private = self._unit.signing[0]
        return await objects.sign(
            self._suite, private, self._unit.kid, "head", **fields, time=_now(), previous=None
        )

    async def _check_receipt(self, data: bytes, frontier: merkle.Frontier) -> None:
        dispatch = {self._trust.dispatch_kid: self._trust.dispatch_key}
        receipt = await objects.verify(self._suite, "receipt", data, dispatch)
        said = (receipt["unit"], receipt["epoch"], receipt["size"], receipt["root"])
        if said != (self._unit.kid, EPOCH, frontier.size, frontier.root()):
            raise FleetError("a receipt for something else than the head")

    async def _send_picture(self, name: bytes) -> None:
        content = self.journal.pictures[name]
        await self._send("blob", hash=name, offset=0, total=len(content), data=content)
        self._unasked.discard(name)

    async def _send(self, name: str, **fields: object) -> None:
        await self._socket.send(self._channel.seal(messages.encode(name, **fields)))

    async def _receive_frame(self) -> bytes:
        async with asyncio.timeout(PATIENCE_SECONDS):
            data = await self._socket.recv()
        if isinstance(data, str):
            raise FleetError("the server sent a text")
        return data

    async def _receive(self, name: str) -> dict:
        """The next message of this name. `time` and `want` may come at any moment; `refused` must not."""
        while True:
            got, fields = messages.decode(self._channel.open(await self._receive_frame()), messages.TO_UNIT)
            if got == "want":
                await self._send_picture(fields["hash"])
            if got == name:
                return fields
            if got == "refused":
                raise FleetError(f"the server refused a {fields['what']}, reason {fields['reason']}")


class Fleet:
    """All clients, through the phases. `told(n)` hears how many units are through the phase in work."""

    def __init__(self, units: list[FleetUnit], authorities: Authorities, url: str) -> None:
        suite = OpenSSLSuite(os.urandom)
        self.clients = [Client(unit, authorities, suite, url) for unit in units]
        self._through = self.clients  # of all phases so far

    async def connect(self, told: Callable[[int], None]) -> Phase:
        """Connect everybody."""
        return await self._all(lambda one: one.connect(), CONNECT_AT_ONCE, told)

    async def fetch_orders(self, told: Callable[[int], None]) -> Phase:
        """Let everybody fetch what their manifest lists."""
        return await self._all(lambda one: one.fetch_orders(), FETCH_AT_ONCE, told)

    async def deliver(
        self, records: int, heads: int, delivered: Delivered, told: Callable[[int], None]
    ) -> Phase:
        """Let everybody deliver at once."""
        for client in self._through:
            client.prepare(records)
        return await self._all(lambda one: one.deliver(records, heads, delivered), len(self.clients), told)

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(client.close() for client in self.clients))

    async def _all(
        self,
        action: Callable[[Client], Coroutine[None, None, None]],
        at_once: int,
        told: Callable[[int], None],
    ) -> Phase:
        gate = asyncio.Semaphore(at_once)
        failures: list[str] = []
        through: list[Client] = []
        done = 0

        async def one(number: int, client: Client) -> None:
            nonlocal done
            async with gate:
                try:
                    await action(client)
                    through.append(client)
                except (FleetError, ProtocolError, OSError, TimeoutError, WebSocketException) as problem:
                    failures.append(f"unit {number}: {type(problem).__name__}: {problem}")
            done += 1
            told(done)

        begin = time.perf_counter()
        await asyncio.gather(*(one(number, client) for number, client in enumerate(self._through)))
        self._through = through
        return Phase(time.perf_counter() - begin, failures)


def _swapped(unit: FleetUnit) -> tuple[bytes, bytes, bytes]:
    """What the initiator asks for: private key, kid, public key."""
    return unit.dh[0], unit.kid, unit.dh[1]


def _now() -> int:
    return time.time_ns() // 1_000_000
