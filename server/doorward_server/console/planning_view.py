"""What the planning pages show: the runs of a day, and one run with its versions and obstacles."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from doorward_server.clock import to_milliseconds
from doorward_server.console import run_content
from doorward_server.console.describe import Describer
from doorward_server.console.facts import Fact, fact
from doorward_server.console.moments import day_and_time
from doorward_server.console.pages import said_in_one
from doorward_server.console.plan_reading import NotUnderstood
from doorward_server.console.run_looks import RUN_LOOKS, STOP_LOOKS
from doorward_server.console.texts import text
from doorward_server.fleet.models import Box, Site, Vehicle
from doorward_server.people.models import Person
from doorward_server.people.service import WITHOUT_PHOTO
from doorward_server.planning import changes
from doorward_server.planning import service as planning
from doorward_server.planning.content import outline_of
from doorward_server.planning.findings import Finding
from doorward_server.planning.models import (
    Run,
    RunMember,
    RunStatus,
    RunVersion,
    Stop,
    StopBox,
    StopStatus,
)
from doorward_server.planning.plan import Plan, plan_of, plans_of
from doorward_server.planning.rules import OPEN, findings
from doorward_server.problems import Problem
from doorward_server.security import four_eyes
from doorward_server.security.models import User
from doorward_server.services import services_of

# What may wait for a second person about a run.
REQUESTS = ("run_release", "run_change", "run_cancel")
_PLACES = {
    "date": "date",
    "vehicle": "vehicle",
    "crew": "crew",
    "stops": "stops",
    "request": "task_request",
}


def runs_of(session: Session, day: date, language: str) -> list[dict[str, Any]]:
    """The runs of a local day, the oldest first."""
    rows = _rows_of(session, day)  # while somebody holds them the session finds each one without a query
    runs = planning.list_runs(session, day)
    plans = plans_of(session, runs)
    shown = [_shown(session, run, plans[run.id], language) for run in runs]
    del rows
    return shown


def whole(session: Session, run: Run, language: str) -> dict[str, Any]:
    """One run, with its versions and with what waits for a second person."""
    return _shown(session, run, plan_of(session, run), language) | {
        "planned_by": session.get_one(User, run.created_by).name,
        "waits_for": _waits_for(session, run, language),
        "versions": _versions(session, run, language),
    }


def stamp(session: Session, run: Run) -> str:
    """What people have typed of a run, as a digest: two of them may have one draft before them."""
    return four_eyes.digest([run.note, outline_of(session, plan_of(session, run))])


def told(found: Iterable[Finding], language: str) -> list[str]:
    """What stands against a plan, each with its place: "Stop 2: The window has passed."."""
    said = {}  # in their order, and none twice
    for one in found:
        what = one.message_zh if language == "zh" else one.message_en
        said[text("obstacle", language, where=_place(one.where, language), what=what)] = None
    return list(said)


def why(refusal: NotUnderstood | Problem | None, language: str) -> tuple[int, list[str]]:
    """The status of the answer, and what stands against what was sent, in words."""
    if refusal is None:
        return 200, []
    if isinstance(refusal, NotUnderstood):
        return 422, told(refusal.findings, language)
    if refusal.reason == "plan_invalid":
        found = [Finding(**detail) for detail in refusal.answer.details]
        return refusal.status, told(found, language)
    return refusal.status, [said_in_one(refusal.answer, language)]


def _place(where: str, language: str) -> str:
    """A finding's place in words: "crew", or "stop 2" with the number along the route."""
    name, _, number = where.partition(" ")
    return text("obstacle_stop", language, number=number) if number else text(_PLACES[name], language)


def _rows_of(session: Session, day: date) -> list[Any]:
    """All that the runs of a day name: a thousand stops and their boxes, in a few queries."""
    stops = select(Stop).join(Run).where(Run.date == day)
    found: list[Any] = [*session.exec(stops)]
    found += session.exec(select(Vehicle).join(Run).where(Run.date == day))
    found += session.exec(select(Site).join(Stop).join(Run).where(Run.date == day))
    found += session.exec(select(Box).join(StopBox).join(Stop).join(Run).where(Run.date == day))
    people = select(Person).join(RunMember).join(Run).where(Run.date == day)
    found += session.exec(people.options(WITHOUT_PHOTO))
    return found


def _shown(session: Session, run: Run, plan: Plan, language: str) -> dict[str, Any]:
    content = outline_of(session, plan)
    stops = [
        stop | _progress(session, session.get_one(Stop, stop["task"]))
        for stop in run_content.stops(session, content, language)
    ]
    status = planning.status_of(session, run)
    is_ahead = status in (RunStatus.DRAFT, RunStatus.PROPOSED)
    return {
        "id": run.id,
        "date": run.date.isoformat(),
        "plate": content["vehicle"]["plate"],
        "status": status,
        "look": RUN_LOOKS[status],
        "version": run.version,
        "note": run.note,
        "facts": run_content.crew(Describer(session, language), content, content),
        "stops": stops,
        "against": told(findings(session, plan, run.id), language) if is_ahead else [],
    }


def _progress(session: Session, stop: Stop) -> dict[str, Any]:
    """How far a stop is, and whether its site still has to look at what changed."""
    state = StopStatus(stop.status)
    unseen = state in OPEN and changes.is_unseen(session, stop)
    return {"state": state, "chip": STOP_LOOKS[state].chip, "unseen": unseen}


def _waits_for(session: Session, run: Run, language: str) -> str:
    """What a second person has been asked for; empty for nothing."""
    for approval in four_eyes.open_approvals(session, *REQUESTS):
        if approval.payload["run_id"] == run.id:
            kind = four_eyes.KINDS[approval.kind]
            return kind.name_zh if language == "zh" else kind.name_en
    return ""


def _versions(session: Session, run: Run, language: str) -> list[dict[str, Any]]:
    """The released versions, the newest first, each with what differs from the one before (D4)."""
    services = services_of(session)
    now, zone = services.clock.milliseconds(), services.settings.zone
    describer = Describer(session, language)
    rows = session.exec(
        select(RunVersion).where(RunVersion.run_id == run.id).order_by(col(RunVersion.version))
    ).all()
    shown = []
    for before, version in zip((None, *rows), rows, strict=False):
        names = [session.get_one(User, one).name for one in version.approved_by]
        shown.append(
            {
                "number": version.version,
                "released": day_and_time(to_milliseconds(version.released_at), now, zone),
                "by": ("、" if language == "zh" else ", ").join(names),
                "changes": _changes(describer, version, before, language),
            }
        )
    return shown[::-1]


def _changes(
    describer: Describer, version: RunVersion, before: RunVersion | None, language: str
) -> list[Fact]:
    if before is None:
        return []
    found = run_content.vehicle_and_crew(describer, version.content, before.content)
    changed = [one for one in found if one["before"]]
    if "stops" in version.changes:
        changed.append(fact("stops", text("stops_differ", language)))
    return changed or [fact("content", text("issued_afresh", language))]
