"""Tables of places and things: areas, sites, companies, vehicles, boxes."""

from enum import StrEnum

from sqlmodel import Field, SQLModel


class SiteKind(StrEnum):
    """金库 / 网点 / 加钞点."""

    VAULT = "vault"
    BRANCH = "branch"
    ATM = "atm"


class Area(SQLModel, table=True):
    """A part of the bank's territory; areas hang in a tree."""

    id: int = Field(default=None, primary_key=True)
    code: str = Field(unique=True)
    name_zh: str
    name_en: str
    parent_id: int | None = Field(default=None, foreign_key="area.id")


class Site(SQLModel, table=True):
    """A vault, a branch or an ATM point, in exactly one area. `printer` prints its reports; empty: none."""

    id: int = Field(default=None, primary_key=True)
    code: str = Field(unique=True)
    name_zh: str
    name_en: str
    kind: str
    area_id: int = Field(foreign_key="area.id", index=True)
    printer: str = ""


class Company(SQLModel, table=True):
    """An escort company 押运公司."""

    id: int = Field(default=None, primary_key=True)
    code: str = Field(unique=True)
    name_zh: str
    name_en: str


class Vehicle(SQLModel, table=True):
    """A van with its tag: the EPC that anybody can write, bound to the TID that nobody can."""

    id: int = Field(default=None, primary_key=True)
    plate: str = Field(unique=True)
    company_id: int = Field(foreign_key="company.id", index=True)
    epc: bytes = Field(unique=True)
    tid: bytes = Field(unique=True)


class Box(SQLModel, table=True):
    """A cash box 款箱 with its tag, and the site it belongs to."""

    id: int = Field(default=None, primary_key=True)
    number: str = Field(unique=True)
    epc: bytes = Field(unique=True)
    tid: bytes = Field(unique=True)
    home_site_id: int = Field(foreign_key="site.id", index=True)
