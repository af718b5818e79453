"""Requests of the sites for visits 任务申请: asked for, taken into a run, declined or withdrawn (S21).

Where a request stands is not written down but seen in the run that it is in: one that was given up leaves its
requests open again. A draft from which the site's stop is taken out lets go of its request for good.
"""

import datetime
from collections.abc import Iterable
from enum import StrEnum

from sqlmodel import Session, col, select

from doorward_server.audit import service as audit
from doorward_server.planning import findings as texts
from doorward_server.planning import progress
from doorward_server.planning.models import RequestStatus, Run, RunStatus, Stop, StopStatus, TaskRequest
from doorward_server.planning.plan import PlannedBox, PlannedStop
from doorward_server.planning.rules import MOST_BOXES, visit
from doorward_server.problems import Problem, not_found
from doorward_server.security.dependencies import check_site
from doorward_server.security.models import User
from doorward_server.services import services_of

MOST_OPEN = 50  # of one site: nobody reads more


class RequestState(StrEnum):
    """Where a request stands."""

    OPEN = "open"
    PLANNED = "planned"
    RELEASED = "released"
    DONE = "done"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    PASSED = "passed"


_BY_RUN = {
    RunStatus.DRAFT: RequestState.PLANNED,
    RunStatus.PROPOSED: RequestState.PLANNED,
    RunStatus.RELEASED: RequestState.RELEASED,
}


def ask(session: Session, user: User, stop: PlannedStop, note: str) -> TaskRequest:
    """Ask for a visit to one's own site. Raises 422 for what no plan could hold."""
    check_site(user, stop.site_id)
    services = services_of(session)
    day = stop.window_from.astimezone(services.settings.zone).date()
    found = list(visit(session, stop, "request", day))
    seals = {box.box_id: box.seal for box in stop.boxes}
    if len(seals) > MOST_BOXES:
        found.append(texts.finding("too_many_boxes", "request", limit=MOST_BOXES))
    if found:
        raise texts.refusal(found)
    if len(open_ones(session, stop.site_id)) >= MOST_OPEN:
        raise _too_many()
    request = TaskRequest(
        site_id=stop.site_id,
        kind=stop.kind,
        window_from=stop.window_from,
        window_until=stop.window_until,
        boxes=[[box, seal] for box, seal in seals.items()],
        note=note,
        requested_by=user.id,
        requested_at=services.clock.now(),
    )
    session.add(request)
    session.flush()
    _tell(session, user, request, "task_requested", None)
    return request


def withdraw(session: Session, user: User, request: TaskRequest) -> None:
    """Take a request back that nobody has planned yet."""
    check_site(user, request.site_id)
    expect_open(session, request)
    _end(session, user, request, RequestStatus.WITHDRAWN, "")


def decline(session: Session, user: User, request: TaskRequest, answer: str) -> None:
    """Say no, and why: the site reads the answer."""
    expect_open(session, request)
    _end(session, user, request, RequestStatus.DECLINED, answer)


def take_in(session: Session, user: User, run: Run, request_ids: Iterable[int]) -> None:
    """Note that a run is to serve these requests; those that nobody waits for any more are left out."""
    for request_id in still_open(session, request_ids):
        _put_into(session, user, get_request(session, request_id), run.id)


def let_go(session: Session, user: User, run: Run) -> None:
    """Note that a draft no longer serves the requests whose stops have been taken out of it."""
    for request in _served(session, run.id):
        if _stop_of(session, request) is None:
            _put_into(session, user, request, None)


def still_open(session: Session, request_ids: Iterable[int]) -> list[int]:
    """Those of the requests that still wait to be planned."""
    found = ((one, session.get(TaskRequest, one)) for one in dict.fromkeys(request_ids))
    return [one for one, row in found if row is not None and state_of(session, row) == RequestState.OPEN]


def stop_for(request: TaskRequest) -> PlannedStop:
    """The visit that is asked for, as a stop of a plan."""
    boxes = tuple(PlannedBox(box, seal) for box, seal in request.boxes)
    return PlannedStop(request.site_id, request.window_from, request.window_until, boxes, request.kind)


def get_request(session: Session, request_id: int) -> TaskRequest:
    """The request of this number. Raises 404."""
    request = session.get(TaskRequest, request_id)
    if request is None:
        raise not_found("任务申请", "request")
    return request


def of_site(session: Session, site_id: int, limit: int) -> list[TaskRequest]:
    """A site's requests, the newest first."""
    query = select(TaskRequest).where(TaskRequest.site_id == site_id).order_by(col(TaskRequest.id).desc())
    return list(session.exec(query.limit(limit)))


