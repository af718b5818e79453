"""What the records of a batch name, looked up together before the batch is stored.

People, pictures, stops and their runs, whether somebody has begun a task, who has closed a handover.

Each record is read once, here. Whatever was not looked up (a rebuild, a leaf that had waited for others) is
looked up by itself, with the same result. Nothing outlives the transaction.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from doorward_protocol.errors import ProtocolError
from doorward_protocol.records import PANEL_INNER, Record, decode
from sqlmodel import Session, SQLModel, col, select

from doorward_server import bulk
from doorward_server.handovers import newest
from doorward_server.handovers.models import Handover, HandoverEvent, Picture
from doorward_server.people.models import Person, PersonKey
from doorward_server.planning import progress
from doorward_server.planning.models import RunVersion

Model = TypeVar("Model", bound=SQLModel)

_KNOWN = "foreknown"
_OF_STOPS = ("vehicle", "closed", "frozen", "restarted")  # records that carry over to planning
_LARGEST = (1 << 63) - 1  # of the database's integers


class Finger(NamedTuple):
    """An accepted finger at an inner panel; `number` is its event's."""

    number: int
    person: int
    sensor: str


class _Known:
    """What was looked up for one transaction, and what it has added since."""

    __slots__ = ("begun", "fingers", "named", "pictures", "records", "rows", "tasks", "versions")

    def __init__(self) -> None:
        self.records: dict[bytes, Record | None] = {}
        self.pictures: dict[bytes, Picture | None] = {}
        self.named: set[bytes] = set()  # pictures that this transaction has added
        self.rows: list[SQLModel] = []  # or the session would drop them
        self.tasks: set[int] = set()  # of which it is known whether somebody has begun them,
        self.begun: set[int] = set()  # and those that somebody has
        self.versions: dict[int, list[tuple[int, datetime]]] = {}  # of runs
        self.fingers: dict[int, list[Finger]] = {}  # of handovers


def prepare(session: Session, entries: Iterable[bytes], pictures: Iterable[bytes]) -> None:
    """Look up what these entries name, and what belongs to these pictures that have come."""
    known = session.info[_KNOWN] = _Known()
    known.records = {entry: _decoded(entry) for entry in entries}
    records = [record for record in known.records.values() if record is not None]
    said = [record.fields for record in records]
    names = {*pictures, *(fields["picture"] for fields in said if fields.get("picture") is not None)}
    known.pictures = dict.fromkeys(names)
    found = _rows(session, known, Picture, "hash", names)
    known.pictures |= {picture.hash: picture for picture in found}
    people = _numbers(fields.get("person") for fields in said)
    owners = _numbers(picture.person_id for picture in found)
    _rows(session, known, Person, "id", people | owners)
    _rows(session, known, PersonKey, "person_id", owners)
    tasks = _tasks_of(records, *_OF_STOPS)
    runs = progress.prepare(session, tasks) if tasks else []
    _look_up_arrivals(session, known, _tasks_of(records, "vehicle"), runs)
    _look_up_fingers(session, known, {one.fields["nonce"] for one in records if one.name == "closed"})


def record_in(session: Session, entry: bytes) -> Record | None:
    """The record that an entry encodes; None if it cannot be read."""
    known: _Known | None = session.info.get(_KNOWN)
    if known is not None and entry in known.records:
        return known.records[entry]
    return _decoded(entry)


def picture(session: Session, name: bytes) -> Picture | None:
    """The picture of this hash, whether or not its content has come."""
    known: _Known | None = session.info.get(_KNOWN)
    if known is not None and name in known.pictures and name not in known.named:
        return known.pictures[name]
    return session.get(Picture, name)


def name_picture(session: Session, new: dict[str, Any]) -> None:
    """A record names a picture: remember it by this row, unless that was done before."""
    known: _Known | None = session.info.get(_KNOWN)
    name = new["hash"]
    if (known is not None and name in known.named) or picture(session, name) is not None:
        return
    if known is not None:
        known.named.add(name)
    bulk.insert(session, Picture, new)


def may_be_begun(session: Session, task: int) -> bool:
    """False if it is known that no handover of a task has begun yet."""
    known: _Known | None = session.info.get(_KNOWN)
    return known is None or task not in known.tasks or task in known.begun


def begun(session: Session, handover: Handover) -> None:
    """A handover has begun, and no finger of it has been seen yet."""
    known: _Known | None = session.info.get(_KNOWN)
    if known is not None:
        known.begun.add(handover.task)
        known.fingers[handover.id] = []


def versions(session: Session, run_id: int) -> list[tuple[int, datetime]]:
    """The released versions of a run, and when each was released."""
    known: _Known | None = session.info.get(_KNOWN)
    if known is not None and run_id in known.versions:
        return known.versions[run_id]
    return _versions(session, {run_id})[run_id]


def note_finger(session: Session, number: int, handover_id: int | None, record: Record) -> None:
    """A finger was accepted; `number` is its event's."""
    known: _Known | None = session.info.get(_KNOWN)
    if known is not None and handover_id in known.fingers:
        known.fingers[handover_id] += _inner(number, record.fields)


def sensor_of(session: Session, handover_id: int, person: int) -> str | None:
    """The sensor of a person's last accepted finger at the inner panel in a handover."""
    known: _Known | None = session.info.get(_KNOWN)
    if known is not None and handover_id in known.fingers:
        fingers = known.fingers[handover_id]
    else:
        fingers = _fingers(session, [handover_id])[handover_id]
    last = max((finger for finger in fingers if finger.person == person), default=None)
    return None if last is None else last.sensor


def _look_up_arrivals(session: Session, known: _Known, tasks: set[int], runs: list[int]) -> None:
    if not tasks:
        return
    known.tasks = tasks
    known.begun = set(session.exec(select(Handover.task).where(col(Handover.task).in_(tasks))))
    known.versions = _versions(session, set(runs))


def _look_up_fingers(session: Session, known: _Known, nonces: set[bytes]) -> None:
    """Of the handovers that are being closed: each is the newest of its journal, or looked up by itself."""
    closing = [handover.id for handover in newest.prepared(session) if handover.nonce in nonces]
    if closing:
        known.fingers = _fingers(session, closing)


def _versions(session: Session, runs: set[int]) -> dict[int, list[tuple[int, datetime]]]:
    statement = select(RunVersion.run_id, RunVersion.version, RunVersion.released_at)
    found: dict[int, list[tuple[int, datetime]]] = {run_id: [] for run_id in runs}
    for run_id, version, released in session.exec(statement.where(col(RunVersion.run_id).in_(runs))):
        found[run_id].append((version, released))
    return found


def _fingers(session: Session, handovers: list[int]) -> dict[int, list[Finger]]:
    statement = select(HandoverEvent.handover_id, HandoverEvent.id, HandoverEvent.details)
    statement = statement.where(col(HandoverEvent.handover_id).in_(handovers), HandoverEvent.name == "finger")
    found: dict[int, list[Finger]] = {number: [] for number in handovers}
    for handover_id, number, details in session.exec(statement):
        found[handover_id or 0] += _inner(number, details)
    return found


def _inner(number: int, fields: Mapping[str, Any]) -> list[Finger]:
    if fields["panel"] != PANEL_INNER:
        return []
    return [Finger(number, fields["person"], fields["sensor"])]


def _tasks_of(records: list[Record], *names: str) -> set[int]:
    return _numbers(record.fields["task"] for record in records if record.name in names)


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
