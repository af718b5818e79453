"""A run as people plan it: plain values, before and apart from the rows that keep it."""

import datetime
from collections import defaultdict
from collections.abc import Iterable
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
    return plans_of(session, [run])[run.id]


def plans_of(session: Session, runs: Iterable[Run]) -> dict[int, Plan]:
    """The plans of several runs, by run; their rows are looked up together."""
    found = {run.id: run for run in runs}
    crews = _crews_of(session, list(found))
    stops = _stops_of(session, list(found))
    return {
        number: Plan(run.date, run.vehicle_id, tuple(crews[number]), tuple(stops[number]), run.note)
        for number, run in found.items()
    }


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


def _crews_of(session: Session, runs: list[int]) -> dict[int, list[Member]]:
    crews: dict[int, list[Member]] = {run: [] for run in runs}
    query = select(RunMember).where(col(RunMember.run_id).in_(runs)).order_by(col(RunMember.person_id))
    for row in session.exec(query):
        crews[row.run_id].append(Member(row.person_id, row.duty))
    return crews


def _stops_of(session: Session, runs: list[int]) -> dict[int, list[PlannedStop]]:
    boxes: defaultdict[int, list[PlannedBox]] = defaultdict(list)
    inside = select(StopBox).join(Box).join(Stop).where(col(Stop.run_id).in_(runs)).order_by(col(Box.number))
    for row in session.exec(inside):
        boxes[row.stop_id].append(PlannedBox(row.box_id, row.seal))
    stops: dict[int, list[PlannedStop]] = {run: [] for run in runs}
    for stop in session.exec(select(Stop).where(col(Stop.run_id).in_(runs)).order_by(col(Stop.sequence))):
        planned = PlannedStop(
            stop.site_id,
            stop.window_from,
            stop.window_until,
            tuple(boxes[stop.id]),
            stop.kind,
            stop.expires,
            stop.id,
        )
        stops[stop.run_id].append(planned)
    return stops


def _forget_stops(session: Session, run: Run) -> None:
    for stop in session.exec(select(Stop).where(Stop.run_id == run.id)).all():
        for box in session.exec(select(StopBox).where(StopBox.stop_id == stop.id)):
            session.delete(box)
        session.flush()
        session.delete(stop)
    session.flush()
