"""The rules of a plan. `findings(session, plan)` looks at everything and changes nothing; none: no obstacle.

Runs that are proposed or released hold their vehicle, people and boxes; drafts hold nothing.
"""

import datetime
from collections.abc import Iterator

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from doorward_server.fleet.models import Box, Site, Vehicle
from doorward_server.people.models import Person, PersonRole
from doorward_server.people.service import has_permit, sites_with_officers
from doorward_server.planning.findings import Finding, finding
from doorward_server.planning.models import (
    Duty,
    Run,
    RunMember,
    RunStatus,
    Stop,
    StopBox,
    StopKind,
    StopStatus,
)
from doorward_server.planning.plan import Plan, PlannedStop
from doorward_server.services import services_of

LEAST_AT_DOOR = 2
MOST_PEOPLE = 12
MOST_STOPS = 40
MOST_BOXES = 100
# A unit's record of a reading names each box's EPC twice, and has to fit an entry of its journal.
_MOST_BOX_BYTES = 2600
HOLDING = (RunStatus.PROPOSED, RunStatus.RELEASED)
OPEN = (StopStatus.PLANNED, StopStatus.UNDER_WAY, StopStatus.FROZEN)
_CREW_ROLES = (PersonRole.ESCORT, PersonRole.DRIVER)
_LONGEST_WINDOW = datetime.timedelta(days=1)
# The span of a plan without stops.
_NEVER = datetime.datetime.min.replace(tzinfo=datetime.UTC)


def findings(session: Session, plan: Plan, run_id: int | None = None) -> list[Finding]:
    """All obstacles to the plan. `run_id` is the run that the plan is for: it does not hinder itself."""
    return [
        *_sizes(plan),
        *_vehicle(session, plan, run_id),
        *_crew(session, plan, run_id),
        *_route(plan),
        *_stops(session, plan),
        *_boxes(session, plan, run_id),
    ]


def _sizes(plan: Plan) -> Iterator[Finding]:
    if not plan.stops:
        yield finding("no_stops", "stops")
    if len(plan.stops) > MOST_STOPS:
        yield finding("too_many_stops", "stops", limit=MOST_STOPS)
    if len(plan.crew) > MOST_PEOPLE:
        yield finding("too_many_people", "crew", limit=MOST_PEOPLE)
    for number, stop in enumerate(plan.stops, 1):
        if len(stop.boxes) > MOST_BOXES:
            yield finding("too_many_boxes", f"stop {number}", limit=MOST_BOXES)


def _vehicle(session: Session, plan: Plan, run_id: int | None) -> Iterator[Finding]:
    vehicle = session.get(Vehicle, plan.vehicle_id)
    if vehicle is None:
        yield finding("vehicle_unknown", "vehicle")
        return
    for other in session.exec(_runs_at_that_time(plan, run_id).where(Run.vehicle_id == vehicle.id)):
        yield finding("vehicle_busy", "vehicle", plate=vehicle.plate, run=other)


def _crew(session: Session, plan: Plan, run_id: int | None) -> Iterator[Finding]:
    if sum(member.duty == Duty.DOOR for member in plan.crew) < LEAST_AT_DOOR:
        yield finding("crew_too_small", "crew")
    vehicle = session.get(Vehicle, plan.vehicle_id)
    seen = set()
    for member in plan.crew:
        person = session.get(Person, member.person_id)
        if person is None:
            yield finding("crew_unknown", "crew", person=member.person_id)
            continue
        if person.removed_at is not None:
            yield finding("crew_removed", "crew", name=person.name_zh)
            continue
        if person.id in seen:
            yield finding("crew_twice", "crew", name=person.name_zh)
        seen.add(person.id)
        if member.duty not in tuple(Duty):
            yield finding("crew_duty", "crew")
        if person.role not in _CREW_ROLES:
            yield finding("crew_role", "crew", name=person.name_zh)
        if person.role == PersonRole.DRIVER and member.duty == Duty.DOOR:
            yield finding("driver_at_door", "crew", name=person.name_zh)
        if vehicle is not None and person.company_id != vehicle.company_id:
            yield finding("crew_company", "crew", name=person.name_zh)
        if not has_permit(person, plan.date):
            yield finding("crew_permit", "crew", name=person.name_zh)
    yield from _crew_elsewhere(session, plan, run_id)


def _crew_elsewhere(session: Session, plan: Plan, run_id: int | None) -> Iterator[Finding]:
    people = [member.person_id for member in plan.crew]
    busy = (
        select(RunMember)
        .where(
            col(RunMember.person_id).in_(people), col(RunMember.run_id).in_(_runs_at_that_time(plan, run_id))
        )
        .order_by(col(RunMember.run_id))
    )
    for member in session.exec(busy):
        name = session.get_one(Person, member.person_id).name_zh
        yield finding("crew_busy", "crew", name=name, run=member.run_id)


