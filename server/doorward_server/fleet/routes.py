"""Sites, companies, vehicles and boxes, to look at. They come by import."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel
from sqlmodel import col, select

from doorward_server.database import SessionDependency
from doorward_server.fleet.models import Area, Box, Company, Site, SiteKind, Vehicle
from doorward_server.problems import problem_responses
from doorward_server.security.dependencies import needs, site_bound
from doorward_server.security.models import User
from doorward_server.security.roles import Permission

router = APIRouter(prefix="/api", tags=["fleet"], responses=problem_responses(401, 403))

Viewer = Annotated[User, needs(Permission.SEE_FLEET)]


class PublicSite(BaseModel):
    """A site and the area it hangs in."""

    id: int
    code: str
    name_zh: str
    name_en: str
    kind: SiteKind
    area: str
    printer: str


class PublicCompany(BaseModel):
    """An escort company."""

    id: int
    code: str
    name_zh: str
    name_en: str


class PublicVehicle(BaseModel):
    """A vehicle; its tag in hexadecimal."""

    id: int
    plate: str
    company_id: int
    epc: str
    tid: str


class PublicBox(BaseModel):
    """A box; its tag in hexadecimal."""

    id: int
    number: str
    epc: str
    tid: str
    home_site_id: int


@router.get("/sites")
def list_sites(session: SessionDependency, user: Annotated[User, needs(Permission.SELF)]) -> list[PublicSite]:
    """All sites by code; officers and keepers see their own."""
    query = select(Site, Area).join(Area, col(Area.id) == col(Site.area_id)).order_by(col(Site.code))
    bound = site_bound(user)
    if bound is not None:
        query = query.where(Site.id == bound)
    return [PublicSite(**site.model_dump(), area=area.code) for site, area in session.exec(query)]


@router.get("/companies")
def list_companies(session: SessionDependency, _user: Viewer) -> list[PublicCompany]:
    """All escort companies by code."""
    rows = session.exec(select(Company).order_by(col(Company.code)))
    return [PublicCompany(**company.model_dump()) for company in rows]


@router.get("/vehicles")
def list_vehicles(session: SessionDependency, _user: Viewer) -> list[PublicVehicle]:
    """All vehicles by plate."""
    rows = session.exec(select(Vehicle).order_by(col(Vehicle.plate)))
    return [PublicVehicle(**_with_hex(vehicle)) for vehicle in rows]


@router.get("/boxes")
def list_boxes(session: SessionDependency, _user: Viewer) -> list[PublicBox]:
    """All boxes by number."""
    rows = session.exec(select(Box).order_by(col(Box.number)))
    return [PublicBox(**_with_hex(box)) for box in rows]


def _with_hex(tagged: Vehicle | Box) -> dict:
    return tagged.model_dump(exclude={"epc", "tid"}) | {"epc": tagged.epc.hex(), "tid": tagged.tid.hex()}
