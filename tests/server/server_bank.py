"""A small bank in rows, for tests: what a day of cash transport needs, and one user of every role."""

from datetime import date, timedelta
from types import SimpleNamespace

import import_folder
from doorward_server.fleet.models import Area, Box, Company, Site, Vehicle
from doorward_server.people.models import Finger, Person
from doorward_server.people.service import seal_template, set_photo
from doorward_server.planning.plan import Member, Plan, PlannedBox, PlannedStop
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from sqlmodel import Session

PHOTO = import_folder.photo("JPEG", (60, 80))
TEMPLATE = bytes(range(128))


def build(services) -> SimpleNamespace:
    """Make the bank; returns its rows by name: sites, people, vehicles, boxes, users."""
    with services.database.writing() as session:
        return _build(session, services.clock.now())


def _build(session: Session, now) -> SimpleNamespace:
    area = _put(session, Area(code="east", name_zh="东区", name_en="East"))
    places = {
        name: _put(session, Site(code=name, name_zh=f"{name}站", name_en=name, kind=kind, area_id=area.id))
        for name, kind in (("vault", "vault"), ("north", "branch"), ("south", "branch"))
    }
    company = _put(session, Company(code="safe", name_zh="平安押运", name_en="Safe Escort"))
    rival = _put(session, Company(code="rival", name_zh="他家押运", name_en="Rival Escort"))
    vehicles = [
        _put(session, Vehicle(plate=plate, company_id=company.id, epc=_tag(1, n), tid=_tag(2, n)))
        for n, plate in enumerate(("京A10001", "京A10002"))
    ]
    boxes = [
        _put(session, Box(number=f"B{n:03}", epc=_tag(3, n), tid=_tag(4, n), home_site_id=places["north"].id))
        for n in range(6)
    ]
    crew = [
        _put(
            session,
            _person(f"E{n:03}", "escort", now, company_id=company.id, permit_until=date(2026, 12, 31)),
        )
        for n in range(4)
    ]
    driver = _put(
        session, _person("D001", "driver", now, company_id=company.id, permit_until=date(2026, 12, 31))
    )
    stranger = _put(
        session, _person("X001", "escort", now, company_id=rival.id, permit_until=date(2026, 12, 31))
    )
    officers = {
        name: _put(
            session, _person(f"O-{name}", "keeper" if name == "vault" else "officer", now, site_id=site.id)
        )
        for name, site in places.items()
    }
    for person in crew:
        set_photo(session, person, PHOTO)
        _put(
            session,
            Finger(
                person_id=person.id, number=1, model="R503", template=seal_template(session, person, TEMPLATE)
            ),
        )
    users = {role: _put(session, _user(role, now, places, officers)) for role in Role}
    second = _put(session, User(login="dispatcher2", name="乙", role=Role.DISPATCHER, created_at=now))
    return SimpleNamespace(
        area=area,
        sites=places,
        company=company,
        vehicles=vehicles,
        boxes=boxes,
        crew=crew,
        driver=driver,
        stranger=stranger,
        officers=officers,
        users=users,
        dispatcher=users[Role.DISPATCHER],
        dispatcher2=second,
    )


def plan(bank, now, **changes) -> Plan:
    """A plan without findings: two escorts and a driver bring two boxes to the north, then two south."""
    crew = (
        Member(bank.crew[0].id, "door"),
        Member(bank.crew[1].id, "door"),
        Member(bank.driver.id, "vehicle"),
    )
    stops = (
        stop(bank, now, "north", hours=1, boxes=(0, 1)),
        stop(bank, now, "south", hours=2, boxes=(2, 3)),
    )
    values = {
        "date": (now + timedelta(hours=8)).date(),
        "vehicle_id": bank.vehicles[0].id,
        "crew": crew,
        "stops": stops,
    }
    return Plan(**(values | changes))


def stop(bank, now, site: str, hours: float = 1, boxes: tuple[int, ...] = (0,), **changes) -> PlannedStop:
    """A stop whose window of half an hour begins so many hours from now."""
    begin = now + timedelta(hours=hours)
    values = {
        "site_id": bank.sites[site].id,
        "window_from": begin,
        "window_until": begin + timedelta(minutes=30),
        "boxes": tuple(PlannedBox(bank.boxes[n].id, f"S{n}") for n in boxes),
    }
    return PlannedStop(**(values | changes))


def _person(number: str, role: str, now, **fields) -> Person:
    return Person(
        staff_number=number, name_zh=f"姓{number}", name_en=number, role=role, created_at=now, **fields
    )


def _user(role: Role, now, places, officers) -> User:
    where = {Role.OFFICER: "north", Role.KEEPER: "vault"}.get(role)
    return User(
        login=str(role),
        name=f"甲 {role}",
        role=role,
        created_at=now,
        site_id=places[where].id if where else None,
        person_id=officers[where].id if where else None,
    )


def _tag(kind: int, number: int) -> bytes:
    return bytes([0xE2, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, number])


def _put(session: Session, row):
    session.add(row)
    session.flush()
    return row