def _route(plan: Plan) -> Iterator[Finding]:
    for number, (one, following) in enumerate(zip(plan.stops, plan.stops[1:], strict=False), 2):
        if following.window_from < one.window_from or following.window_until < one.window_until:
            yield finding("windows_sequence", f"stop {number}")


def _stops(session: Session, plan: Plan) -> Iterator[Finding]:
    staffed = sites_with_officers(session, {stop.site_id for stop in plan.stops}, plan.date)
    for number, stop in enumerate(plan.stops, 1):
        where = f"stop {number}"
        if session.get(Site, stop.site_id) is None:
            yield finding("site_unknown", where)
        elif stop.site_id not in staffed:
            yield finding("site_without_officer", where)
        yield from visit(session, stop, where, plan.date)
        if not stop.boxes:
            yield finding("no_boxes", where)


def visit(session: Session, stop: PlannedStop, where: str, day: datetime.date) -> Iterator[Finding]:
    """What stands against one visit by itself on this local day: its kind and its window."""
    services = services_of(session)
    if stop.kind not in tuple(StopKind):
        yield finding("kind_unknown", where)
    yield from _window(stop, where, day, services.settings.zone)
    if stop.window_until <= services.clock.now() and not _is_done(session, stop):
        yield finding("window_passed", where)


def _window(stop: PlannedStop, where: str, day: datetime.date, zone: datetime.tzinfo) -> Iterator[Finding]:
    if stop.window_from >= stop.window_until:
        yield finding("window_order", where)
    if stop.window_until - stop.window_from > _LONGEST_WINDOW:
        yield finding("window_long", where)
    if stop.window_from.astimezone(zone).date() != day:
        yield finding("window_day", where)
    if stop.expires is not None and stop.expires < stop.window_until:
        yield finding("expires_early", where)


def _is_done(session: Session, stop: PlannedStop) -> bool:
    row = session.get(Stop, stop.task) if stop.task is not None else None
    return row is not None and row.status not in OPEN


def _boxes(session: Session, plan: Plan, run_id: int | None) -> Iterator[Finding]:
    """A box is in one open stop only. Within one run it may go in and out of the vehicle in turns."""
    last_kinds: dict[int, bool] = {}
    boxes = {planned.box_id for stop in plan.stops for planned in stop.boxes}
    known = {box.id: box for box in session.exec(select(Box).where(col(Box.id).in_(boxes)))}
    elsewhere = _runs_with(session, boxes, run_id)
    for number, stop in enumerate(plan.stops, 1):
        where = f"stop {number}"
        loads = stop.kind == StopKind.COLLECT
        longest = 0
        for planned in stop.boxes:
            box = known.get(planned.box_id)
            if box is None:
                yield finding("box_unknown", where, box=planned.box_id)
                continue
            longest = max(longest, len(box.epc))
            if last_kinds.get(box.id) == loads or [one.box_id for one in stop.boxes].count(box.id) > 1:
                yield finding("box_twice", where, number=box.number)
            last_kinds[box.id] = loads
            for other in elsewhere.get(box.id, ()):
                yield finding("box_busy", where, number=box.number, run=other)
        limit = most_boxes(longest)
        if limit < len(stop.boxes) <= MOST_BOXES:
            yield finding("too_many_boxes", where, limit=limit)


def most_boxes(longest: int) -> int:
    """How many boxes one stop can have whose longest EPC has so many bytes."""
    return min(MOST_BOXES, _MOST_BOX_BYTES // (2 * longest + 4))


def _runs_with(session: Session, boxes: set[int], run_id: int | None) -> dict[int, list[int]]:
    """By box: the other runs that hold it."""
    query = (
        select(StopBox.box_id, Run.id)
        .join(Stop, col(Stop.id) == col(StopBox.stop_id))
        .join(Run, col(Run.id) == col(Stop.run_id))
        .where(col(StopBox.box_id).in_(boxes), col(Run.status).in_(HOLDING), col(Stop.status).in_(OPEN))
        .where(col(Run.id) != (run_id or 0))
        .distinct()
        .order_by(col(Run.id))
    )
    found: dict[int, list[int]] = {}
    for box, run in session.exec(query):
        found.setdefault(box, []).append(run)
    return found


def _runs_at_that_time(plan: Plan, run_id: int | None) -> SelectOfScalar[int]:
    """The query for other runs that hold their things while this plan lasts.

    A run lasts from its first open window to the end of its last one, whether or not a window is open.
    """
    begin = min((stop.window_from for stop in plan.stops), default=_NEVER)
    end = max((stop.window_until for stop in plan.stops), default=_NEVER)
    return (
        select(Run.id)
        .join(Stop, col(Stop.run_id) == col(Run.id))
        .where(col(Run.status).in_(HOLDING), col(Stop.status).in_(OPEN), col(Run.id) != (run_id or 0))
        .group_by(col(Run.id))
        .having(func.min(Stop.window_from) < end, func.max(Stop.window_until) > begin)
        .order_by(col(Run.id))
    )
