"""What a version of a run says (planning/content.py), in words: for who approves it and for who plans."""

from typing import Any

from sqlmodel import Session

from doorward_server.clock import from_milliseconds
from doorward_server.console.describe import Describer, site_name
from doorward_server.console.facts import Fact, fact
from doorward_server.console.moments import window
from doorward_server.fleet.models import Site
from doorward_server.planning.models import Duty
from doorward_server.services import services_of

_DUTIES = (("crew_at_door", Duty.DOOR), ("crew_in_vehicle", Duty.VEHICLE))


def facts(describer: Describer, content: dict[str, Any], before: dict[str, Any]) -> list[Fact]:
    """Date, vehicle and crew, and beside them what they were in the content before."""
    return [fact("date", content["date"], before["date"]), *vehicle_and_crew(describer, content, before)]


def vehicle_and_crew(describer: Describer, content: dict[str, Any], before: dict[str, Any]) -> list[Fact]:
    """What a change of a released run may be about."""
    plates = (said["vehicle"]["plate"] for said in (content, before))
    return [fact("vehicle", *plates), *crew(describer, content, before)]


def crew(describer: Describer, content: dict[str, Any], before: dict[str, Any]) -> list[Fact]:
    """Who comes to the door and who stays in the vehicle."""
    return [
        fact(key, *(_people(describer, said, duty) for said in (content, before))) for key, duty in _DUTIES
    ]


def stops(session: Session, content: dict[str, Any], language: str) -> list[dict[str, Any]]:
    """The stops along the route: task, window, site, kind, boxes with their seals."""
    zone = services_of(session).settings.zone
    return [
        {
            "task": stop["task"],
            "window": window(
                from_milliseconds(stop["window_from"]), from_milliseconds(stop["window_until"]), zone
            ),
            "site": site_name(session.get(Site, stop["site"]), language),
            "kind": stop["kind"],
            "boxes": [{"number": box["number"], "seal": box["seal"] or ""} for box in stop["boxes"]],
        }
        for stop in content["stops"]
    ]


def _people(describer: Describer, content: dict[str, Any], duty: Duty) -> str:
    return describer.people([one["person"] for one in content["crew"] if one["duty"] == duty])
