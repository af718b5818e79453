"""Handovers as people look at them, and the officer's decision at the host screen (S2, S3).

A decision is written into the server's own journal and goes to the unit as a signed command, both or neither.
Whether the door opens is for the unit to say: its record of the approval comes back like any other.
"""

from doorward_protocol import objects
from sqlmodel import Session, col, select

from doorward_server.audit import service as audit
from doorward_server.handovers.models import Command, Handover, HandoverEvent, Picture
from doorward_server.people.models import Person
from doorward_server.people.service import has_permit
from doorward_server.problems import Problem, not_found
from doorward_server.security.dependencies import check_site
from doorward_server.security.models import User
from doorward_server.services import services_of
from doorward_server.units import commands
from doorward_server.units.models import Unit

REFUSAL_REASONS = ("picture_mismatch", "head_count_mismatch")
MOST_PEOPLE = 99


def get_handover(session: Session, user: User, handover_id: int) -> Handover:
    """A handover at a site this user may see. Raises 404."""
    handover = session.get(Handover, handover_id)
    if handover is None:
        raise not_found("交接", "handover")
    check_site(user, handover.site_id)
    return handover


def list_handovers(session: Session, site_id: int | None, since: int, limit: int) -> list[Handover]:
    """Handovers begun since a moment (ms since 1970 UTC), the newest first; of one site or of all."""
    statement = select(Handover).where(Handover.started >= since)
    if site_id is not None:
        statement = statement.where(Handover.site_id == site_id)
    return list(session.exec(statement.order_by(col(Handover.id).desc()).limit(limit)))


def events_of(session: Session, handover: Handover) -> list[HandoverEvent]:
    """A handover's records, in their order."""
    statement = select(HandoverEvent).where(HandoverEvent.handover_id == handover.id)
    return list(session.exec(statement.order_by(col(HandoverEvent.index))))


def get_picture(session: Session, user: User, name: bytes) -> Picture:
    """A picture taken at a site this user may see. Raises 404."""
    picture = session.get(Picture, name)
    if picture is None:
        raise not_found("照片", "picture")
    check_site(user, session.get_one(Unit, picture.unit_id).site_id)
    return picture


def decide(
    session: Session,
    user: User,
    handover: Handover | int,
    approve: bool,
    head_count: int | None = None,
    reason: str | None = None,
    picture: bytes | None = None,
) -> Command:
    """Approve or refuse a crew at the host screen; sends the signed command to the unit.

    `picture` is the hash of the picture that was looked at; empty or None: the page showed none. `head_count`
    is what the officer counts in it, needed to approve. `reason`, one of REFUSAL_REASONS, is for a refusal.
    """
    if isinstance(handover, int):
        handover = get_handover(session, user, handover)
    check_site(user, handover.site_id)
    person = _person_of(session, user)
    _refuse_unfit(person, handover, approve, head_count, reason, picture or None)
    unit = session.get_one(Unit, handover.unit_id)
    _refuse_twice(session, handover)
    command = commands.send(
        session,
        unit,
        objects.APPROVE if approve else objects.REFUSE,
        [person],
        task=handover.task,
        nonce=handover.nonce,
        picture=handover.crew_picture,
        head_count=head_count,
    )
    after = {
        "approved": approve,
        "head_count": head_count,
        "reason": reason,
        "picture": None if handover.crew_picture is None else handover.crew_picture.hex(),
        "command": command.id.hex(),
        "person": person,
        "task": handover.task,
    }
    audit.record(session, user, "entry_decided", f"handover:{handover.id}", None, after)
    return command


def restart(session: Session, user: User, handover: Handover, why: str) -> Command:
    """Let a frozen task begin again at the vehicle, as the centre's decision (S8)."""
    if handover.state not in ("frozen", "refused"):
        raise _not_waiting("该交接未冻结。", "This handover is not frozen.")
    unit = session.get_one(Unit, handover.unit_id)
    command = commands.send(
        session, unit, objects.RESTART, [commands.number_of(user)], task=handover.task, nonce=handover.nonce
    )
    after = {"why": why, "command": command.id.hex(), "task": handover.task}
    audit.record(session, user, "task_restarted", f"handover:{handover.id}", None, after)
    return command


def _person_of(session: Session, user: User) -> int:
    """The person that decides. A login outlives its person's permit (D10), and the person itself."""
    if user.person_id is None:
        raise Problem(
            403,
            "no_person",
            "该账号未关联人员，不能确认交接。",
            "This login belongs to no person; decisions bear a person's number.",
            "Let an administrator link the login to the person. 请管理员关联账号与人员。",
        )
    services = services_of(session)
    today = services.today()
    if not has_permit(session.get_one(Person, user.person_id), today):
        raise Problem(
            403,
            "permit_expired",
            "您的证件已失效，不能确认交接。",
            "Your permit has ended; you cannot decide any more.",
            "Let another officer decide. 请由其他营业专员确认。",
        )
    return user.person_id


def _refuse_unfit(
    person: int,
    handover: Handover,
    approve: bool,
    head_count: int | None,
    reason: str | None,
    picture: bytes | None,
) -> None:
    if handover.state != "crew" or handover.finished is not None:
        raise _not_waiting("该交接当前不等待确认。", "This handover does not wait for a decision.")
    if person in handover.crew:
        raise Problem(
            403,
            "one_person_two_roles",
            "押运人员不能确认自己的交接。",
            "Somebody of the crew cannot approve it.",
            "Let another officer decide. 请由其他营业专员确认。",
        )
    if picture != handover.crew_picture:
        raise Problem(
            409,
            "picture_changed",
            "照片已更新，请重新比对。",
            "The picture is not the one that waits for a decision.",
            "Reload the page, compare again and decide. 请刷新页面，重新比对后再确认。",
        )
    counted = head_count is not None and 0 <= head_count <= MOST_PEOPLE
    if (approve and not counted) or (head_count is not None and not counted):
        raise Problem(
            422,
            "head_count_missing",
            "请填写照片中的人数。",
            "The head count is missing or no number of people.",
            "Count the people in the picture and enter the number. 请清点照片中的人数并填写。",
        )
    if (reason is not None) == approve or (reason is not None and reason not in REFUSAL_REASONS):
        raise Problem(
            422,
            "reason_missing",
            "请选择拒绝原因。",
            "A refusal has a reason, an approval has none.",
            f"Give one of: {', '.join(REFUSAL_REASONS)}. 请选择拒绝原因。",
        )


def _refuse_twice(session: Session, handover: Handover) -> None:
    """A decision that is still valid and was not refused by the unit stands."""
    now = services_of(session).clock.milliseconds()
    statement = select(Command).where(
        Command.unit_id == handover.unit_id,
        Command.nonce == handover.nonce,
        col(Command.verb).in_((objects.APPROVE, objects.REFUSE)),
        Command.expires > now,
        col(Command.refused).is_(None),
    )
    if session.exec(statement).first() is not None:
        raise Problem(
            409,
            "already_decided",
            "已经确认，正在送达单元。",
            "This was decided a moment ago; the unit is being told.",
            "Wait for the unit's answer. 请等待单元响应。",
        )


def _not_waiting(message_zh: str, message_en: str) -> Problem:
    return Problem(
        409,
        "wrong_state",
        message_zh,
        message_en,
        "Reload the page and look at its state. 请刷新页面查看状态。",
    )
