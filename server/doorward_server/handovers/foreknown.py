"""What the records of a batch name, looked up together before the batch is stored: people, stops, pictures.

Each record is read once, here. Whatever was not looked up (a rebuild, a leaf that had waited for others) is
looked up by itself, with the same result. Nothing outlives the transaction.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from doorward_protocol.errors import ProtocolError
from doorward_protocol.records import Record, decode
from sqlmodel import Session, SQLModel, col, select

from doorward_server.handovers.models import Picture
from doorward_server.people.models import Person, PersonKey
from doorward_server.planning.models import Run, Stop

Model = TypeVar("Model", bound=SQLModel)

_KNOWN = "foreknown"
_LARGEST = (1 << 63) - 1  # of the database's integers


class _Known:
    """Records by their entries; pictures that are not there; and the rows, or the session would drop them."""

    __slots__ = ("absent", "records", "rows")

    def __init__(self) -> None:
        self.records: dict[bytes, Record | None] = {}
        self.absent: set[bytes] = set()
        self.rows: list[SQLModel] = []


def prepare(session: Session, entries: Iterable[bytes], pictures: Iterable[bytes]) -> None:
    """Look up what these entries name, and what belongs to these pictures that have come."""
    known = session.info[_KNOWN] = _Known()
    known.records = {entry: _decoded(entry) for entry in entries}
    said = [record.fields for record in known.records.values() if record is not None]
    names = {*pictures, *(fields["picture"] for fields in said if fields.get("picture") is not None)}
    found = _rows(session, known, Picture, "hash", names)
    known.absent = names - {picture.hash for picture in found}
    people = _numbers(fields.get("person") for fields in said)
    owners = _numbers(picture.person_id for picture in found)
    _rows(session, known, Person, "id", people | owners)
    _rows(session, known, PersonKey, "person_id", owners)
    stops = _rows(session, known, Stop, "id", _numbers(fields.get("task") for fields in said))
    _rows(session, known, Run, "id", {stop.run_id for stop in stops})


def record_in(session: Session, entry: bytes) -> Record | None:
    """The record that an entry encodes; None if it cannot be read."""
    known: _Known | None = session.info.get(_KNOWN)
    if known is not None and entry in known.records:
        return known.records[entry]
    return _decoded(entry)


def picture(session: Session, name: bytes) -> Picture | None:
    """The picture of this hash, whether or not its content has come."""
    known: _Known | None = session.info.get(_KNOWN)
    if known is not None and name in known.absent:
        return None
    return session.get(Picture, name)


def add_picture(session: Session, new: Picture) -> None:
    """A picture has been named for the first time."""
    known: _Known | None = session.info.get(_KNOWN)
    if known is not None:
        known.absent.discard(new.hash)
        known.rows.append(new)
    session.add(new)


def _rows(session: Session, known: _Known, model: type[Model], key: str, wanted: set[Any]) -> list[Model]:
    if not wanted:
        return []
    found = list(session.exec(select(model).where(col(getattr(model, key)).in_(wanted))))
    known.rows += found
    return found


def _numbers(values: Iterable[object]) -> set[int]:
    return {value for value in values if isinstance(value, int) and value <= _LARGEST}


def _decoded(entry: bytes) -> Record | None:
    try:
        return decode(entry)
    except ProtocolError:
        return None
