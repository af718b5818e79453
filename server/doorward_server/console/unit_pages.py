"""The units' pages: all of them, the worst first, and one with what it should hold and what it holds."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse

from doorward_server.backup import restorations
from doorward_server.console import unit_view
from doorward_server.console.pages import render, url
from doorward_server.database import SessionDependency
from doorward_server.security.dependencies import ServicesDependency, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission, allows

router = APIRouter(include_in_schema=False)

Watcher = Annotated[User, needs(Permission.SEE_UNITS)]
UnitId = Annotated[int, Path(ge=1, le=2**31, alias="unit")]
Number = Annotated[int, Query(ge=1, le=10_000)]


def _list(session: SessionDependency, user: Watcher, page: Number = 1) -> dict[str, Any]:
    """What a page of the list shows, to whom, and where it leads."""
    shown = unit_view.build_list(session, user.language, page)
    return {
        "user": user,
        "shown": shown,
        "restored": restorations.waiting(session) is not None,
        "here": _address("units", page),
        "part": _address("units_part", page),
        "previous": _address("units", page - 1) if page > 1 else "",
        "next": _address("units", page + 1) if shown["more"] else "",
    }


def _one(session: SessionDependency, user: Watcher, unit: UnitId) -> dict[str, Any]:
    return {
        "user": user,
        "shown": unit_view.build(session, unit, user.language),
        "here": url("unit", unit=unit),
        "part": url("unit_part", unit=unit),
        "may_see_site": allows(user.role, Permission.SEE_SITE),
    }


Listed = Annotated[dict[str, Any], Depends(_list)]
Shown = Annotated[dict[str, Any], Depends(_one)]


@router.get("/units")
def units_page(request: Request, services: ServicesDependency, listed: Listed) -> HTMLResponse:
    return render(request, services, "units.html", **listed)


@router.get("/units/part")
def units_part(request: Request, services: ServicesDependency, listed: Listed) -> HTMLResponse:
    return render(request, services, "parts/units.html", **listed)


@router.get("/units/{unit}")
def unit_page(request: Request, services: ServicesDependency, shown: Shown) -> HTMLResponse:
    return render(request, services, "unit.html", **shown)


@router.get("/units/{unit}/part")
def unit_part(request: Request, services: ServicesDependency, shown: Shown) -> HTMLResponse:
    return render(request, services, "parts/unit.html", **shown)


def _address(page: str, number: int) -> str:
    return url(page) + (f"?page={number}" if number > 1 else "")
