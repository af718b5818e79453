"""What the people's page shows: everybody who has not been removed, by staff number."""

from typing import Any
from urllib.parse import urlencode

from sqlmodel import Session, col, or_, select

from doorward_server.console.describe import site_name
from doorward_server.console.pages import url
from doorward_server.console.texts import text
from doorward_server.fleet.models import Company, Site
from doorward_server.people import service as people
from doorward_server.people.models import Person
from doorward_server.services import services_of

PAGE_LENGTH = 50


def build(session: Session, language: str, find: str, page: int) -> dict[str, Any]:
    """One page of those whose number or name holds `find`, and the addresses of the pages beside it."""
    query = select(Person, col(Person.photo).is_not(None)).options(people.WITHOUT_PHOTO)
    query = query.where(col(Person.removed_at).is_(None))
    if find:
        columns = (Person.staff_number, Person.name_zh, Person.name_en)
        query = query.where(or_(*(col(one).icontains(find, autoescape=True) for one in columns)))
    begin = (page - 1) * PAGE_LENGTH
    found = session.exec(query.order_by(col(Person.staff_number)).offset(begin).limit(PAGE_LENGTH + 1)).all()
    return {
        "people": [_row(session, person, photo, language) for person, photo in found[:PAGE_LENGTH]],
        "previous": _address(find, page - 1) if page > 1 else "",
        "next": _address(find, page + 1) if len(found) > PAGE_LENGTH else "",
    }


def _row(session: Session, person: Person, has_photo: bool, language: str) -> dict[str, Any]:
    zh = language == "zh"
    company = session.get(Company, person.company_id) if person.company_id else None
    place = site_name(session.get(Site, person.site_id) if person.site_id else None, language)
    if company is not None:
        place = company.name_zh if zh else company.name_en
    fingers = dict.fromkeys(number for number, _ in people.finger_names(session, person).get(person.id, []))
    until = person.permit_until
    return {
        "id": person.id,
        "number": person.staff_number,
        "name": person.name_zh if zh else person.name_en,
        "role": text(f"person_{person.role}", language),
        "place": place,
        "photo": f"/api/people/{person.id}/photo" if has_photo else "",
        "fingers": ("、" if zh else ", ").join(map(str, fingers)),
        "until": until.isoformat() if until else "",
        "lapsed": not people.has_permit(person, services_of(session).today()),
    }


def _address(find: str, page: int) -> str:
    asked = {"find": find} if find else {}
    return f"{url('people')}?{urlencode(asked | {'page': page})}"
