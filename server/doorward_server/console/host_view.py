"""What a branch's host screen shows: the handover at hand, who is expected, what to compare, the doors."""

from datetime import datetime, timedelta
from typing import Any

from doorward_protocol import records
from sqlmodel import Session, col, select

from doorward_server import reasons
from doorward_server.console.describe import Describer, door_name, door_state
from doorward_server.console.moments import clock_time, window
from doorward_server.console.texts import text
from doorward_server.console.wall_view import STOP_LOOKS
from doorward_server.fleet.models import Box, Company, Vehicle
from doorward_server.handovers.models import Handover, HandoverEvent, Picture
from doorward_server.people.models import Person
from doorward_server.planning.models import Duty, Run, RunMember, RunStatus, Stop, StopBox, StopStatus
from doorward_server.services import services_of
from doorward_server.units.models import Unit

HISTORY_LENGTH = 40
# How long a finished handover stays on the screen before the screen waits for the next van.
KEEP_FINISHED_MS = 10 * 60 * 1000

_LOOKS = {
    "idle": "",
    "arrived": "wait",
    "crew": "wait",
    "approved": "good",
    "refused": "bad",
    "boxes": "wait",
    "closed": "good",
    "left": "good",
    "frozen": "bad",
    "restarted": "wait",
}
_STEPS = ("vehicle", "crew", "approval", "boxes", "close", "leave")
# How many of the steps are behind a handover in this state.
_STEPS_DONE = {
    "arrived": 1,
    "restarted": 1,
    "crew": 2,
    "refused": 2,
    "approved": 3,
    "boxes": 3,
    "closed": 5,
    "left": 6,
}


def build(session: Session, site_id: int, language: str, may_decide: bool) -> dict[str, Any]:
    """The host screen's content for one site. `may_decide`: whether this user approves and refuses here."""
    describer = Describer(session, language)
    handover = _current(session, site_id)
    state = handover.state if handover else "idle"
    unit = session.exec(select(Unit).where(Unit.site_id == site_id)).first()
    host = {
        "state": state,
        "look": _LOOKS[state],
        "headline": text(f"state_{state}", language),
        "guidance": text(f"guide_{state}", language),
        "plate": "",
        "steps": [],
        "people": [],
        "planned_count": 0,
        "may_decide": False,
        "handover": "",
        "picture": "",
        "boxes": [],
        "foreign": [],
        "boxes_read": 0,
        "boxes_chip": "",
        "report": "",
        "doors": _doors(session, site_id),
        "stops": _expected(session, site_id),
        "history": _history(session, site_id, describer),
        **_unit(unit, language),
    }
    if handover is None:
        return host
    events = _events(session, handover)
    vehicle = session.get(Vehicle, handover.vehicle_id)
    people = _people(session, handover, events, language)
    if handover.reason is not None and state in ("frozen", "refused", "restarted"):
        host["headline"] += f" · {reasons.phrase(handover.reason, language)}"
    host.update(
        plate=vehicle.plate if vehicle else "",
        steps=_steps(handover, events),
        people=people,
        planned_count=sum(1 for person in people if person["at_door"]),
        handover=handover.id,
        picture=handover.crew_picture.hex() if handover.crew_picture else "",
        may_decide=may_decide and state == "crew",
        report=f"/api/handovers/{handover.id}/report" if state in ("closed", "left") else "",
        **_boxes(session, handover, describer, language),
    )
    return host


def _current(session: Session, site_id: int) -> Handover | None:
    """The newest handover, unless it has been over for a while."""
    query = select(Handover).where(Handover.site_id == site_id).order_by(col(Handover.id).desc()).limit(1)
    newest = session.exec(query).first()
    if newest is None:
        return None
    now = services_of(session).clock.milliseconds()
    over = newest.state in ("left", "refused") and newest.finished is not None
    return None if over and now - (newest.finished or 0) > KEEP_FINISHED_MS else newest


def _events(session: Session, handover: Handover) -> list[HandoverEvent]:
    query = (
        select(HandoverEvent).where(HandoverEvent.handover_id == handover.id).order_by(col(HandoverEvent.id))
    )
    return list(session.exec(query).all())


def _steps(handover: Handover, events: list[HandoverEvent]) -> list[dict[str, str]]:
    names = {event.name for event in events}
    if handover.state == "frozen":
        done = 1 + ("crew" in names) + ("approval" in names)
    else:
        done = _STEPS_DONE[handover.state]
    if handover.state == "boxes" and not handover.boxes_missing and not handover.boxes_foreign:
        done = 4
    looks = []
    for position, name in enumerate(_STEPS):
        look = "done" if position < done else "active" if position == done else ""
        if look == "active" and handover.state in ("frozen", "refused"):
            look = "bad"
        looks.append({"name": name, "look": look})
    return looks


def _people(
    session: Session, handover: Handover, events: list[HandoverEvent], language: str
) -> list[dict[str, Any]]:
    fingers = {
        event.details["person"]: event.details.get("picture")
        for event in events
        if event.name == "finger" and event.details["panel"] == records.PANEL_OUTER
    }
    stop = session.get(Stop, handover.task)
    query = select(RunMember).where(RunMember.run_id == (stop.run_id if stop else None))
    return [_person(session, member, fingers, language) for member in session.exec(query).all()]


