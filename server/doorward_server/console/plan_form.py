"""The form in which a run is planned: what is typed in it, and how it is filled from a plan.

People type what they know things by: plates, staff numbers, codes of sites, numbers of boxes, times of the
bank's zone. Rows in which nothing is typed are no rows. What it all means: plan_reading.py.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from itertools import zip_longest
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, Field
from sqlmodel import Session

from doorward_server.fleet.models import Box, Site, Vehicle
from doorward_server.people.models import Person
from doorward_server.planning.models import Duty, StopKind
from doorward_server.planning.plan import Plan, PlannedBox, PlannedStop
from doorward_server.services import services_of

MOST_ROWS = 60
LONGEST_NOTE = 500
LONGEST_BOXES = 2 * 8000  # browsers count an end of line as one character, and send it as two

Typed = Annotated[str, Field(max_length=100)]
Rows = Annotated[list[Typed], Field(max_length=MOST_ROWS)]
Duties = Annotated[list[Duty], Field(max_length=MOST_ROWS)]
Kinds = Annotated[list[StopKind], Field(max_length=MOST_ROWS)]
BoxRows = Annotated[list[Annotated[str, Field(max_length=LONGEST_BOXES)]], Field(max_length=MOST_ROWS)]


class TypedCrew(BaseModel):
    """Vehicle and crew as they are typed: a plate, and row by row a staff number and a duty."""

    vehicle: Typed = ""
    person: Rows = []
    duty: Duties = []


class TypedRun(TypedCrew):
    """All of a run as it is typed.

    `request`: the requests that it is to serve; `seen`: the stamp of what the form was filled from; `do`: the
    button.
    """

    date: Typed = ""
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""
    site: Rows = []
    kind: Kinds = []
    begin: Rows = []
    end: Rows = []
    expires: Rows = []
    boxes: BoxRows = []
    request: Annotated[list[int], Field(max_length=MOST_ROWS)] = []
    seen: Typed = ""
    do: Literal["save", "release", "more"] = "save"


class TypedRequest(BaseModel):
    """A site's request for a visit as it is typed."""

    date: Typed = ""
    kind: StopKind = StopKind.DELIVER
    begin: Typed = ""
    end: Typed = ""
    boxes: Annotated[str, Field(max_length=LONGEST_BOXES)] = ""
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""


class MemberRow(NamedTuple):
    """Somebody of the crew as typed."""

    number: str = ""
    duty: str = Duty.DOOR


class StopRow(NamedTuple):
    """A stop as typed. `boxes`: a line each, the number and behind it the seal where one is known."""

    site: str = ""
    kind: str = StopKind.DELIVER
    begin: str = ""
    end: str = ""
    expires: str = ""
    boxes: str = ""


def member_rows(typed: TypedCrew) -> list[MemberRow]:
    """The rows in which somebody stands."""
    rows = zip_longest(typed.person, typed.duty, fillvalue="")
    return [MemberRow(number.strip(), duty or Duty.DOOR) for number, duty in rows if number.strip()]


def stop_rows(typed: TypedRun) -> list[StopRow]:
    """The rows in which something stands."""
    columns = (typed.site, typed.kind, typed.begin, typed.end, typed.expires, typed.boxes)
    rows = (StopRow(*(value.strip() for value in row)) for row in zip_longest(*columns, fillvalue=""))
    return [row._replace(kind=row.kind or StopKind.DELIVER) for row in rows if any(row._replace(kind=""))]


def typed_crew(session: Session, plan: Plan) -> TypedCrew:
    """What would have to be typed for this plan's vehicle and crew."""
    people = [session.get_one(Person, member.person_id).staff_number for member in plan.crew]
    plate = session.get_one(Vehicle, plan.vehicle_id).plate
    return TypedCrew(vehicle=plate, person=people, duty=[Duty(member.duty) for member in plan.crew])


def typed_run(session: Session, plan: Plan, day: str = "") -> TypedRun:
    """What would have to be typed for this plan; with `day` for the same plan on another day.

    A note and seals hold for one day alone.
    """
    about = {"date": day or plan.date.isoformat(), "note": "" if day else plan.note}
    typed = TypedRun.model_validate(typed_crew(session, plan).model_dump() | about)
    type_stops(typed, [_row(session, stop, bool(day)) for stop in plan.stops])
    return typed


def add_stop(session: Session, typed: TypedRun, stop: PlannedStop) -> None:
    """Type one more stop below the others."""
    type_stops(typed, [*stop_rows(typed), _row(session, stop, False)])


def type_stops(typed: TypedRun, rows: Iterable[StopRow]) -> None:
    """Type these stops in place of those that are there."""
    typed_rows = list(rows)
    for name in StopRow._fields:
        setattr(typed, name, [getattr(row, name) for row in typed_rows])


def _row(session: Session, stop: PlannedStop, another_day: bool) -> StopRow:
    services = services_of(session)
    zone, grace = services.settings.zone, timedelta(minutes=services.settings.order_grace_minutes)
    as_usual = stop.expires is None or stop.expires == stop.window_until + grace
    return StopRow(
        session.get_one(Site, stop.site_id).code,
        stop.kind,
        _clock_time(stop.window_from, zone),
        _clock_time(stop.window_until, zone),
        "" if as_usual or stop.expires is None else _clock_time(stop.expires, zone),
        "\n".join(_line(session, box, another_day) for box in stop.boxes),
    )


def _line(session: Session, planned: PlannedBox, another_day: bool) -> str:
    number = session.get_one(Box, planned.box_id).number
    return f"{number} {planned.seal}" if planned.seal and not another_day else number


def _clock_time(moment: datetime, zone: tzinfo) -> str:
    """ "09:30"; with seconds where there are some."""
    local = moment.astimezone(zone)
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
