"""The newest handover of each journal, which is the one that most records belong to: looked up once per
transaction, together for all units of a batch."""

from collections.abc import Iterable

from sqlalchemy import tuple_
from sqlmodel import Session, col, func, select

from doorward_server.handovers.models import Handover

_KNOWN = "newest_handovers"


def prepare(session: Session, places: Iterable[tuple[int, int]]) -> None:
    """Look up the newest handover of each of these journals, (unit, epoch); of others `newest` does it."""
    known = _Known(places)
    last = (
        select(func.max(Handover.id))
        .where(tuple_(col(Handover.unit_id), col(Handover.epoch)).in_(known.prepared))
        .group_by(col(Handover.unit_id), col(Handover.epoch))
    )
    for handover in session.exec(select(Handover).where(col(Handover.id).in_(last))):
        known.of[handover.unit_id, handover.epoch] = handover
    session.info[_KNOWN] = known


def prepared(session: Session) -> list[Handover]:
    """The newest handovers that were looked up together."""
    known: _Known = session.info.get(_KNOWN) or _Known([])
    return [handover for handover in known.of.values() if handover is not None]


def newest(session: Session, unit_id: int, epoch: int) -> Handover | None:
    """The handover that began last in this journal."""
    known: _Known = session.info.setdefault(_KNOWN, _Known([]))
    place = (unit_id, epoch)
    if place not in known.of and place not in known.prepared:
        statement = select(Handover).where(Handover.unit_id == unit_id, Handover.epoch == epoch)
        known.of[place] = session.exec(statement.order_by(col(Handover.id).desc()).limit(1)).first()
    return known.of.get(place)


def by_nonce(session: Session, unit_id: int, epoch: int, nonce: bytes) -> Handover | None:
    """The handover of this nonce: mostly the newest."""
    last = newest(session, unit_id, epoch)
    if last is None or last.nonce == nonce:
        return last
    statement = select(Handover).where(
        Handover.unit_id == unit_id, Handover.epoch == epoch, Handover.nonce == nonce
    )
    return session.exec(statement).first()


def begun(session: Session, handover: Handover) -> None:
    """A handover has begun, and is the newest of its journal from now on."""
    session.info.setdefault(_KNOWN, _Known([])).of[handover.unit_id, handover.epoch] = handover


def forget(session: Session) -> None:
    """Forget what was looked up: a savepoint is being rolled back."""
    session.info.pop(_KNOWN, None)


class _Known:
    """What is known in one transaction: by (unit, epoch), and which of these were looked up together."""

    __slots__ = ("of", "prepared")

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        self.of: dict[tuple[int, int], Handover | None] = {}
        self.prepared = frozenset(places)
