"""Where released runs stand: each stop as handovers report it, and what a site should hold now."""

import datetime
from collections.abc import Iterable

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from doorward_server import live
from doorward_server.audit.models import Decision
from doorward_server.fleet.models import Box
from doorward_server.people.models import Person
from doorward_server.planning.content import content_of_version
from doorward_server.planning.models import (
    Run,
    RunMember,
    RunStatus,
    Stop,
    StopBox,
    StopStatus,
)
from doorward_server.planning.rules import OPEN
from doorward_server.services import services_of

# D11: a unit holds an order from so long before its window until so long after the handover closed.
HOLD_BEFORE = datetime.timedelta(hours=12)
HOLD_AFTER = datetime.timedelta(hours=2)
# Orders that expired so long ago are closed or void; leaving them out keeps the lists short over the years.
LONG_PAST = datetime.timedelta(days=2)
LONG_AGO = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


_KNOWN = "stops_of_runs"


def prepare(session: Session, tasks: Iterable[int]) -> list[int]:
    """Look up these stops together, with their runs and the runs' other stops; returns the runs' numbers."""
    runs = select(Stop.run_id).where(col(Stop.id).in_(list(tasks)))
    known: dict[int, tuple[Run, list[Stop]]] = {}
    for stop, run in session.exec(
        select(Stop, Run).join(Run, col(Run.id) == col(Stop.run_id)).where(col(Stop.run_id).in_(runs))
    ):
        known.setdefault(run.id, (run, []))[1].append(stop)
    session.info[_KNOWN] = known
    return list(known)


def stops_of_run(session: Session, run_id: int) -> Iterable[Stop]:
    """All stops of a run, in no order."""
    known = session.info.get(_KNOWN, {}).get(run_id)
    if known is not None:
        return known[1]
    return session.exec(select(Stop).where(Stop.run_id == run_id))


def stop_at(session: Session, task: int, site_id: int) -> Stop | None:
    """The stop that a site's unit names, if it is one of the site's own: units may say anything."""
    stop = session.get(Stop, task)
    return stop if stop is not None and stop.site_id == site_id else None


def set_stop_status(session: Session, task: int, status: StopStatus, at: datetime.datetime) -> None:
    """Carry a handover's state over to its stop; with the last open stop the run closes.

    Repeating it changes nothing. A task that planning does not know, or has cancelled, stays as it is: the
    handover itself shows it.
    """
    stop = session.get(Stop, task)
    if stop is None or stop.status == StopStatus.CANCELLED or stop.status == status:
        return
    stop.status = status
    stop.closed_at = at if status == StopStatus.CLOSED else None
    session.add(stop)
    run = session.get_one(Run, stop.run_id)
    if run.status == RunStatus.CANCELLED:
        return
    is_open = status in OPEN or any(one.status in OPEN for one in stops_of_run(session, run.id))
    run.status = RunStatus.RELEASED if is_open else RunStatus.CLOSED
    session.add(run)


def forget_progress(session: Session) -> None:
    """Put every stop and run back to where planning left it, for a rebuild from the journals."""
    for stop in session.exec(select(Stop).where(Stop.status != StopStatus.CANCELLED)):
        stop.status, stop.closed_at = StopStatus.PLANNED, None
        session.add(stop)
    for run in session.exec(select(Run).where(Run.status == RunStatus.CLOSED)):
        run.status = RunStatus.RELEASED
        session.add(run)
    session.flush()


def was_cancelled(session: Session, stop: Stop, at: int) -> bool:
    """Whether a stop had been cancelled by then (ms since 1970 UTC), as the journal of decisions has it."""
    if stop.status != StopStatus.CANCELLED:
        return False
    decided = select(Decision.time).where(
        Decision.kind == "run_cancelled", Decision.subject == f"run:{stop.run_id}"
    )
    return any(time <= at for time in session.exec(decided))


def still_due(now: datetime.datetime) -> ColumnElement[bool]:
    """Of stops: the vehicle may still come, or is there, whatever day has begun meanwhile."""
    return col(Stop.status).in_(OPEN) & (col(Stop.expires) > now)


def stops_to_hold(session: Session, site_id: int) -> list[Stop]:
    """The stops whose orders a site's unit should hold now (D11), by window."""
    now = services_of(session).clock.now()
    query = (
        select(Stop)
        .where(Stop.site_id == site_id, col(Stop.order_version) > 0, Stop.status != StopStatus.CANCELLED)
        .where(col(Stop.window_from) <= now + HOLD_BEFORE, col(Stop.expires) > now - LONG_PAST)
        .order_by(col(Stop.window_from), col(Stop.id))
    )
    return [stop for stop in session.exec(query) if _held_until(stop) > now]


