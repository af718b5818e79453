"""The received journals as both leaves and heads need them: progress, tree, and what contradicts them.

The link's one writer keeps the `Journals` it has met from batch to batch, so that neither a record nor a head
costs a look at the database; what a batch changes of them is written once, at its end. They are forgotten
whenever a batch was rolled back.
"""

from collections.abc import Iterable
from typing import Any

from doorward_protocol import merkle
from sqlalchemy import bindparam, event, tuple_
from sqlmodel import Session, col, func, insert, select, update

from doorward_server.alarms import service as alarms
from doorward_server.backup import numbers, restorations
from doorward_server.link.models import JournalConflict, JournalEpoch, Leaf
from doorward_server.services import services_of
from doorward_server.units.models import Unit

# The database's integers; a unit's epochs and indices stay far below.
LARGEST = (1 << 63) - 1
# Of one kind and one unit: a hundred contradictions prove as much as a million, which would fill the disk.
KEPT_CONFLICTS = 100

# Journals in memory: units have one each, and a few that have ended. A unit may name any number of them.
KEPT = 10_000

# Leaves whose root is remembered; a power of two.
BLOCK = 256

_KNOWN, _CHANGED, _NEXT = "journals", "changed_journals", "next_leaf"
_COLUMNS = ("size", "head_size", "frontier", "disputed")
_UPDATE = (
    update(JournalEpoch)
    .where(
        col(JournalEpoch.unit_id) == bindparam("of_unit"), col(JournalEpoch.epoch) == bindparam("of_epoch")
    )
    .values({name: bindparam(name) for name in _COLUMNS})
)


class Journal:
    """One epoch of a unit's journal: the columns of `JournalEpoch`, and what follows from its leaves.

    `tree`: of the leaves without a gap; None until it is asked for. `blocks`: the roots of the first blocks
    of leaves, as many as have been asked for. `last`: the largest index stored, behind a gap if it is not
    `size` - 1; `waiting`: how many are behind it. `closes`: a record since the last agreed head closes a
    handover.
    """

    __slots__ = (
        "blocks",
        "closes",
        "disputed",
        "epoch",
        "frontier",
        "head_size",
        "last",
        "size",
        "stored",
        "tree",
        "unit_id",
        "waiting",
    )

    def __init__(self, unit_id: int, epoch: int, row: JournalEpoch | None = None) -> None:
        self.unit_id = unit_id
        self.epoch = epoch
        self.stored = row is not None
        self.size = 0 if row is None else row.size
        self.head_size = 0 if row is None else row.head_size
        self.frontier = merkle.Frontier().to_bytes() if row is None else row.frontier
        self.disputed = row is not None and row.disputed
        self.tree: merkle.Frontier | None = merkle.Frontier() if row is None else None
        self.blocks: list[bytes] = []
        self.last = self.size - 1
        self.waiting = 0
        self.closes = row is not None

    def columns(self) -> dict[str, Any]:
        """What changes as it grows, as `JournalEpoch` stores it."""
        return {name: getattr(self, name) for name in _COLUMNS}


# By (unit, epoch).
Journals = dict[tuple[int, int], Journal]


def use(session: Session, journals: Journals) -> None:
    """Let this transaction use, and add to, the journals that the writer has met; too many are forgotten."""
    if len(journals) > KEPT:
        journals.clear()
    session.info[_KNOWN] = journals
    session.info[_CHANGED] = set()
    event.listen(session, "before_commit", write)


def prepare(session: Session, places: Iterable[tuple[int, int]]) -> None:
    """Look up together those of these journals that the writer has not met, and the next leaf's number."""
    journals = _journals(session)
    last = session.exec(select(func.max(Leaf.id))).one() or 0
    session.info[_NEXT] = max(last + 1, restorations.lowest(session, numbers.LEAF))
    wanted = {place for place in places if place not in journals}
    if wanted:
        found = _look_up(session, wanted)
        journals |= {place: found.get(place) or Journal(*place) for place in wanted}


def write(session: Session) -> None:
    """Write what has changed of the journals; happens by itself before the transaction commits."""
    changed: set[Journal] = session.info[_CHANGED]
    new = [one for one in changed if not one.stored]
    old = [one for one in changed if one.stored]
    changed.clear()
    connection = session.connection()
    if new:
        places = [{"unit_id": one.unit_id, "epoch": one.epoch, **one.columns()} for one in new]
        connection.execute(insert(JournalEpoch), places)
    if old:
        places = [{"of_unit": one.unit_id, "of_epoch": one.epoch, **one.columns()} for one in old]
        connection.execute(_UPDATE, places)
    for one in new:
        one.stored = True


def changed(session: Session, journal: Journal) -> None:
    """A journal has grown, or something else of it is new."""
    _journals(session)
    session.info[_CHANGED].add(journal)


