"""Tables of handovers. `Handover` and `HandoverEvent` are a projection, rebuildable from the leaves.

Their ids are the ids of the leaves they come from, so a rebuild gives the same rows and links keep working.
`Picture` and `Command` are not projections: content received from a unit, and decisions sent to it.
"""

from sqlalchemy import JSON, BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from doorward_server.link.models import SERIAL


class Handover(SQLModel, table=True):
    """One task being carried out at one unit: from the vehicle's tag to its leaving."""

    __table_args__ = (UniqueConstraint("unit_id", "epoch", "nonce"),)

    # The id of the leaf that began it.
    id: int = Field(primary_key=True, sa_type=SERIAL)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    site_id: int = Field(foreign_key="site.id", index=True)
    epoch: int = Field(sa_type=BigInteger)
    # The stop's id. No foreign key: a unit may report a task that planning never made, and that must be seen.
    task: int = Field(index=True, sa_type=BigInteger)
    nonce: bytes = Field(max_length=8)
    # arrived, crew, approved, refused, boxes, closed, left, frozen, restarted
    state: str
    started: int = Field(sa_type=BigInteger)
    finished: int | None = Field(default=None, sa_type=BigInteger)
    received: int = Field(sa_type=BigInteger)
    clock_unsure: bool = False
    vehicle_id: int
    epc: bytes
    tid: bytes
    order_version: int
    manifest_version: int
    last_contact: int = Field(sa_type=BigInteger)
    crew: list = Field(default_factory=list, sa_type=JSON)
    crew_picture: bytes | None = None
    approved: bool | None = None
    approved_by: list = Field(default_factory=list, sa_type=JSON)
    approved_where: int | None = None
    head_count: int | None = None
    boxes_expected: list = Field(default_factory=list, sa_type=JSON)
    boxes_read: list = Field(default_factory=list, sa_type=JSON)
    boxes_missing: list = Field(default_factory=list, sa_type=JSON)
    boxes_foreign: list = Field(default_factory=list, sa_type=JSON)
    box_attempts: int = 0
    officer_id: int | None = None
    officer_sensor: str | None = None
    crew_closer_id: int | None = None
    crew_closer_sensor: str | None = None
    # A code of doorward_protocol.errors when it froze, was refused or restarted.
    reason: int | None = None
    # Another vehicle came for the same task after it was completed (D3).
    twin: bool = False
    # It ran on an order version that had been revoked when it began (D4).
    revoked_version: bool = False


class HandoverEvent(SQLModel, table=True):
    """One record of a handover, for people to read: when the unit wrote it, and when the centre had it."""

    # The id of its leaf.
    id: int = Field(primary_key=True, sa_type=SERIAL)
    handover_id: int | None = Field(default=None, foreign_key="handover.id", index=True, sa_type=SERIAL)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    site_id: int = Field(foreign_key="site.id", index=True)
    epoch: int = Field(sa_type=BigInteger)
    index: int = Field(sa_type=BigInteger)
    name: str
    time: int = Field(sa_type=BigInteger)
    received: int = Field(sa_type=BigInteger)
    clock_unsure: bool = False
    details: dict = Field(default_factory=dict, sa_type=JSON)


class Picture(SQLModel, table=True):
    """A face picture named in a unit's record. Wanted until its content has come; sealed at rest."""

    hash: bytes = Field(primary_key=True, max_length=32)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    task: int | None = Field(default=None, sa_type=BigInteger)
    person_id: int | None = None
    time: int = Field(sa_type=BigInteger)
    content: bytes | None = None
    received: int | None = Field(default=None, sa_type=BigInteger)


class Command(SQLModel, table=True):
    """A signed command to a unit: who decided what, on which picture, and whether it went out."""

    id: bytes = Field(primary_key=True, max_length=16)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    verb: int
    task: int = Field(sa_type=BigInteger)
    nonce: bytes = Field(max_length=8)
    decided_by: list = Field(default_factory=list, sa_type=JSON)
    issued: int = Field(sa_type=BigInteger)
    expires: int = Field(sa_type=BigInteger)
    object: bytes
    sent: int | None = Field(default=None, sa_type=BigInteger)
    # Set when the unit refused it: a code of doorward_protocol.errors.
    refused: int | None = None
