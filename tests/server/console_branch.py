"""The north branch with its unit, for tests of what pages and reports show."""

from doorward_protocol import merkle, records
from doorward_server.console import host_view, wall_view
from doorward_server.handovers import pictures, projection
from doorward_server.handovers.models import Picture
from doorward_server.link.models import Leaf
from doorward_server.planning import service as planning
from doorward_server.planning.models import Stop
from doorward_server.security.models import User
from doorward_server.units.service import register_unit
from server_bank import plan
from sqlmodel import col, select

NONCE = b"attempt1"


FACES = [bytes([number]) * 32 for number in range(3)]


class Branch:
    """The north branch with its unit, whose journal is written and projected record by record."""

    def __init__(self, session, bank, clock):
        self.session, self.bank, self.clock = session, bank, clock
        self.site = bank.sites["north"].id
        first, second = (session.get(User, one.id) for one in (bank.dispatcher, bank.dispatcher2))
        run = planning.create_run(session, first, plan(bank, clock.now()))
        planning.release_approve(session, second, planning.release_request(session, first, run))
        self.task = session.exec(select(Stop.id).order_by(col(Stop.sequence))).first()
        self.unit = register_unit(
            session, b"unit-001", bank.sites["north"], b"\1" * 64, b"\2" * 64, b"\3" * 64
        )
        self.crew = [person.id for person in bank.crew[:2]]
        self.officer = bank.officers["north"].id
        self.boxes = [box.epc for box in bank.boxes[:2]]
        self._count = 0

    def record(self, name, /, late=0, **fields):
        """Let the unit write a record that comes to the centre `late` ms afterwards."""
        now = self.clock.milliseconds()
        entry = records.encode(name, now, records.CLOCK_SURE, 1, bytes(16), **fields)
        leaf = Leaf(
            unit_id=self.unit.id, epoch=1, index=self._count, entry=entry,
            leaf_hash=merkle.leaf_hash(entry), received=now + late,
        )  # fmt: skip
        self._count += 1
        self.session.add(leaf)
        self.session.flush()
        projection.project(self.session, self.unit, leaf)

    def step(self, name, /, **fields):
        """A record of the task in hand."""
        self.record(name, task=self.task, nonce=NONCE, **fields)

    def arrive(self):
        van = self.bank.vehicles[0]
        self.step(
            "vehicle", vehicle=van.id, epc=van.epc, tid=van.tid, order_version=1, manifest=1, last_contact=0
        )

    def finger(self, person, panel=records.PANEL_OUTER, picture=None, duress=False):
        self.step(
            "finger",
            panel=panel,
            person=person,
            finger=2,
            duress=duress,
            score=90,
            sensor="s",
            picture=picture,
        )

    def crew_complete(self):
        self.arrive()
        for person, face in zip(self.crew, FACES, strict=False):
            self.finger(person, picture=face)
        self.step("crew", people=self.crew, picture=FACES[2])

    def approve(self, approved=True, reason=None):
        self.step(
            "approval", approved=approved, by=[self.officer], where=records.WHERE_HOST, head_count=2,
            picture=FACES[2], command=None, reason=reason,
        )  # fmt: skip

    def read_boxes(self, count=2, foreign=()):
        read = self.boxes[:count]
        self.step(
            "boxes",
            expected=self.boxes,
            read=read,
            missing=self.boxes[count:],
            foreign=list(foreign),
            attempt=1,
        )

    def close(self):
        self.step("closed", officer=self.officer, crew=self.crew[0], boxes=2, order_version=1)

    def door(self, door, *events):
        for event in events:
            self.record("door", door=door, event=event, cause=records.CAUSE_HANDOVER)

    def picture_comes(self, name):
        pictures.keep(self.session, self.session.get(Picture, name), b"\xff\xd8 a picture")

    def host(self, language="en", may_decide=True):
        return host_view.build(self.session, self.site, language, may_decide)

    def wall(self, language="en"):
        return wall_view.build(self.session, language)