def next_leaf(session: Session) -> int:
    """The number of the next leaf: there is one writer, and it counts."""
    number = session.info[_NEXT]
    session.info[_NEXT] = number + 1
    return number


def journal_of(session: Session, unit_id: int, epoch: int) -> Journal:
    """One epoch of a unit's journal; begun if it is new."""
    journals = _journals(session)
    journal = journals.get((unit_id, epoch))
    if journal is None:
        place = (unit_id, epoch)
        journal = _look_up(session, {place}).get(place) or Journal(*place)
        journals[unit_id, epoch] = journal
    return journal


def tree_of(session: Session, journal: Journal) -> merkle.Frontier:
    """The tree of a journal's leaves without a gap."""
    if journal.tree is None:
        journal.tree = frontier_at(session, journal, journal.size)
    return journal.tree


def frontier_at(session: Session, journal: Journal, size: int) -> merkle.Frontier:
    """The tree of the first `size` leaves, from the last agreed head on, or from the blocks before it."""
    if size >= journal.head_size:
        frontier = merkle.Frontier.from_bytes(journal.frontier)
    else:
        frontier = _of_blocks(session, journal, size // BLOCK)
    for leaf_hash in _leaf_hashes(session, journal, frontier.size, size):
        frontier.append(leaf_hash)
    return frontier


def _of_blocks(session: Session, journal: Journal, count: int) -> merkle.Frontier:
    """The tree of the first `count` blocks. Each is read once, however many older heads come."""
    block = merkle.Frontier()
    for leaf_hash in _leaf_hashes(session, journal, len(journal.blocks) * BLOCK, count * BLOCK):
        block.append(leaf_hash)
        if block.size == BLOCK:
            journal.blocks.append(block.root())
            block = merkle.Frontier()
    frontier = merkle.Frontier()
    for root in journal.blocks[:count]:
        frontier.append(root)
    frontier.size *= BLOCK  # a block is a power of two, and its root a node of the tree
    return frontier


def _leaf_hashes(session: Session, journal: Journal, start: int, end: int) -> Iterable[bytes]:
    if start >= end:
        return []
    statement = select(Leaf.leaf_hash).where(
        Leaf.unit_id == journal.unit_id,
        Leaf.epoch == journal.epoch,
        col(Leaf.index) >= start,
        col(Leaf.index) < end,
    )
    return session.exec(statement.order_by(col(Leaf.index)))


def note_conflict(
    session: Session, unit: Unit, rule: str, epoch: int, position: int, evidence: bytes
) -> None:
    """Keep what contradicts the journal, mark the epoch, and alarm; the same evidence counts once.

    Of a unit that contradicts itself again and again not everything is kept: one standing alarm is enough.
    """
    of_rule = (JournalConflict.unit_id == unit.id, JournalConflict.what == rule)
    same = select(JournalConflict.id).where(
        *of_rule,
        JournalConflict.epoch == epoch,
        JournalConflict.position == position,
        JournalConflict.evidence == evidence,
    )
    if session.exec(same).first() is not None:
        return
    journal = journal_of(session, unit.id, epoch)
    if not journal.disputed:
        journal.disputed = True
        changed(session, journal)
    if session.exec(select(func.count(col(JournalConflict.id))).where(*of_rule)).one() >= KEPT_CONFLICTS:
        alarms.raise_alarm(session, rule, unit, epoch=epoch, position=position)
        return
    session.add(
        JournalConflict(
            unit_id=unit.id,
            epoch=epoch,
            position=position,
            what=rule,
            evidence=evidence,
            received=services_of(session).clock.milliseconds(),
        )
    )
    session.flush()
    alarms.raise_alarm(session, rule, unit, f"{epoch}.{position}", epoch=epoch, position=position)


def _journals(session: Session) -> Journals:
    if _KNOWN not in session.info:
        use(session, {})
    return session.info[_KNOWN]


def _look_up(session: Session, places: set[tuple[int, int]]) -> Journals:
    """Those of these journals that are stored, and no others of their units, which may be any number."""
    statement = (
        select(JournalEpoch, func.max(Leaf.index), func.count(col(Leaf.id)))
        .join(
            Leaf,
            (col(Leaf.unit_id) == JournalEpoch.unit_id)
            & (col(Leaf.epoch) == JournalEpoch.epoch)
            & (col(Leaf.index) > JournalEpoch.size),
            isouter=True,
        )
        .where(tuple_(col(JournalEpoch.unit_id), col(JournalEpoch.epoch)).in_(places))
        .group_by(col(JournalEpoch.id))
    )
    found: Journals = {}
    for stored, last, waiting in session.exec(statement):
        journal = found[stored.unit_id, stored.epoch] = Journal(stored.unit_id, stored.epoch, stored)
        if last is not None:
            journal.last, journal.waiting = last, waiting
    return found
