"""A unit in a small world, provisioned without a server: people with fingers, one van, boxes, one delivery.

The firmware is the real one in its own process; this file plays the provisioning desk, the dispatch that
signs the manifest, and the people.
"""

from random import Random
from typing import Any

from doorward_firmware.store.blobs import Blobs
from doorward_firmware.store.identity import create, write
from doorward_firmware.store.journal import Journal
from doorward_firmware.store.state import State
from doorward_firmware.sync.manifest import Desired
from doorward_protocol import objects
from doorward_protocol.prompts import NUMBERS, PROMPTS
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite
from doorward_protocol.trust import sign_trust
from doorward_simulator.clock import Clock
from doorward_simulator.devices.tags import Tag
from doorward_simulator.enrolment import EnrolmentDesk
from doorward_simulator.fingers import make_finger
from doorward_simulator.flash import Partition
from doorward_simulator.network import Network
from doorward_simulator.portraits import looks
from doorward_simulator.unit import Unit, blank_flash
from doorward_simulator.world import World

EPOCH = 1_772_415_000_000  # 2026-03-02 01:30 UTC
HOUR = 3_600_000
TASK = 7
ESCORTS, OFFICERS = (11, 12), (21,)
PASSWORDS = {"outer_fingerprint": 0x12345678, "inner_fingerprint": 0x9ABCDEF0}
VAN = Tag(bytes.fromhex("3034" + "00" * 9 + "01"), bytes.fromhex("e28011052000" + "0000000000a1"))
BOXES = [Tag(bytes([0x33] * 11 + [n]), bytes.fromhex("e28011052000") + bytes([n] * 6), -50) for n in range(3)]
STRANGER = Tag(bytes([0x33] * 11 + [99]), bytes.fromhex("e28011052000") + bytes([99] * 6), -50)
FINGERS = {person: make_finger(f"app/{person}", 2, 0.93) for person in (*ESCORTS, *OFFICERS, 99)}
LOOKS = looks("app", [(str(person), "escort", False) for person in ESCORTS])

_desk = EnrolmentDesk(seed=5)
TEMPLATES = {person: _desk.enrol(FINGERS[person]) for person in (*ESCORTS, *OFFICERS)}
MODEL = _desk.module.profile.model


def clip_of(prompt):
    """A tenth of a second of sound that no other prompt has."""
    return bytes([NUMBERS[prompt], 1]) * 1600


class FixedClock:
    def ticks(self):
        return 0

    def now(self):
        return EPOCH

    def state(self):
        return 0

    def raise_floor(self, floor):
        pass


class Dispatch:
    """Whoever signs manifests for the unit, and the unit's flash from the outside."""

    def __init__(self, flash, seed=1):
        self.suite = OpenSSLSuite(random=Random(seed).randbytes)
        self.key = run(self.suite.new_key())
        self.kid = b"dispatch"
        self.flash, self.version = flash, 0
        self.state = State(Partition(flash["state"]))
        self.identity = run(create(self.suite))
        root_private, root_public = run(self.suite.new_key())
        self.identity.trust_object = run(
            sign_trust(
                self.suite,
                [(root_private, b"rootroot")],
                version=1,
                server_kid=b"server00",
                server_key=root_public,
                dispatch_kid=self.kid,
                dispatch_key=self.key[1],
                roots=[[b"rootroot", root_public]],
                threshold=1,
            )
        )
        self.identity.host, self.identity.port = "nowhere.example", 8000
        self.identity.passwords = dict(PASSWORDS)
        write(self.state, self.identity)
        self.blobs = Blobs(Partition(flash["blobs"]))

    def put(self, data):
        return self.blobs.put(data, own=False)

    def bitmap(self, width, height, colour):
        head = width.to_bytes(2, "big") + height.to_bytes(2, "big")
        return self.put(head + colour.to_bytes(2, "big") * width * height)

    def person(self, number, role, until=EPOCH + 100 * HOUR):
        finger = [MODEL, 2, False, self.put(TEMPLATES[number])]
        clip = self.put(b"\x01\x02" * (1000 + number))
        label = self.bitmap(240, 32, number)
        photo = self.bitmap(120, 160, number)
        name = f"P{number}"
        return [number, role, EPOCH - HOUR, until, name, name, "C", photo, clip, label, None, [finger]]

    def issue(self, start=-HOUR, end=4 * HOUR, settings=(), fresh=10 * HOUR, version=1, listed=True):
        """Sign a manifest with one delivery and let the unit's flash hold all of it."""
        people = [self.person(n, objects.ESCORT) for n in ESCORTS]
        people += [self.person(n, objects.OFFICER) for n in OFFICERS]
        clip = self.put(b"\x05\x06" * 3000)
        vehicle = [9, "plate", VAN.epc, VAN.tid, clip, self.bitmap(240, 32, 0x07E0)]
        boxes = [[n, f"B{n}", box.epc, box.tid, None] for n, box in enumerate(BOXES)]
        prompts = [
            [n, self.put(clip_of(PROMPTS[n])), self.bitmap(240, 240, 0x20 * n)] for n in sorted(PROMPTS)
        ]
        contents = [
            (objects.CONFIGURATION, 1, self._configuration(settings)),
            (objects.ROSTER, 1, objects.encode_blob("roster", site=1, people=people)),
            (objects.PROMPTS, 1, objects.encode_blob("prompts", language="zh", prompts=prompts)),
        ]
        if listed:
            order = objects.encode_blob(
                "order",
                task=TASK,
                version=version,
                kind=objects.DELIVER,
                site=1,
                window_from=EPOCH + start,
                window_until=EPOCH + start + HOUR,
                expires=EPOCH + end,
                vehicle=vehicle,
                crew=[[n, objects.DUTY_DOOR] for n in ESCORTS],
                officers=list(OFFICERS),
                boxes=boxes,
            )
            contents.append((objects.ORDER, TASK, order))
        self.version += 1
        entries = []
        for kind, number, content in contents:
            entry_version = version if kind == objects.ORDER else self.version
            entries.append([kind, number, entry_version, self.put(content), len(content)])
        manifest = objects.sign(
            self.suite,
            self.key[0],
            self.kid,
            "manifest",
            unit=self.identity.unit,
            version=self.version,
            issued=EPOCH,
            fresh_until=EPOCH + fresh,
            entries=entries,
        )
        clock = FixedClock()
        journal = Journal(Partition(self.flash["journal"]), clock, self.suite, self.state)
        desired = Desired(self.identity, self.suite, clock, journal, self.blobs, self.state)
        run(desired.accept(run(manifest)))
        assert desired.is_complete()

    def _configuration(self, settings):
        return objects.encode_blob(
            "configuration",
            site=1,
            site_type=2,
            name="Site",
            language="zh",
            fail_secure=[2],
            settings=[list(setting) for setting in settings],
        )


