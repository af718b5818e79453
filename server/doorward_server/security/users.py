"""Users: made, changed and removed here, always with an entry in the journal; passwords never leave in clear.

New users and reset passwords need four eyes at the pages: whoever could make two logins could be two people.
That is why the password has two halves: who asks chooses the first, who approves the second, and each tells
it to the user alone. Neither of them can log in as the user.
"""

from typing import Any

from sqlmodel import Session, col, select

from doorward_server.audit import service as audit
from doorward_server.backup import removed
from doorward_server.fleet.models import Site
from doorward_server.people.models import Person
from doorward_server.problems import Problem, not_found
from doorward_server.security import biometrics, four_eyes, passwords, sessions
from doorward_server.security.models import Approval, User
from doorward_server.security.roles import SITE_ROLES, Role
from doorward_server.services import services_of

# What a login name looks like: a regular expression that must match it whole.
LOGIN_NAME = r"[a-z0-9][a-z0-9._-]{1,39}"
SECOND_HALF = 6  # characters at least
_PURPOSE = "first half of a password"

_AUDITED = ("login", "name", "role", "site_id", "person_id", "language")


def create_user(
    session: Session,
    actor: User | None,
    login: str,
    name: str,
    role: str,
    password: str | None = None,
    site_id: int | None = None,
    person_id: int | None = None,
    language: str = "zh",
) -> User:
    """Make a user. Without a password nobody can log in as this user yet."""
    services = services_of(session)
    if find_user(session, login) is not None:
        raise login_taken(login)
    check_place(session, role, site_id, person_id)
    user = User(
        login=login,
        name=name,
        password_hash=passwords.hash_password(services.settings, password) if password else "",
        role=Role(role),
        site_id=site_id,
        person_id=person_id,
        language=language,
        created_at=services.clock.now(),
    )
    session.add(user)
    session.flush()
    audit.record(session, actor, "user_created", _subject(user), None, described(user))
    return user


def check_place(session: Session, role: str, site_id: int | None, person_id: int | None) -> None:
    """Raise 422 or 404 for a user that makes no sense: officers and keepers have a site, references exist."""
    if role in SITE_ROLES and site_id is None:
        raise Problem(
            422,
            "site_missing",
            "营业专员和金库管理员必须属于一个网点。",
            "Users who are officers or keepers belong to a site.",
            "Choose the site. 请选择网点。",
        )
    if site_id is not None and session.get(Site, site_id) is None:
        raise not_found("网点", "site")
    if person_id is not None and session.get(Person, person_id) is None:
        raise not_found("人员", "person")


def set_password(session: Session, actor: User | None, user: User, password: str) -> None:
    """Give a user a password; all logins of the user end."""
    _store_hash(session, actor, user, passwords.hash_password(services_of(session).settings, password))


def change_own_password(session: Session, user: User, current: str, new: str) -> None:
    """Change one's own password, knowing the current one; all logins end, this one too."""
    settings = services_of(session).settings
    if not passwords.is_password(settings, user.password_hash, current):
        raise Problem(
            403,
            "wrong_password",
            "当前密码不正确。",
            "The current password is wrong.",
            "Try again. 请重试。",
        )
    _store_hash(session, user, user, passwords.hash_password(settings, new))


def set_language(session: Session, user: User, language: str) -> None:
    """Choose the language of one's own pages."""
    before = described(user)
    user.language = language
    session.add(user)
    if described(user) != before:
        audit.record(session, user, "user_changed", _subject(user), before, described(user))


def remove_user(session: Session, actor: User | None, user: User) -> None:
    """Remove a user: all logins end now. The row stays, for the journal speaks of it by number."""
    if actor is not None and actor.id == user.id:
        raise Problem(
            409,
            "own_user",
            "不能删除自己的用户。",
            "Nobody removes themselves.",
            "Let another administrator do it. 请由其他管理员操作。",
        )
    before = described(user)
    user.removed_at = services_of(session).clock.now()
    user.password_hash = ""
    session.add(user)
    sessions.end_logins(session, user)
    audit.record(session, actor, "user_removed", _subject(user), before, None)
    removed.note(session, _subject(user))


