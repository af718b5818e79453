"""The sweep finds what it looks for: recordings in which something was forgotten, or done too early."""

import hashlib
import random

import pytest
from doorward_firmware.logic import entering
from doorward_firmware.logic.handover import Handover
from doorward_firmware.logic.task import Task
from doorward_firmware.store import identity as identities
from doorward_firmware.store.blobs import Blobs
from doorward_firmware.store.journal import Journal
from doorward_firmware.store.state import State
from doorward_protocol import errors, messages, records
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite
from doorward_protocol.trust import sign_trust
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
        identity.trust_object = trust_object(suite)
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


def trust_object(suite):
    """Anybody's: who signed it is not asked at a start."""
    private, public = run(suite.new_key())
    fields = {
        "version": 1,
        "server_kid": b"server00",
        "server_key": public,
        "dispatch_kid": b"dispatch",
        "dispatch_key": public,
        "roots": [[b"root0000", public]],
        "threshold": 1,
    }
    return run(sign_trust(suite, [(private, b"root0000")], **fields))


def search(scene, counted=True):
    if counted:
        scene.state.set("lockout_outer", [1, 0])
    scene.depart(SEARCH, records.PANEL_OUTER)


def take_in_hand(scene, nonce=NONCE):
    task = Task(TASK, nonce, b"epc", 1, 1)
    scene.state.set(*entering.hand(Handover().but(task=task), entering.RUNNING)[1:])


def announce(scene):
    take_in_hand(scene)
    scene.journal.append(
        "vehicle",
        task=TASK,
        nonce=NONCE,
        vehicle=1,
        epc=b"epc",
        tid=b"tid",
        order_version=1,
        manifest=1,
        last_contact=0,
    )


def close(scene):
    announce(scene)
    scene.journal.append("closed", task=TASK, nonce=NONCE, officer=1, crew=2, boxes=0, order_version=1)


def test_what_is_done_in_the_right_order_has_no_problems():
    scene = Scene()
    scene.send_record(0, scene.journal.entry(scene.journal.append("sensor", name="n", reason=0, detail="")))
    scene.release(record_first=True)
    search(scene)
    close(scene)
    assert scene.problems() == []


def test_a_door_that_moves_before_its_record():
    scene = Scene()
    scene.release(record_first=False)
    found = scene.problems()
    assert any("its record came later" in text for text in found)
    assert any("door 1 moved 1 times, 0 records say so" in text for text in found)


def test_a_record_that_is_sent_before_it_is_durable():
    scene = Scene()
    other = Scene()  # whose entry is the same, for its salts are
    entry = other.journal.entry(other.journal.append("sensor", name="n", reason=0, detail=""))
    scene.send_record(0, entry)
    scene.journal.append("sensor", name="n", reason=0, detail="")
    found = scene.problems()
    assert any("sent before it was durable" in text for text in found)
    assert any("was sent and is lost" in text for text in found)


def test_a_free_finger_attempt():
    scene = Scene()
    search(scene, counted=False)
    scene.state.set("lockout_outer", [1, 0])
    assert any("panel 1: 1 attempts, 0 counted" in text for text in scene.problems())


def test_a_picture_that_a_record_names_too_early():
    scene = Scene()
    name = hashlib.sha256(b"picture").digest()
    scene.journal.append("crew", task=TASK, nonce=NONCE, people=[1], picture=name)
    scene.blobs.put(b"picture")
    assert any("its picture is lost" in text for text in scene.problems())


def test_a_command_that_is_obeyed_before_it_is_used_up():
    scene = Scene()
    fields = {"approved": True, "by": [1], "where": 1, "head_count": 2, "picture": None, "reason": None}
    scene.journal.append("approval", task=TASK, nonce=NONCE, command=bytes(16), **fields)
    scene.state.set("commands", [0, [[bytes(16), WALL]]])
    assert any("could be used again" in text for text in scene.problems())


def test_a_closed_task_that_is_forgotten():
    scene = Scene()
    scene.journal.append("closed", task=TASK, nonce=NONCE, officer=1, crew=2, boxes=0, order_version=1)
    scene.state.set("boot", 2)
    assert any("is closed, and forgotten" in text for text in scene.problems())


def restart(scene):
    scene.journal.append("restarted", task=TASK, nonce=NONCE, reason=errors.UNIT_RESTARTED)
    scene.state.set("hand", None)


def test_a_next_attempt_may_end_before_it_was_announced():
    scene = Scene()
    announce(scene)
    restart(scene)
    take_in_hand(scene, b"nonce002")
    assert scene.problems() == []


def test_flash_that_loses_what_it_had():
    scene = Scene()
    for _ in range(3):
        scene.journal.append("sensor", name="n", reason=0, detail="")
    scene.send_record(2, scene.journal.entry(2))
    sector = 1  # of the ring, where its first sequence lies
    scene.flash["journal"].erase(sector)
    scene.state.set("boot", 2)
    assert any("is lost" in text for text in scene.problems())


@pytest.mark.parametrize("count", [1, 7, 40])
def test_spread_points_lie_in_equal_parts(count):
    points = spread(count, 1000, 3)
    assert len(points) == count
    assert [point * count // 1000 for point in points] == list(range(count))
    assert points == spread(count, 1000, 3)
    assert count == 1 or points != spread(count, 1000, 4)
