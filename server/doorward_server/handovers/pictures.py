"""Face pictures at rest: sealed with the person's key where the person is known, else the master key.

Deleting a person's key deletes their pictures too (D17).
"""

from sqlmodel import Session

from doorward_server import live
from doorward_server.handovers import foreknown
from doorward_server.handovers.models import Picture
from doorward_server.people.models import Person
from doorward_server.security import biometrics
from doorward_server.services import services_of
from doorward_server.units.models import Unit

_OF_PERSON, _OF_NOBODY = b"P", b"M"


def keep(session: Session, picture: Picture, content: bytes) -> None:
    """Seal and keep a picture's content, a JPEG; that of somebody who was removed is deleted as it comes."""
    purpose = _purpose(picture)
    person = session.get(Person, picture.person_id) if picture.person_id is not None else None
    if person is None:
        picture.content = _OF_NOBODY + biometrics.seal_with_master(session, purpose, content)
    elif person.removed_at is None:
        picture.content = _OF_PERSON + biometrics.seal(session, person.id, purpose, content)
    else:
        picture.content = _OF_PERSON
    picture.received = services_of(session).clock.milliseconds()
    session.add(picture)


def take(session: Session, unit: Unit, name: bytes, content: bytes) -> None:
    """Keep a unit's picture that has come whole, if it still lacks, and tell the pages."""
    picture = foreknown.picture(session, name)
    if picture is None or picture.unit_id != unit.id or picture.content is not None:
        return
    keep(session, picture, content)
    live.publish(session, "picture", {"name": "picture", "site": unit.site_id, "picture": name.hex()})


def content_of(session: Session, picture: Picture) -> bytes | None:
    """The JPEG; None if it has not come yet, or was deleted with its person's key."""
    if picture.content is None:
        return None
    sealed = picture.content[1:]
    try:
        if picture.content[:1] == _OF_PERSON and picture.person_id is not None:
            return biometrics.unseal(session, picture.person_id, _purpose(picture), sealed)
        return biometrics.unseal_with_master(session, _purpose(picture), sealed)
    except biometrics.SealBroken:
        return None


def _purpose(picture: Picture) -> str:
    return f"picture:{picture.hash.hex()}"