def next_change(session: Session) -> datetime.datetime | None:
    """When `stops_to_hold` of some site next gives something else by time alone; None: not foreseeable."""
    now = services_of(session).clock.now()
    held = (col(Stop.order_version) > 0, Stop.status != StopStatus.CANCELLED)
    begin, closed, void = (
        session.exec(query.where(*held, col(Stop.expires) > now - LONG_PAST)).one()
        for query in (
            select(func.min(Stop.window_from)).where(col(Stop.window_from) > now + HOLD_BEFORE),
            select(func.min(Stop.closed_at)).where(col(Stop.closed_at) > now - HOLD_AFTER),
            select(func.min(Stop.expires)).where(
                col(Stop.closed_at).is_(None), col(Stop.expires) > now - HOLD_AFTER
            ),
        )
    )
    moments = (begin and begin - HOLD_BEFORE, closed and closed + HOLD_AFTER, void and void + HOLD_AFTER)
    return min((moment for moment in moments if moment is not None), default=None)


def last_changes(session: Session) -> dict[int, datetime.datetime]:
    """By site: when `stops_to_hold` last gave something else by time alone, if it did so in the last days."""
    now = services_of(session).clock.now()
    query = select(Stop.site_id, Stop.window_from, Stop.closed_at, Stop.expires).where(
        col(Stop.order_version) > 0,
        Stop.status != StopStatus.CANCELLED,
        col(Stop.window_from) <= now + HOLD_BEFORE,
        col(Stop.expires) > now - LONG_PAST,
    )
    found: dict[int, datetime.datetime] = {}
    for site_id, window_from, closed_at, expires in session.exec(query):
        for moment in (window_from - HOLD_BEFORE, (closed_at or expires) + HOLD_AFTER):
            if found.get(site_id, LONG_AGO) < moment <= now:
                found[site_id] = moment
    return found


def place_of_box(session: Session, epc: bytes) -> tuple[Box, Stop | None] | None:
    """Where a box with this tag belongs (S7): its open stop with the earliest window, if it has one."""
    box = session.exec(select(Box).where(Box.epc == epc)).first()
    if box is None:
        return None
    query = (
        select(Stop)
        .join(StopBox, col(StopBox.stop_id) == col(Stop.id))
        .join(Run, col(Run.id) == col(Stop.run_id))
        .where(StopBox.box_id == box.id, col(Stop.status).in_(OPEN), Run.status == RunStatus.RELEASED)
        .order_by(col(Stop.window_from))
    )
    return box, session.exec(query).first()


def is_expected_at(session: Session, person_id: int, site_id: int) -> bool:
    """Whether somebody is in the crew of an order that the site holds now, so that it may see the photo."""
    return any(
        any(member["person"] == person_id for member in _crew(session, stop))
        for stop in stops_to_hold(session, site_id)
    )


def sites_of_person(session: Session, person: Person) -> list[int]:
    """Sites whose units know somebody: the own one, and those with an open order for this person."""
    query = (
        select(Stop.site_id)
        .join(RunMember, col(RunMember.run_id) == col(Stop.run_id))
        .where(RunMember.person_id == person.id, col(Stop.status).in_(OPEN), col(Stop.order_version) > 0)
    )
    own = [] if person.site_id is None else [person.site_id]
    return sorted({*own, *session.exec(query)})


def tell_units(session: Session, site_ids: Iterable[int]) -> None:
    """Let the units of these sites have what is now desired of them, and their pages look again."""
    from doorward_server.units.service import orders_changed

    sites = sorted(set(site_ids))
    orders_changed(session, sites)
    tell_pages(session, sites)


def tell_pages(session: Session, site_ids: Iterable[int]) -> None:
    """Let the pages of these sites, and those of the centre, look again."""
    for site_id in sorted(set(site_ids)):
        live.publish(session, "orders", {"name": "orders", "site": site_id})


def _crew(session: Session, stop: Stop) -> list[dict]:
    return content_of_version(session, stop.run_id, stop.order_version)["crew"]


def _held_until(stop: Stop) -> datetime.datetime:
    """Until when a unit holds the order: after the close, or after it expired without one."""
    return (stop.closed_at or stop.expires) + HOLD_AFTER
