"""People as other domains ask about them: permits, officers of a site, photos and templates."""

import datetime
from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from doorward_server.audit import service as audit
from doorward_server.backup import removed
from doorward_server.clock import to_milliseconds
from doorward_server.people.models import Finger, Person, PersonRole
from doorward_server.problems import not_found
from doorward_server.security import biometrics
from doorward_server.security.models import User
from doorward_server.services import services_of

AUDITED = (
    "staff_number",
    "name_zh",
    "name_en",
    "role",
    "company_id",
    "site_id",
    "permit_until",
    "card_uid",
)
# For queries of many people: photos have a hundred kilobytes each.
WITHOUT_PHOTO = defer(Person.photo)  # type: ignore[arg-type]
_BANK_ROLES = (PersonRole.OFFICER, PersonRole.KEEPER)
# Far enough for a permit without an end, and still a 64-bit count of milliseconds everywhere.
NO_END = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)


def get_person(session: Session, person_id: int) -> Person:
    """The person of this number, also one who has left. Raises 404."""
    person = session.get(Person, person_id)
    if person is None:
        raise not_found("人员", "person")
    return person


def has_permit(person: Person, day: datetime.date) -> bool:
    """Whether somebody may act on this (local) day (D10)."""
    return person.removed_at is None and (person.permit_until is None or day <= person.permit_until)


def validity(session: Session, person: Person) -> tuple[int, int]:
    """From when until when (ms since 1970 UTC) somebody may act.

    From the local day on which they were entered (clocks of units differ a little) to the end of the permit's
    last local day.
    """
    zone = services_of(session).settings.zone
    first_day = person.created_at.astimezone(zone).date()
    since = datetime.datetime.combine(first_day, datetime.time(), zone)
    until = NO_END
    if person.permit_until is not None and person.permit_until < NO_END.date():
        following = person.permit_until + datetime.timedelta(days=1)
        until = datetime.datetime.combine(following, datetime.time(), zone)
    if person.removed_at is not None:
        until = min(until, person.removed_at)
    return to_milliseconds(since), to_milliseconds(until)


def officers_of(session: Session, site_id: int, day: datetime.date) -> list[Person]:
    """Officers and keepers of a site who may act on this day, by number."""
    return [person for person in _officers_at(session, [site_id]) if has_permit(person, day)]


def sites_with_officers(session: Session, site_ids: Iterable[int], day: datetime.date) -> set[int | None]:
    """Those of the sites at which an officer or keeper may act on this day."""
    return {person.site_id for person in _officers_at(session, site_ids) if has_permit(person, day)}


def _officers_at(session: Session, site_ids: Iterable[int]) -> list[Person]:
    query = select(Person).where(
        col(Person.site_id).in_(set(site_ids)),
        col(Person.role).in_(_BANK_ROLES),
        col(Person.removed_at).is_(None),
    )
    return list(session.exec(query.options(WITHOUT_PHOTO).order_by(col(Person.id))))


def fingers_of(session: Session, person: Person) -> list[Finger]:
    """A person's enrolled fingers, by number."""
    query = select(Finger).where(Finger.person_id == person.id)
    return list(session.exec(query.order_by(col(Finger.number), col(Finger.model))))


def finger_names(session: Session, person: Person | None = None) -> dict[int, list[tuple[int, str]]]:
    """By person: number and sensor model of the enrolled fingers, in order; of one, or of everybody."""
    query = select(Finger.person_id, Finger.number, Finger.model)
    if person is not None:
        query = query.where(Finger.person_id == person.id)
    found: dict[int, list[tuple[int, str]]] = {}
    for person_id, number, model in session.exec(query.order_by(col(Finger.number), col(Finger.model))):
        found.setdefault(person_id, []).append((number, model))
    return found


def photo_of(session: Session, person: Person) -> bytes | None:
    """The enrolled photo (JPEG or PNG), or None. Raises biometrics.SealBroken once its key is gone."""
    if person.photo is None:
        return None
    return biometrics.unseal(session, person.id, "photo", person.photo)


def set_photo(session: Session, person: Person, content: bytes) -> None:
    """Seal and keep a photo."""
    person.photo = biometrics.seal(session, person.id, "photo", content)
    session.add(person)


def template_of(session: Session, finger: Finger) -> bytes:
    """A finger's template as its sensor model exported it. Raises biometrics.SealBroken."""
    return biometrics.unseal(session, finger.person_id, "finger", finger.template)


def seal_template(session: Session, person: Person, template: bytes) -> bytes:
    """A template as `Finger.template` keeps it."""
    return biometrics.seal(session, person.id, "finger", template)


def described(person: Person) -> dict[str, Any]:
    """The fields of a person that the journal keeps."""
    return audit.fields_of(person, *AUDITED)


def remove_person(session: Session, actor: User | None, person: Person) -> None:
    """Take somebody out: no longer acts anywhere, and photo and templates are gone with their key (D17)."""
    before = described(person)
    person.removed_at = services_of(session).clock.now()
    person.photo = None
    person.card_uid = None
    session.add(person)
    for finger in fingers_of(session, person):
        session.delete(finger)
    destroyed = biometrics.destroy(session, person.id)
    subject = f"person:{person.id}"
    audit.record(session, actor, "person_removed", subject, before, None)
    removed.note(session, subject)
    if destroyed:
        audit.record(session, actor, "person_key_destroyed", subject, None, {})
