"""Stores what units report: leaves by index, heads against the leaves, receipts; a transaction per batch.

Everything is idempotent and nothing is overwritten. A leaf is projected once all before it are there. A
head is answered with a receipt when its root is that of the stored leaves; a head that is ahead of them
waits; one that contradicts them is evidence of a fork and is kept as such, with a critical alarm.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from doorward_protocol import merkle, objects, records
from doorward_protocol.errors import BAD_HASH, BAD_SEQUENCE, MALFORMED, WRONG_UNIT, ProtocolError
from doorward_protocol.suite import run
from sqlmodel import Session, col, select

from doorward_server.alarms import service as alarms
from doorward_server.handovers import projection
from doorward_server.handovers.models import Handover, HandoverEvent
from doorward_server.link.models import Head, JournalConflict, JournalEpoch, Leaf
from doorward_server.reports import service as reports
from doorward_server.services import services_of
from doorward_server.units import authority
from doorward_server.units.models import Unit

# The database's integers; a unit's epochs and indices stay far below.
LARGEST = (1 << 63) - 1


class ReceivedRecord(NamedTuple):
    """A `record` message; `received` in ms since 1970 UTC."""

    unit_id: int
    epoch: int
    index: int
    entry: bytes
    received: int


class ReceivedHead(NamedTuple):
    """A `head` message."""

    unit_id: int
    object: bytes
    received: int


class ProjectionError(Exception):
    """A leaf broke its projection; `place` is its (unit, epoch, index)."""

    def __init__(self, place: tuple[int, int, int]) -> None:
        super().__init__(f"the record at {place} cannot be projected")
        self.place = place


@dataclass
class Outcome:
    """What to do once a batch is committed: messages to units, and pictures to ask them for."""

    replies: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    wanted: list[tuple[int, bytes]] = field(default_factory=list)
    # Heads that wait for their leaves.
    waiting: list[ReceivedHead] = field(default_factory=list)
    # Epochs with leaves that no head covers yet: unit → time of the newest such leaf.
    uncovered: dict[int, int] = field(default_factory=dict)

    def refuse(self, unit_id: int, what: str, reference: bytes, problem: ProtocolError) -> None:
        """Answer with `refused`."""
        fields = {"what": what, "reference": reference, "reason": problem.reason, "detail": problem.detail}
        self.replies.append((unit_id, "refused", fields))


def store(
    session: Session, batch: list[ReceivedRecord | ReceivedHead], broken: frozenset = frozenset()
) -> Outcome:
    """Store a batch in its order. The caller commits, then carries the outcome out.

    Raises ProjectionError for a record that breaks the projection. The caller rolls back and tries again with
    its place in `broken`: then it is stored all the same, alarms, and stays out of the projection.
    """
    outcome = Outcome()
    for item in batch:
        if isinstance(item, ReceivedRecord):
            _store_record(session, item, outcome, broken)
        else:
            _store_head(session, item, outcome)
    return outcome


def journal_of(session: Session, unit_id: int, epoch: int) -> JournalEpoch:
    """The progress of one epoch; begun if it is new."""
    statement = select(JournalEpoch).where(JournalEpoch.unit_id == unit_id, JournalEpoch.epoch == epoch)
    journal = session.exec(statement).first()
    if journal is None:
        journal = JournalEpoch(unit_id=unit_id, epoch=epoch)
        session.add(journal)
        session.flush()
    return journal


def newest_head(session: Session, unit_id: int, epoch: int) -> Head | None:
    """The largest head of an epoch that agreed with its leaves."""
    statement = select(Head).where(Head.unit_id == unit_id, Head.epoch == epoch)
    return session.exec(statement.order_by(col(Head.size).desc()).limit(1)).first()


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


def _store_record(
    session: Session, item: ReceivedRecord, outcome: Outcome, broken: frozenset[tuple[int, int, int]]
) -> None:
    unit = session.get_one(Unit, item.unit_id)
    if item.epoch > LARGEST or item.index > LARGEST or len(item.entry) > records.MAX_ENTRY:
        outcome.refuse(unit.id, "record", b"", ProtocolError(MALFORMED, "record out of range"))
        return
    leaf_hash = merkle.leaf_hash(item.entry)
    known = _leaf(session, item.unit_id, item.epoch, item.index)
    if known is not None:
        if known.leaf_hash != leaf_hash:
            note_conflict(session, unit, "journal_changed", item.epoch, item.index, item.entry)
            outcome.refuse(
                unit.id, "record", leaf_hash, ProtocolError(BAD_HASH, "another leaf is stored here")
            )
        return
    leaf = Leaf(
        unit_id=item.unit_id,
        epoch=item.epoch,
        index=item.index,
        leaf_hash=leaf_hash,
        entry=item.entry,
        received=item.received,
    )
    session.add(leaf)
    session.flush()
    journal = journal_of(session, item.unit_id, item.epoch)
    if item.index != journal.size:
        projection.foresee(session, unit, leaf)
        return
    while leaf is not None:
        outcome.wanted += [(unit.id, name) for name in _project(session, unit, leaf, broken)]
        _check_epoch(session, unit, leaf)
        journal.size += 1
        leaf = _leaf(session, item.unit_id, item.epoch, journal.size)
    session.add(journal)
    session.flush()
    if journal.size > journal.head_size:
        outcome.uncovered[unit.id] = item.received


def _project(
    session: Session, unit: Unit, leaf: Leaf, broken: frozenset[tuple[int, int, int]]
) -> list[bytes]:
    place = (unit.id, leaf.epoch, leaf.index)
    if place in broken:
        projection.note_unreadable(session, unit, leaf)
        return []
    try:
        return projection.project(session, unit, leaf)
    except Exception as problem:  # whatever a unit reports, its journal is stored
        raise ProjectionError(place) from problem


def _check_epoch(session: Session, unit: Unit, leaf: Leaf) -> None:
    """A new epoch names the last head of the one before: it has to be what was reported then."""
    record = projection.read(leaf)
    if record is None or record.name != "epoch":
        return
    said = record.fields
    past = journal_of(session, unit.id, said["previous_epoch"])
    if said["previous_size"] > past.size:
        alarms.raise_alarm(session, "journal_gap", unit, f"{leaf.epoch}.{leaf.index}", **_plain(said))
    elif _frontier_at(session, past, said["previous_size"]).root() != said["previous_root"]:
        note_conflict(session, unit, "journal_fork", past.epoch, said["previous_size"], leaf.entry)
    elif said["previous_size"] < past.head_size:
        note_conflict(session, unit, "journal_back", past.epoch, said["previous_size"], leaf.entry)


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    return {"previous_epoch": said["previous_epoch"], "previous_size": said["previous_size"]}


def _store_head(session: Session, item: ReceivedHead, outcome: Outcome) -> None:
    unit = session.get_one(Unit, item.unit_id)
    services = services_of(session)
    try:
        head = run(objects.verify(services.suite, "head", item.object, {unit.kid: unit.signing_key}))
        if head["unit"] != unit.kid:
            raise ProtocolError(WRONG_UNIT, "head")
        if head["epoch"] > LARGEST or head["size"] > LARGEST:
            raise ProtocolError(MALFORMED, "head out of range")
    except ProtocolError as problem:
        alarms.raise_alarm(session, "head_forged", unit, reason=problem.reason)
        outcome.refuse(unit.id, "head", b"", problem)
        return
    journal = journal_of(session, unit.id, head["epoch"])
    if head["size"] > journal.size:
        outcome.waiting.append(item)
        return
    known = session.exec(
        select(Head).where(Head.unit_id == unit.id, Head.epoch == head["epoch"], Head.size == head["size"])
    ).first()
    if known is not None and known.root == head["root"]:
        outcome.replies.append((unit.id, "stored", {"object": known.receipt}))
        return
    frontier = _frontier_at(session, journal, head["size"])
    if frontier.root() != head["root"]:
        note_conflict(session, unit, "journal_fork", head["epoch"], head["size"], item.object)
        outcome.refuse(unit.id, "head", head["root"], ProtocolError(BAD_HASH, "head and leaves differ"))
        return
    receipt = authority.sign_receipt(
        services, unit.kid, head["epoch"], head["size"], head["root"], services.clock.milliseconds()
    )
    session.add(
        Head(
            unit_id=unit.id,
            epoch=head["epoch"],
            size=head["size"],
            root=head["root"],
            time=head["time"],
            object=item.object,
            receipt=receipt,
            received=item.received,
        )
    )
    if head["size"] > journal.head_size:
        _print_reports(session, journal, head["size"])
        journal.head_size = head["size"]
        journal.frontier = frontier.to_bytes()
        session.add(journal)
    session.flush()
    alarms.end_all(session, "head_missing", unit)
    outcome.replies.append((unit.id, "stored", {"object": receipt}))


def _print_reports(session: Session, journal: JournalEpoch, size: int) -> None:
    """Print what was closed and is now signed: a report bears the head that covers it (S5)."""
    statement = select(HandoverEvent.handover_id).where(
        HandoverEvent.unit_id == journal.unit_id,
        HandoverEvent.epoch == journal.epoch,
        HandoverEvent.name == "closed",
        col(HandoverEvent.index) >= journal.head_size,
        col(HandoverEvent.index) < size,
        col(HandoverEvent.handover_id).is_not(None),
    )
    for handover_id in session.exec(statement):
        reports.queue(session, session.get_one(Handover, handover_id))


def _frontier_at(session: Session, journal: JournalEpoch, size: int) -> merkle.Frontier:
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


def _leaf(session: Session, unit_id: int, epoch: int, index: int) -> Leaf | None:
    statement = select(Leaf).where(Leaf.unit_id == unit_id, Leaf.epoch == epoch, Leaf.index == index)
    return session.exec(statement).first()


def refused_for_gap() -> ProtocolError:
    """What a unit is told whose head stays ahead of its records: connect again, send what is missing."""
    return ProtocolError(BAD_SEQUENCE, "records before this head are missing")
