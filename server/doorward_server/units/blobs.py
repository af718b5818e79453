"""Blobs at rest: content by its SHA-256. What shows or measures a person is sealed with that person's key."""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from sqlalchemy import bindparam, exists, or_
from sqlmodel import Session, SQLModel, col, select

from doorward_server.people.models import PersonKey
from doorward_server.security import biometrics
from doorward_server.units.models import Blob, Derived

_PURPOSE = "blob"
# Looked up some twenty times for each manifest: built once, and past the session, they cost a fifth. What is
# added to these tables, below, is written at once, so that the session holds nothing back.
_BLOB: Any = SQLModel.metadata.tables["blob"]
_DERIVED: Any = SQLModel.metadata.tables["derived"]
_KEY: Any = SQLModel.metadata.tables["personkey"]
_NAMED = select(Blob).where(col(Blob.hash).in_(bindparam("names", expanding=True)))
_SIZE = select(_BLOB.c.size).where(_BLOB.c.hash == bindparam("name"))
# Not sealed with a key that somebody else took along.
_HELD = or_(
    _BLOB.c.person_id.is_(None),
    _BLOB.c.person_id == bindparam("person"),
    exists(select(_KEY.c.person_id).where(_KEY.c.person_id == _BLOB.c.person_id)),
)
_KEPT = select(_BLOB.c.hash).where(_BLOB.c.hash == bindparam("name"), _HELD)
_MADE = (
    select(_DERIVED.c.hash)
    .join(_BLOB, _BLOB.c.hash == _DERIVED.c.hash)
    .where(_DERIVED.c.kind == bindparam("kind"), _DERIVED.c.source == bindparam("source"), _HELD)
)


def put(session: Session, content: bytes, person_id: int | None = None) -> bytes:
    """Store a content once; returns its hash. With `person_id` it is sealed with that person's key.

    Somebody who was removed and comes back has the same template and photo: what went with another person's
    key is stored again.
    """
    name = hashlib.sha256(content).digest()
    if _value(session, _KEPT, name=name, person=person_id) is None:
        kept = content
        if person_id is not None:
            kept = biometrics.seal(session, person_id, _PURPOSE, content)
        session.merge(Blob(hash=name, size=len(content), content=kept, person_id=person_id))
        session.flush()
    return name


def get(session: Session, name: bytes) -> bytes | None:
    """The content of this hash; None if it is unknown, or deleted with its person's key."""
    return get_all(session, [name]).get(name)


def get_all(session: Session, names: Iterable[bytes]) -> dict[bytes, bytes]:
    """The contents of these hashes, looked up together; without those that are unknown or deleted."""
    rows = session.exec(_NAMED, params={"names": list(names)}).all()
    found = {blob.hash: blob.content for blob in rows if blob.person_id is None}
    sealed = [(blob, blob.person_id) for blob in rows if blob.person_id is not None]
    if sealed:
        people = {person_id for _, person_id in sealed}
        # Held for unseal: the session would drop them.
        _keys = session.exec(select(PersonKey).where(col(PersonKey.person_id).in_(people))).all()
    for blob, person_id in sealed:
        with suppress(biometrics.SealBroken):
            found[blob.hash] = biometrics.unseal(session, person_id, _PURPOSE, blob.content)
    return found


def size(session: Session, name: bytes) -> int:
    """Bytes of a stored content."""
    found = _value(session, _SIZE, name=name)
    if found is None:
        raise KeyError(f"no content has the hash {name.hex()}")
    return found


def derive(
    session: Session, kind: str, source: bytes, make: Callable[[], bytes], person_id: int | None = None
) -> bytes:
    """The blob made of `source` by `make`, called only the first time. `kind` names how it is made.

    What `make` raises is passed on, and nothing is remembered then.
    """
    digest = hashlib.sha256(source).digest()
    known = _value(session, _MADE, kind=kind, source=digest, person=person_id)
    if known is not None:
        return known
    name = put(session, make(), person_id)
    session.merge(Derived(kind=kind, source=digest, hash=name))
    session.flush()
    return name


def _value(session: Session, statement: Any, **values: Any) -> Any:
    return session.connection().execute(statement, values).scalar_one_or_none()
