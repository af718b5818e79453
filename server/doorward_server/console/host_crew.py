"""The host screen's crew: who is planned, their photos beside the pictures just taken, and the decision.

Two things are compared by a human: each face with its enrolled photo, and the number of people in the one
picture of everybody at the door with the plan (D1, S2).
"""

from typing import Any

from doorward_protocol import objects, records
from sqlmodel import Session, col, select

from doorward_server.console.texts import text
from doorward_server.fleet.models import Company
from doorward_server.handovers.models import Command, Handover, HandoverEvent, Picture
from doorward_server.people.models import Person
from doorward_server.planning.models import Duty, RunMember
from doorward_server.planning.progress import stop_at


def people(
    session: Session, handover: Handover, events: list[HandoverEvent], language: str
) -> dict[str, Any]:
    """The planned crew, apart by duty: those who come to the door, and those who stay with the vehicle."""
    taken = {
        event.details["person"]: event.details.get("picture")
        for event in events
        if event.name == "finger" and event.details["panel"] == records.PANEL_OUTER
    }
    stop = stop_at(session, handover.task, handover.site_id)
    members = session.exec(select(RunMember).where(RunMember.run_id == (stop.run_id if stop else None))).all()
    shown = {
        duty: [_person(session, member, taken, language) for member in members if member.duty == duty]
        for duty in Duty
    }
    return {"at_door": shown[Duty.DOOR], "with_vehicle": shown[Duty.VEHICLE]}


def decision(session: Session, handover: Handover, now: int, may_decide: bool) -> dict[str, Any]:
    """Whether a decision is due or on its way, and the picture in which heads are counted.

    `group` is its address, "" while its content is on its way, None where there is no such picture.
    """
    waits = handover.state == "crew" and handover.finished is None
    picture = handover.crew_picture.hex() if handover.crew_picture else ""
    group = None
    if picture:
        group = _address(session, picture)
    sent = waits and _is_sent(session, handover, now)
    return {"decide": waits and may_decide and not sent, "sent": sent, "picture": picture, "group": group}


def _is_sent(session: Session, handover: Handover, now: int) -> bool:
    """Whether a decision is on its way to the unit: neither too old nor refused by it."""
    query = select(Command).where(
        Command.unit_id == handover.unit_id,
        Command.nonce == handover.nonce,
        col(Command.verb).in_((objects.APPROVE, objects.REFUSE)),
        Command.expires > now,
        col(Command.refused).is_(None),
    )
    return session.exec(query).first() is not None


def _person(
    session: Session, member: RunMember, taken: dict[int, str | None], language: str
) -> dict[str, Any]:
    person = session.get_one(Person, member.person_id)
    company = session.get(Company, person.company_id) if person.company_id else None
    verified = person.id in taken
    picture = taken.get(person.id or 0)
    return {
        "name": person.name_zh if language == "zh" else person.name_en,
        "staff_number": person.staff_number,
        "role": text(f"person_{person.role}", language),
        "company": (company.name_zh if language == "zh" else company.name_en) if company else "",
        "photo": f"/api/people/{person.id}/photo" if person.photo else "",
        "picture": _address(session, picture) if picture else "",
        "verified": verified,
        "waiting": _waiting(verified, picture),
    }


def _waiting(verified: bool, picture: str | None) -> str:
    """The text in place of a picture that is not there."""
    if not verified:
        return "waiting_finger"
    return "waiting_picture" if picture else "no_picture"


def _address(session: Session, picture: str) -> str:
    """Where the page gets a picture; "" while its content is on its way."""
    found = session.get(Picture, bytes.fromhex(picture))
    return f"/api/pictures/{picture}" if found is not None and found.content is not None else ""