class Day:
    """One unit at work. Methods are what people do; `until` waits for a record."""

    def __init__(self, folder, seed=3, **order):
        self.world = World(Clock(EPOCH), seed)
        flash = blank_flash("app")
        self.dispatch = Dispatch(flash)
        self.dispatch.issue(**order)
        self.unit = Unit(self.world, Network(self.world), "app", folder, flash)
        self.parts = self.unit.parts
        self.chance = Random(seed)
        for name, password in PASSWORDS.items():
            self.device(name).settings.password = password
        self.seen = len(self.unit.journal.entries())

    def device(self, name: str) -> Any:
        """An emulated part by the board's name."""
        return self.parts.devices[name]

    def boot(self):
        boots = len(self.fields("boot"))
        self.unit.power_on()
        self.until("boot", boots + 1)
        self.world.run_for(1500)

    def cut_power(self):
        self.unit.power_off()
        self.world.run_for(1000)
        self.boot()

    def records(self):
        """The records since provisioning, as (name, fields)."""
        entries = self.unit.journal.entries()[self.seen :]
        return [(entry.record.name, entry.record.fields) for entry in entries]

    def fields(self, name):
        """The fields of every record of a name since provisioning."""
        return [fields for each, fields in self.records() if each == name]

    def names(self, *without):
        return [name for name, _ in self.records() if name not in without]

    def until(self, name, count=1, limit=60_000):
        """Wait for the count-th record of a name; returns its fields."""
        assert self.world.run_until(lambda: len(self.fields(name)) >= count, limit), self.story(name)
        return self.fields(name)[count - 1]

    def story(self, wanted):
        lines = [f"no {wanted}"] + [f"{name} {fields}" for name, fields in self.records()]
        return "\n".join([*lines, self.unit.console.read_text()[-3000:]])

    def touch(self, panel, person, condition="normal", hold=2500):
        module = self.device(f"{panel}_fingerprint")
        module.press(FINGERS[person].touch(self.chance, condition))
        self.world.run_for(hold)
        module.lift()
        self.world.run_for(500)

    def crew(self, faces=False):
        for person in ESCORTS:
            if faces:  # drawing them takes the test longer than everything else
                self.device("camera").stand(LOOKS[str(person)])
            self.touch("outer", person)
        self.until("crew")

    def press(self, button):
        self.parts.buttons[button].press()
        self.world.run_for(500)

    def approve(self):
        self.touch("inner", OFFICERS[0])
        self.press("APPROVE")

    def heard(self, prompt):
        """Whether a prompt was spoken whole."""
        return self.device("speaker").heard(clip_of(prompt))

    def walk(self, *doors):
        for door in doors:
            assert self.parts.doors[door].push(), f"{door} door is locked: {self.story('release')}"
            self.world.run_for(6000)

    def arrive(self, tag=VAN):
        self.device("gate_reader").enter(tag)

    def leave(self, tag=VAN):
        self.device("gate_reader").leave(tag)

    def show(self, *boxes):
        for box in boxes:
            self.device("area_reader").enter(box)

    def remove(self, *boxes):
        for box in boxes:
            self.device("area_reader").leave(box)

    def close(self):
        self.touch("inner", OFFICERS[0])
        self.touch("inner", ESCORTS[0])
        return self.until("closed")
