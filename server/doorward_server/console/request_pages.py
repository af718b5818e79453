"""Requests for visits 任务申请: the page where a site asks, the form where a planner says no (S21)."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from doorward_server.console import plan_reading, request_view
from doorward_server.console.describe import site_name
from doorward_server.console.pages import go, render, url
from doorward_server.console.plan_form import LONGEST_NOTE, TypedRequest
from doorward_server.console.plan_reading import NotUnderstood
from doorward_server.console.planning_view import why
from doorward_server.database import SessionDependency
from doorward_server.fleet.models import Site
from doorward_server.planning import requests
from doorward_server.planning.models import StopKind
from doorward_server.problems import Problem, not_found
from doorward_server.security.dependencies import ServicesDependency, check_site, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission, allows
from doorward_server.services import Services

router = APIRouter(include_in_schema=False)

AtSite = Annotated[User, needs(Permission.SEE_SITE)]
Asker = Annotated[User, needs(Permission.REQUEST_TASK)]
Planner = Annotated[User, needs(Permission.PLAN)]
SiteId = Annotated[int, Path(ge=1, alias="site")]
RequestId = Annotated[int, Path(ge=1, alias="request")]


@router.get("/host/{site}/requests")
def requests_page(
    request: Request, services: ServicesDependency, session: SessionDependency, user: AtSite, site: SiteId
) -> HTMLResponse:
    return _page(request, services, session, user, site)


@router.get("/host/{site}/requests/part")
def requests_part(
    request: Request, services: ServicesDependency, session: SessionDependency, user: AtSite, site: SiteId
) -> HTMLResponse:
    return render(request, services, "parts/requests.html", user, **_listed(session, user, site))


@router.post("/host/{site}/requests")
def ask(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Asker,
    site: SiteId,
    typed: Annotated[TypedRequest, Form()],
) -> Response:
    check_site(user, site)
    try:
        stop = plan_reading.request(session, _site(session, site), typed)
        requests.ask(session, user, stop, typed.note.strip())
    except (NotUnderstood, Problem) as refusal:
        session.rollback()
        return _page(request, services, session, user, site, refusal, typed)
    return go(url("task_requests", site=site))


@router.post("/host/{site}/requests/{request}/withdrawal")
def withdraw(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Asker,
    site: SiteId,
    number: RequestId,
) -> Response:
    found = requests.get_request(session, number)
    if found.site_id != site:
        raise not_found("任务申请", "request")
    try:
        requests.withdraw(session, user, found)
    except Problem as refusal:
        session.rollback()
        return _page(request, services, session, user, site, refusal)
    return go(url("task_requests", site=site))


@router.post("/requests/{request}/refusal")
def decline(
    session: SessionDependency,
    user: Planner,
    number: RequestId,
    answer: Annotated[str, Form(max_length=LONGEST_NOTE)] = "",
) -> Response:
    found = requests.get_request(session, number)
    if not answer.strip():
        raise _no_answer()
    requests.decline(session, user, found, answer.strip())
    return go(url("planning"))


def _page(
    request: Request,
    services: Services,
    session: Session,
    user: User,
    site_id: int,
    refusal: NotUnderstood | Problem | None = None,
    typed: TypedRequest | None = None,
) -> HTMLResponse:
    status, against = why(refusal, user.language)
    return render(
        request,
        services,
        "requests.html",
        user,
        status,
        path=url("task_requests", site=site_id),
        **_listed(session, user, site_id),
        typed=typed or TypedRequest(date=services.today().isoformat()),
        kinds=list(StopKind),
        against=against,
    )


def _listed(session: Session, user: User, site_id: int) -> dict[str, Any]:
    check_site(user, site_id)
    return {
        "site_id": site_id,
        "site_name": site_name(_site(session, site_id), user.language),
        "requests": request_view.of_site(session, site_id, user.language),
        "may_ask": allows(user.role, Permission.REQUEST_TASK),
    }


def _site(session: Session, site_id: int) -> Site:
    site = session.get(Site, site_id)
    if site is None:
        raise not_found("网点", "site")
    return site


def _no_answer() -> Problem:
    return Problem(
        422,
        "answer_missing",
        "请填写原因。",
        "The reason is missing.",
        "The site that asked reads it. 申请的网点会看到原因。",
    )
