"""The sweep finds what it looks for: recordings in which something was done in the wrong order, or forgotten."""

import random

import pytest
from doorward_firmware.logic import entering
from doorward_firmware.store import identity as identities
from doorward_firmware.store.blobs import Blobs
from doorward_firmware.store.journal import Journal
from doorward_firmware.store.state import State
from doorward_protocol import messages, records
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite
from doorward_simulator.flash import SECTOR, NorFlash, Partition
from doorward_simulator.power.every_piece import EveryPiece, Recording, spread
from doorward_simulator.power.promises import recorded_first
from doorward_simulator.power.recording import FRAME, RELAY, SEARCH, Departure

NONCE, TASK = b"nonce001", 7
WALL = 1_800_000_000_000


class Clock:
    def now(self):
        return WALL

    def state(self):
        return records.CLOCK_SURE


class Scene:
    """Stores of a unit that was provisioned, whose flash and departures are recorded from now on."""

    def __init__(self):
        sizes = {"state": 8, "journal": 8, "blobs": 16}
        self.flash = {label: NorFlash(count * SECTOR, label) for label, count in sizes.items()}
        suite = OpenSSLSuite(random.Random(1).randbytes)
        self.state = State(Partition(self.flash["state"]))
        identity = run(identities.create(suite))
        identity.trust_object = TRUST
        identities.write(self.state, identity)
        self.state.set("boot", 1)
        self.journal = Journal(Partition(self.flash["journal"]), Clock(), suite, self.state)
        self.blobs = Blobs(Partition(self.flash["blobs"]))
        self.initial = {label: bytes(memory.image) for label, memory in self.flash.items()}
        self.pieces, self.departures, self.heard = [], [], []
        for label, memory in self.flash.items():
            memory.on_piece = lambda piece, label=label: self.pieces.append((label, piece))

    def depart(self, kind, what):
        self.departures.append(Departure(kind, what, len(self.pieces), self.journal.size))

    def send(self, name, **fields):
        self.depart(FRAME, len(self.heard))
        self.heard.append(messages.encode(name, **fields))

    def send_record(self, index, entry):
        self.send("record", epoch=1, index=index, entry=entry)

    def release(self, record_first):
        if record_first:
            self.journal.append("door", door=1, event=records.DOOR_RELEASED, cause=1)
        self.depart(RELAY, 1)
        if not record_first:
            self.journal.append("door", door=1, event=records.DOOR_RELEASED, cause=1)

    def problems(self):
        """What a whole sweep over this recording finds."""
        leaves = {(1, index): bytes(entry) for index, entry in self.journal.entries(0, 100)}
        places = ["here"] * len(self.pieces)
        recording = Recording(self.initial, self.pieces, self.departures, leaves, self.heard, places, WALL)
        return recorded_first(self.departures, leaves, self.heard) + EveryPiece(recording, 1).problems()


TRUST = b""


@pytest.fixture(scope="module", autouse=True)
def trust():
    """A trust object's bytes; who signed it is not asked at a start."""
    from doorward_protocol import cbor, objects

    global TRUST
    suite = OpenSSLSuite()
    private, public = run(suite.new_key())
    fields = {
        "version": 1,
        "server_kid": b"server00",
        "server_key": public,
        "dispatch_kid": b"dispatch",
        "dispatch_key": public,
    }
    known = objects.OBJECTS["trust"]
    fields |= {name: [] for name in _names(known) if name not in fields}
    TRUST = cbor.encode([run(objects.sign(suite, private, b"root0001", "trust", **fields))])


def _names(known):
    return [part.split(":")[0] for part in (known[1] if isinstance(known, tuple) else known).split()]
