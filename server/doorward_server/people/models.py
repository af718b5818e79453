"""Tables of people. Photos and templates are sealed with the person's own key: without it they are gone."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from doorward_server.database import UtcDateTime


class PersonRole(StrEnum):
    """押运员 / 司机 / 营业专员 / 金库管理员."""

    ESCORT = "escort"
    DRIVER = "driver"
    OFFICER = "officer"
    KEEPER = "keeper"


class Person(SQLModel, table=True):
    """Somebody who acts at a unit. Crew belong to a company, officers and keepers to a site.

    `permit_until` is the last day of the permit (local date, included); None: no permit needed.
    """

    id: int = Field(default=None, primary_key=True)
    staff_number: str = Field(unique=True)
    name_zh: str
    name_en: str
    role: str
    company_id: int | None = Field(default=None, foreign_key="company.id", index=True)
    site_id: int | None = Field(default=None, foreign_key="site.id", index=True)
    permit_until: date | None = None
    card_uid: bytes | None = Field(default=None, unique=True)
    # JPEG or PNG, sealed; see security/biometrics.py.
    photo: bytes | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Finger(SQLModel, table=True):
    """One finger (1 right thumb … 10 left little finger) and its sealed template, for one sensor model."""

    __table_args__ = (UniqueConstraint("person_id", "number", "model"),)

    id: int = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    number: int
    model: str
    duress: bool = False
    template: bytes


class PersonKey(SQLModel, table=True):
    """The key of one person's biometrics, wrapped by the master key."""

    person_id: int = Field(primary_key=True, foreign_key="person.id")
    wrapped: bytes
