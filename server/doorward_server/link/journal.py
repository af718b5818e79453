"""The received journals as both leaves and heads need them: progress, tree, and what contradicts them."""

from doorward_protocol import merkle
from sqlmodel import Session, col, select

from doorward_server.alarms import service as alarms
from doorward_server.link.models import JournalConflict, JournalEpoch, Leaf
from doorward_server.services import services_of
from doorward_server.units.models import Unit

# The database's integers; a unit's epochs and indices stay far below.
LARGEST = (1 << 63) - 1


def journal_of(session: Session, unit_id: int, epoch: int) -> JournalEpoch:
    """The progress of one epoch; begun if it is new. Looked up once per session."""
    known = session.info.setdefault("journals", {})
    if (unit_id, epoch) not in known:
        statement = select(JournalEpoch).where(JournalEpoch.unit_id == unit_id, JournalEpoch.epoch == epoch)
        journal = session.exec(statement).first()
        if journal is None:
            journal = JournalEpoch(unit_id=unit_id, epoch=epoch)
            session.add(journal)
            session.flush()
        known[unit_id, epoch] = journal
    return known[unit_id, epoch]


def frontier_at(session: Session, journal: JournalEpoch, size: int) -> merkle.Frontier:
    """The tree of the first `size` leaves, from the last agreed head on where that is possible."""
    frontier = merkle.Frontier()
    if size >= journal.head_size:
        frontier = merkle.Frontier.from_bytes(journal.frontier)
    statement = (
        select(Leaf.leaf_hash)
        .where(
            Leaf.unit_id == journal.unit_id,
            Leaf.epoch == journal.epoch,
            col(Leaf.index) >= frontier.size,
            col(Leaf.index) < size,
        )
        .order_by(col(Leaf.index))
    )
    for leaf_hash in session.exec(statement):
        frontier.append(leaf_hash)
    return frontier


def note_conflict(
    session: Session, unit: Unit, rule: str, epoch: int, position: int, evidence: bytes
) -> None:
    """Keep what contradicts the journal, mark the epoch, and alarm; the same evidence counts once."""
    statement = select(JournalConflict).where(
        JournalConflict.unit_id == unit.id,
        JournalConflict.epoch == epoch,
        JournalConflict.position == position,
        JournalConflict.what == rule,
    )
    if any(known.evidence == evidence for known in session.exec(statement)):
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
    journal = journal_of(session, unit.id, epoch)
    journal.disputed = True
    session.add(journal)
    session.flush()
    alarms.raise_alarm(session, rule, unit, f"{epoch}.{position}", epoch=epoch, position=position)
