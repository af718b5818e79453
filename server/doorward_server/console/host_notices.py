"""What a branch must know besides its handover: a locked panel (D18), a vehicle that was refused (D3).

Made from the site's records alone, never from alarms: a silent one must not show here (D9).
"""

from typing import Any

from doorward_protocol import errors
from sqlmodel import Session, col, select

from doorward_server import reasons
from doorward_server.console.describe import panel_name
from doorward_server.console.moments import day_and_time
from doorward_server.console.texts import text
from doorward_server.handovers.models import HandoverEvent
from doorward_server.services import services_of

# How long a refused vehicle stays on the screen: one that may be an attack, and any other.
GRAVE = (errors.TASK_COMPLETED, errors.TAG_COPIED, errors.EARLY_VEHICLE)
KEEP_GRAVE_MS = 10 * 60 * 1000
KEEP_REFUSED_MS = 60 * 1000
# A lock that ends later than this is one that only two people of the centre end.
DAY_MS = 24 * 60 * 60 * 1000
LOCKS_LOOKED_AT = 20


def notices(
    session: Session, site_id: int, now: int, language: str
) -> tuple[list[dict[str, str]], int | None]:
    """Notices, the gravest first, and after how many ms the first of them is over."""
    found = [
        *_refused_vehicle(session, site_id, now, language),
        *_locked_panels(session, site_id, now, language),
    ]
    shown = [{"name": name, "text": said} for name, said, _ in found]
    return shown, min((until - now for _, _, until in found), default=None)


def _refused_vehicle(session: Session, site_id: int, now: int, language: str) -> list[tuple[str, str, int]]:
    """The newest vehicle if it was refused a short while ago and nobody has come since."""
    event = _newest(session, site_id, ("vehicle", "vehicle_refused"))
    if event is None or event.name == "vehicle":
        return []
    reason = event.details["reason"]
    until = event.received + (KEEP_GRAVE_MS if reason in GRAVE else KEEP_REFUSED_MS)
    if until <= now:
        return []
    said = text("notice_vehicle_refused", language, reason=reasons.phrase(reason, language))
    return [("vehicle_refused", said, until)]


def _locked_panels(session: Session, site_id: int, now: int, language: str) -> list[tuple[str, str, int]]:
    zone = services_of(session).settings.zone
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
        found.append((f"locked_{panel}", said, until))
    return found


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
