"""The pages: login, wall and live feed are here; every other one has a file `…_pages.py` and is joined."""

import importlib
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from doorward_server import console
from doorward_server.console import wall_view
from doorward_server.console.events import EventStream
from doorward_server.console.pages import (
    FOLDER,
    OWN_PATH,
    Back,
    environment,
    first_page,
    go,
    language_of,
    render,
    said_in_one,
    url,
)
from doorward_server.console.static_files import static_router
from doorward_server.database import SessionDependency
from doorward_server.problems import Problem
from doorward_server.security import cookies, sessions, users
from doorward_server.security.dependencies import ServicesDependency, needs, public
from doorward_server.security.models import User
from doorward_server.security.roles import Permission, allows
from doorward_server.services import Services

router = APIRouter(include_in_schema=False)
router.include_router(static_router(FOLDER / "static"))
for _name in sorted(module.name for module in pkgutil.iter_modules(console.__path__)):
    if _name.endswith("_pages"):
        router.include_router(importlib.import_module(f"{console.__name__}.{_name}").router)

Self = Annotated[User, needs(Permission.SELF)]
Centre = Annotated[User, needs(Permission.SEE_CENTRE)]
AtSite = Annotated[User, needs(Permission.SEE_SITE)]
Language = Literal["zh", "en"]


@asynccontextmanager
async def lifespan(_services: Services) -> AsyncIterator[None]:
    """Compile the templates before the first visitor."""
    for name in environment().list_templates():
        environment().get_template(name)
    yield


@router.get("/login", dependencies=[public()])
def login_page(
    request: Request,
    services: ServicesDependency,
    back: Annotated[str, Query(pattern=OWN_PATH, max_length=200)] = "/",
) -> HTMLResponse:
    return render(request, services, "login.html", problem="", login="", back=back)


@router.post("/login", dependencies=[public()])
def log_in(
    request: Request,
    services: ServicesDependency,
    login: Annotated[str, Form(max_length=100)],
    password: Annotated[str, Form(max_length=200)],
    back: Back = "/",
) -> Response:
    try:
        user, token = sessions.log_in(services, login, password, cookies.address_of(request))
    except Problem as problem:
        said = said_in_one(problem.answer, language_of(request, None, services))
        return render(
            request, services, "login.html", status=problem.status, problem=said, login=login, back=back
        )
    answer = go(back if back != "/" else first_page(user))
    cookies.set_login(answer, request, token)
    return answer


@router.post("/logout")
def log_out(request: Request, session: SessionDependency, _user: Self) -> Response:
    sessions.log_out(session, request.cookies.get(sessions.COOKIE, ""))
    answer = go(url("login"))
    cookies.clear_login(answer)
    return answer


@router.post("/language")
def set_language(
    session: SessionDependency, user: Self, language: Annotated[Language, Form()], back: Back = "/"
) -> Response:
    users.set_language(session, user, language)
    return go(back)


@router.get("/")
def home(request: Request, services: ServicesDependency, user: Self) -> Response:
    page = first_page(user)
    return go(page) if page != url("home") else render(request, services, "home.html", user)


@router.get("/wall")
def wall_page(
    request: Request, services: ServicesDependency, session: SessionDependency, user: Centre
) -> HTMLResponse:
    return render(request, services, "wall.html", user, **_wall(session, user))


@router.get("/wall/part")
def wall_part(
    request: Request, services: ServicesDependency, session: SessionDependency, user: Centre
) -> HTMLResponse:
    return render(request, services, "parts/wall.html", user, **_wall(session, user))


@router.get("/live")
async def live_events(request: Request, services: ServicesDependency, _user: AtSite) -> Response:
    return EventStream(services, request.cookies.get(sessions.COOKIE, ""))


def _wall(session: Session, user: User) -> dict[str, Any]:
    return {
        "wall": wall_view.build(session, user.language),
        "may_handle": allows(user.role, Permission.HANDLE_ALARMS),
        "here": url("wall"),
    }
