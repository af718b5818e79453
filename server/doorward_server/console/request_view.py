"""What the pages show of the sites' requests for visits: a site's own, and to planners what is still open."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from sqlmodel import Session

from doorward_server.clock import to_milliseconds
from doorward_server.console.describe import site_name
from doorward_server.console.moments import day_and_time, window_of_day
from doorward_server.console.pages import url
from doorward_server.fleet.models import Box, Site
from doorward_server.planning import requests
from doorward_server.planning import service as planning
from doorward_server.planning.models import RunStatus, TaskRequest
from doorward_server.planning.requests import RequestState
from doorward_server.security.models import User
from doorward_server.services import services_of

SHOWN = 60  # of one site, the newest
MOST_DRAFTS = 12  # of a day, the newest: each is a button beside every request
_LOOKS = {
    RequestState.OPEN: "wait",
    RequestState.PLANNED: "info",
    RequestState.RELEASED: "good",
    RequestState.DONE: "good",
    RequestState.DECLINED: "bad",
    RequestState.WITHDRAWN: "",
    RequestState.PASSED: "bad",
}


def of_site(session: Session, site_id: int, language: str) -> list[dict[str, Any]]:
    """A site's requests, the newest first."""
    return [_shown(session, one, language) for one in requests.of_site(session, site_id, SHOWN)]


def open_ones(session: Session, language: str) -> list[dict[str, Any]]:
    """What can still be planned, by window, each with the drafts of its day that may take it in."""
    found = requests.open_ones(session)
    drafts = {day: _drafts(session, day) for day in {day_of(session, one) for one in found}}
    return [_shown(session, one, language) | _ways(one, drafts[day_of(session, one)]) for one in found]


def day_of(session: Session, request: TaskRequest) -> date:
    """The bank's day on which the visit is asked for."""
    return request.window_from.astimezone(services_of(session).settings.zone).date()


def _shown(session: Session, request: TaskRequest, language: str) -> dict[str, Any]:
    services = services_of(session)
    now, zone = services.clock.milliseconds(), services.settings.zone
    today = services.today()
    state = requests.state_of(session, request)
    return {
        "id": request.id,
        "site": site_name(session.get(Site, request.site_id), language),
        "window": window_of_day(request.window_from, request.window_until, today, zone),
        "kind": request.kind,
        "boxes": [
            {"number": session.get_one(Box, box).number, "seal": seal or ""} for box, seal in request.boxes
        ],
        "note": request.note,
        "state": state,
        "look": _LOOKS[state],
        "answer": request.answer,
        "asked_by": session.get_one(User, request.requested_by).name,
        "asked": day_and_time(to_milliseconds(request.requested_at), now, zone),
        "run": request.run_id if state in (RequestState.PLANNED, RequestState.RELEASED) else None,
    }


def _drafts(session: Session, day: date) -> list[int]:
    runs = planning.list_runs(session, day)
    return [run.id for run in runs if planning.status_of(session, run) == RunStatus.DRAFT][-MOST_DRAFTS:]


def _ways(request: TaskRequest, drafts: list[int]) -> dict[str, Any]:
    """Where a planner may take the request to: a new run, or a draft of that day."""
    query = f"?{urlencode({'request': request.id})}"
    return {
        "new_run": url("new_run") + query,
        "drafts": [{"id": run, "address": url("run", run=run) + query} for run in drafts],
    }
