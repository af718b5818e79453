"""What the wall shows, read from planning, handovers, alarms and units."""

from typing import Any

from sqlalchemy import case
from sqlmodel import Session, col, func, or_, select

from doorward_server.alarms.models import Alarm, AlarmHandling
from doorward_server.alarms.rules import SEVERITIES
from doorward_server.clock import to_milliseconds
from doorward_server.console import alarm_view
from doorward_server.console.describe import Describer, site_name
from doorward_server.console.moments import clock_time, day_and_time, delay, window
from doorward_server.console.run_looks import RUN_LOOKS, STOP_LOOKS
from doorward_server.console.texts import text
from doorward_server.fleet.models import Site, Vehicle
from doorward_server.handovers.models import Handover, HandoverEvent
from doorward_server.planning.models import Run, RunMember, RunStatus, Stop, StopStatus
from doorward_server.planning.progress import still_due
from doorward_server.services import services_of
from doorward_server.units.models import Unit

FEED_LENGTH = 60
ALARMS_SHOWN = 30

# Of a handover under way: what a stop's chip looks like.
_STAGE_LOOKS = {
    "arrived": "info",
    "crew": "wait",
    "refused": "bad",
    "frozen": "bad",
    "closed": "good",
    "left": "good",
}
# Records that deserve an eye in the list of what was heard.
_RECORD_LOOKS = {
    "vehicle": "info",
    "crew": "info",
    "approval": "good",
    "closed": "good",
    "boxes": "info",
    "vehicle_refused": "bad",
    "finger_refused": "wait",
    "locked": "bad",
    "foreign_box": "bad",
    "frozen": "bad",
    "restarted": "wait",
    "refusal": "wait",
}
LATE_MS = 2000  # a record that took longer to the centre is marked


def build(session: Session, language: str) -> dict[str, Any]:
    """The wall's content: figures, runs of today, alarms, and the newest records."""
    return {
        "figures": _figures(session),
        "runs": _runs(session, language),
        "alarms": _alarms(session, language),
        "feed": _feed(session, language),
    }


def _figures(session: Session) -> list[dict[str, Any]]:
    services = services_of(session)
    since = to_milliseconds(services.day_begins(services.today()))
    states = session.exec(select(Handover.state).where(col(Handover.started) >= since)).all()
    done = sum(1 for state in states if state in ("closed", "left"))
    under_way = sum(1 for state in states if state in ("arrived", "crew", "approved", "boxes", "frozen"))
    units = session.exec(select(func.count()).select_from(Unit)).one()
    online = session.exec(select(func.count()).select_from(Unit).where(col(Unit.online))).one()
    heard = select(AlarmHandling.key).where(col(AlarmHandling.acknowledged).is_not(None))
    unheard = session.exec(select(func.count()).select_from(Alarm).where(col(Alarm.key).not_in(heard))).one()
    return [
        _figure("figure_done", done),
        _figure("figure_open", under_way),
        _figure("figure_units", f"{online} / {units}", "" if online == units else "wait", "units"),
        _figure("figure_alarms", unheard, "bad" if unheard else ""),
    ]


def _figure(key: str, value: int | str, look: str = "", page: str = "") -> dict[str, Any]:
    """`page`: the name of the page that tells more."""
    return {"text": key, "value": value, "look": look, "page": page}


def _runs(session: Session, language: str) -> list[dict[str, Any]]:
    """Today's runs, and those of yesterday that are still on the road."""
    describer = Describer(session, language)
    services = services_of(session)
    today, now = services.today(), services.clock.now()
    on_the_road = (
        (col(Run.date) < today)
        & (col(Run.status) == RunStatus.RELEASED)
        & col(Run.id).in_(select(Stop.run_id).where(still_due(now)))
    )
    shown = []
    for run in session.exec(
        select(Run).where(or_(col(Run.date) == today, on_the_road)).order_by(col(Run.id))
    ).all():
        vehicle = session.get(Vehicle, run.vehicle_id)
        members = session.exec(select(RunMember.person_id).where(RunMember.run_id == run.id)).all()
        stops = session.exec(select(Stop).where(Stop.run_id == run.id).order_by(col(Stop.sequence))).all()
        shown.append(
            {
                "id": run.id,
                "plate": vehicle.plate if vehicle else "",
                "crew": describer.people(list(members)),
                "status": run.status,
                "look": RUN_LOOKS[RunStatus(run.status)],
                "stops": [_stop(session, stop, language) for stop in stops],
            }
        )
    return shown


def _stop(session: Session, stop: Stop, language: str) -> dict[str, Any]:
    zone = services_of(session).settings.zone
    site = session.get(Site, stop.site_id)
    look, chip, mark = STOP_LOOKS[StopStatus(stop.status)]
    query = select(Handover).where(Handover.task == stop.id, Handover.site_id == stop.site_id)
    handover = session.exec(query.order_by(col(Handover.id).desc()).limit(1)).first()
    state, arrived = text(f"stop_{stop.status}", language), ""
    if handover is not None:
        arrived = text("arrived_at", language, time=clock_time(handover.started, zone)[:5])
        if stop.status in (StopStatus.UNDER_WAY, StopStatus.FROZEN):
            state, chip = text(f"stage_{handover.state}", language), _STAGE_LOOKS.get(handover.state, chip)
    return {
        "site": site_name(site, language),
        "site_id": stop.site_id,
        "site_code": site.code if site else "",
        "window": window(stop.window_from, stop.window_until, zone),
        "arrived": arrived,
        "status": stop.status,
        "state": state,
        "look": look,
        "chip": chip,
        "mark": mark or str(stop.sequence),
    }


def _alarms(session: Session, language: str) -> list[dict[str, Any]]:
    """Unheard ones first, the gravest of them on top; each with the line of its record."""
    describer = Describer(session, language)
    query = select(Alarm, AlarmHandling).join(
        AlarmHandling, col(AlarmHandling.key) == Alarm.key, isouter=True
    )
    query = query.where(col(AlarmHandling.closed).is_(None)).order_by(
        col(AlarmHandling.acknowledged).is_not(None),
        case({name: rank for rank, name in enumerate(SEVERITIES)}, value=Alarm.severity).desc(),
        col(Alarm.received).desc(),
    )
    found = session.exec(query.limit(ALARMS_SHOWN)).all()
    return [alarm_view.row(session, *one, describer, language) for one in found]


def _feed(session: Session, language: str) -> list[dict[str, Any]]:
    services = services_of(session)
    now, zone = services.clock.milliseconds(), services.settings.zone
    describer = Describer(session, language)
    newest = session.exec(
        select(HandoverEvent).order_by(col(HandoverEvent.id).desc()).limit(FEED_LENGTH)
    ).all()
    sites = {site.id: site for site in session.exec(select(Site)).all()}
    return [
        {
            "id": event.id,
            "name": event.name,
            "look": _record_look(event),
            "time": day_and_time(event.time, now, zone),
            "site": site_name(sites.get(event.site_id), language),
            "text": describer.line(event),
            "delay": delay(event.time, event.received),
            "late": event.received - event.time > LATE_MS,
        }
        for event in newest
    ]


def _record_look(event: HandoverEvent) -> str:
    if event.name == "approval" and not event.details["approved"]:
        return "bad"
    return _RECORD_LOOKS.get(event.name, "")