def open_ones(session: Session, site_id: int | None = None) -> list[TaskRequest]:
    """What nobody has planned yet and can still be planned, by window; of one site or of all."""
    now = services_of(session).clock.now()
    query = (
        select(TaskRequest)
        .where(TaskRequest.status == RequestStatus.OPEN, col(TaskRequest.window_until) > now)
        .order_by(col(TaskRequest.window_from), col(TaskRequest.id))
    )
    if site_id is not None:
        query = query.where(TaskRequest.site_id == site_id)
    return [request for request in session.exec(query) if state_of(session, request) == RequestState.OPEN]


def state_of(session: Session, request: TaskRequest) -> RequestState:
    """Where a request stands now."""
    if request.status != RequestStatus.OPEN:
        return RequestState(request.status)
    stop = _stop_of(session, request)
    if stop is not None and stop.status == StopStatus.CLOSED:
        return RequestState.DONE  # also where the rest of the run was cancelled
    state = _BY_RUN.get(RunStatus(session.get_one(Run, stop.run_id).status)) if stop is not None else None
    passed = request.window_until <= services_of(session).clock.now()
    if state is None or (passed and state == RequestState.PLANNED):
        return RequestState.PASSED if passed else RequestState.OPEN
    return state


def expect_open(session: Session, request: TaskRequest) -> None:
    """Raise 409 for a request that does not wait to be planned any more."""
    session.refresh(request, with_for_update=True)
    if state_of(session, request) != RequestState.OPEN:
        raise Problem(
            409,
            "request_not_open",
            "该申请已有结果，或时间已过。",
            "The request has been answered or planned meanwhile, or its time has passed.",
            "Reload the page and look at its state. 请刷新页面查看状态。",
        )


def _stop_of(session: Session, request: TaskRequest) -> Stop | None:
    """The stop that serves the request: of its kind if there is one, with the nearest window.

    A stop serves one request; who has asked first comes first.
    """
    if request.run_id is None:
        return None
    query = select(Stop).where(Stop.run_id == request.run_id, Stop.site_id == request.site_id)
    stops = list(session.exec(query.where(Stop.status != StopStatus.CANCELLED).order_by(col(Stop.sequence))))
    for one in _served(session, request.run_id):
        if one.site_id != request.site_id or not stops:
            continue
        stop = min(stops, key=lambda found, one=one: _distance(found, one))
        if one.id == request.id:
            return stop
        stops.remove(stop)
    return None


def _distance(stop: Stop, request: TaskRequest) -> tuple[bool, datetime.timedelta]:
    return stop.kind != request.kind, abs(stop.window_from - request.window_from)


def _served(session: Session, run_id: int) -> list[TaskRequest]:
    """The requests that a run is to serve, the oldest first."""
    query = select(TaskRequest).where(TaskRequest.run_id == run_id, TaskRequest.status == RequestStatus.OPEN)
    return list(session.exec(query.order_by(col(TaskRequest.id))))


def _put_into(session: Session, user: User, request: TaskRequest, run_id: int | None) -> None:
    before = _described(request)
    request.run_id = run_id
    session.add(request)
    session.flush()
    kind = "task_request_reopened" if run_id is None else "task_request_planned"
    _tell(session, user, request, kind, before)


def _end(session: Session, user: User, request: TaskRequest, status: RequestStatus, answer: str) -> None:
    before = _described(request)
    request.status, request.answer = status, answer
    session.add(request)
    session.flush()
    _tell(session, user, request, f"task_request_{status}", before)


def _tell(session: Session, user: User, request: TaskRequest, kind: str, before: dict | None) -> None:
    """Write down what has been done, and let the pages of the site and of the centre look again."""
    audit.record(session, user, kind, f"task_request:{request.id}", before, _described(request))
    progress.tell_pages(session, [request.site_id])


def _described(request: TaskRequest) -> dict:
    said = request.model_dump(exclude={"id", "requested_by", "requested_at"})
    return {
        name: value.isoformat() if isinstance(value, datetime.datetime) else value
        for name, value in said.items()
    }


def _too_many() -> Problem:
    return Problem(
        409,
        "too_many_requests",
        f"已有 {MOST_OPEN} 个未处理的申请。",
        f"There are {MOST_OPEN} open requests already.",
        "Withdraw what is no longer needed, or call the dispatcher. 请撤回不再需要的申请，或联系调度员。",
    )
