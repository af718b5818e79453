"""A unit's whole link on one side, a small honest server on the other, between them a wire that delays.

The server is made of the protocol's own Responder, Channel and tables, and of `websockets` underneath. It
keeps what it is told by index, answers as the protocol says, and notes everything for the tests.
"""

import asyncio
import hashlib
import random
from datetime import UTC, datetime

import travel
from doorward_firmware.clock import Clock, to_calendar
from doorward_firmware.store import identity as identities
from doorward_firmware.store.blobs import Blobs
from doorward_firmware.store.journal import Journal
from doorward_firmware.store.state import State
from doorward_firmware.sync.link import Link
from doorward_firmware.sync.manifest import Desired
from doorward_protocol import merkle, messages, objects, records
from doorward_protocol.channel import Channel
from doorward_protocol.edhoc import Responder
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite
from doorward_protocol.trust import sign_trust
from doorward_simulator.flash import SECTOR, NorFlash, Partition
from judge import JudgedSocket

NOON = int(datetime(2027, 3, 1, 12, tzinfo=UTC).timestamp() * 1000)
HOUR = 3_600_000
PARTITIONS = {"state": 8, "journal": 32, "blobs": 128}


class Rtc:
    """The chip's clock, `offset` ms wrong; in the bench's virtual time."""

    def __init__(self, offset=0):
        self._base = NOON + offset

    def datetime(self, fields=None):
        return to_calendar(self._base + wall()) if fields is None else None


def wall():
    return round(asyncio.get_running_loop().time() * 1000)


class Authorities:
    """Keys of roots, server and dispatch, and what they sign."""

    def __init__(self, seed=0):
        self.suite = OpenSSLSuite(random.Random(f"authorities {seed}").randbytes)
        self.roots = [run(self.suite.new_key()) for _ in range(3)]
        self.server, self.dispatch = run(self.suite.new_key()), run(self.suite.new_key())

    def trust(self, version=1, signers=(0, 1), **changes):
        kids = [b"root   %d" % number for number in range(3)]
        fields = {
            "version": version,
            "server_kid": b"server 1",
            "server_key": self.server[1],
            "dispatch_kid": b"dispatch",
            "dispatch_key": self.dispatch[1],
            "roots": [[kid, key[1]] for kid, key in zip(kids, self.roots, strict=True)],
            "threshold": 2,
        }
        fields.update(changes)
        return run(sign_trust(self.suite, [(self.roots[n][0], kids[n]) for n in signers], **fields))

    def sign(self, name, key=None, kid=b"dispatch", **fields):
        return run(objects.sign(self.suite, (key or self.dispatch)[0], kid, name, **fields))


class Unit:
    """A unit's stores on flash that outlives it, and its link; made anew for each start."""

    def __init__(self, bench, clock_offset=0):
        self.suite = OpenSSLSuite(bench.random.randbytes)
        partitions = {name: Partition(flash) for name, flash in bench.flash.items()}
        self.state = State(partitions["state"])
        self.state.set("boot", self.state.get("boot", 0) + 1)
        self.identity = identities.read(self.state)
        self.clock = Clock(Rtc(clock_offset))
        self.journal = Journal(partitions["journal"], self.clock, self.suite, self.state)
        self.blobs = Blobs(partitions["blobs"])
        self.desired = Desired(self.identity, self.suite, self.clock, self.journal, self.blobs, self.state)
        self.link = Link(
            self.identity, self.suite, self.clock, self.journal, self.blobs, self.state, self.desired, "0.1.0"
        )
        self.commands, self.news = [], []
        self.link.on_command = lambda fields: self.commands.append(fields)
        self.link.on_desired = lambda: self.news.append(self.desired.version) or []
        self._task: asyncio.Future = asyncio.get_running_loop().create_future()

    def start(self):
        self._task = asyncio.create_task(self.link.run())

    async def stop(self):
        while not self._task.done():  # CPython 3.11's wait_for may swallow a cancellation
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=0.1)

    def append(self, kind_name="left", **fields):
        """Record something and tell the link, as the application does."""
        index = self.journal.append(kind_name, **(fields or {"task": 7, "nonce": bytes(8)}))
        self.link.wake()
        return index

    def entries(self):
        return [entry for _, entry in self.journal.entries(0, 100_000)]

    def refusals(self):
        """(what, reason) of every refusal in the journal."""
        found = [records.decode(entry) for entry in self.entries()]
        return [(one.fields["what"], one.fields["reason"]) for one in found if one.name == "refusal"]


