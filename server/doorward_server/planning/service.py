"""Runs from the first draft to the last stop: plan, ask for release, release, change, follow.

One user asks for a release or a change, another one decides (security/four_eyes.py). A change makes a new
version: of every order of the run that is not closed, the old one is revoked in the same transaction (D4).
"""

import datetime
from typing import Any

from sqlmodel import Session, col, select

from doorward_server.audit import service as audit
from doorward_server.planning import findings as texts
from doorward_server.planning import progress, requests
from doorward_server.planning.content import content_of, keep_version, order_fields
from doorward_server.planning.models import Run, RunStatus, Stop, StopStatus
from doorward_server.planning.plan import Member, Plan, crew_from, keep, keep_crew, plan_of, with_changes
from doorward_server.planning.rules import OPEN, findings
from doorward_server.problems import Problem, not_found
from doorward_server.security import four_eyes
from doorward_server.security.models import Approval, User
from doorward_server.services import services_of

__all__ = ["order_fields"]

# What not even a draft can hold: its rows would have nothing to point to, or point twice.
_UNKEEPABLE = frozenset(
    (
        "vehicle_unknown",
        "crew_unknown",
        "crew_removed",
        "crew_twice",
        "site_unknown",
        "box_unknown",
        "box_twice",
        "too_many_stops",
        "too_many_boxes",
        "too_many_people",
    )
)


def create_run(session: Session, user: User, plan: Plan) -> Run:
    """Keep a plan as a new draft. It may still have findings; what it names must exist."""
    four_eyes.drop_expired(session)  # a run that nobody released in time holds nothing
    run = Run(
        date=plan.date,
        vehicle_id=plan.vehicle_id,
        created_by=user.id,
        created_at=services_of(session).clock.now(),
    )
    _keep(session, run, plan)
    audit.record(session, user, "run_created", _subject(run), None, _described(session, run))
    progress.tell_pages(session, _sites(session, run))
    return run


def edit_run(session: Session, user: User, run: Run, plan: Plan) -> Run:
    """Put another plan in place of a draft's."""
    _expect(session, run, RunStatus.DRAFT)
    before, sites = _described(session, run), _sites(session, run)
    _keep(session, run, plan)
    audit.record(session, user, "run_edited", _subject(run), before, _described(session, run))
    requests.let_go(session, user, run)
    progress.tell_pages(session, [*sites, *_sites(session, run)])
    return run


def release_request(session: Session, user: User, run: Run) -> Approval:
    """Ask for the release of a draft that has no findings. Another user decides."""
    _expect(session, run, RunStatus.DRAFT)
    _refuse_findings(session, plan_of(session, run), run)
    approval = four_eyes.request(session, user, "run_release", _subject(run), {"run_id": run.id})
    _set_status(session, user, run, RunStatus.PROPOSED)
    return approval


def release_approve(session: Session, user: User, approval: Approval) -> Run:
    """Release as the second person: the orders become version 1 and go to their units."""
    four_eyes.decide(session, user, approval, approve=True)
    return get_run(session, approval.payload["run_id"])


def change_request(
    session: Session,
    user: User,
    run: Run,
    vehicle_id: int | None = None,
    crew: tuple[Member, ...] | None = None,
) -> Approval:
    """Ask for another vehicle or crew for what is left of a released run; with neither, for a fresh issue.

    Nothing changes until another user approves.
    """
    _expect(session, run, RunStatus.RELEASED)
    _refuse_under_way(session, run)
    _refuse_findings(session, with_changes(plan_of(session, run), vehicle_id, crew), run)
    payload = {
        "run_id": run.id,
        "vehicle_id": vehicle_id,
        "crew": None if crew is None else [[one.person_id, str(one.duty)] for one in crew],
    }
    return four_eyes.request(session, user, "run_change", _subject(run), payload)


def cancel_request(session: Session, user: User, run: Run) -> Approval:
    """Ask for the cancellation of what is left of a released run."""
    _expect(session, run, RunStatus.RELEASED)
    _refuse_under_way(session, run)
    return four_eyes.request(session, user, "run_cancel", _subject(run), {"run_id": run.id})


def cancel_draft(session: Session, user: User, run: Run) -> None:
    """Give a draft up; no unit has ever heard of it."""
    _expect(session, run, RunStatus.DRAFT)
    _cancel(session, user, run)
    progress.tell_pages(session, _sites(session, run))


def get_run(session: Session, run_id: int) -> Run:
    """The run of this number. Raises 404."""
    run = session.get(Run, run_id)
    if run is None:
        raise not_found("线路", "run")
    return run


def status_of(session: Session, run: Run) -> RunStatus:
    """The status as of now: a draft again once its request has expired, even if nobody has marked it yet."""
    if run.status == RunStatus.PROPOSED and not four_eyes.is_waiting(session, "run_release", _subject(run)):
        return RunStatus.DRAFT
    return RunStatus(run.status)


def list_runs(session: Session, day: datetime.date) -> list[Run]:
    """The runs of a local day."""
    return list(session.exec(select(Run).where(Run.date == day).order_by(col(Run.id))))


@four_eyes.about("run_release")
@four_eyes.about("run_change")
@four_eyes.about("run_cancel")
def _about(session: Session, approval: Approval) -> dict[str, Any]:
    """What the approver sees: the whole run, as it will be."""
    plan = plan_of(session, get_run(session, approval.payload["run_id"]))
    return content_of(session, _changed(plan, approval))


