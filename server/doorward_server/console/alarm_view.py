"""What the pages show of alarms: each with the line of its record, and what people have done about it."""

from typing import Any, NamedTuple

from sqlmodel import Session, select

from doorward_server.alarms import service as alarms
from doorward_server.alarms.models import Alarm, AlarmHandling
from doorward_server.alarms.rules import title
from doorward_server.console.describe import Describer, site_name
from doorward_server.console.moments import day_and_time
from doorward_server.console.texts import text
from doorward_server.fleet.models import Site
from doorward_server.handovers.models import HandoverEvent
from doorward_server.notify import outbox
from doorward_server.notify.verdicts import trouble_in_words
from doorward_server.security.models import User
from doorward_server.services import services_of

PAGE_LENGTH = 50

_SEVERITY_CHIPS = {"critical": "critical", "high": "bad", "warning": "wait", "info": "info"}


class AlarmList(NamedTuple):
    """A page of the list, the newest first; `older`: the key after which the next one begins, if any."""

    alarms: list[dict[str, Any]]
    older: str | None


def build(session: Session, user: User, only_open: bool, before: str | None) -> AlarmList:
    """The page of the list that begins after the alarm of the key `before`."""
    found = alarms.list_alarms(session, user, only_open, PAGE_LENGTH + 1, before)
    describer = Describer(session, user.language)
    shown = [row(session, *one, describer, user.language) for one in found[:PAGE_LENGTH]]
    return AlarmList(shown, shown[-1]["key"] if len(found) > PAGE_LENGTH else None)


def row(
    session: Session, alarm: Alarm, handling: AlarmHandling | None, describer: Describer, language: str
) -> dict[str, Any]:
    """One alarm as the templates show it."""
    site = session.get(Site, alarm.site_id) if alarm.site_id else None
    handled = handling or AlarmHandling(key=alarm.key)
    return {
        "key": alarm.key,
        "rule": alarm.rule,
        "severity": alarm.severity,
        "chip": _SEVERITY_CHIPS[alarm.severity],
        "title": title(alarm.rule, language),
        "line": _line(session, alarm, describer, language),
        "site": site_name(site, language),
        "unit": alarm.unit_id,
        "time": _moment(session, alarm.time),
        "over": alarm.ended is not None,
        "state": alarms.state_of(alarm, handling),
        "heard": _by(session, handled.acknowledged_by, handled.acknowledged),
        "closed": _by(session, handled.closed_by, handled.closed),
        "note": handled.note,
    }


def _by(session: Session, user_id: int | None, time: int | None) -> str:
    """Who did something about it, and when; empty if nobody has."""
    if time is None:
        return ""
    user = session.get(User, user_id) if user_id else None
    return f"{user.name if user else ''} {_moment(session, time)}"


def _moment(session: Session, milliseconds: int) -> str:
    services = services_of(session)
    return day_and_time(milliseconds, services.clock.milliseconds(), services.settings.zone)


def _line(session: Session, alarm: Alarm, describer: Describer, language: str) -> str:
    """What the record behind an alarm says; of those that the server raises itself, what went wrong.

    Of a foreign box also where it belongs (S7).
    """
    leaf = alarm.leaf_id
    event = None if leaf is None else session.get(HandoverEvent, leaf)
    said = [str(alarm.details.get("problem", ""))] if event is None else [describer.line(event)]
    if alarm.rule == outbox.FAILING:
        target, trouble, number = (alarm.details[name] for name in ("target", "trouble", "number"))
        why = trouble_in_words(trouble, number, language)
        said.append(text("notifications_fail", language, target=target, why=why))
    if code := alarms.belonging(session, alarm).get("belongs_to"):
        site = session.exec(select(Site).where(Site.code == code)).first()
        said.append(text("belongs_to", language, site=site_name(site, language)))
    return " · ".join(one for one in said if one)
