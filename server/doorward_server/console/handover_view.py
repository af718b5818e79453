"""What the handovers' page shows of a day: each attempt at a task, when, where, which vehicle, its end."""

from datetime import date, timedelta
from typing import Any

from sqlmodel import Session, col, select

from doorward_server import reasons
from doorward_server.clock import to_milliseconds
from doorward_server.console.describe import Describer, site_name
from doorward_server.console.moments import clock_time
from doorward_server.console.texts import text
from doorward_server.fleet.models import Site, Vehicle
from doorward_server.handovers.models import Handover
from doorward_server.services import services_of

MOST_SHOWN = 500
_LOOKS = {"closed": "good", "left": "good", "frozen": "bad", "refused": "bad", "restarted": "wait"}


def of_day(session: Session, day: date, language: str) -> list[dict[str, Any]]:
    """The handovers that began on a local day, the newest first."""
    services = services_of(session)
    begin, end = (to_milliseconds(services.day_begins(one)) for one in (day, day + timedelta(days=1)))
    query = select(Handover).where(col(Handover.started) >= begin, col(Handover.started) < end)
    describer = Describer(session, language)
    found = session.exec(query.order_by(col(Handover.started).desc()).limit(MOST_SHOWN))
    return [_row(session, one, describer, language) for one in found]


def _row(session: Session, handover: Handover, describer: Describer, language: str) -> dict[str, Any]:
    zone = services_of(session).settings.zone
    vehicle = session.get(Vehicle, handover.vehicle_id)
    over = handover.state in ("closed", "left")
    why = "" if over or handover.reason is None else reasons.phrase(handover.reason, language)
    expected = len(handover.boxes_expected)
    ended = "" if handover.finished is None else clock_time(handover.finished, zone)
    return {
        "id": handover.id,
        "started": clock_time(handover.started, zone),
        "ended": ended,
        "site": site_name(session.get(Site, handover.site_id), language),
        "site_id": handover.site_id,
        "plate": vehicle.plate if vehicle else f"#{handover.vehicle_id}",
        "crew": describer.people(handover.crew),
        "boxes": f"{len(handover.boxes_read)} / {expected}" if expected else "",
        "state": text(f"stage_{handover.state}", language),
        "look": _LOOKS.get(handover.state, "info"),
        "why": why,
        "report": f"/api/handovers/{handover.id}/report" if over else "",
        "marks": [
            text(key, language)
            for key, is_so in (("mark_twin", handover.twin), ("mark_revoked", handover.revoked_version))
            if is_so
        ],
    }