@four_eyes.on_approved("run_release")
def _release(session: Session, approval: Approval, decider: User) -> None:
    run = get_run(session, approval.payload["run_id"])
    _refuse_findings(session, plan_of(session, run), run)
    _issue(session, run, approval)
    _set_status(session, decider, run, RunStatus.RELEASED)
    progress.tell_units(session, _sites(session, run))


@four_eyes.on_dropped("run_release")
def _back_to_draft(session: Session, approval: Approval) -> None:
    run = get_run(session, approval.payload["run_id"])
    _set_status(session, None, run, RunStatus.DRAFT)


@four_eyes.on_approved("run_change")
def _change(session: Session, approval: Approval, decider: User) -> None:
    run = get_run(session, approval.payload["run_id"])
    _refuse_ended(run)
    before = _described(session, run)
    plan = _changed(plan_of(session, run), approval)
    _refuse_under_way(session, run)
    _refuse_findings(session, plan, run)
    run.vehicle_id = plan.vehicle_id
    keep_crew(session, run, plan.crew)
    _issue(session, run, approval)
    audit.record(session, decider, "run_changed", _subject(run), before, _described(session, run))
    progress.tell_units(session, _sites(session, run))


@four_eyes.on_approved("run_cancel")
def _cancel_approved(session: Session, approval: Approval, decider: User) -> None:
    run = get_run(session, approval.payload["run_id"])
    _refuse_ended(run)
    _refuse_under_way(session, run)
    _cancel(session, decider, run)
    progress.tell_units(session, _sites(session, run))


def stops_of(session: Session, run: Run) -> list[Stop]:
    """A run's stops along the route."""
    return list(session.exec(select(Stop).where(Stop.run_id == run.id).order_by(col(Stop.sequence))))


def _sites(session: Session, run: Run) -> list[int]:
    return [stop.site_id for stop in stops_of(session, run)]


def _changed(plan: Plan, approval: Approval) -> Plan:
    return with_changes(plan, approval.payload.get("vehicle_id"), crew_from(approval.payload.get("crew")))


def issue_anew(session: Session, run: Run, approval: Approval, versions: int) -> None:
    """After a restore: issue what is ahead of a released run under a version that is so much higher.

    A handover that is under way ends on the version with which it began.
    """
    before = {"version": run.version}
    _issue(session, run, approval, versions, tuple(one for one in OPEN if one != StopStatus.UNDER_WAY))
    audit.record(session, None, "run_issued_anew", _subject(run), before, {"version": run.version})


def _issue(
    session: Session,
    run: Run,
    approval: Approval,
    versions: int = 1,
    states: tuple[StopStatus, ...] = OPEN,
) -> None:
    """Make the rows' plan the next version of every order that is not closed."""
    before, run.version = run.version, run.version + versions
    session.add(run)
    for stop in stops_of(session, run):
        if stop.status in states:
            stop.order_version = run.version
            session.add(stop)
    session.flush()
    content = content_of(session, plan_of(session, run))
    approvers = [approval.requested_by, approval.decided_by]
    keep_version(session, run, before, content, approvers, services_of(session).clock.now())


def _cancel(session: Session, user: User, run: Run) -> None:
    for stop in stops_of(session, run):
        if stop.status in OPEN:
            stop.status = StopStatus.CANCELLED
            session.add(stop)
    _set_status(session, user, run, RunStatus.CANCELLED)


def _keep(session: Session, run: Run, plan: Plan) -> None:
    unkeepable = [found for found in findings(session, plan, run.id) if found.reason in _UNKEEPABLE]
    if unkeepable:
        raise texts.refusal(unkeepable)
    grace = datetime.timedelta(minutes=services_of(session).settings.order_grace_minutes)
    keep(session, run, plan, grace)


def _refuse_findings(session: Session, plan: Plan, run: Run) -> None:
    found = findings(session, plan, run.id)
    if found:
        raise texts.refusal(found)


def _refuse_under_way(session: Session, run: Run) -> None:
    if any(stop.status == StopStatus.UNDER_WAY for stop in stops_of(session, run)):
        raise Problem(
            409,
            "stop_under_way",
            "有站点正在交接，暂不能变更。",
            "A handover of this run is under way.",
            "Wait for its end, then ask again. 请待交接结束后再申请。",
        )


def _refuse_ended(run: Run) -> None:
    """Raise 409 for a run that has nothing ahead any more: it may have ended since the step was asked for."""
    if run.status != RunStatus.RELEASED:
        raise four_eyes.changed_since()


def _expect(session: Session, run: Run, status: RunStatus) -> None:
    four_eyes.drop_expired(session)
    session.refresh(run, with_for_update=True)
    if run.status != status:
        raise Problem(
            409,
            "run_status",
            "线路状态已变化，不能进行此操作。",
            f"The run is {run.status}; this needs it to be {status}.",
            "Reload the page and look at its state; a request can be withdrawn. 请刷新页面查看状态。",
        )


def _set_status(session: Session, user: User | None, run: Run, status: RunStatus) -> None:
    before = {"status": run.status}
    run.status = status
    session.add(run)
    session.flush()
    after = {"status": str(status), "version": run.version}
    audit.record(session, user, f"run_{status}", _subject(run), before, after)


def _described(session: Session, run: Run) -> dict[str, Any]:
    said = {"status": run.status, "version": run.version, "note": run.note}
    return said | content_of(session, plan_of(session, run))


def _subject(run: Run) -> str:
    return f"run:{run.id}"
