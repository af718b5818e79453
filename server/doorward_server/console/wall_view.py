"""What the wall shows, read from planning, handovers, alarms and units."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from doorward_server.alarms.models import Alarm, AlarmHandling
from doorward_server.alarms.rules import BY_NAME
from doorward_server.console.describe import Describer
from doorward_server.console.moments import clock_time, delay, window
from doorward_server.fleet.models import Site, Vehicle
from doorward_server.handovers.models import Handover, HandoverEvent
from doorward_server.planning.models import Run, RunMember, RunStatus, Stop, StopStatus
from doorward_server.security.models import User
from doorward_server.services import services_of
from doorward_server.units.models import Unit

FEED_LENGTH = 60
ALARMS_SHOWN = 30

STOP_LOOKS = {
    StopStatus.PLANNED: ("", "", ""),
    StopStatus.UNDER_WAY: ("active", "wait", "●"),
    StopStatus.FROZEN: ("bad", "bad", "!"),
    StopStatus.CLOSED: ("done", "good", "✓"),
    StopStatus.CANCELLED: ("", "", "–"),
}
_RUN_LOOKS = {RunStatus.RELEASED: "info", RunStatus.CLOSED: "good", RunStatus.PROPOSED: "wait"}
_SEVERITY_CHIPS = {"critical": "bad", "high": "bad", "warning": "wait", "info": "info"}


def build(session: Session, language: str) -> dict[str, Any]:
    """The wall's content: figures, runs of today, alarms, and the newest records."""
    alarms = _alarms(session, language)
    return {
        "figures": _figures(session, sum(1 for alarm in alarms if not alarm["heard"])),
        "runs": _runs(session, language),
        "alarms": alarms,
        "feed": _feed(session, language),
    }


def site_name(site: Site | None, language: str) -> str:
    """The site's name in the language; empty for none."""
    if site is None:
        return ""
    return site.name_zh if language == "zh" else site.name_en


def _today(session: Session) -> Any:
    services = services_of(session)
    return services.clock.now().astimezone(services.settings.zone).date()


def _figures(session: Session, unheard: int) -> list[dict[str, Any]]:
    services = services_of(session)
    zone = services.settings.zone
    start = datetime.combine(_today(session), datetime.min.time(), zone)
    since = round(start.timestamp() * 1000)
    states = session.exec(select(Handover.state).where(col(Handover.started) >= since)).all()
    done = sum(1 for state in states if state in ("closed", "left"))
    under_way = sum(1 for state in states if state in ("arrived", "crew", "approved", "boxes", "frozen"))
    units = session.exec(select(func.count()).select_from(Unit)).one()
    online = session.exec(select(func.count()).select_from(Unit).where(col(Unit.online))).one()
    return [
        {"text": "figure_done", "value": done},
        {"text": "figure_open", "value": under_way},
        {"text": "figure_units", "value": f"{online} / {units}"},
        {"text": "figure_alarms", "value": unheard},
    ]


def _runs(session: Session, language: str) -> list[dict[str, Any]]:
    zone = services_of(session).settings.zone
    describer = Describer(session, language)
    sites = {site.id: site for site in session.exec(select(Site)).all()}
    shown = []
    for run in session.exec(select(Run).where(Run.date == _today(session)).order_by(col(Run.id))).all():
        vehicle = session.get(Vehicle, run.vehicle_id)
        members = session.exec(select(RunMember.person_id).where(RunMember.run_id == run.id)).all()
        stops = session.exec(select(Stop).where(Stop.run_id == run.id).order_by(col(Stop.sequence))).all()
        shown.append(
            {
                "plate": vehicle.plate if vehicle else "",
                "crew": [describer.person(person) for person in members],
                "status": run.status,
                "look": _RUN_LOOKS.get(RunStatus(run.status), ""),
                "stops": [_stop(stop, sites.get(stop.site_id), language, zone) for stop in stops],
            }
        )
    return shown


def _stop(stop: Stop, site: Site | None, language: str, zone: Any) -> dict[str, Any]:
    look, chip, mark = STOP_LOOKS[StopStatus(stop.status)]
    return {
        "site": site_name(site, language),
        "site_code": site.code if site else "",
        "window": window(stop.window_from, stop.window_until, zone),
        "state": stop.status,
        "look": look,
        "chip": chip,
        "mark": mark or str(stop.sequence),
    }


def _alarms(session: Session, language: str) -> list[dict[str, Any]]:
    zone = services_of(session).settings.zone
    query = select(Alarm, AlarmHandling).join(
        AlarmHandling, col(AlarmHandling.key) == Alarm.key, isouter=True
    )
    query = query.order_by(col(AlarmHandling.acknowledged).is_not(None), col(Alarm.received).desc()).limit(
        ALARMS_SHOWN
    )
    shown = []
    for alarm, handling in session.exec(query).all():
        heard = ""
        if handling is not None and handling.acknowledged is not None:
            person = session.get(User, handling.acknowledged_by)
            heard = f"{person.name if person else ''} {clock_time(handling.acknowledged, zone)}"
        site = session.get(Site, alarm.site_id) if alarm.site_id else None
        shown.append(
            {
                "key": alarm.key,
                "rule": alarm.rule,
                "severity": alarm.severity,
                "chip": _SEVERITY_CHIPS[alarm.severity],
                "title": _title(alarm, language),
                "site": site_name(site, language),
                "time": clock_time(alarm.time, zone),
                "heard": heard,
            }
        )
    return shown


def _title(alarm: Alarm, language: str) -> str:
    rule = BY_NAME[alarm.rule]
    return rule.title_zh if language == "zh" else rule.title_en


def _feed(session: Session, language: str) -> list[dict[str, Any]]:
    zone = services_of(session).settings.zone
    describer = Describer(session, language)
    newest = session.exec(
        select(HandoverEvent).order_by(col(HandoverEvent.id).desc()).limit(FEED_LENGTH)
    ).all()
    sites = {site.id: site for site in session.exec(select(Site)).all()}
    return [
        {
            "name": event.name,
            "time": clock_time(event.time, zone),
            "site": site_name(sites.get(event.site_id), language),
            "text": describer.line(event),
            "delay": delay(event.time, event.received),
        }
        for event in newest
    ]
