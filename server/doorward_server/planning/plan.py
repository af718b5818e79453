"""A run as people plan it: plain values, before and apart from the rows that keep it."""

import datetime
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session, col, select

from doorward_server.fleet.models import Box
from doorward_server.planning.models import Duty, Run, RunMember, Stop, StopBox, StopKind


@dataclass(frozen=True)
class Member:
    """Somebody of the crew and their duty."""

    person_id: int
    duty: str = Duty.DOOR


@dataclass(frozen=True)
class PlannedBox:
    """A box, and its seal number where known."""

    box_id: int
    seal: str | None = None


@dataclass(frozen=True)
class PlannedStop:
    """One visit. `expires` None: the window's end plus the settings' grace. `task`: the row it is kept in."""

    site_id: int
    window_from: datetime.datetime
    window_until: datetime.datetime
    boxes: tuple[PlannedBox, ...] = ()
    kind: str = StopKind.DELIVER
    expires: datetime.datetime | None = None
    task: int | None = None


@dataclass(frozen=True)
class Plan:
    """A whole run. Stops are in the order of the route."""

    date: datetime.date
    vehicle_id: int
    crew: tuple[Member, ...]
    stops: tuple[PlannedStop, ...]
    note: str = ""


def plan_of(session: Session, run: Run) -> Plan:
    """The plan that a run's rows hold."""
    return Plan(run.date, run.vehicle_id, _crew_of(session, run), _stops_of(session, run), run.note)


def keep(session: Session, run: Run, plan: Plan, grace: datetime.timedelta) -> None:
    """Write a plan into a draft's rows, in place of what they held."""
    run.date, run.vehicle_id, run.note = plan.date, plan.vehicle_id, plan.note
    session.add(run)
    session.flush()
    _forget_stops(session, run)
    keep_crew(session, run, plan.crew)
    for sequence, planned in enumerate(plan.stops, 1):
        stop = Stop(
            run_id=run.id,
            sequence=sequence,
            site_id=planned.site_id,
            kind=planned.kind,
            window_from=planned.window_from,
            window_until=planned.window_until,
            expires=planned.expires or planned.window_until + grace,
        )
        session.add(stop)
        session.flush()
        session.add_all(StopBox(stop_id=stop.id, box_id=box.box_id, seal=box.seal) for box in planned.boxes)
    session.flush()


def keep_crew(session: Session, run: Run, crew: tuple[Member, ...]) -> None:
    """Write a crew in place of the one a run had."""
    for member in session.exec(select(RunMember).where(RunMember.run_id == run.id)):
        session.delete(member)
    session.flush()
    session.add_all(RunMember(run_id=run.id, person_id=one.person_id, duty=one.duty) for one in crew)
    session.flush()


def with_changes(plan: Plan, vehicle_id: int | None, crew: tuple[Member, ...] | None) -> Plan:
    """The plan with another vehicle, another crew, or both."""
    return replace(
        plan,
        vehicle_id=plan.vehicle_id if vehicle_id is None else vehicle_id,
        crew=plan.crew if crew is None else crew,
    )


def crew_from(rows: list[list[Any]] | None) -> tuple[Member, ...] | None:
    """A crew from [[person id, duty], …] as approvals keep it."""
    return None if rows is None else tuple(Member(person_id, duty) for person_id, duty in rows)


def _crew_of(session: Session, run: Run) -> tuple[Member, ...]:
    rows = session.exec(
        select(RunMember).where(RunMember.run_id == run.id).order_by(col(RunMember.person_id))
    )
    return tuple(Member(row.person_id, row.duty) for row in rows)


def _stops_of(session: Session, run: Run) -> tuple[PlannedStop, ...]:
    rows = session.exec(select(Stop).where(Stop.run_id == run.id).order_by(col(Stop.sequence)))
    return tuple(
        PlannedStop(
            stop.site_id,
            stop.window_from,
            stop.window_until,
            boxes_of(session, stop),
            stop.kind,
            stop.expires,
            stop.id,
        )
        for stop in rows
    )


def boxes_of(session: Session, stop: Stop) -> tuple[PlannedBox, ...]:
    """A stop's boxes, by their numbers."""
    rows = session.exec(select(StopBox).join(Box).where(StopBox.stop_id == stop.id).order_by(col(Box.number)))
    return tuple(PlannedBox(row.box_id, row.seal) for row in rows)


def _forget_stops(session: Session, run: Run) -> None:
    for stop in session.exec(select(Stop).where(Stop.run_id == run.id)).all():
        for box in session.exec(select(StopBox).where(StopBox.stop_id == stop.id)):
            session.delete(box)
        session.flush()
        session.delete(stop)
    session.flush()
