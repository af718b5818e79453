"""What has changed in a branch's orders since it last looked, for it to acknowledge (D4).

Of the run it shows vehicle, crew and the branch's own stop: the others are no business of the branch (D11).
"""

from typing import Any

from sqlmodel import Session

from doorward_server.console import run_content
from doorward_server.console.describe import Describer
from doorward_server.console.facts import fact
from doorward_server.console.moments import window_of_day
from doorward_server.console.texts import text
from doorward_server.planning import changes
from doorward_server.planning.models import Stop
from doorward_server.services import services_of


def unseen(session: Session, site_id: int, describer: Describer, language: str) -> list[dict[str, Any]]:
    """The site's changed orders that nobody there has acknowledged, by their windows."""
    return [
        _change(session, stop, version.content, describer, language)
        for stop, version in changes.unseen(session, site_id)
    ]


def _change(
    session: Session, stop: Stop, content: dict[str, Any], describer: Describer, language: str
) -> dict[str, Any]:
    before = changes.last_seen(session, stop)
    services = services_of(session)
    zone = services.settings.zone
    today = services.today()
    facts = [one for one in run_content.vehicle_and_crew(describer, content, before) if one["before"]]
    now, then = (_boxes(said, stop) for said in (content, before))
    if now != then:
        facts.append(fact("boxes", now, then))
    return {
        "task": stop.id,
        "version": stop.order_version,
        "window": window_of_day(stop.window_from, stop.window_until, today, zone),
        "plate": content["vehicle"]["plate"],
        "facts": facts or [fact("content", text("issued_afresh", language))],
    }


def _boxes(content: dict[str, Any], stop: Stop) -> str:
    here = next(one for one in content["stops"] if one["task"] == stop.id)
    return " · ".join(f"{box['number']} {box['seal'] or ''}".strip() for box in here["boxes"])
