"""What the planning API takes and gives. Times carry their zone; a time without one is refused."""

import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from doorward_server.planning.models import Duty, RunStatus, StopKind, StopStatus
from doorward_server.planning.plan import Member, Plan, PlannedBox, PlannedStop
from doorward_server.planning.rules import MOST_BOXES, MOST_PEOPLE, MOST_STOPS

Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
# Moments that every zone has, and that are far from the ends of the calendar.
Moment = Annotated[
    AwareDatetime,
    Field(
        ge=datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC),
        le=datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC),
    ),
]


class MemberData(BaseModel):
    """Somebody of the crew."""

    person_id: Id
    duty: Duty = Duty.DOOR

    def plain(self) -> Member:
        return Member(self.person_id, self.duty)


class BoxData(BaseModel):
    """A box and its seal number, where known."""

    box_id: Id
    seal: Annotated[str, Field(min_length=1, max_length=40)] | None = None


class StopData(BaseModel):
    """One visit. Without `expires` the order is void a set time after its window."""

    site_id: Id
    kind: StopKind = StopKind.DELIVER
    window_from: Moment
    window_until: Moment
    expires: Moment | None = None
    boxes: Annotated[list[BoxData], Field(max_length=MOST_BOXES)] = []

    def plain(self) -> PlannedStop:
        boxes = tuple(PlannedBox(box.box_id, box.seal) for box in self.boxes)
        return PlannedStop(self.site_id, self.window_from, self.window_until, boxes, self.kind, self.expires)


class RunData(BaseModel):
    """A whole plan of a run; the stops in the order of the route."""

    date: datetime.date
    vehicle_id: Id
    crew: Annotated[list[MemberData], Field(max_length=MOST_PEOPLE)]
    stops: Annotated[list[StopData], Field(max_length=MOST_STOPS)]
    note: Annotated[str, Field(max_length=500)] = ""

    def plain(self) -> Plan:
        crew = tuple(member.plain() for member in self.crew)
        return Plan(self.date, self.vehicle_id, crew, tuple(stop.plain() for stop in self.stops), self.note)


class ChangeData(BaseModel):
    """Another vehicle, another crew, or both; with neither the orders are issued afresh."""

    vehicle_id: Id | None = None
    crew: Annotated[list[MemberData], Field(max_length=MOST_PEOPLE)] | None = None


class PublicStop(StopData):
    """A stop as it stands. `id` is the task."""

    id: int
    sequence: int
    order_version: int
    status: StopStatus
    closed_at: AwareDatetime | None


class PublicRun(BaseModel):
    """A run as it stands."""

    id: int
    date: datetime.date
    vehicle_id: int
    status: RunStatus
    version: int
    note: str
    created_by: int
    crew: list[MemberData]
    stops: list[PublicStop]


class PublicFinding(BaseModel):
    """Why a plan cannot be released."""

    reason: str
    where: str
    message_zh: str
    message_en: str


class PublicVersion(BaseModel):
    """A released version: what it says, what changed, who approved it."""

    version: int
    content: dict[str, Any]
    changes: dict[str, Any]
    approved_by: list[int]
    released_at: AwareDatetime


class PublicChange(BaseModel):
    """A changed order that its site has not acknowledged yet."""

    task: int
    run_id: int
    order_version: int
    changes: dict[str, Any]
    released_at: AwareDatetime


class Seen(BaseModel):
    """That a site has seen this version of an order."""

    order_version: Annotated[int, Field(ge=1)]


class Waiting(BaseModel):
    """A step that now waits for a second person."""

    approval_id: int
    state: Literal["requested"] = "requested"
