"""The planning pages: the runs of a day, one run, and the forms to plan and release it (S4)."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import Field
from sqlmodel import Session

from doorward_server.backup import restorations
from doorward_server.console import (
    plan_fields,
    plan_reading,
    planning_refusals,
    planning_view,
    request_view,
)
from doorward_server.console.days import Day, address, around
from doorward_server.console.pages import go, render, url
from doorward_server.console.plan_form import MOST_ROWS, TypedCrew, TypedRun, add_stop, typed_crew, typed_run
from doorward_server.console.plan_reading import NotUnderstood
from doorward_server.database import SessionDependency
from doorward_server.planning import requests
from doorward_server.planning import service as planning
from doorward_server.planning.models import Run, RunStatus
from doorward_server.planning.plan import plan_of
from doorward_server.planning.rules import findings
from doorward_server.problems import Problem
from doorward_server.security.dependencies import ServicesDependency, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission, allows
from doorward_server.services import Services

router = APIRouter(include_in_schema=False)

Viewer = Annotated[User, needs(Permission.SEE_PLAN)]
Planner = Annotated[User, needs(Permission.PLAN)]
RunId = Annotated[int, Path(ge=1, alias="run")]
TaskRequests = Annotated[Sequence[Annotated[int, Field(ge=1)]], Query(alias="request", max_length=MOST_ROWS)]


@router.get("/planning")
def day_page(
    request: Request, services: ServicesDependency, session: SessionDependency, user: Viewer, day: Day = None
) -> HTMLResponse:
    shown = day or services.today()
    return render(
        request,
        services,
        "planning.html",
        user,
        **_day(session, user, shown),
        days=around("planning", shown),
        new_run=address("new_run", shown),
    )


@router.get("/planning/part")
def day_part(
    request: Request, services: ServicesDependency, session: SessionDependency, user: Viewer, day: Day = None
) -> HTMLResponse:
    shown = day or services.today()
    return render(request, services, "parts/planning.html", user, **_day(session, user, shown))


@router.get("/planning/new")
def new_run_page(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Planner,
    day: Day = None,
    like: Annotated[int | None, Query(ge=1)] = None,
    asked: TaskRequests = (),
) -> HTMLResponse:
    """An empty form; `like`: filled as another run is, for another day; `request`: with what is asked for."""
    today = services.today()
    if like is None:
        typed = TypedRun(date=(day or today).isoformat(), do="more")
    else:
        plan = plan_of(session, planning.get_run(session, like))
        another = day or max(plan.date, today) + timedelta(days=1)
        typed = typed_run(session, plan, another.isoformat())
    _type_requests(session, typed, asked)
    return _new_run(request, services, session, user, typed)


@router.post("/planning/new")
def create_run(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Planner,
    typed: Annotated[TypedRun, Form()],
) -> Response:
    if typed.do == "more":
        return _new_run(request, services, session, user, typed)
    try:
        _expect_open(session, typed)
        run = planning.create_run(session, user, plan_reading.plan(session, typed))
    except (NotUnderstood, Problem) as refusal:
        session.rollback()
        return _new_run(request, services, session, user, typed, refusal)
    return _kept(session, user, run, typed)


@router.get("/planning/{run}")
def run_page(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Viewer,
    run: RunId,
    asked: TaskRequests = (),
) -> HTMLResponse:
    """One run; `request`: with what is asked for typed into the draft's form."""
    if not asked:
        return _run_page(request, services, session, user, run)
    found = planning.get_run(session, run)
    typed = typed_run(session, plan_of(session, found))
    typed.seen = planning_view.stamp(session, found)
    _type_requests(session, typed, asked, typed.date)
    return _run_page(request, services, session, user, run, typed=typed)


@router.get("/planning/{run}/part")
def run_part(
    request: Request, services: ServicesDependency, session: SessionDependency, user: Viewer, run: RunId
) -> HTMLResponse:
    shown = planning_view.whole(session, planning.get_run(session, run), user.language)
    return render(request, services, "parts/run.html", user, run=shown)


@router.post("/planning/{run}")
def edit_run(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Planner,
    run: RunId,
    typed: Annotated[TypedRun, Form()],
) -> Response:
    if typed.do == "more":
        return _run_page(request, services, session, user, run, typed=typed)
    try:
        draft = planning.get_run(session, run)
        if typed.seen != planning_view.stamp(session, draft):
            raise planning_refusals.changed_by_another()
        _expect_open(session, typed)
        planning.edit_run(session, user, draft, plan_reading.plan(session, typed))
    except (NotUnderstood, Problem) as refusal:
        session.rollback()
        return _run_page(request, services, session, user, run, refusal, typed=typed)
    return _kept(session, user, draft, typed)


