"""Face pictures at rest: sealed with the person's key where the person is known, else the master key.

Deleting a person's key deletes their pictures too (D17).
"""

from sqlmodel import Session

from doorward_server.handovers.models import Picture
from doorward_server.people.models import Person
from doorward_server.security import biometrics
from doorward_server.services import services_of

_OF_PERSON, _OF_NOBODY = b"P", b"M"


def keep(session: Session, picture: Picture, content: bytes) -> None:
    """Seal and keep a picture's content, a JPEG."""
    purpose = _purpose(picture)
    person = session.get(Person, picture.person_id) if picture.person_id is not None else None
    if person is not None and person.removed_at is None:
        picture.content = _OF_PERSON + biometrics.seal(session, person.id, purpose, content)
    else:
        picture.content = _OF_NOBODY + biometrics.seal_with_master(session, purpose, content)
    picture.received = services_of(session).clock.milliseconds()
    session.add(picture)
    session.flush()


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
