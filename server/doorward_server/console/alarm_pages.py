"""The alarms' page: what is open or has ever been, and the forms to acknowledge and to close one."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from doorward_server.alarms import service as alarms
from doorward_server.console import alarm_view
from doorward_server.console.pages import Back, go, render, said_in_one, url
from doorward_server.database import SessionDependency
from doorward_server.problems import Problem
from doorward_server.security.dependencies import ServicesDependency, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission, allows

router = APIRouter(include_in_schema=False)

Centre = Annotated[User, needs(Permission.SEE_CENTRE)]
Handler = Annotated[User, needs(Permission.HANDLE_ALARMS)]
Key = Annotated[str, Form(max_length=200)]
Before = Annotated[str | None, Query(max_length=200)]


def _list(
    session: SessionDependency, user: Centre, everything: bool = False, before: Before = None
) -> dict[str, Any]:
    """What a page of the list shows, to whom, and where it leads."""
    shown = alarm_view.build(session, user, not everything, before)
    return {
        "user": user,
        "alarms": shown.alarms,
        "everything": everything,
        "here": _address("alarms", everything, before),
        "part": _address("alarms_part", everything, before),
        "open_ones": _address("alarms", False),
        "all_ones": _address("alarms", True),
        "newest": _address("alarms", everything) if before else "",
        "older": _address("alarms", everything, shown.older) if shown.older else "",
        "may_handle": allows(user.role, Permission.HANDLE_ALARMS),
    }


Listed = Annotated[dict[str, Any], Depends(_list)]


@router.get("/alarms")
def alarms_page(request: Request, services: ServicesDependency, listed: Listed) -> HTMLResponse:
    return render(request, services, "alarms.html", **listed)


@router.get("/alarms/part")
def alarms_part(request: Request, services: ServicesDependency, listed: Listed) -> HTMLResponse:
    return render(request, services, "parts/alarms.html", **listed)


@router.post("/alarms/acknowledge")
def acknowledge(session: SessionDependency, user: Handler, key: Key, back: Back = "/alarms") -> Response:
    alarms.acknowledge(session, user, key)
    return go(back)


@router.post("/alarms/close")
def close(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Handler,
    key: Key,
    note: Annotated[str, Form(max_length=2000)] = "",
    back: Back = "/alarms",
) -> Response:
    try:
        alarms.close(session, user, key, note)
    except Problem as problem:
        session.rollback()
        listed = _list(session, user)
        listed["problem"] = said_in_one(problem.answer, user.language)
        return render(request, services, "alarms.html", status=problem.status, path=url("alarms"), **listed)
    return go(back)


def _address(page: str, everything: bool, before: str | None = None) -> str:
    query = ({"everything": "true"} if everything else {}) | ({"before": before} if before else {})
    return url(page) + (f"?{urlencode(query)}" if query else "")
