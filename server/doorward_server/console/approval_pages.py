"""The approvals' page: what waits for a second person, and the forms to decide it or to take it back (F7)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from doorward_server.backup import confirm
from doorward_server.console import approval_view
from doorward_server.console.pages import go, render, said_in_one, url
from doorward_server.database import SessionDependency
from doorward_server.problems import Problem
from doorward_server.security import four_eyes
from doorward_server.security.dependencies import ServicesDependency, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission
from doorward_server.services import Services

router = APIRouter(include_in_schema=False)

Viewer = Annotated[User, needs(Permission.SEE_APPROVALS)]
ApprovalId = Annotated[int, Path(ge=1, alias="approval")]


@router.get("/approvals")
def approvals_page(
    request: Request, services: ServicesDependency, session: SessionDependency, user: Viewer
) -> HTMLResponse:
    return _page(request, services, session, user)


@router.get("/approvals/part")
def approvals_part(
    request: Request, services: ServicesDependency, session: SessionDependency, user: Viewer
) -> HTMLResponse:
    return render(request, services, "parts/approvals.html", user, waiting=approval_view.build(session, user))


@router.post("/approvals/{approval}/decision")
def decide(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Viewer,
    approval: ApprovalId,
    decision: Annotated[Literal["approve", "refuse"], Form()],
    note: Annotated[str, Form(max_length=500)] = "",
    second_half: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    try:
        found = four_eyes.get(session, approval)
        four_eyes.decide(session, user, found, decision == "approve", note.strip(), second_half)
    except Problem as problem:
        session.rollback()  # a step that was refused half way has changed nothing
        return _page(request, services, session, user, problem)
    return go(url("approvals"))


@router.post("/approvals/{approval}/withdrawal")
def withdraw(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Viewer,
    approval: ApprovalId,
) -> Response:
    try:
        four_eyes.withdraw(session, user, four_eyes.get(session, approval))
    except Problem as problem:
        session.rollback()
        return _page(request, services, session, user, problem)
    return go(url("approvals"))


@router.post("/approvals/restore")
def ask_to_go_on(
    request: Request, services: ServicesDependency, session: SessionDependency, user: Viewer
) -> Response:
    """After a restore: ask a second person that units are given the plan as it stands."""
    try:
        confirm.request(session, user)
    except Problem as problem:
        session.rollback()
        return _page(request, services, session, user, problem)
    return go(url("approvals"))


def _page(
    request: Request,
    services: Services,
    session: Session,
    user: User,
    problem: Problem | None = None,
) -> HTMLResponse:
    return render(
        request,
        services,
        "approvals.html",
        user,
        problem.status if problem else 200,
        path=url("approvals"),
        waiting=approval_view.build(session, user),
        problem=said_in_one(problem.answer, user.language) if problem else "",
    )
