"""Blobs at rest: content by its SHA-256. What shows or measures a person is sealed with that person's key."""

import hashlib
from collections.abc import Callable

from sqlmodel import Session, select

from doorward_server.security import biometrics
from doorward_server.units.models import Blob, Derived

_PURPOSE = "blob"


def put(session: Session, content: bytes, person_id: int | None = None) -> bytes:
    """Store a content once; returns its hash. With `person_id` it is sealed with that person's key."""
    name = hashlib.sha256(content).digest()
    if session.exec(select(Blob.hash).where(Blob.hash == name)).first() is None:
        kept = content
        if person_id is not None:
            kept = biometrics.seal(session, person_id, _PURPOSE, content)
        session.add(Blob(hash=name, size=len(content), content=kept, person_id=person_id))
        session.flush()
    return name


def get(session: Session, name: bytes) -> bytes | None:
    """The content of this hash; None if it is unknown, or deleted with its person's key."""
    blob = session.get(Blob, name)
    if blob is None:
        return None
    if blob.person_id is None:
        return blob.content
    try:
        return biometrics.unseal(session, blob.person_id, _PURPOSE, blob.content)
    except biometrics.SealBroken:
        return None


def size(session: Session, name: bytes) -> int:
    """Bytes of a stored content."""
    return session.exec(select(Blob.size).where(Blob.hash == name)).one()


def derive(
    session: Session, kind: str, source: bytes, make: Callable[[], bytes], person_id: int | None = None
) -> bytes:
    """The blob made of `source` by `make`, called only the first time. `kind` names how it is made.

    What `make` raises is passed on, and nothing is remembered then.
    """
    digest = hashlib.sha256(source).digest()
    known = session.get(Derived, (kind, digest))
    if known is not None:
        return known.hash
    name = put(session, make(), person_id)
    session.add(Derived(kind=kind, source=digest, hash=name))
    session.flush()
    return name
