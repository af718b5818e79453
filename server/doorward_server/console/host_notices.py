"""What a branch must know besides its handover: a locked panel (D18), a vehicle that was refused (D3).

Made from the site's records alone, never from alarms: a silent one must not show here (D9).
"""

from typing import Any, NamedTuple

from doorward_protocol import errors
from sqlmodel import Session, col, select

from doorward_server import reasons
from doorward_server.console.describe import panel_name
from doorward_server.console.moments import day_and_time
from doorward_server.console.texts import text
from doorward_server.handovers.models import HandoverEvent
from doorward_server.security import four_eyes
from doorward_server.services import services_of
from doorward_server.units.service import unit_at

# How long a refused vehicle stays on the screen: one that may be an attack, and any other.
GRAVE = (errors.TASK_COMPLETED, errors.TAG_COPIED, errors.EARLY_VEHICLE)
KEEP_GRAVE_MS = 10 * 60 * 1000
KEEP_REFUSED_MS = 60 * 1000
# A lock that ends later than this is one that only two people of the centre end.
DAY_MS = 24 * 60 * 60 * 1000
LOCKS_LOOKED_AT = 20


class Notice(NamedTuple):
    """What is said, until when (ms since 1970 UTC); of a lock also where, and whether its release waits."""

    name: str
    text: str
    until: int
    panel: int = 0
    asked: bool = False


def notices(session: Session, site_id: int, now: int, language: str) -> tuple[list[Notice], int | None]:
    """Notices, the gravest first, and after how many ms the first of them is over."""
    found = [
        *_refused_vehicle(session, site_id, now, language),
        *_locked_panels(session, site_id, now, language),
    ]
    return found, min((notice.until - now for notice in found), default=None)


def _refused_vehicle(session: Session, site_id: int, now: int, language: str) -> list[Notice]:
    """The newest vehicle if it was refused a short while ago and nobody has come since."""
    event = _newest(session, site_id, ("vehicle", "vehicle_refused"))
    if event is None or event.name == "vehicle":
        return []
    reason = event.details["reason"]
    until = event.received + (KEEP_GRAVE_MS if reason in GRAVE else KEEP_REFUSED_MS)
    if until <= now:
        return []
    said = text("notice_vehicle_refused", language, reason=reasons.phrase(reason, language))
    return [Notice("vehicle_refused", said, until)]


def _locked_panels(session: Session, site_id: int, now: int, language: str) -> list[Notice]:
    zone = services_of(session).settings.zone
    asked = _asked_for(session, site_id)
    found = []
    for panel, event in sorted(_newest_locks(session, site_id).items()):
        if event.name == "released" or event.details["until"] <= now:
            continue
        until = event.details["until"]
        fields: dict[str, Any] = {"panel": panel_name(panel, language)}
        if until - now < DAY_MS:
            said = text("notice_locked", language, until=day_and_time(until, now, zone), **fields)
        else:
            said = text("notice_finger_off", language, **fields)
        found.append(Notice(f"locked_{panel}", said, until, panel, panel in asked))
    return found


def _asked_for(session: Session, site_id: int) -> set[int]:
    """The panels whose release somebody has asked for already."""
    unit = unit_at(session, site_id)
    waiting = four_eyes.open_approvals(session, "lockout_release")
    return {one.payload["panel"] for one in waiting if unit and one.payload["unit_id"] == unit.id}


def _newest_locks(session: Session, site_id: int) -> dict[int, HandoverEvent]:
    """The newest `locked` or `released` record of each panel."""
    query = select(HandoverEvent).where(
        HandoverEvent.site_id == site_id, col(HandoverEvent.name).in_(("locked", "released"))
    )
    newest = session.exec(query.order_by(col(HandoverEvent.id).desc()).limit(LOCKS_LOOKED_AT)).all()
    return {event.details["panel"]: event for event in reversed(newest)}


def _newest(session: Session, site_id: int, names: tuple[str, ...]) -> HandoverEvent | None:
    query = select(HandoverEvent).where(HandoverEvent.site_id == site_id, col(HandoverEvent.name).in_(names))
    return session.exec(query.order_by(col(HandoverEvent.id).desc()).limit(1)).first()
