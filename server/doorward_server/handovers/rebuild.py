"""Forgets all projections and makes them again from the journals: the same rows, with the same numbers.

A projection is what the units' leaves say, in the order in which they were stored: handovers, their events,
the alarms of records, and how far stops and runs have come; and of the journal of decisions the alarms that
the server raised itself. No projections, and left as they are: what people decided (planning, commands, the
handling of alarms, all of it in the journal of decisions), what was received beside the journal (pictures),
and what has been done once and for all (printed reports).

Everything happens in the caller's transaction: when it fails, nothing has happened.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sqlmodel import Session, col, delete, func, select

from doorward_server import bulk
from doorward_server.alarms import seen
from doorward_server.alarms.models import Alarm
from doorward_server.handovers import newest
from doorward_server.handovers.models import Handover, HandoverEvent
from doorward_server.handovers.projection import foresee, project
from doorward_server.link.models import AnyLeaf, Leaf
from doorward_server.planning.models import Run, Stop
from doorward_server.planning.progress import forget_progress
from doorward_server.units.models import Unit

log = logging.getLogger(__name__)

WINDOW = 500  # leaves in memory at once
_NO_PROGRESS = lambda _done, _all: None  # noqa: E731

Rows = dict[tuple[str, Any], bytes]


class Difference(NamedTuple):
    """A row that a rebuild makes, drops or changes."""

    table: str
    key: Any
    what: str  # "new", "gone" or "changed"


class Report(NamedTuple):
    """What a rebuild has read and made, and where that differs from what was there."""

    leaves: int
    rows: int
    differences: list[Difference]


def rebuild(session: Session, progress: Callable[[int, int], None] = _NO_PROGRESS) -> Report:
    """Make all projections again. Tells no page, prints nothing. `progress(done, all)` in leaves."""
    before = _rows(session)
    session.info["quiet"] = True
    try:
        _forget(session)
        seen.make_again(session)
        leaves = _replay(session, progress)
        session.flush()
    finally:
        session.info["quiet"] = False
    after = _rows(session)
    return Report(leaves, len(after), _differences(before, after))


def _forget(session: Session) -> None:
    session.exec(delete(HandoverEvent))
    session.exec(delete(Handover))
    session.exec(delete(Alarm).where(col(Alarm.key).startswith("record:")))
    forget_progress(session)
    session.flush()
    session.expire_all()
    newest.forget(session)


def _replay(session: Session, progress: Callable[[int, int], None]) -> int:
    total = session.exec(select(func.count()).select_from(Leaf)).one()
    units = {unit.id: unit for unit in session.exec(select(Unit))}
    replay = Replay(lambda leaf: _project_again(session, units[leaf.unit_id], leaf))
    count = 0
    for leaf in _leaves(session):
        count += 1
        if not replay.take(leaf):
            foresee(session, units[leaf.unit_id], leaf)
        if count % WINDOW == 0 or count == total:
            progress(count, total)
    return count


def _leaves(session: Session) -> Iterator[Leaf]:
    """All leaves in the order of storing. In windows: an open cursor would not survive a savepoint's end."""
    last = 0
    while window := session.exec(
        select(Leaf).where(col(Leaf.id) > last).order_by(col(Leaf.id)).limit(WINDOW)
    ).all():
        yield from window
        last = window[-1].id


def _project_again(session: Session, unit: Unit, leaf: AnyLeaf) -> None:
    """As ingest did: a leaf that breaks its projection stays out of it."""
    try:
        with session.begin_nested():
            project(session, unit, leaf)
            bulk.write(session)
    except Exception:
        bulk.forget(session)
        newest.forget(session)
        log.exception("leaf %d stays out of the projection", leaf.id)


class Replay:
    """Feeds leaves, stored in any order, to the projection in the order in which ingest did."""

    def __init__(self, project_one: Callable[[AnyLeaf], object]) -> None:
        self._project = project_one
        self._sizes: dict[tuple[int, int], int] = {}
        self._early: dict[tuple[int, int], dict[int, AnyLeaf]] = {}

    def take(self, leaf: AnyLeaf) -> bool:
        """True if the leaf could be projected now, with those that had waited for it."""
        journal = (leaf.unit_id, leaf.epoch)
        early = self._early.setdefault(journal, {})
        size = self._sizes.get(journal, 0)
        if leaf.index != size:
            early[leaf.index] = leaf
            return False
        while True:
            self._project(leaf)
            size += 1
            self._sizes[journal] = size
            if size not in early:
                return True
            leaf = early.pop(size)


def _rows(session: Session) -> Rows:
    """Each projected row by table and key, as a hash of all its columns."""
    found: Rows = {}
    for model in (Handover, HandoverEvent, Alarm):
        for row in session.exec(select(model)):
            key = row.key if isinstance(row, Alarm) else row.id
            found[str(model.__tablename__), key] = _hash(row.model_dump())
    for stop in session.exec(select(Stop)):
        found["stop", stop.id] = _hash({"status": str(stop.status), "closed_at": stop.closed_at})
    for run in session.exec(select(Run)):
        found["run", run.id] = _hash({"status": str(run.status)})
    return found


def _hash(columns: dict[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(columns, sort_keys=True, default=str).encode()).digest()


def _differences(before: Rows, after: Rows) -> list[Difference]:
    changed = []
    for table, key in sorted({*before, *after}, key=str):
        old, new = before.get((table, key)), after.get((table, key))
        if old != new:
            what = "new" if old is None else "gone" if new is None else "changed"
            changed.append(Difference(table, key, what))
    return changed
