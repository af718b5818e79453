"""Turns journal records into handovers, events and pictures: a pure function of the leaves, in their order.

`project` is called for every leaf once all before it in its journal are there; `rebuild.py` makes the whole
projection again. What a record does to its handover is in `steps.py`, one small function per kind.
"""

from typing import Any, NamedTuple

from doorward_protocol import records
from doorward_protocol.records import Record
from sqlmodel import Session

from doorward_server import bulk
from doorward_server.alarms import service as alarms
from doorward_server.clock import from_milliseconds
from doorward_server.database import after_commit
from doorward_server.handovers import announce, foreknown, steps
from doorward_server.handovers.models import Handover, HandoverEvent
from doorward_server.link.models import AnyLeaf
from doorward_server.notify import outbox
from doorward_server.planning.progress import HOLD_AFTER
from doorward_server.services import services_of
from doorward_server.units.models import Unit

# Integers of a journal have 64 bits unsigned, those of a database 63. Moments end with the year 9998: the
# calendar ends a year later, and hours and zones are added to them.
_LARGEST = (1 << 63) - 1
_LAST_MOMENT = 253_370_764_799_999


class Projected(NamedTuple):
    """What was made of a leaf: the record's name (empty: unreadable), and the hashes of pictures it names."""

    name: str
    pictures: list[bytes]


UNREADABLE = Projected("", [])


def project(session: Session, unit: Unit, leaf: AnyLeaf) -> Projected:
    """Take one leaf into account.

    A leaf that cannot be read alarms and is otherwise left as it is: the journal stays the truth.
    """
    record = read(session, leaf)
    if record is None:
        note_unreadable(session, unit, leaf)
        return UNREADABLE
    handover, trouble = steps.apply(session, unit, leaf, record)
    event = {
        "id": leaf.id,
        "handover_id": None if handover is None else handover.id,
        "unit_id": unit.id,
        "site_id": unit.site_id,
        "epoch": leaf.epoch,
        "index": leaf.index,
        "name": record.name,
        "time": record.time,
        "received": leaf.received,
        "clock_unsure": record.clock == records.CLOCK_UNSURE,
        "details": details_of(record),
    }
    bulk.insert(session, HandoverEvent, event)
    if record.name == "finger":
        foreknown.note_finger(session, leaf.id, event["handover_id"], record)
    pictures = _note_pictures(session, unit, record)
    alarms.project(session, unit, leaf, record, event["handover_id"], trouble)
    announce.tell(session, unit, event, handover)
    if handover is not None and handover.id == leaf.id:
        outbox.arrived(session, leaf, record)
    if record.name == "closed" and handover is not None:
        _after_closing(session, handover, record)
    return Projected(record.name, pictures)


def _after_closing(session: Session, handover: Handover, record: Record) -> None:
    """Let the manifests' timer know: an order leaves two hours after this, or now if that has passed."""
    if session.info.get("quiet"):
        return
    keeper = services_of(session).parts.get("manifests")
    if keeper is not None:
        late = from_milliseconds(record.time) + HOLD_AFTER <= services_of(session).clock.now()
        after_commit(session, lambda: keeper.wake(handover.unit_id if late else None))


def foresee(session: Session, unit: Unit, leaf: AnyLeaf) -> None:
    """A leaf came before its predecessors: alarm and tell at once, take it into account in its place."""
    record = read(session, leaf)
    if record is None:
        return
    alarms.project(session, unit, leaf, record, None, [])
    announce.tell_early(session, unit, leaf, record)


def read(session: Session, leaf: AnyLeaf) -> Record | None:
    """The record in a leaf; None if its content was deleted or cannot be read."""
    if leaf.entry is None:
        return None
    record = foreknown.record_in(session, leaf.entry)
    if record is None:
        return None
    return record if record.time <= _LAST_MOMENT and _fits(list(record.fields.values())) else None


def _fits(values: list[Any]) -> bool:
    """Whether the database holds these numbers, and those in lists too: pages look people up by them."""
    return all(
        _fits(value) if isinstance(value, list) else not isinstance(value, int) or value <= _LARGEST
        for value in values
    )


def details_of(record: Record) -> dict:
    """A record's fields for pages: bytes in hexadecimal. Never whether a finger meant duress (D9)."""
    return {name: _plain(value) for name, value in record.fields.items() if name != "duress"}


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value


def _note_pictures(session: Session, unit: Unit, record: Record) -> list[bytes]:
    """Remember that a picture exists, and want its content."""
    name = record.fields.get("picture")
    if name is None:
        return []
    new = {
        "hash": name,
        "unit_id": unit.id,
        "task": record.fields.get("task"),
        "person_id": record.fields.get("person"),
        "time": record.time,
        "content": None,
        "received": None,
    }
    foreknown.name_picture(session, new)
    return [name]


def note_unreadable(session: Session, unit: Unit, leaf: AnyLeaf) -> None:
    """Alarm for a leaf that is kept but says nothing to the projection."""
    if not session.info.get("quiet"):
        alarms.raise_alarm(
            session,
            "unreadable_record",
            unit,
            f"{leaf.epoch}.{leaf.index}",
            epoch=leaf.epoch,
            index=leaf.index,
        )
