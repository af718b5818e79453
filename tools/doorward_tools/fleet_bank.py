"""Prepares a bank for a fleet: a branch per unit, and for each a van with its crew and boxes due now.

    fleet = prepare(folder, count=1000)

People, vans and boxes are entered in bulk, with one entry in the journal of decisions for each step, as
whoever has the machine sets up a bank without users. What follows (plan, release by two people, registration,
manifest) goes through the server's own services, one by one, because this is what makes an order valid. Every
branch has a run of its own: a thousand vans arrive at a thousand doors, and nobody skips a stop.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from random import Random

from doorward_protocol import objects
from doorward_protocol.suite import run as finish
from doorward_server.app import open_services
from doorward_server.audit import service as audit
from doorward_server.fleet.models import Area, Box, Company, Site, Vehicle
from doorward_server.people.models import Finger, Person
from doorward_server.people.service import seal_template, set_photo
from doorward_server.planning import service as planning
from doorward_server.planning.models import Duty
from doorward_server.planning.plan import Member, Plan, PlannedBox, PlannedStop
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from doorward_server.services import Services
from doorward_server.settings import Settings
from doorward_server.units import authority, contents
from doorward_server.units import service as units_service
from doorward_simulator import portraits
from doorward_simulator.bank import grai96
from doorward_simulator.fleet import Authorities, FleetUnit
from sqlmodel import Session

from doorward_tools.foundation import blob

BOXES = 4
STEP = 50  # branches per transaction
_FACES = 12  # enrolled photos; that of a colleague serves for many
_NAMES = (
    "王强",
    "李建国",
    "赵敏",
    "陈刚",
    "刘洋",
    "张伟",
    "孙磊",
    "周涛",
    "林小雨",
    "黄志强",
    "吴静",
    "徐文",
)
_COMPANY_PREFIX, _VAN_TYPE, _BOX_TYPE = "6951234", 10420, 10421
_TEMPLATE_BYTES = 1536  # of an R503
_MODEL = "R503"


def prepare(
    folder: Path, count: int, told: Callable[[int], None] = lambda _done: None
) -> tuple[list[FleetUnit], Authorities]:
    """Make a server's data under `folder` and the units' credentials; `told(n)`: n branches are ready."""
    services = open_services(Settings(data=folder, language="zh"))
    with services.database.writing() as session:
        planners = _planners(session)
        held = _prompts(session)
    services.parts["speech"] = _OneClip(contents.speech_of(services).clip("华信押运", "zh"))
    fleet: list[FleetUnit] = []
    bank = _Bank(services)
    while len(fleet) < count:
        numbers = range(len(fleet), min(len(fleet) + STEP, count))
        with services.database.writing() as session:
            branches = bank.enter(session, numbers)
            for site, plan in branches:
                _release(session, planners, plan)
                fleet.append(_register(session, site, held))
        told(len(fleet))
    server, dispatch = authority.server_key(services), authority.dispatch_key(services)
    services.database.close()
    return fleet, Authorities(server.kid, server.public, dispatch.kid, dispatch.public)


def _planners(session: Session) -> tuple[User, User]:
    """Two dispatchers; nobody logs in as one of them, so they have no password."""
    now = session.info["services"].clock.now()
    pair = tuple(
        User(login=login, name=name, role=Role.DISPATCHER, created_at=now)
        for login, name in (("dispatch1", "陆瑶"), ("dispatch2", "高峰"))
    )
    session.add_all(pair)
    session.flush()
    return pair[0], pair[1]


def _prompts(session: Session) -> frozenset[bytes]:
    """The hashes of the prompt pack, which every unit got on the bench."""
    pack = contents.prompts(session)
    return frozenset({pack, *contents.referenced(objects.PROMPTS, blob(session, pack))})


def _release(session: Session, planners: tuple[User, User], plan: Plan) -> None:
    first, second = planners
    run = planning.create_run(session, first, plan)
    planning.release_approve(session, second, planning.release_request(session, first, run))


def _register(session: Session, site: Site, held: frozenset[bytes]) -> FleetUnit:
    """A new unit of a branch: its keys in memory, their public halves registered."""
    services: Services = session.info["services"]
    kid = services.random(8)
    dh, signing, bundle = (finish(services.suite.new_key()) for _ in range(3))
    units_service.register_unit(session, kid, site, dh[1], signing[1], bundle[1])
    return FleetUnit(kid, dh, signing, held)


class _OneClip:
    """A voice with one thing to say: nobody listens, and to speak a thousand plates takes minutes."""

    def __init__(self, clip: bytes) -> None:
        self._clip = clip

    def speak(self, _text: str, _language: str) -> bytes:
        return self._clip


class _Bank:
    """Enters branches with their people and things, a step at a time."""

    def __init__(self, services: Services) -> None:
        self._now = services.clock.now()
        self._zone = services.settings.zone
        self._random = Random("fleet")  # noqa: S311 - faces and prints of nobody
        looks = portraits.looks("fleet", [(str(n), "escort", n % 3 == 0) for n in range(_FACES)])
        self._photos = [portraits.photo(look) for look in looks.values()]
        self._company = 0
        self._area = 0

    def enter(self, session: Session, numbers: range) -> list[tuple[Site, Plan]]:
        """Enter these branches; returns each with the plan of a run that is due there now."""
        if not self._company:
            company = Company(code="HX", name_zh="华信押运", name_en="Huaxin Escort")
            area = Area(code="N", name_zh="全市", name_en="City")
            session.add_all((company, area))
            session.flush()
            self._company, self._area = company.id, area.id
        branches = [self._branch(session, number) for number in numbers]
        audit.record(session, None, "fleet_entered", f"branches:{numbers.start}-{numbers.stop - 1}", None, {})
        return branches

    def _branch(self, session: Session, number: int) -> tuple[Site, Plan]:
        code = f"B{number:05d}"
        site = Site(code=code, name_zh=f"第{number}支行", name_en=code, kind="branch", area_id=self._area)
        van = Vehicle(
            plate=f"京A{number:05d}",
            company_id=self._company,
            epc=grai96(_COMPANY_PREFIX, _VAN_TYPE, number),
            tid=self._tid(),
        )
        session.add_all((site, van))
        session.flush()
        boxes = [
            Box(
                number=f"HX-{serial:06d}",
                epc=grai96(_COMPANY_PREFIX, _BOX_TYPE, serial),
                tid=self._tid(),
                home_site_id=site.id,
            )
            for serial in range(number * BOXES, (number + 1) * BOXES)
        ]
        crew = [self._person(number, f"E{number}-{place}", "escort") for place in (1, 2)]
        driver = self._person(number + 1, f"D{number}", "driver")
        officer = self._person(number + 2, f"O{number}", "officer", site.id)
        session.add_all((*boxes, *crew, driver, officer))
        session.flush()
        for person in (*crew, driver, officer):
            self._enrol(session, person)
        for person in crew:
            set_photo(session, person, self._photos[person.id % _FACES])
        session.flush()
        return site, self._plan(site, van, crew, driver, boxes)

    def _person(self, number: int, staff_number: str, role: str, site: int | None = None) -> Person:
        name = _NAMES[number % len(_NAMES)]
        return Person(
            staff_number=staff_number,
            name_zh=name,
            name_en=staff_number,
            role=role,
            company_id=self._company if site is None else None,
            site_id=site,
            permit_until=(self._now + timedelta(days=300)).date(),
            created_at=self._now,
        )

    def _enrol(self, session: Session, person: Person) -> None:
        template = seal_template(session, person, self._random.randbytes(_TEMPLATE_BYTES))
        session.add(Finger(person_id=person.id, number=2, model=_MODEL, template=template))

    def _plan(self, site: Site, van: Vehicle, crew: list[Person], driver: Person, boxes: list[Box]) -> Plan:
        day = self._now.astimezone(self._zone).date()
        begins = datetime.combine(day, time(), self._zone)
        stop = PlannedStop(
            site_id=site.id,
            window_from=max(begins, self._now - timedelta(minutes=30)),
            window_until=self._now + timedelta(hours=6),
            boxes=tuple(PlannedBox(box.id) for box in boxes),
        )
        members = [Member(person.id, Duty.DOOR) for person in crew] + [Member(driver.id, Duty.VEHICLE)]
        return Plan(day, van.id, tuple(members), (stop,))

    def _tid(self) -> bytes:
        return bytes.fromhex("e28011052000") + self._random.randbytes(6)
