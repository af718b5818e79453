"""The users' page: who may log in, and the forms to ask for a user or a password (F7)."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from doorward_server.console import typed as typed_keys
from doorward_server.console.pages import go, render, said_in_one, url
from doorward_server.console.typed import Unclear
from doorward_server.console.user_view import listed
from doorward_server.database import SessionDependency
from doorward_server.problems import Problem
from doorward_server.security import users
from doorward_server.security.dependencies import ServicesDependency, needs
from doorward_server.security.models import User
from doorward_server.security.passwords import LONGEST
from doorward_server.security.roles import Permission, Role
from doorward_server.services import Services

router = APIRouter(include_in_schema=False)

Manager = Annotated[User, needs(Permission.MANAGE_USERS)]
UserId = Annotated[int, Path(ge=1, alias="user")]
Half = Annotated[str, Form(max_length=LONGEST)]
Typed = Annotated[str, Field(max_length=100)]


class TypedUser(BaseModel):
    """A new user as typed: a site by its code, a person by the staff number, half a password."""

    login: Typed = ""
    name: Annotated[str, Field(max_length=80)] = ""
    role: Role = Role.OFFICER
    site: Typed = ""
    person: Typed = ""
    first_half: Annotated[str, Field(max_length=LONGEST)] = ""


@router.get("/users")
def users_page(
    request: Request, services: ServicesDependency, session: SessionDependency, user: Manager
) -> HTMLResponse:
    return _page(request, services, session, user)


@router.post("/users")
def ask_for_user(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Manager,
    typed: Annotated[TypedUser, Form()],
) -> Response:
    try:
        users.request_user(session, user, typed.first_half, _fields(session, user, typed))
    except (Unclear, Problem) as refusal:
        session.rollback()
        return _page(request, services, session, user, refusal, typed)
    return go(url("approvals"))


@router.post("/users/{user}/password")
def ask_for_password(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Manager,
    subject: UserId,
    first_half: Half = "",
) -> Response:
    try:
        users.request_password(session, user, users.get_user(session, subject), first_half)
    except Problem as refusal:
        session.rollback()
        return _page(request, services, session, user, refusal)
    return go(url("approvals"))


@router.post("/users/{user}/removal")
def remove(
    request: Request, services: ServicesDependency, session: SessionDependency, user: Manager, subject: UserId
) -> Response:
    try:
        users.remove_user(session, user, users.get_user(session, subject))
    except Problem as refusal:
        session.rollback()
        return _page(request, services, session, user, refusal)
    return go(url("users"))


def _fields(session: Session, asker: User, typed: TypedUser) -> dict[str, Any]:
    """What users.request_user needs. Raises Unclear."""
    login, name = typed.login.strip(), typed.name.strip()
    if not re.fullmatch(users.LOGIN_NAME, login):
        raise Unclear("typed_login", login)
    if not name:
        raise Unclear("typed_name", name)
    site, person = typed.site.strip(), typed.person.strip()
    return {
        "login": login,
        "name": name,
        "role": str(typed.role),
        "site_id": typed_keys.site(session, site) if site else None,
        "person_id": typed_keys.person(session, person) if person else None,
        "language": asker.language,
    }


def _page(
    request: Request,
    services: Services,
    session: Session,
    user: User,
    refusal: Unclear | Problem | None = None,
    typed: TypedUser | None = None,
) -> HTMLResponse:
    status, said = 200, ""
    if isinstance(refusal, Unclear):
        status, said = 422, refusal.said(user.language)
    elif refusal is not None:
        status, said = refusal.status, said_in_one(refusal.answer, user.language)
    return render(
        request,
        services,
        "users.html",
        user,
        status,
        path=url("users"),
        problem=said,
        typed=typed or TypedUser(),
        roles=list(Role),
        least=services.settings.password_minimum_length,
        **listed(session, user),
    )
