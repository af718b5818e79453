"""What a handover report says, as plain values, so that drawing it needs no database."""

from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, select

from doorward_server.clock import from_milliseconds
from doorward_server.console.texts import TEXTS
from doorward_server.fleet.models import Box, Site, Vehicle
from doorward_server.handovers.models import Handover, HandoverEvent
from doorward_server.link.models import Head
from doorward_server.people.models import Person
from doorward_server.planning.progress import stop_at
from doorward_server.services import services_of

LONGEST_SENSOR = 40  # characters: a unit may send any text, and a row of the table has to fit its page


class Signer(NamedTuple):
    """Somebody who closed the handover with a finger, when, and at which sensor."""

    role: tuple[str, str]
    name: str
    staff_number: str
    time: datetime | None
    sensor: str


class Report(NamedTuple):
    """One closed handover. Times are in the bank's zone."""

    number: int
    site: tuple[str, str]
    plate: str
    window: tuple[datetime, datetime] | None
    started: datetime
    closed: datetime | None
    order_version: int
    last_contact: datetime
    clock_unsure: bool
    crew: list[tuple[str, str, datetime | None]]
    approved_by: str
    approved_where: tuple[str, str]
    head_count: int | None
    boxes: list[tuple[str, bool]]
    signers: list[Signer]
    head: tuple[int, int, str] | None
    printed: datetime


_WHERE = {1: ("主机画面", "host screen"), 2: ("内侧面板", "inner panel")}


def collect(session: Session, handover: Handover) -> Report:
    """Everything the report of a handover says."""
    services = services_of(session)
    zone = services.settings.zone

    def local(milliseconds: int) -> datetime:
        return from_milliseconds(milliseconds).astimezone(zone)

    events = session.exec(
        select(HandoverEvent).where(HandoverEvent.handover_id == handover.id).order_by(col(HandoverEvent.id))
    ).all()
    touched = {
        (event.details["person"], event.details["panel"]): event for event in events if event.name == "finger"
    }

    def signer(role: tuple[str, str], person_id: int | None) -> Signer:
        person = session.get(Person, person_id) if person_id else None
        event = touched.get((person_id, 2))
        return Signer(
            role,
            _name(person),
            person.staff_number if person else "",
            local(event.time) if event else None,
            _sensor(event.details["sensor"]) if event else "",
        )

    crew = []
    for person_id in handover.crew:
        person, event = session.get(Person, person_id), touched.get((person_id, 1))
        crew.append(
            (_name(person), person.staff_number if person else "", local(event.time) if event else None)
        )
    site, vehicle = session.get(Site, handover.site_id), session.get(Vehicle, handover.vehicle_id)
    stop = stop_at(session, handover.task, handover.site_id)
    expected = [bytes.fromhex(epc) for epc in handover.boxes_expected]
    boxes = session.exec(select(Box.epc, Box.number).where(col(Box.epc).in_(expected)))
    numbers = {epc.hex(): number for epc, number in boxes}
    closing = next((event for event in events if event.name == "closed"), None)
    head = _head_over(session, closing) if closing else None
    return Report(
        number=handover.id or 0,
        site=(site.name_zh, site.name_en) if site else ("", ""),
        plate=vehicle.plate if vehicle else "",
        window=(stop.window_from.astimezone(zone), stop.window_until.astimezone(zone)) if stop else None,
        started=local(handover.started),
        closed=local(closing.time) if closing else None,
        order_version=handover.order_version,
        last_contact=local(min(handover.last_contact, handover.received)),
        clock_unsure=handover.clock_unsure,
        crew=crew,
        approved_by=", ".join(_name(session.get(Person, one)) for one in handover.approved_by),
        approved_where=_WHERE.get(handover.approved_where or 0, ("", "")),
        head_count=handover.head_count,
        boxes=[(numbers.get(epc) or epc, epc in handover.boxes_read) for epc in handover.boxes_expected],
        signers=[
            signer(("营业专员", "Officer"), handover.officer_id),
            signer(("押运员", "Crew"), handover.crew_closer_id),
        ],
        head=(head.epoch, head.size, head.root.hex()) if head else None,
        printed=services.clock.now().astimezone(zone),
    )


def _head_over(session: Session, closing: HandoverEvent) -> Head | None:
    """The first signed head of the unit that covers the closing record."""
    query = select(Head).where(
        Head.unit_id == closing.unit_id, Head.epoch == closing.epoch, col(Head.size) > closing.index
    )
    return session.exec(query.order_by(col(Head.size))).first()


def _sensor(name: str) -> str:
    """What people call one of the unit's sensors; where they have no word its own name, if that is one."""
    return " ".join(TEXTS.get(f"device_{name}", (name[:LONGEST_SENSOR],)))


def _name(person: Person | None) -> str:
    return f"{person.name_zh} {person.name_en}" if person else ""