class Server:
    """An honest server for one unit; the attributes are switches and notes."""

    def __init__(self, bench):
        self.bench, self.authorities = bench, bench.authorities
        self.suite = OpenSSLSuite(random.Random(f"server {bench.seed}").randbytes)
        self.leaves, self.times = {}, {}  # (epoch, index) -> entry, and when it came (virtual seconds)
        self.heads, self.head_times, self.said = [], [], []  # said: (name, fields) of every message
        self.conflicts = []  # places that were told twice, with other content
        self.blobs, self.pictures, self.offered = {}, {}, []
        self.chunks_sent = 0
        self.sessions = 0
        self.receipts = True
        self.speaks_first = self.first_time
        self.answers = True  # whether a status gets its `time`
        self.clock_error = 0
        self.static = self.authorities.server
        self.socket: JudgedSocket | None = None
        self.channel: Channel | None = None

    async def serve(self, end):
        """One connection from its first byte to its last."""
        self.socket = JudgedSocket(end)
        await self.socket.accept()
        party = Responder(self.suite, self.static[0], b"server 1", self.static[1], self.bench.unit_key)
        first = await self.socket.receive()
        if first is None:
            return
        self.socket.send(await party.message_2(first))
        third = await self.socket.receive()
        if third is None:
            return
        await party.finish(third)
        self.channel = Channel.after(party)
        self.sessions += 1
        self.speaks_first()
        while (frame := await self.socket.receive()) is not None:
            name, fields = messages.decode(self.channel.open(frame), messages.TO_SERVER)
            self.said.append((name, fields))
            handler = getattr(self, f"on_{name}", None)
            if handler:
                handler(fields)

    def first_time(self):
        self.send("time", nonce=None, time=self.now())

    def now(self):
        return NOON + wall() + self.clock_error

    def send(self, name, **fields):
        self.send_raw(messages.encode(name, **fields))

    def send_raw(self, plaintext):
        assert self.socket
        assert self.channel, "nobody is connected"
        self.socket.send(self.channel.seal(plaintext))

    def offer(self, kind, data):
        """Send an object now, if somebody is there, and with each status."""
        self.offered.append((kind, data))
        if self.channel:
            self.send("object", kind=kind, object=data)

    def on_status(self, fields):
        if not self.answers:
            return
        self.send("time", nonce=fields["nonce"], time=self.now())
        for kind, data in self.offered:
            if kind == "receipt":
                self.send("stored", object=data)
            else:
                self.send("object", kind=kind, object=data)

    def on_record(self, fields):
        place, entry = (fields["epoch"], fields["index"]), fields["entry"]
        if self.leaves.setdefault(place, entry) != entry:
            self.conflicts.append(place)
        self.times.setdefault(place, asyncio.get_running_loop().time())

    def on_head(self, fields):
        head = run(objects.verify(self.suite, "head", fields["object"], self.bench.unit_signers))
        leaves = [self.leaves.get((head["epoch"], index)) for index in range(head["size"])]
        assert None not in leaves, "a head covers what was sent"
        assert head["root"] == merkle.root_of([merkle.leaf_hash(entry) for entry in leaves])
        self.heads.append((head["epoch"], head["size"]))
        self.head_times.append(asyncio.get_running_loop().time())
        if self.receipts:
            self.send("stored", object=self.receipt(head["epoch"], head["size"], head["root"]))

    def receipt(self, epoch, size, root, unit=None):
        unit = unit or self.bench.unit_id
        return self.authorities.sign("receipt", unit=unit, epoch=epoch, size=size, root=root, time=self.now())

    def on_want(self, fields):
        name, offset = fields["hash"], fields["offset"]
        content = self.blobs.get(name)
        if content is None:
            self.send("refused", what="want", reference=name, reason=22, detail="not listed")
            return
        for _ in range(messages.CHUNKS_PER_WANT):
            data = content[offset : offset + messages.MAX_CHUNK]
            self.chunks_sent += 1
            self.send("blob", hash=name, offset=offset, total=len(content), data=data)
            offset += len(data)
            if offset >= len(content):
                break

    def on_blob(self, fields):
        have = self.pictures.get(fields["hash"], b"")
        assert fields["offset"] == len(have)
        self.pictures[fields["hash"]] = have + fields["data"]

    def put(self, content):
        """Hold a blob; returns its hash."""
        name = hashlib.sha256(content).digest()
        self.blobs[name] = content
        return name

    def saw(self, name):
        return [fields for said, fields in self.said if said == name]