@router.post("/planning/{run}/change")
def ask_to_change(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Planner,
    run: RunId,
    typed: Annotated[TypedCrew, Form()],
) -> Response:
    try:
        released = planning.get_run(session, run)
        before = plan_of(session, released)
        vehicle, crew = plan_reading.vehicle_and_crew(session, typed)
        if (vehicle, set(crew)) == (before.vehicle_id, set(before.crew)):
            raise planning_refusals.nothing_differs()
        planning.change_request(session, user, released, vehicle, crew)
    except (NotUnderstood, Problem) as refusal:
        session.rollback()
        return _run_page(request, services, session, user, run, refusal, change=typed)
    return go(url("run", run=run))


@router.post("/planning/{run}/cancellation")
def cancel(
    request: Request, services: ServicesDependency, session: SessionDependency, user: Planner, run: RunId
) -> Response:
    """Give a draft up at once; ask for the cancellation of what is left of a released run."""
    try:
        found = planning.get_run(session, run)
        if planning.status_of(session, found) == RunStatus.DRAFT:
            planning.cancel_draft(session, user, found)
        else:
            planning.cancel_request(session, user, found)
    except Problem as refusal:
        session.rollback()
        return _run_page(request, services, session, user, run, refusal)
    return go(url("run", run=run))


def _kept(session: Session, user: User, run: Run, typed: TypedRun) -> Response:
    """Note what the kept draft serves; ask for its release, if wanted and if nothing stands against it."""
    requests.take_in(session, user, run, typed.request)
    if typed.do == "release" and not findings(session, plan_of(session, run), run.id):
        planning.release_request(session, user, run)
    return go(url("run", run=run.id))


def _type_requests(session: Session, typed: TypedRun, asked: Sequence[int], day: str = "") -> None:
    """Type the visits that sites ask for below the stops. They have one day: the draft's own, if it has one.

    Raises 404 and 409 for what cannot be planned so: a page that has been open for long offers it still.
    """
    for number in asked:
        found = requests.get_request(session, number)
        requests.expect_open(session, found)
        typed.date = request_view.day_of(session, found).isoformat()
        day = day or typed.date
        if typed.date != day:
            raise planning_refusals.of_another_day()
        typed.request.append(found.id)
        add_stop(session, typed, requests.stop_for(found))


def _expect_open(session: Session, typed: TypedRun) -> None:
    """Raise 409 where somebody has planned or answered meanwhile what the run was to serve, but only once."""
    waiting = requests.still_open(session, typed.request)
    if waiting != list(dict.fromkeys(typed.request)):
        typed.request = waiting
        raise planning_refusals.answered_meanwhile()


def _new_run(
    request: Request,
    services: Services,
    session: Session,
    user: User,
    typed: TypedRun,
    refusal: NotUnderstood | Problem | None = None,
) -> HTMLResponse:
    status, against = planning_view.why(refusal, user.language)
    fields = plan_fields.of_run(session, typed, user.language)
    return render(
        request, services, "run_new.html", user, status, path=url("new_run"), fields=fields, against=against
    )


def _run_page(
    request: Request,
    services: Services,
    session: Session,
    user: User,
    run_id: int,
    refusal: NotUnderstood | Problem | None = None,
    typed: TypedRun | None = None,
    change: TypedCrew | None = None,
) -> HTMLResponse:
    """One run, and the forms that its state allows: filled with what was typed, where that is refused."""
    run = planning.get_run(session, run_id)
    status, against = planning_view.why(refusal, user.language)
    plan = plan_of(session, run)
    shown = planning_view.whole(session, run, user.language)
    edits = shown["status"] == RunStatus.DRAFT and allows(user.role, Permission.PLAN)
    changes = (
        shown["status"] == RunStatus.RELEASED
        and allows(user.role, Permission.PLAN)
        and not shown["waits_for"]
    )
    fields: dict[str, Any] = {}
    if edits:
        fields = plan_fields.of_run(session, typed or typed_run(session, plan), user.language)
    elif changes:
        fields = plan_fields.of_crew(session, change or typed_crew(session, plan), user.language)
    return render(
        request,
        services,
        "run.html",
        user,
        status,
        path=url("run", run=run.id),
        run=shown,
        fields=fields,
        edits=edits,
        changes=changes,
        changing=change is not None,
        seen=typed.seen if typed else planning_view.stamp(session, run),
        against=against,
        again=_again(run) if allows(user.role, Permission.PLAN) else "",
    )


def _day(session: Session, user: User, day: date) -> dict[str, Any]:
    return {
        "runs": planning_view.runs_of(session, day, user.language),
        "requests": request_view.open_ones(session, user.language),
        "may_plan": allows(user.role, Permission.PLAN),
        "restored": restorations.waiting(session) is not None,
        "part": address("planning_part", day),
    }


def _again(run: Run) -> str:
    return f"{url('new_run')}?{urlencode({'like': run.id})}"
