"""The host screen 主机画面: what a branch keeps open, and what is decided and acknowledged there."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from doorward_server.console import host_view
from doorward_server.console.describe import site_name
from doorward_server.console.pages import go, render, said_in_one, url
from doorward_server.console.texts import text
from doorward_server.database import SessionDependency
from doorward_server.fleet.models import Site
from doorward_server.handovers import service as handovers
from doorward_server.planning import changes
from doorward_server.problems import Problem, not_found
from doorward_server.security.dependencies import ServicesDependency, check_site, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission, allows
from doorward_server.services import Services
from doorward_server.units import service as units
from doorward_server.units.service import unit_at

router = APIRouter(include_in_schema=False)

AtSite = Annotated[User, needs(Permission.SEE_SITE)]
Decider = Annotated[User, needs(Permission.DECIDE_HANDOVER)]
Acknowledger = Annotated[User, needs(Permission.ACKNOWLEDGE_CHANGE)]
ReleaseAsker = Annotated[User, needs(Permission.REQUEST_LOCKOUT_RELEASE)]
Handler = Annotated[User, needs(Permission.HANDLE_ALARMS)]
SiteId = Annotated[int, Path(ge=1, alias="site")]


@router.get("/host/{site}")
def host_page(
    request: Request, services: ServicesDependency, session: SessionDependency, user: AtSite, site: SiteId
) -> HTMLResponse:
    return _host_page(request, services, session, user, site)


@router.get("/host/{site}/part")
def host_part(
    request: Request, services: ServicesDependency, session: SessionDependency, user: AtSite, site: SiteId
) -> HTMLResponse:
    return render(request, services, "parts/host.html", user, **_host(session, user, site))


@router.post("/host/{site}/decide")
def decide(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Decider,
    site: SiteId,
    handover: Annotated[int, Form(ge=1)],
    decision: Annotated[Literal["approve", "refuse"], Form()],
    picture: Annotated[str, Form(pattern=r"^([0-9a-f]{64})?$")] = "",
    reason: Annotated[Literal["picture_mismatch", "head_count_mismatch"], Form()] = "picture_mismatch",
    head_count: Annotated[str, Form(pattern=r"^\d{0,2}$")] = "",
) -> Response:
    check_site(user, site)
    if decision == "approve" and not head_count:
        problem = text("head_count_missing", user.language)
        return _host_page(request, services, session, user, site, problem, 422)
    try:
        handovers.decide(
            session,
            user,
            handover,
            approve=decision == "approve",
            head_count=int(head_count) if head_count else None,
            reason=None if decision == "approve" else reason,
            picture=bytes.fromhex(picture),
        )
    except Problem as refusal:
        return _refused(request, services, session, user, site, refusal)
    return go(url("host", site=site))


@router.post("/host/{site}/restart")
def restart(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Handler,
    site: SiteId,
    handover: Annotated[int, Form(ge=1)],
    why: Annotated[str, Form(min_length=3, max_length=1000)],
) -> Response:
    frozen = handovers.get_handover(session, user, handover)
    if frozen.site_id != site:
        raise not_found("交接", "handover")
    try:
        handovers.restart(session, user, frozen, why)
    except Problem as refusal:
        return _refused(request, services, session, user, site, refusal)
    return go(url("host", site=site))


@router.post("/host/{site}/seen")
def acknowledge_change(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Acknowledger,
    site: SiteId,
    task: Annotated[int, Form(ge=1)],
    version: Annotated[int, Form(ge=1)],
) -> Response:
    check_site(user, site)
    try:
        changes.acknowledge(session, user, task, version)
    except Problem as refusal:
        return _refused(request, services, session, user, site, refusal)
    return go(url("host", site=site))


@router.post("/host/{site}/release")
def ask_for_release(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: ReleaseAsker,
    site: SiteId,
    panel: Annotated[int, Form(ge=1, le=2)],
) -> Response:
    check_site(user, site)
    unit = unit_at(session, site)
    if unit is None:
        raise not_found("单元", "unit")
    try:
        units.request_lockout_release(session, user, unit, panel)
    except Problem as refusal:
        return _refused(request, services, session, user, site, refusal)
    return go(url("host", site=site))


def _refused(
    request: Request, services: Services, session: Session, user: User, site: int, refusal: Problem
) -> HTMLResponse:
    """The page with what stands against what was sent; what was half done is undone."""
    session.rollback()
    said = said_in_one(refusal.answer, user.language)
    return _host_page(request, services, session, user, site, said, refusal.status)


def _host_page(
    request: Request,
    services: Services,
    session: Session,
    user: User,
    site: int,
    problem: str = "",
    status: int = 200,
) -> HTMLResponse:
    content = {**_host(session, user, site), "problem": problem}
    return render(request, services, "host.html", user, status, path=url("host", site=site), **content)


def _host(session: Session, user: User, site_id: int) -> dict[str, Any]:
    check_site(user, site_id)
    site = session.get(Site, site_id)
    if site is None:
        raise not_found("网点", "site")
    may_decide = allows(user.role, Permission.DECIDE_HANDOVER)
    return {
        "host": host_view.build(session, site_id, user.language, may_decide),
        "may_ask_release": allows(user.role, Permission.REQUEST_LOCKOUT_RELEASE),
        "may_acknowledge": allows(user.role, Permission.ACKNOWLEDGE_CHANGE),
        "may_restart": allows(user.role, Permission.HANDLE_ALARMS),
        "site_id": site_id,
        "site_name": site_name(site, user.language),
        "problem": "",
    }
