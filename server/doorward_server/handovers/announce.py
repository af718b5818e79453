"""Tells the pages what was projected: the topic of each kind of record, and what the centre speaks."""

from typing import Any

from doorward_protocol import records
from doorward_protocol.records import Record
from sqlmodel import Session

from doorward_server import live
from doorward_server.fleet.models import Site, Vehicle
from doorward_server.handovers.models import Handover, HandoverEvent
from doorward_server.link.models import AnyLeaf
from doorward_server.people.models import Person, PersonRole
from doorward_server.speech.texts import LANGUAGES, sentence
from doorward_server.units.models import Unit

# Everything else a unit reports has the topic "unit".
TOPICS = {
    "vehicle": "arrival",
    "vehicle_refused": "refused",
    "finger": "finger",
    "finger_refused": "finger",
    "locked": "panel",
    "released": "panel",
    "crew": "crew",
    "approval": "approval",
    "door": "door",
    "boxes": "boxes",
    "foreign_box": "boxes",
    "closed": "closed",
    "frozen": "frozen",
    "restarted": "restarted",
    "left": "left",
}

_SPOKEN = {
    "vehicle": "arrival",
    "crew": "crew",
    "closed": "closed",
    "frozen": "frozen",
    "left": "left",
}


def tell(session: Session, unit: Unit, event: dict[str, Any], handover: Handover | None) -> None:
    """Publish a projected record; `event`: the row of `HandoverEvent`."""
    if session.info.get("quiet"):
        return
    payload = {
        "event": event["id"],
        "name": event["name"],
        "site": event["site_id"],
        "unit": unit.kid.hex(),
        "handover": event["handover_id"],
        "task": None if handover is None else handover.task,
        "state": None if handover is None else handover.state,
        "time": event["time"],
        "received": event["received"],
        "clock_unsure": event["clock_unsure"],
        "details": event["details"],
    }
    if spoken_name(session, event["name"], event["details"]) is not None:
        payload["speech"] = {
            language: [f"/api/speech/events/{event['id']}?language={language}"] for language in LANGUAGES
        }
    live.publish(session, TOPICS.get(event["name"], "unit"), payload)


def tell_early(session: Session, unit: Unit, leaf: AnyLeaf, record: Record) -> None:
    """Publish a record whose predecessors are still on their way; it comes again in its place."""
    payload = {
        "event": None,
        "name": record.name,
        "site": unit.site_id,
        "unit": unit.kid.hex(),
        "time": record.time,
        "received": leaf.received,
        "early": True,
    }
    live.publish(session, TOPICS.get(record.name, "unit"), payload)


def spoken_name(session: Session, name: str, details: dict[str, Any]) -> str | None:
    """Which sentence of speech/texts.py the centre speaks for an event; None: it is not spoken."""
    if name == "approval":
        return "approved" if details["approved"] else "refused"
    if name == "finger":
        return "officer" if _is_officer(session, details) else None
    return _SPOKEN.get(name)


def spoken_sentence(session: Session, event: HandoverEvent, language: str) -> str | None:
    """The sentence for an event in "zh" or "en", with names and plate; None: it is not spoken."""
    name = spoken_name(session, event.name, event.details)
    if name is None:
        return None
    fields = {"site": site_name(session, event.site_id, language)}
    if name == "arrival":
        vehicle = session.get(Vehicle, event.details["vehicle"])
        fields["plate"] = "" if vehicle is None else vehicle.plate
    if name == "officer":
        person = session.get_one(Person, event.details["person"])
        fields["name"] = person.name_zh if language == "zh" else person.name_en
    if name == "closed":
        fields["boxes"] = str(event.details["boxes"])
    return sentence(name, language, **fields)


def site_name(session: Session, site_id: int | None, language: str) -> str:
    """A site's name; empty for none."""
    site = session.get(Site, site_id) if site_id is not None else None
    if site is None:
        return ""
    return site.name_zh if language == "zh" else site.name_en


def _is_officer(session: Session, details: dict[str, Any]) -> bool:
    """Whether a finger is the bank's own at the inner panel (S3)."""
    if details["panel"] != records.PANEL_INNER:
        return False
    person = session.get(Person, details["person"])
    return person is not None and person.role in (PersonRole.OFFICER, PersonRole.KEEPER)