def find_user(session: Session, login: str) -> User | None:
    """The user with this login name, also a removed one: names are not given twice."""
    return session.exec(select(User).where(User.login == login)).first()


def get_user(session: Session, user_id: int) -> User:
    """The user of this number who has not been removed. Raises 404."""
    user = session.get(User, user_id)
    if user is None or user.removed_at is not None:
        raise not_found("用户", "user")
    return user


def list_users(session: Session) -> list[User]:
    """All users who have not been removed, by login."""
    return list(session.exec(select(User).where(col(User.removed_at).is_(None)).order_by(User.login)))


def described(user: User) -> dict[str, Any]:
    """The fields of a user that the journal keeps; never the password."""
    return audit.fields_of(user, *_AUDITED)


def request_user(session: Session, actor: User, password: str, fields: dict[str, Any]) -> Approval:
    """Ask for a new user; `fields` as for create_user, `password` the first half of the password."""
    if find_user(session, fields["login"]) is not None:
        raise login_taken(fields["login"])
    check_place(session, fields["role"], fields.get("site_id"), fields.get("person_id"))
    payload = {"fields": fields, "first_half": _sealed(session, password)}
    return four_eyes.request(session, actor, "user_create", f"login:{fields['login']}", payload)


@four_eyes.on_approved("user_create")
def _create_approved(session: Session, approval: Approval, decider: User, second_half: str) -> None:
    password = _whole(session, approval, second_half)
    create_user(session, decider, **approval.payload["fields"], password=password)
    _forget_half(session, approval)


def request_password(session: Session, actor: User, user: User, password: str) -> Approval:
    """Ask for a new password for somebody who has lost theirs; `password` is its first half."""
    payload = {"user_id": user.id, "first_half": _sealed(session, password)}
    return four_eyes.request(session, actor, "user_password", _subject(user), payload)


@four_eyes.on_approved("user_password")
def _set_approved(session: Session, approval: Approval, decider: User, second_half: str) -> None:
    user = get_user(session, approval.payload["user_id"])
    set_password(session, decider, user, _whole(session, approval, second_half))
    _forget_half(session, approval)


@four_eyes.on_dropped("user_create")
@four_eyes.on_dropped("user_password")
def _forget_half(session: Session, approval: Approval) -> None:
    approval.payload = {name: kept for name, kept in approval.payload.items() if name != "first_half"}
    session.add(approval)


def _sealed(session: Session, first_half: str) -> str:
    """The first half as it waits for the second. Refuses one that is too short to be a password."""
    passwords.refuse_length(services_of(session).settings, first_half)
    return biometrics.seal_with_master(session, _PURPOSE, first_half.encode()).hex()


def _whole(session: Session, approval: Approval, second_half: str) -> str:
    if len(second_half) < SECOND_HALF:
        raise Problem(
            422,
            "second_half_missing",
            f"请填写密码的后一半，至少 {SECOND_HALF} 个字符。",
            f"The second half of the password is missing, or shorter than {SECOND_HALF} characters.",
            "Choose it yourself and tell the user alone. 请自行设定，并只告知用户本人。",
        )
    sealed = bytes.fromhex(approval.payload["first_half"])
    return biometrics.unseal_with_master(session, _PURPOSE, sealed).decode() + second_half


def _store_hash(session: Session, actor: User | None, user: User, password_hash: str) -> None:
    user.password_hash = password_hash
    session.add(user)
    sessions.end_logins(session, user)
    audit.record(session, actor, "password_set", _subject(user), None, {})


def login_taken(login: str) -> Problem:
    """The refusal of a login name that is, or was, somebody's."""
    return Problem(
        409,
        "login_taken",
        f"用户名 {login} 已被使用。",
        f"The login name {login} is or was somebody's.",
        "Choose another one. 请换一个用户名。",
    )


def _subject(user: User) -> str:
    return f"user:{user.id}"
