"""Four eyes: one user asks for a step, another one decides, before the request expires (F7).

Never the same person: not the same user, and not a second login of the same person. What is asked for lies in
the approval's payload. A domain registers what carries its step out, and what the step is about: that is
looked at again when it is decided, so that nothing else can be slipped in between.

    @four_eyes.about("run_release")
    def content(session, approval): ...

    @four_eyes.on_approved("run_release")
    def carry_out(session, approval, decider): ...
"""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from doorward_server import live
from doorward_server.audit import service as audit
from doorward_server.problems import Problem, not_found
from doorward_server.security.models import Approval, User
from doorward_server.security.roles import Permission, allows
from doorward_server.services import services_of

REQUESTED, APPROVED, REFUSED = "requested", "approved", "refused"
EXPIRED, WITHDRAWN = "expired", "withdrawn"


class Kind(NamedTuple):
    """Who may ask for a step, who may decide it, and what it is called.

    `joint`: whoever approves adds a secret, which what carries the step out is given too.
    """

    ask: Permission
    decide: Permission
    name_zh: str
    name_en: str
    joint: bool = False


KINDS = {
    "run_release": Kind(Permission.PLAN, Permission.RELEASE, "发布线路", "Release of a run"),
    "run_change": Kind(Permission.PLAN, Permission.RELEASE, "变更人员或车辆", "Change of crew or vehicle"),
    "run_cancel": Kind(Permission.PLAN, Permission.RELEASE, "取消线路", "Cancellation of a run"),
    "import": Kind(Permission.IMPORT, Permission.APPROVE_IMPORT, "批量导入", "Import"),
    "lockout_release": Kind(
        Permission.REQUEST_LOCKOUT_RELEASE,
        Permission.APPROVE_LOCKOUT_RELEASE,
        "解除锁定",
        "Release of a locked panel",
    ),
    "restore_confirm": Kind(
        Permission.PLAN, Permission.RELEASE, "恢复备份后重新下发", "Going on after a restore"
    ),
    "user_create": Kind(
        Permission.MANAGE_USERS, Permission.APPROVE_USERS, "新建用户", "New user", joint=True
    ),
    "user_password": Kind(
        Permission.MANAGE_USERS, Permission.APPROVE_USERS, "重置密码", "Password reset", joint=True
    ),
}

_about: dict[str, Callable[[Session, Approval], Any]] = {}
_carry_out: dict[str, Callable[..., None]] = {}
_clean_up: dict[str, Callable[[Session, Approval], None]] = {}


def about(kind: str) -> Callable:
    """Register what gives the content that a step is about, as JSON-like data."""
    return _registers(_about, kind)


def on_approved(kind: str) -> Callable:
    """Register what carries an approved step out, in the transaction of the decision.

    It is called with session, approval and decider; for a joint step also with the decider's secret.
    """
    return _registers(_carry_out, kind)


def on_dropped(kind: str) -> Callable:
    """Register what happens when a request is refused, withdrawn or has expired."""
    return _registers(_clean_up, kind)


