"""Verifies heads against the stored leaves and signs receipts for those that agree.

A head that is ahead of its leaves waits for them; one that contradicts them is a fork, and gets no receipt.
"""

from doorward_protocol import objects
from doorward_protocol.errors import BAD_HASH, BAD_SEQUENCE, MALFORMED, WRONG_UNIT, ProtocolError
from doorward_protocol.suite import run
from sqlmodel import Session, col, select

from doorward_server import bulk
from doorward_server.alarms import service as alarms
from doorward_server.handovers.models import Handover, HandoverEvent
from doorward_server.link.journal import (
    LARGEST,
    Journal,
    changed,
    frontier_at,
    journal_of,
    note_conflict,
    tree_of,
)
from doorward_server.link.models import Head
from doorward_server.link.received import Outcome, ReceivedHead
from doorward_server.reports import service as reports
from doorward_server.services import services_of
from doorward_server.units import authority
from doorward_server.units.models import Unit


def store_head(session: Session, unit: Unit, item: ReceivedHead, outcome: Outcome) -> None:
    """Store one head if it agrees, and answer it."""
    services = services_of(session)
    try:
        head = run(objects.verify(services.suite, "head", item.object, {unit.kid: unit.signing_key}))
        if head["unit"] != unit.kid:
            raise ProtocolError(WRONG_UNIT, "head")
        if any(head[name] > LARGEST for name in ("epoch", "size", "time")):
            raise ProtocolError(MALFORMED, "head out of range")
    except ProtocolError as problem:
        alarms.raise_alarm(session, "head_forged", unit, reason=problem.reason)
        outcome.refuse(unit.id, "head", b"", problem)
        return
    journal = journal_of(session, unit.id, head["epoch"])
    if head["size"] > journal.size:
        outcome.wait(item, head["epoch"], head["size"])
        return
    known = None
    if head["size"] <= journal.head_size:  # an agreed head is never larger than the newest
        statement = select(Head).where(Head.unit_id == unit.id, Head.epoch == head["epoch"])
        known = session.exec(statement.where(Head.size == head["size"])).first()
    if known is not None and known.root == head["root"]:
        outcome.replies.append((unit.id, "stored", {"object": known.receipt}))
        return
    whole = head["size"] == journal.size
    frontier = tree_of(session, journal) if whole else frontier_at(session, journal, head["size"])
    if frontier.root() != head["root"]:
        note_conflict(session, unit, "journal_fork", head["epoch"], head["size"], item.object)
        outcome.refuse(unit.id, "head", head["root"], ProtocolError(BAD_HASH, "head and leaves differ"))
        return
    receipt = authority.sign_receipt(
        services, unit.kid, head["epoch"], head["size"], head["root"], services.clock.milliseconds()
    )
    row = {name: head[name] for name in ("epoch", "size", "root", "time")}
    row |= {"unit_id": unit.id, "object": item.object, "receipt": receipt, "received": item.received}
    bulk.insert(session, Head, row)
    if head["size"] > journal.head_size:
        if journal.closes:
            if reports.printer_of(session, unit.site_id):
                _print_reports(session, journal, head["size"])
            journal.closes = not whole
        journal.head_size = head["size"]
        journal.frontier = frontier.to_bytes()
        changed(session, journal)
    alarms.end_all(session, "head_missing", unit)
    outcome.signed.add(unit.id)
    if journal.size > journal.head_size:
        outcome.uncovered[unit.id] = item.received
    else:
        outcome.uncovered.pop(unit.id, None)
    outcome.replies.append((unit.id, "stored", {"object": receipt}))


def newest_head(session: Session, unit_id: int, epoch: int) -> Head | None:
    """The largest head of an epoch that agreed with its leaves."""
    statement = select(Head).where(Head.unit_id == unit_id, Head.epoch == epoch)
    return session.exec(statement.order_by(col(Head.size).desc()).limit(1)).first()


def refused_for_gap() -> ProtocolError:
    """What a unit is told whose head stays ahead of its records: connect again, send what is missing."""
    return ProtocolError(BAD_SEQUENCE, "records before this head are missing")


def _print_reports(session: Session, journal: Journal, size: int) -> None:
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
