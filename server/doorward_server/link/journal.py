"""The received journals as both leaves and heads need them: progress, tree, and what contradicts them."""

from collections.abc import Iterable

from doorward_protocol import merkle
from sqlmodel import Session, col, func, select

from doorward_server.alarms import service as alarms
from doorward_server.link.models import JournalConflict, JournalEpoch, Leaf
from doorward_server.services import services_of
from doorward_server.units.models import Unit

# The database's integers; a unit's epochs and indices stay far below.
LARGEST = (1 << 63) - 1


class Tip:
    """The end of a journal: the tree of its leaves without a gap; `closes`: one since the last head does."""

    __slots__ = ("closes", "frontier")

    def __init__(self, frontier: merkle.Frontier, closes: bool) -> None:
        self.frontier = frontier
        self.closes = closes


# By (unit, epoch). Kept by the writer from batch to batch, so that a head costs no look at its leaves;
# forgotten whenever a batch was rolled back.
Tips = dict[tuple[int, int], Tip]


def prepare(session: Session, unit_ids: Iterable[int], tips: Tips) -> None:
    """Look up the journals of these units together, and which of them have leaves that wait for others."""
    ids = list(unit_ids)
    epochs = session.exec(select(JournalEpoch).where(col(JournalEpoch.unit_id).in_(ids)))
    early = (
        select(Leaf.unit_id, Leaf.epoch)
        .join(
            JournalEpoch,
            (col(JournalEpoch.unit_id) == Leaf.unit_id) & (col(JournalEpoch.epoch) == Leaf.epoch),
        )
        .where(col(Leaf.unit_id).in_(ids), col(Leaf.index) > JournalEpoch.size)
    )
    session.info["journals"] = {(journal.unit_id, journal.epoch): journal for journal in epochs}
    session.info["early"] = set(session.exec(early))
    session.info["tips"] = tips
    session.info["next_leaf"] = 1 + (session.exec(select(func.max(Leaf.id))).one() or 0)


def early_journals(session: Session) -> set[tuple[int, int]]:
    """The journals, as (unit, epoch), that have leaves after a gap."""
    return session.info["early"]


def next_leaf(session: Session) -> int:
    """The number of the next leaf: there is one writer, and it counts."""
    number = session.info["next_leaf"]
    session.info["next_leaf"] = number + 1
    return number


def tip_of(session: Session, journal: JournalEpoch) -> Tip:
    """The end of a journal as the writer knows it, or as its leaves tell."""
    tips: Tips = session.info["tips"]
    place = (journal.unit_id, journal.epoch)
    tip = tips.get(place)
    if tip is None or tip.frontier.size != journal.size:
        tip = tips[place] = Tip(frontier_at(session, journal, journal.size), closes=True)
    return tip


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
    if frontier.size == size:
        return frontier
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