def digest(content: Any) -> str:
    """SHA-256 of a JSON-like content, in hexadecimal: the same content has the same digest."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def request(session: Session, user: User, kind: str, subject: str, payload: dict[str, Any]) -> Approval:
    """Ask for a step. What it is about must still be the same when it is decided."""
    if not allows(user.role, KINDS[kind].ask):
        raise _not_allowed()
    services = services_of(session)
    now = services.clock.now()
    drop_expired(session)
    if session.exec(_open().where(Approval.kind == kind, Approval.subject == subject)).first():
        raise _already_asked()
    approval = Approval(
        kind=kind,
        subject=subject,
        payload=payload,
        requested_by=user.id,
        requested_at=now,
        expires_at=now + timedelta(hours=services.settings.approval_hours),
    )
    approval.digest = _digest_of(session, approval)
    session.add(approval)
    session.flush()
    audit.record(session, user, "approval_requested", _subject(approval), None, _described(approval))
    _tell(session, approval)
    return approval


def decide(
    session: Session, user: User, approval: Approval, approve: bool, note: str = "", secret: str = ""
) -> Approval:
    """Approve or refuse as a second person. Approval carries the step out in the same transaction.

    `secret`: what the decider adds to a joint step; kept nowhere by itself.
    """
    session.refresh(approval, with_for_update=True)
    requester = session.get_one(User, approval.requested_by)
    if not allows(user.role, KINDS[approval.kind].decide):
        raise _not_allowed()
    if is_same_person(user, requester):
        raise _same_person()
    if approval.state != REQUESTED or approval.expires_at <= services_of(session).clock.now():
        raise _no_longer_open()
    if approve and (requester.removed_at is not None or not allows(requester.role, KINDS[approval.kind].ask)):
        raise _no_longer_open()
    if approve and approval.digest != _digest_of(session, approval):
        raise changed_since()
    approval.state = APPROVED if approve else REFUSED
    _end(session, approval, user, note)
    if approve:
        added = (secret,) if KINDS[approval.kind].joint else ()
        _carry_out[approval.kind](session, approval, user, *added)
    else:
        _dropped(session, approval)
    return approval


def withdraw(session: Session, user: User, approval: Approval) -> None:
    """Take a request back; only who asked can."""
    if approval.requested_by != user.id:
        raise _not_allowed()
    if approval.state != REQUESTED:
        raise _no_longer_open()
    approval.state = WITHDRAWN
    _end(session, approval, user, "")
    _dropped(session, approval)


def open_approvals(session: Session, *kinds: str) -> list[Approval]:
    """Requests that can still be decided, the oldest first; of these kinds, or of all."""
    now = services_of(session).clock.now()
    query = _open().where(col(Approval.expires_at) > now).order_by(col(Approval.id))
    if kinds:
        query = query.where(col(Approval.kind).in_(kinds))
    return list(session.exec(query))


def get(session: Session, approval_id: int) -> Approval:
    """The approval of this number. Raises 404."""
    approval = session.get(Approval, approval_id)
    if approval is None:
        raise not_found("审批", "approval")
    return approval


def drop_expired(session: Session) -> None:
    """Mark requests that nobody decided in time, and undo what waited for them."""
    now = services_of(session).clock.now()
    for approval in session.exec(_open().where(col(Approval.expires_at) <= now)):
        approval.state = EXPIRED
        _end(session, approval, None, "")
        _dropped(session, approval)


def state_of(approval: Approval, session: Session) -> str:
    """The state as of now: a request past its expiry has expired, even if nobody has marked it yet."""
    late = approval.expires_at <= services_of(session).clock.now()
    return EXPIRED if approval.state == REQUESTED and late else approval.state


def is_waiting(session: Session, kind: str, subject: str) -> bool:
    """Whether somebody has asked for this step and it can still be decided."""
    query = _open().where(Approval.kind == kind, Approval.subject == subject)
    return (
        session.exec(query.where(col(Approval.expires_at) > services_of(session).clock.now())).first()
        is not None
    )


def is_same_person(one: User, other: User) -> bool:
    """Whether two logins belong to one person."""
    return one.id == other.id or (one.person_id is not None and one.person_id == other.person_id)


def _end(session: Session, approval: Approval, user: User | None, note: str) -> None:
    approval.decided_by = user.id if user else None
    approval.decided_at = services_of(session).clock.now()
    approval.note = note
    session.add(approval)
    session.flush()
    after = _described(approval) | {"note": note}
    audit.record(session, user, f"approval_{approval.state}", _subject(approval), None, after)
    _tell(session, approval)


def content_of(session: Session, approval: Approval) -> Any:
    """What a step is about, as it stands now; None for a kind that is about its payload alone."""
    return _about[approval.kind](session, approval) if approval.kind in _about else None


def _digest_of(session: Session, approval: Approval) -> str:
    return digest(content_of(session, approval)) if approval.kind in _about else ""


def _tell(session: Session, approval: Approval) -> None:
    """Let the pages of the centre look again, and those of the site that it is about, if it is about one."""
    live.publish(session, "request", {"name": approval.kind, "site": approval.payload.get("site_id")})


def _dropped(session: Session, approval: Approval) -> None:
    if approval.kind in _clean_up:
        _clean_up[approval.kind](session, approval)


def _open() -> Any:
    return select(Approval).where(Approval.state == REQUESTED)


def _registers(table: dict[str, Callable], kind: str) -> Callable:
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of approval; name it in four_eyes.KINDS")

    def register(function: Callable) -> Callable:
        table[kind] = function
        return function

    return register


def _subject(approval: Approval) -> str:
    return f"approval:{approval.id}"


def _described(approval: Approval) -> dict[str, Any]:
    return audit.fields_of(approval, "kind", "subject", "digest")


def _not_allowed() -> Problem:
    return Problem(
        403,
        "not_allowed",
        "您的角色无权进行此操作。",
        "Your role may not do this.",
        "Ask somebody whose task it is. 请联系有此权限的同事。",
    )


def _same_person() -> Problem:
    return Problem(
        403,
        "same_person",
        "申请人与审批人不能是同一人。",
        "Who asked cannot decide.",
        "Let a colleague decide; this is the four-eyes rule. 请由另一位同事审批。",
    )


def _already_asked() -> Problem:
    return Problem(
        409,
        "already_requested",
        "该事项已提交审批。",
        "This has been asked for already.",
        "Let a colleague decide it, or withdraw the first request. 请等待审批，或撤回前一申请。",
    )


def _no_longer_open() -> Problem:
    return Problem(
        409,
        "approval_closed",
        "该审批已结束、过期或失效。",
        "This request was decided, has expired or is void.",
        "Ask again if the step is still needed. 如仍需要，请重新申请。",
    )


def changed_since() -> Problem:
    """The refusal of a step that is no longer what was asked for."""
    return Problem(
        409,
        "changed_since_request",
        "申请后内容已变更，不能审批。",
        "What was asked for has changed since.",
        "Look at the new content and ask again. 请核对新内容后重新申请。",
    )
