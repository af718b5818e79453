"""What it takes to draw the form of a run: its rows with names beside them, and what may be typed."""

from typing import Any

from sqlmodel import Session, col, select

from doorward_server.console.describe import site_name
from doorward_server.console.plan_form import (
    MOST_ROWS,
    MemberRow,
    StopRow,
    TypedCrew,
    TypedRun,
    member_rows,
    stop_rows,
)
from doorward_server.console.texts import text
from doorward_server.fleet.models import Company, Site, Vehicle
from doorward_server.people.models import Person, PersonRole
from doorward_server.planning.models import Duty, StopKind

# Empty rows below the typed ones, and how many rows a crew has at least.
SPARE_PEOPLE, SPARE_STOPS, MORE_STOPS = 2, 1, 4
LEAST_PEOPLE = 4
_CREW = (PersonRole.ESCORT, PersonRole.DRIVER)

Choice = dict[str, str]


def of_crew(session: Session, typed: TypedCrew, language: str) -> dict[str, Any]:
    """The fields for a vehicle and its crew."""
    vehicles, people = _vehicles(session, language), _people(session, language)
    names = {one["key"]: one["name"] for one in people}
    typed_rows = member_rows(typed)
    spare = max(SPARE_PEOPLE, LEAST_PEOPLE - len(typed_rows))
    rows = [*typed_rows, *([MemberRow()] * spare)][:MOST_ROWS]
    return {
        "vehicle": typed.vehicle,
        "members": [row._asdict() | {"name": names.get(row.number, "")} for row in rows],
        "duties": list(Duty),
        "vehicles": vehicles,
        "people": people,
    }


def of_run(session: Session, typed: TypedRun, language: str) -> dict[str, Any]:
    """The fields for a whole run. `typed.do` "more" asks for more empty rows."""
    sites = _sites(session, language)
    names = {one["key"]: one["name"] for one in sites}
    spare = MORE_STOPS if typed.do == "more" else SPARE_STOPS
    rows = [*stop_rows(typed), *([StopRow()] * spare)][:MOST_ROWS]
    return of_crew(session, typed, language) | {
        "date": typed.date,
        "note": typed.note,
        "requests": typed.request,
        "stops": [row._asdict() | {"name": names.get(row.site, "")} for row in rows],
        "kinds": list(StopKind),
        "sites": sites,
    }


def _vehicles(session: Session, language: str) -> list[Choice]:
    query = select(Vehicle.plate, Company).join(Company, col(Company.id) == col(Vehicle.company_id))
    return [
        _choice(plate, company.name_zh if language == "zh" else company.name_en)
        for plate, company in session.exec(query.order_by(col(Vehicle.plate)))
    ]


def _people(session: Session, language: str) -> list[Choice]:
    """Escorts and drivers who have not been removed, by staff number."""
    name = Person.name_zh if language == "zh" else Person.name_en
    query = select(Person.staff_number, name, Person.role).where(
        col(Person.role).in_(_CREW), col(Person.removed_at).is_(None)
    )
    return [
        _choice(number, f"{name} · {text(f'person_{role}', language)}")
        for number, name, role in session.exec(query.order_by(col(Person.staff_number)))
    ]


def _sites(session: Session, language: str) -> list[Choice]:
    query = select(Site).order_by(col(Site.code))
    return [_choice(site.code, site_name(site, language)) for site in session.exec(query)]


def _choice(key: str, name: str) -> Choice:
    return {"key": key, "name": name}
