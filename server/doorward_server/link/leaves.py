"""Stores leaves by index and has them projected in their order.

Nothing is overwritten: the same leaf again changes nothing, another one in its place is evidence. A leaf that
comes before its predecessors is kept, alarms at once, and is projected when they are there.
"""

from typing import Any

from doorward_protocol import merkle, records
from doorward_protocol.errors import BAD_HASH, BAD_SEQUENCE, MALFORMED, ProtocolError
from sqlmodel import Session, select

from doorward_server import bulk
from doorward_server.alarms import service as alarms
from doorward_server.handovers import projection
from doorward_server.link.journal import (
    LARGEST,
    changed,
    frontier_at,
    journal_of,
    next_leaf,
    note_conflict,
    tree_of,
)
from doorward_server.link.models import AnyLeaf, Leaf, StoredLeaf
from doorward_server.link.received import Outcome, ReceivedRecord
from doorward_server.units.models import Unit

# Leaves of one journal that may wait behind a gap: when it is filled all of them are projected in one
# transaction, some 2 s. Live records that come before a backlog's end are far fewer.
AHEAD = 5000


class ProjectionError(Exception):
    """A leaf broke its projection; `place` is its (unit, epoch, index)."""

    def __init__(self, place: tuple[int, int, int]) -> None:
        super().__init__(f"the record at {place} cannot be projected")
        self.place = place


def store_record(
    session: Session,
    unit: Unit,
    item: ReceivedRecord,
    outcome: Outcome,
    broken: frozenset[tuple[int, int, int]],
) -> None:
    """Store one record. `broken` holds places that cannot be projected (see ProjectionError)."""
    if item.epoch > LARGEST or item.index > LARGEST or len(item.entry) > records.MAX_ENTRY:
        outcome.refuse(unit.id, "record", b"", ProtocolError(MALFORMED, "record out of range"))
        return
    leaf_hash = merkle.leaf_hash(item.entry)
    place = (item.unit_id, item.epoch)
    journal = journal_of(session, *place)
    # Most records come in their order, once: nothing has to be looked up for them.
    known = None
    if item.index < journal.size or journal.size < item.index <= journal.last:
        known = _leaf(session, *place, item.index)
    if known is not None:
        if known.leaf_hash != leaf_hash:
            note_conflict(session, unit, "journal_changed", item.epoch, item.index, item.entry)
            problem = ProtocolError(BAD_HASH, "another leaf is stored here")
            outcome.refuse(unit.id, "record", leaf_hash, problem)
        return
    if item.index != journal.size and journal.waiting >= AHEAD:
        problem = ProtocolError(BAD_SEQUENCE, "too many records ahead of their place")
        outcome.refuse(unit.id, "record", leaf_hash, problem)
        return
    leaf: AnyLeaf | None = StoredLeaf(
        next_leaf(session), *place, item.index, leaf_hash, item.entry, item.received
    )
    bulk.insert(session, Leaf, leaf.row())
    journal.last = max(journal.last, item.index)
    changed(session, journal)
    if item.index != journal.size:
        journal.waiting += 1
        projection.foresee(session, unit, leaf)
        return
    tree = tree_of(session, journal)
    while leaf is not None:
        projected = _project(session, unit, leaf, broken)
        outcome.wanted += [(unit.id, name) for name in projected.pictures]
        if projected.name == "epoch":
            _check_epoch(session, unit, leaf)
        journal.closes |= projected.name == "closed"
        tree.append(leaf.leaf_hash)
        journal.size += 1
        leaf = _leaf(session, *place, journal.size) if journal.last >= journal.size else None
        journal.waiting -= leaf is not None
    if journal.size > journal.head_size:
        outcome.uncovered[unit.id] = item.received


def _project(
    session: Session, unit: Unit, leaf: AnyLeaf, broken: frozenset[tuple[int, int, int]]
) -> projection.Projected:
    place = (unit.id, leaf.epoch, leaf.index)
    if place in broken:
        projection.note_unreadable(session, unit, leaf)
        return projection.UNREADABLE
    try:
        return projection.project(session, unit, leaf)
    except Exception as problem:  # whatever a unit reports, its journal is stored
        raise ProjectionError(place) from problem


def _check_epoch(session: Session, unit: Unit, leaf: AnyLeaf) -> None:
    """A new epoch names the last head of the one before: it has to be what was reported then."""
    record = projection.read(session, leaf)
    if record is None or leaf.entry is None:
        return
    said = record.fields
    past = journal_of(session, unit.id, said["previous_epoch"])
    if said["previous_size"] > past.size:
        alarms.raise_alarm(session, "journal_gap", unit, f"{leaf.epoch}.{leaf.index}", **_plain(said))
    elif frontier_at(session, past, said["previous_size"]).root() != said["previous_root"]:
        note_conflict(session, unit, "journal_fork", past.epoch, said["previous_size"], leaf.entry)
    elif said["previous_size"] < past.size:
        note_conflict(session, unit, "journal_back", past.epoch, said["previous_size"], leaf.entry)


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    return {"previous_epoch": said["previous_epoch"], "previous_size": said["previous_size"]}


def _leaf(session: Session, unit_id: int, epoch: int, index: int) -> Leaf | None:
    statement = select(Leaf).where(Leaf.unit_id == unit_id, Leaf.epoch == epoch, Leaf.index == index)
    return session.exec(statement).first()
