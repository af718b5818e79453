"""Planning over HTTP. Decisions about releases and changes are made at /api/approvals."""

import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlmodel import Session, col, select

from doorward_server.database import SessionDependency
from doorward_server.planning import changes, service
from doorward_server.planning.models import Duty, Run, RunVersion
from doorward_server.planning.plan import plan_of
from doorward_server.planning.rules import findings
from doorward_server.planning.schemas import (
    BoxData,
    ChangeData,
    MemberData,
    PublicChange,
    PublicFinding,
    PublicRun,
    PublicStop,
    PublicVersion,
    RunData,
    Seen,
    Waiting,
)
from doorward_server.problems import problem_responses
from doorward_server.security.dependencies import check_site, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission

router = APIRouter(prefix="/api", tags=["planning"], responses=problem_responses(401, 403, 422))

Viewer = Annotated[User, needs(Permission.SEE_PLAN)]
Planner = Annotated[User, needs(Permission.PLAN)]
SiteViewer = Annotated[User, needs(Permission.SEE_SITE)]
Acknowledger = Annotated[User, needs(Permission.ACKNOWLEDGE_CHANGE)]
Id = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/runs")
def list_runs(
    session: SessionDependency, _user: Viewer, date: Annotated[datetime.date, Query()]
) -> list[PublicRun]:
    """The runs of a local day."""
    return [_shown(session, run) for run in service.list_runs(session, date)]


@router.post("/runs", status_code=201)
def create_run(plan: RunData, session: SessionDependency, user: Planner) -> PublicRun:
    """Keep a plan as a draft; it may still have findings."""
    return _shown(session, service.create_run(session, user, plan.plain()))


@router.get("/runs/{run_id}", responses=problem_responses(404))
def show_run(run_id: Id, session: SessionDependency, _user: Viewer) -> PublicRun:
    """One run."""
    return _shown(session, service.get_run(session, run_id))


@router.put("/runs/{run_id}", responses=problem_responses(404, 409))
def edit_run(run_id: Id, plan: RunData, session: SessionDependency, user: Planner) -> PublicRun:
    """Put another plan in place of a draft's."""
    run = service.get_run(session, run_id)
    return _shown(session, service.edit_run(session, user, run, plan.plain()))


@router.delete("/runs/{run_id}", status_code=204, responses=problem_responses(404, 409))
def cancel_draft(run_id: Id, session: SessionDependency, user: Planner) -> None:
    """Give a draft up."""
    service.cancel_draft(session, user, service.get_run(session, run_id))


@router.get("/runs/{run_id}/findings", responses=problem_responses(404))
def list_findings(run_id: Id, session: SessionDependency, _user: Viewer) -> list[PublicFinding]:
    """Why the run could not be released as it is; empty if nothing stands against it."""
    run = service.get_run(session, run_id)
    return [PublicFinding(**found._asdict()) for found in findings(session, plan_of(session, run), run.id)]


@router.get("/runs/{run_id}/versions", responses=problem_responses(404))
def list_versions(run_id: Id, session: SessionDependency, _user: Viewer) -> list[PublicVersion]:
    """All released versions of a run, the first one first."""
    run = service.get_run(session, run_id)
    rows = session.exec(
        select(RunVersion).where(RunVersion.run_id == run.id).order_by(col(RunVersion.version))
    )
    return [PublicVersion.model_validate(row, from_attributes=True) for row in rows]


@router.post("/runs/{run_id}/release-request", status_code=202, responses=problem_responses(404, 409))
def request_release(run_id: Id, session: SessionDependency, user: Planner) -> Waiting:
    """Ask for the release of a draft; another dispatcher decides."""
    return _waiting(service.release_request(session, user, service.get_run(session, run_id)))


@router.post("/runs/{run_id}/change-request", status_code=202, responses=problem_responses(404, 409))
def request_change(run_id: Id, change: ChangeData, session: SessionDependency, user: Planner) -> Waiting:
    """Ask for another vehicle or crew on a released run; another dispatcher decides."""
    run = service.get_run(session, run_id)
    crew = None if change.crew is None else tuple(member.plain() for member in change.crew)
    return _waiting(service.change_request(session, user, run, change.vehicle_id, crew))


@router.post("/runs/{run_id}/cancel-request", status_code=202, responses=problem_responses(404, 409))
def request_cancellation(run_id: Id, session: SessionDependency, user: Planner) -> Waiting:
    """Ask for the cancellation of what is left of a released run; another dispatcher decides."""
    return _waiting(service.cancel_request(session, user, service.get_run(session, run_id)))


@router.get("/sites/{site_id}/changes", responses=problem_responses(404))
def list_changes(site_id: Id, session: SessionDependency, user: SiteViewer) -> list[PublicChange]:
    """Changed orders that the site has not acknowledged yet."""
    check_site(user, site_id)
    return [
        PublicChange(
            task=stop.id,
            run_id=stop.run_id,
            order_version=stop.order_version,
            changes=changes.of_stop(version.changes, stop.id),
            released_at=version.released_at,
        )
        for stop, version in changes.unseen(session, site_id)
    ]


@router.post("/stops/{task}/acknowledgement", status_code=204, responses=problem_responses(404, 409))
def acknowledge_change(task: Id, seen: Seen, session: SessionDependency, user: Acknowledger) -> None:
    """Say that one's site has seen a changed order."""
    changes.acknowledge(session, user, task, seen.order_version)


def _waiting(approval) -> Waiting:
    return Waiting(approval_id=approval.id)


def _shown(session: Session, run: Run) -> PublicRun:
    plan = plan_of(session, run)
    rows = service.stops_of(session, run)
    stops = [
        PublicStop(
            **stop.model_dump(exclude={"run_id"}),
            boxes=[BoxData(box_id=box.box_id, seal=box.seal) for box in planned.boxes],
        )
        for stop, planned in zip(rows, plan.stops, strict=True)
    ]
    crew = [MemberData(person_id=member.person_id, duty=Duty(member.duty)) for member in plan.crew]
    status = service.status_of(session, run)
    return PublicRun(**run.model_dump(exclude={"status"}), status=status, crew=crew, stops=stops)
