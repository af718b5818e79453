"""What a branch's host screen shows: the handover at hand, faces to compare, boxes, doors, history."""

from datetime import timedelta
from typing import Any

from sqlmodel import Session, col, or_, select

from doorward_server import reasons
from doorward_server.console import host_changes
from doorward_server.console.describe import Describer, door_name, door_state, site_name
from doorward_server.console.host_crew import decision, people
from doorward_server.console.host_notices import notices
from doorward_server.console.moments import day_and_time, window
from doorward_server.console.run_looks import STOP_LOOKS
from doorward_server.console.texts import text
from doorward_server.fleet.models import Box, Site, Vehicle
from doorward_server.handovers.models import Handover, HandoverEvent
from doorward_server.planning.models import Run, RunStatus, Stop, StopBox, StopStatus
from doorward_server.planning.progress import place_of_box, still_due, stop_at
from doorward_server.services import services_of
from doorward_server.units.service import unit_at

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
# In these states the boxes are what matters, and the crew's pictures step back.
_BOXES_FIRST = ("approved", "boxes", "closed", "left")
# Enough for the strike and the leaf of both doors to be among them.
DOOR_RECORDS = 16
_DOOR_LOOKS = {"opened": "wait", "released": "wait", "held_open": "bad", "forced": "bad"}


def build(session: Session, site_id: int, language: str, may_decide: bool) -> dict[str, Any]:
    """The host screen's content for one site. `may_decide`: whether this user approves and refuses here.

    `stale_in` says after how many ms the page should ask again although nothing happens; None: never.
    """
    describer = Describer(session, language)
    now = services_of(session).clock.milliseconds()
    handover = _current(session, site_id, now)
    state = handover.state if handover else "idle"
    warnings, stale_in = notices(session, site_id, now, language)
    host = {
        "state": state,
        "look": _LOOKS[state],
        "headline": text(f"state_{state}", language),
        "guidance": text(f"guide_{state}", language),
        "notices": warnings,
        "changes": host_changes.unseen(session, site_id, describer, language),
        "stale_in": stale_in,
        "plate": "",
        "steps": [],
        "doors": _doors(session, site_id),
        "stops": _expected(session, site_id),
        "history": _history(session, site_id, describer),
        "handover": None,
        **_unit(session, site_id, language),
    }
    if handover is None:
        return host
    events = _events(session, handover)
    vehicle = session.get(Vehicle, handover.vehicle_id)
    if handover.reason is not None and state in ("frozen", "refused", "restarted"):
        host["headline"] += f" · {reasons.phrase(handover.reason, language)}"
    if handover.finished is not None:
        left = handover.finished + KEEP_FINISHED_MS - now
        host["stale_in"] = min(left, stale_in) if stale_in is not None else left
    host.update(
        handover=handover.id,
        plate=vehicle.plate if vehicle else "",
        steps=_steps(handover, events),
        boxes_first=state in _BOXES_FIRST or (state == "frozen" and bool(handover.boxes_expected)),
        report=f"/api/handovers/{handover.id}/report" if state in ("closed", "left") else "",
        **people(session, handover, events, language),
        **decision(session, handover, now, may_decide),
        **_boxes(session, handover, describer, language),
    )
    return host


def _current(session: Session, site_id: int, now: int) -> Handover | None:
    """The newest handover, unless its van has left a while ago."""
    query = select(Handover).where(Handover.site_id == site_id).order_by(col(Handover.id).desc()).limit(1)
    newest = session.exec(query).first()
    if newest is None or newest.finished is None:
        return newest
    return newest if now - newest.finished < KEEP_FINISHED_MS else None


def _events(session: Session, handover: Handover) -> list[HandoverEvent]:
    query = (
        select(HandoverEvent).where(HandoverEvent.handover_id == handover.id).order_by(col(HandoverEvent.id))
    )
    return list(session.exec(query).all())


def _steps(handover: Handover, events: list[HandoverEvent]) -> list[dict[str, str]]:
    names = {event.name for event in events}
    if handover.state == "frozen":
        done = 1 + ("crew" in names) + bool(handover.approved)
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