def _person(
    session: Session, member: RunMember, fingers: dict[int, str | None], language: str
) -> dict[str, Any]:
    person = session.get_one(Person, member.person_id)
    company = session.get(Company, person.company_id) if person.company_id else None
    at_door = member.duty == Duty.DOOR
    verified = person.id in fingers
    picture = fingers.get(person.id or 0)
    arrived = picture is not None and _has_content(session, picture)
    if verified:
        status, chip, waiting = "finger_verified", "good", "waiting_picture"
    elif at_door:
        status, chip, waiting = "waiting_finger", "wait", "waiting_finger"
    else:
        status, chip, waiting = "stays_with_vehicle", "info", "stays_with_vehicle"
    return {
        "name": person.name_zh if language == "zh" else person.name_en,
        "staff_number": person.staff_number,
        "role": text(f"person_{person.role}", language),
        "company": (company.name_zh if language == "zh" else company.name_en) if company else "",
        "photo": f"/api/people/{person.id}/photo" if person.photo else "",
        "picture": f"/api/pictures/{picture}" if arrived else "",
        "status": text(status, language),
        "chip": chip,
        "waiting": text(waiting, language),
        "look": "good" if verified else "",
        "at_door": at_door,
    }


def _has_content(session: Session, picture: str) -> bool:
    found = session.get(Picture, bytes.fromhex(picture))
    return found is not None and found.content is not None


def _boxes(session: Session, handover: Handover, describer: Describer, language: str) -> dict[str, Any]:
    read, missing = set(handover.boxes_read), set(handover.boxes_missing)
    query = select(Box).join(StopBox, col(StopBox.box_id) == Box.id).where(StopBox.stop_id == handover.task)
    boxes = []
    for box in session.exec(query.order_by(col(Box.number))).all():
        epc = box.epc.hex()
        look, mark = ("good", "✓") if epc in read else ("bad", "✗") if epc in missing else ("", "")
        boxes.append({"number": box.number, "look": look, "mark": mark})
    foreign = [
        {"number": describer.box(epc), "belongs": text("belongs_nowhere", language)}
        for epc in handover.boxes_foreign
    ]
    done = sum(1 for box in boxes if box["look"] == "good")
    complete = bool(boxes) and done == len(boxes) and not foreign
    chip = "good" if complete else "bad" if foreign or missing else ""
    return {"boxes": boxes, "foreign": foreign, "boxes_read": done, "boxes_chip": chip}


def _doors(session: Session, site_id: int) -> list[dict[str, str]]:
    """Each door as its newest record says; a door nobody has heard of is locked."""
    states = {"outer": "locked", "inner": "locked"}
    query = select(HandoverEvent).where(HandoverEvent.site_id == site_id, HandoverEvent.name == "door")
    newest = session.exec(query.order_by(col(HandoverEvent.id).desc()).limit(12)).all()
    for event in reversed(newest):
        states[door_name(event.details["door"])] = door_state(event.details["event"])
    looks = {"opened": "open", "released": "open", "held_open": "bad", "forced": "bad"}
    return [{"name": name, "state": state, "look": looks.get(state, "")} for name, state in states.items()]


def _expected(session: Session, site_id: int) -> list[dict[str, str]]:
    services = services_of(session)
    zone = services.settings.zone
    today = services.clock.now().astimezone(zone).date()
    start = datetime.combine(today, datetime.min.time(), zone)
    query = (
        select(Stop, Run)
        .join(Run, col(Run.id) == Stop.run_id)
        .where(Stop.site_id == site_id, Run.status == RunStatus.RELEASED)
        .where(col(Stop.window_from) >= start, col(Stop.window_from) < start + timedelta(days=1))
        .order_by(col(Stop.window_from))
    )
    shown = []
    for stop, run in session.exec(query).all():
        vehicle = session.get(Vehicle, run.vehicle_id)
        shown.append(
            {
                "window": window(stop.window_from, stop.window_until, zone),
                "plate": vehicle.plate if vehicle else "",
                "state": stop.status,
                "chip": STOP_LOOKS[StopStatus(stop.status)][1],
            }
        )
    return shown


def _history(session: Session, site_id: int, describer: Describer) -> list[dict[str, str]]:
    zone = services_of(session).settings.zone
    query = (
        select(HandoverEvent).where(HandoverEvent.site_id == site_id).order_by(col(HandoverEvent.id).desc())
    )
    return [
        {"time": clock_time(event.time, zone), "text": describer.line(event)}
        for event in session.exec(query.limit(HISTORY_LENGTH)).all()
    ]


def _unit(unit: Unit | None, language: str) -> dict[str, str]:
    if unit is None:
        return {"unit_chip": "bad", "unit_text": text("unit_none", language)}
    if unit.online:
        return {"unit_chip": "good", "unit_text": text("unit_online", language)}
    return {"unit_chip": "bad", "unit_text": text("unit_offline", language)}
