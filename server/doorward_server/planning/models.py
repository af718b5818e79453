"""Tables of planning. A stop's id is the protocol's *task*."""

import datetime
from enum import StrEnum

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from doorward_server.database import UtcDateTime


class RunStatus(StrEnum):
    """draft → proposed → released → closed; or cancelled."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    RELEASED = "released"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class StopKind(StrEnum):
    """派送 / 回收 / 临时调拨 / 加钞."""

    DELIVER = "deliver"
    COLLECT = "collect"
    TRANSFER = "transfer"
    REPLENISH = "replenish"


class StopStatus(StrEnum):
    """planned → under way → closed; frozen waits for the centre; cancelled never happens."""

    PLANNED = "planned"
    UNDER_WAY = "under_way"
    FROZEN = "frozen"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Duty(StrEnum):
    """Whether somebody comes to the door or stays with the vehicle (D1)."""

    DOOR = "door"
    VEHICLE = "vehicle"


class Run(SQLModel, table=True):
    """One vehicle's trip on one day (local date). `version` counts released contents; 0: never released."""

    id: int = Field(default=None, primary_key=True)
    date: datetime.date = Field(index=True)
    vehicle_id: int = Field(foreign_key="vehicle.id", index=True)
    status: str = Field(default=RunStatus.DRAFT, index=True)
    version: int = 0
    note: str = ""
    created_by: int = Field(foreign_key="user.id")
    created_at: datetime.datetime = Field(sa_type=UtcDateTime)


class RunMember(SQLModel, table=True):
    """A person of the run's crew."""

    run_id: int = Field(primary_key=True, foreign_key="run.id")
    person_id: int = Field(primary_key=True, foreign_key="person.id", index=True)
    duty: str


class Stop(SQLModel, table=True):
    """One visit. Its order is version `order_version` (0: never released) and is void from `expires` on."""

    __table_args__ = (UniqueConstraint("run_id", "sequence"),)

    id: int = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id", index=True)
    sequence: int
    site_id: int = Field(foreign_key="site.id", index=True)
    kind: str
    window_from: datetime.datetime = Field(sa_type=UtcDateTime, index=True)
    window_until: datetime.datetime = Field(sa_type=UtcDateTime)
    expires: datetime.datetime = Field(sa_type=UtcDateTime)
    order_version: int = 0
    status: str = Field(default=StopStatus.PLANNED, index=True)
    closed_at: datetime.datetime | None = Field(default=None, sa_type=UtcDateTime)


class StopBox(SQLModel, table=True):
    """A box of a stop, with its seal number where one is known."""

    stop_id: int = Field(primary_key=True, foreign_key="stop.id")
    box_id: int = Field(primary_key=True, foreign_key="box.id", index=True)
    seal: str | None = None


class RunVersion(SQLModel, table=True):
    """What one version of a released run said, what changed from the one before, and who approved it (D4)."""

    __table_args__ = (UniqueConstraint("run_id", "version"),)

    id: int = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id", index=True)
    version: int
    content: dict = Field(default_factory=dict, sa_type=JSON)
    changes: dict = Field(default_factory=dict, sa_type=JSON)
    approved_by: list = Field(default_factory=list, sa_type=JSON)
    released_at: datetime.datetime = Field(sa_type=UtcDateTime)


class RequestStatus(StrEnum):
    """A request waits or is in a run (run_id) while it is open; declined and withdrawn are its other ends."""

    OPEN = "open"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class TaskRequest(SQLModel, table=True):
    """A site's request for a visit 任务申请: what, when, and which boxes, if it knows them.

    `boxes`: [[id of the box, its seal or None], …].
    """

    id: int = Field(default=None, primary_key=True)
    site_id: int = Field(foreign_key="site.id", index=True)
    kind: str
    window_from: datetime.datetime = Field(sa_type=UtcDateTime)
    window_until: datetime.datetime = Field(sa_type=UtcDateTime, index=True)
    boxes: list = Field(default_factory=list, sa_type=JSON)
    note: str = ""
    status: str = Field(default=RequestStatus.OPEN, index=True)
    run_id: int | None = Field(default=None, foreign_key="run.id", index=True)
    requested_by: int = Field(foreign_key="user.id")
    requested_at: datetime.datetime = Field(sa_type=UtcDateTime)
    answer: str = ""


class ChangeSeen(SQLModel, table=True):
    """A site's acknowledgement that it has seen a changed order."""

    stop_id: int = Field(primary_key=True, foreign_key="stop.id")
    order_version: int = Field(primary_key=True)
    user_id: int = Field(foreign_key="user.id")
    seen_at: datetime.datetime = Field(sa_type=UtcDateTime)
