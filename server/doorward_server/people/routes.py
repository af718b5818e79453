"""People to look at, their photos, and their removal. They come by import; templates are never shown."""

import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel
from sqlmodel import Session, col, select

from doorward_server.database import SessionDependency
from doorward_server.people import service
from doorward_server.people.models import Person, PersonRole
from doorward_server.people.removal import take_out
from doorward_server.planning import progress
from doorward_server.problems import not_found, problem_responses
from doorward_server.security.biometrics import SealBroken
from doorward_server.security.dependencies import needs, site_bound
from doorward_server.security.models import User
from doorward_server.security.roles import Permission

router = APIRouter(prefix="/api/people", tags=["people"], responses=problem_responses(401, 403))

Viewer = Annotated[User, needs(Permission.SEE_PEOPLE)]
PersonId = Annotated[int, Path(ge=1, le=2**31 - 1)]
_PNG = b"\x89PNG"


class PublicFinger(BaseModel):
    """That a finger is enrolled. Which one is the duress finger is nobody's business here."""

    number: int
    model: str


class PublicPerson(BaseModel):
    """A person, without anything biometric."""

    id: int
    staff_number: str
    name_zh: str
    name_en: str
    role: PersonRole
    company_id: int | None
    site_id: int | None
    permit_until: datetime.date | None
    has_photo: bool
    fingers: list[PublicFinger]


@router.get("")
def list_people(session: SessionDependency, _user: Viewer) -> list[PublicPerson]:
    """Everybody who has not been removed, by staff number."""
    query = select(Person, col(Person.photo).is_not(None)).options(service.WITHOUT_PHOTO)
    rows = session.exec(query.where(col(Person.removed_at).is_(None)).order_by(col(Person.staff_number)))
    fingers = service.finger_names(session)
    return [_shown(person, has_photo, fingers.get(person.id, [])) for person, has_photo in rows]


@router.get("/{person_id}", responses=problem_responses(404, 422))
def show_person(person_id: PersonId, session: SessionDependency, _user: Viewer) -> PublicPerson:
    """One person."""
    person = service.get_person(session, person_id)
    fingers = service.finger_names(session, person).get(person.id, [])
    return _shown(person, person.photo is not None, fingers)


@router.get(
    "/{person_id}/photo",
    response_class=Response,
    responses=problem_responses(404, 422) | {200: {"content": {"image/jpeg": {}, "image/png": {}}}},
)
def show_photo(
    person_id: PersonId, session: SessionDependency, user: Annotated[User, needs(Permission.SEE_SITE)]
) -> Response:
    """The enrolled photo. Officers and keepers see their own site's people and crews that are due there."""
    person = service.get_person(session, person_id)
    if not _may_see(session, user, person):
        raise not_found("人员", "person")
    try:
        photo = service.photo_of(session, person)
    except SealBroken:
        photo = None
    if photo is None:
        raise not_found("照片", "photo")
    return Response(photo, media_type="image/png" if photo.startswith(_PNG) else "image/jpeg")


@router.delete("/{person_id}", status_code=204, responses=problem_responses(404, 422))
def remove_person(
    person_id: PersonId, session: SessionDependency, user: Annotated[User, needs(Permission.IMPORT)]
) -> None:
    """Take somebody out at once; photo and templates are destroyed with their key."""
    take_out(session, user, person_id)


def _may_see(session: Session, user: User, person: Person) -> bool:
    bound = site_bound(user)
    if bound is None or person.site_id == bound:
        return True
    return progress.is_expected_at(session, person.id, bound)


def _shown(person: Person, has_photo: bool, fingers: list[tuple[int, str]]) -> PublicPerson:
    return PublicPerson(
        **person.model_dump(exclude={"photo", "card_uid", "created_at", "removed_at"}),
        has_photo=has_photo,
        fingers=[PublicFinger(number=number, model=model) for number, model in fingers],
    )