class Bench:
    """Everything that outlives a restart of the unit: flash, keys, the server, the wires."""

    def __init__(self, seed=0, delay=0.02, largest=1500):
        self.seed, self.random = seed, random.Random(f"unit {seed}")
        self.authorities = Authorities(seed)
        self.flash = {name: NorFlash(sectors * SECTOR, name, seed) for name, sectors in PARTITIONS.items()}
        suite = OpenSSLSuite(self.random.randbytes)
        identity = run(identities.create(suite))
        identity.trust_object = self.authorities.trust()
        identity.host, identity.port = "server.example", 8000
        identities.write(State(Partition(self.flash["state"])), identity)
        self.unit_id = identity.unit
        self._dh, self.unit_signers = identity.dh[1], {identity.unit: identity.signing[1]}
        self.server = Server(self)
        self.wires, self.plugged = [], True
        self.shape = {"delay": delay, "largest": largest}
        self._serving = []
        self.failures = []

    def unit_key(self, kid):
        return self._dh if kid == self.unit_id else None

    async def dial(self, host, port):
        """Stands in for asyncio.open_connection."""
        assert (host, port) == ("server.example", 8000)
        await asyncio.sleep(0.05)
        if not self.plugged:
            raise OSError(113, "no route")
        wire = travel.Wire(self.seed + len(self.wires), **self.shape)
        self.wires.append(wire)
        self.on_wire(wire)
        self._serving.append(asyncio.create_task(self._serve(wire)))
        return wire.unit, wire.unit

    def server_root(self, epoch, size):
        """The root of what the server holds."""
        leaves = [self.server.leaves[epoch, index] for index in range(size)]
        return merkle.root_of([merkle.leaf_hash(entry) for entry in leaves])

    def on_wire(self, wire):
        """A test's chance to spoil a wire before its first byte."""

    async def _serve(self, wire):
        try:
            await self.server.serve(wire.server)
        except ConnectionResetError:
            pass
        except Exception as failure:
            self.failures.append(failure)
        finally:
            self.server.channel = None
            wire.server.close()

    def cut(self):
        """The wire in use breaks."""
        self.wires[-1].cut()

    async def restart(self):
        """The unit loses its power and starts again; returns the new one."""
        await self.unit.stop()
        self.unit = Unit(self)
        self.unit.start()
        return self.unit

    async def close(self):
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)


async def seconds(count):
    """Let world time pass."""
    await asyncio.sleep(count)


def play(story, bench=None, check=True, may_fork=False, **start):
    """Run `await story(bench, unit)` with a started unit, in virtual time, and tidy up."""
    bench = bench or Bench()

    async def scene():
        asyncio.open_connection = bench.dial
        bench.unit = Unit(bench, **start)
        bench.unit.start()
        try:
            await story(bench, bench.unit)
        finally:
            await bench.unit.stop()
            await bench.close()
        if check:
            assert not bench.failures, bench.failures
        assert may_fork or not bench.server.conflicts, "an index has one content for ever"

    real = asyncio.open_connection
    try:
        travel.run(scene())
    finally:
        asyncio.open_connection = real
    return bench
