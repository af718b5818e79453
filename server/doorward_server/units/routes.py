"""Units over the JSON API: desired against actual (F3), health (F6), release of a lockout."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from doorward_server.database import SessionDependency
from doorward_server.problems import problem_responses
from doorward_server.security.dependencies import check_site, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission
from doorward_server.units import answers, service
from doorward_server.units.facts import facts_of, facts_of_all
from doorward_server.units.holdings import holdings
from doorward_server.units.keeper import keeping_manifests

router = APIRouter(prefix="/api/units", tags=["units"], responses=problem_responses(401, 403, 404))
lifespan = keeping_manifests

UnitId = Annotated[int, Path(ge=1, le=2**31)]


class FindingAnswer(BaseModel):
    """What was measured; null where there is nothing of it. `about` names parts, reasons and moments."""

    measure: str
    value: int | None
    state: str
    about: dict[str, Any]


class AspectAnswer(BaseModel):
    """One side of a unit's condition: good, attention or bad; without findings it is not reported yet."""

    name: str
    state: str
    findings: list[FindingAnswer]


class UnitAnswer(BaseModel):
    """A unit. `difference` says why desired and actual differ; empty: they do not. Times in ms, UTC."""

    id: int
    kid: str
    site: int
    state: str
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
    refused: str | None
    epoch: int
    size: int
    aspects: list[AspectAnswer]


class HeldVersion(BaseModel):
    """A content as it is at the unit."""

    version: int
    hash: str
    size: int


class Entry(BaseModel):
    """Roster, order, configuration, prompts or release, as it should be and as it is (null: not there).

    Without a version it is no longer listed. `missing_parts`: pictures, clips and templates that it lacks.
    """

    kind: str
    id: int
    version: int | None
    hash: str | None
    size: int | None
    held: HeldVersion | None
    missing: bool
    missing_parts: int


class UnitDetails(UnitAnswer):
    """A unit with everything that it should hold, what it holds though it is revoked, and what it lacks."""

    desired: list[Entry]
    revoked: list[Entry]
    missing: list[str]


class Panel(BaseModel):
    """A panel: 1 outer, 2 inner."""

    panel: Annotated[int, Field(ge=1, le=2)]


class Asked(BaseModel):
    """The approval that waits for a second person."""

    approval: int


@router.get("")
def list_units(
    session: SessionDependency, _user: Annotated[User, needs(Permission.SEE_UNITS)]
) -> list[UnitAnswer]:
    """All units, the worst first."""
    return [UnitAnswer(**answers.of_unit(facts)) for facts in facts_of_all(session)]


@router.get("/{unit_id}")
def get_unit(
    session: SessionDependency, _user: Annotated[User, needs(Permission.SEE_UNITS)], unit_id: UnitId
) -> UnitDetails:
    """One unit: desired against actual, by hash."""
    unit = service.get_unit(session, unit_id)
    held = holdings(session, unit)
    return UnitDetails(
        **answers.of_unit(facts_of(session, unit)),
        desired=[Entry(**answers.of_holding(one)) for one in held if not one.revoked],
        revoked=[Entry(**answers.of_holding(one)) for one in held if one.revoked],
        missing=unit.actual_missing,
    )


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
