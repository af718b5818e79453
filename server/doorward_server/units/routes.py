"""Units over the JSON API: desired against actual (F3), health (F6), release of a lockout."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from doorward_server.database import SessionDependency
from doorward_server.problems import problem_responses
from doorward_server.security.dependencies import check_site, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission
from doorward_server.units import service
from doorward_server.units.keeper import keeping_manifests
from doorward_server.units.models import Unit

router = APIRouter(prefix="/api/units", tags=["units"], responses=problem_responses(401, 403, 404))
lifespan = keeping_manifests

UnitId = Annotated[int, Path(ge=1, le=2**31)]


class UnitAnswer(BaseModel):
    """A unit. `difference` says why desired and actual differ; empty: they do not. Times in ms, UTC."""

    id: int
    kid: str
    site: int
    online: bool
    last_seen: int | None
    clock_offset: int | None
    clock_sure: bool
    firmware: str
    health: list
    manifest_version: int
    actual_version: int
    actual_complete: bool
    difference: str
    epoch: int
    size: int


class Entry(BaseModel):
    """One entry of the manifest: roster, order, configuration, prompts or release."""

    kind: str
    id: int
    version: int
    hash: str
    size: int
    missing: bool


class UnitDetails(UnitAnswer):
    """A unit with everything that it should hold."""

    desired: list[Entry]
    missing: list[str]


class Panel(BaseModel):
    """A panel: 1 outer, 2 inner."""

    panel: Annotated[int, Field(ge=1, le=2)]


class Asked(BaseModel):
    """The approval that waits for a second person."""

    approval: int


def _answer(unit: Unit) -> dict:
    return {
        "id": unit.id,
        "kid": unit.kid.hex(),
        "site": unit.site_id,
        "online": unit.online,
        "last_seen": unit.last_seen,
        "clock_offset": unit.clock_offset,
        "clock_sure": unit.clock_sure,
        "firmware": unit.firmware,
        "health": unit.health,
        "manifest_version": unit.manifest_version,
        "actual_version": unit.actual_version,
        "actual_complete": unit.actual_complete,
        "difference": service.difference(unit),
        "epoch": unit.epoch,
        "size": unit.size,
    }


@router.get("")
def list_units(
    session: SessionDependency, _user: Annotated[User, needs(Permission.SEE_UNITS)]
) -> list[UnitAnswer]:
    """All units, by number."""
    return [UnitAnswer(**_answer(unit)) for unit in service.list_units(session)]


@router.get("/{unit_id}")
def get_unit(
    session: SessionDependency, _user: Annotated[User, needs(Permission.SEE_UNITS)], unit_id: UnitId
) -> UnitDetails:
    """One unit: desired against actual, by hash."""
    unit = service.get_unit(session, unit_id)
    desired = [Entry(**row) for row in service.desired(session, unit)]
    return UnitDetails(**_answer(unit), desired=desired, missing=unit.actual_missing)


@router.post("/{unit_id}/lockout_release", responses=problem_responses(409))
def request_lockout_release(
    session: SessionDependency,
    user: Annotated[User, needs(Permission.REQUEST_LOCKOUT_RELEASE)],
    unit_id: UnitId,
    panel: Panel,
) -> Asked:
    """Ask for the release of a locked panel; a second person approves it under /api/approvals."""
    unit = service.get_unit(session, unit_id)
    check_site(user, unit.site_id)
    return Asked(approval=service.request_lockout_release(session, user, unit, panel.panel).id)