def _boxes(session: Session, handover: Handover, describer: Describer, language: str) -> dict[str, Any]:
    read, missing = set(handover.boxes_read), set(handover.boxes_missing)
    stop = stop_at(session, handover.task, handover.site_id)
    query = (
        select(Box, StopBox)
        .join(StopBox, col(StopBox.box_id) == Box.id)
        .where(StopBox.stop_id == (stop.id if stop else None))
    )
    boxes = []
    for box, planned in session.exec(query.order_by(col(Box.number))).all():
        epc = box.epc.hex()
        look, mark = ("good", "✓") if epc in read else ("bad", "✗") if epc in missing else ("", "")
        note = text("seal", language, seal=planned.seal) if planned.seal else ""
        boxes.append({"number": box.number, "look": look, "mark": mark, "note": note})
    done = sum(1 for box in boxes if box["look"] == "good")
    foreign = [
        {"number": describer.box(epc), "look": "bad", "mark": "✗", "note": _place(session, epc, language)}
        for epc in handover.boxes_foreign
    ]
    complete = bool(boxes) and done == len(boxes) and not foreign
    chip = "good" if complete else "bad" if foreign or missing else ""
    return {"boxes": boxes + foreign, "boxes_count": f"{done} / {len(boxes)}", "boxes_chip": chip}


def _place(session: Session, epc: str, language: str) -> str:
    """Where a foreign box belongs (S7): its open stop's site, else its home; or that nobody knows it."""
    found = place_of_box(session, bytes.fromhex(epc))
    if found is None:
        return text("belongs_nowhere", language)
    box, stop = found
    site = session.get(Site, box.home_site_id if stop is None else stop.site_id)
    return text("belongs_to", language, site=site_name(site, language))


def _doors(session: Session, site_id: int) -> list[dict[str, str]]:
    """Each door as its newest records say; a door nobody has heard of is locked."""
    query = select(HandoverEvent).where(HandoverEvent.site_id == site_id, HandoverEvent.name == "door")
    newest = session.exec(query.order_by(col(HandoverEvent.id).desc()).limit(DOOR_RECORDS)).all()
    told: dict[str, list[str]] = {"outer": [], "inner": []}
    for event in reversed(newest):
        name, state = door_name(event.details["door"]), door_state(event.details["event"])
        if name is not None and state is not None:
            told[name].append(state)
    states = {name: _door_state(events) for name, events in told.items()}
    return [
        {"name": name, "state": state, "look": _DOOR_LOOKS.get(state, "")} for name, state in states.items()
    ]


def _door_state(events: list[str]) -> str:
    """What a door's records leave it in: its leaf if that is not closed, else its strike."""
    strike, leaf = "locked", "closed"
    for event in events:
        if event in ("released", "locked"):
            strike = event
        else:
            leaf = event
    return strike if leaf == "closed" else leaf


def _expected(session: Session, site_id: int) -> list[dict[str, Any]]:
    """The stops of today, and one of last night that is still due."""
    services = services_of(session)
    zone = services.settings.zone
    now = services.clock.now()
    start = services.day_begins(services.today())
    query = (
        select(Stop, Run)
        .join(Run, col(Run.id) == Stop.run_id)
        .where(Stop.site_id == site_id, col(Run.status).in_((RunStatus.RELEASED, RunStatus.CLOSED)))
        .where(col(Stop.window_from) < start + timedelta(days=1))
        .where(or_(col(Stop.window_from) >= start, still_due(now)))
        .order_by(col(Stop.window_from))
    )
    shown = []
    for stop, run in session.exec(query).all():
        vehicle = session.get(Vehicle, run.vehicle_id)
        shown.append(
            {
                "window": window(stop.window_from, stop.window_until, zone),
                "plate": vehicle.plate if vehicle else "",
                "kind": stop.kind,
                "state": stop.status,
                "chip": STOP_LOOKS[StopStatus(stop.status)].chip,
            }
        )
    return shown


def _history(session: Session, site_id: int, describer: Describer) -> list[dict[str, Any]]:
    services = services_of(session)
    now, zone = services.clock.milliseconds(), services.settings.zone
    query = (
        select(HandoverEvent).where(HandoverEvent.site_id == site_id).order_by(col(HandoverEvent.id).desc())
    )
    return [
        {"id": event.id, "time": day_and_time(event.time, now, zone), "text": describer.line(event)}
        for event in session.exec(query.limit(HISTORY_LENGTH)).all()
    ]


def _unit(session: Session, site_id: int, language: str) -> dict[str, str]:
    unit = unit_at(session, site_id)
    if unit is None:
        return {"unit_chip": "bad", "unit_text": text("unit_none", language)}
    if unit.online:
        return {"unit_chip": "good", "unit_text": text("unit_online", language)}
    return {"unit_chip": "bad", "unit_text": text("unit_offline", language)}
