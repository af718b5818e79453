"""Logins: a random token in the browser's cookie, its hash and expiry in the database.

A removed user's logins end at once, in the transaction that removes the user. The token against forged
requests (CSRF) is derived from the login's token: it needs no storage, and knowing it reveals nothing.
"""

import hashlib
import hmac
import secrets
from datetime import timedelta

from sqlmodel import Session, col, delete, select

from doorward_server.audit import service as audit
from doorward_server.problems import Problem
from doorward_server.security import passwords, throttle
from doorward_server.security.models import LoginSession, User
from doorward_server.services import Services, services_of

COOKIE = "doorward_session"
_TOKEN_BYTES = 32


def log_in(services: Services, login: str, password: str, address: str) -> tuple[User, str]:
    """Check a password and begin a login. Returns the user and the cookie's token.

    Opens its own transactions: a failure must be counted although it is answered by a refusal. What was
    looked at before the password was checked is looked at again afterwards: many attempts may have come at
    once, and the password may have been replaced.
    """
    with services.database.reading() as session:
        throttle.refuse_if_locked(session, login, address)
        user = session.exec(select(User).where(User.login == login, col(User.removed_at).is_(None))).first()
        stored = user.password_hash if user else ""
    if not passwords.is_password(services.settings, stored, password):
        with services.database.writing() as session:
            throttle.refuse_if_locked(session, login, address)
            throttle.count_failure(session, login, address)
            audit.record(session, user, "login_failed", _subject(user), None, {"address": address})
        raise _wrong_login()
    with services.database.writing() as session:
        user = session.exec(select(User).where(User.login == login, col(User.removed_at).is_(None))).first()
        throttle.refuse_if_locked(session, login, address)
        if user is None or not _is_still(services, user, stored, password):
            raise _wrong_login()
        throttle.clear(session, login, address)
        if passwords.is_outdated(services.settings, user.password_hash):
            user.password_hash = passwords.hash_password(services.settings, password)
            session.add(user)
        token = begin(session, user)
        audit.record(session, user, "logged_in", _subject(user), None, {"address": address})
    return user, token


def begin(session: Session, user: User) -> str:
    """Begin a login without a password check; returns the token. Forgets logins that have expired."""
    services = services_of(session)
    now = services.clock.now()
    session.exec(delete(LoginSession).where(col(LoginSession.expires_at) <= now))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session.add(
        LoginSession(
            token_hash=_hash(token),
            user_id=user.id,
            created_at=now,
            expires_at=now + timedelta(hours=services.settings.session_hours),
        )
    )
    session.flush()
    return token


def user_of(session: Session, token: str) -> User | None:
    """The user whose login this token is; None if it is unknown, expired, or the user is gone."""
    login = session.get(LoginSession, _hash(token))
    if login is None or login.expires_at <= services_of(session).clock.now():
        return None
    user = session.get(User, login.user_id)
    return user if user is not None and user.removed_at is None else None


def log_out(session: Session, token: str) -> None:
    """End one login."""
    session.exec(delete(LoginSession).where(col(LoginSession.token_hash) == _hash(token)))


def end_logins(session: Session, user: User) -> None:
    """End all logins of a user."""
    session.exec(delete(LoginSession).where(col(LoginSession.user_id) == user.id))


def csrf_token(token: str) -> str:
    """The token that this login's pages send with every change."""
    return hmac.new(token.encode(), b"doorward csrf", hashlib.sha256).hexdigest()


def is_csrf_token(token: str, presented: str) -> bool:
    """Whether a presented token belongs to this login."""
    return hmac.compare_digest(csrf_token(token).encode(), presented.encode())


def _is_still(services: Services, user: User, checked: str, password: str) -> bool:
    """Whether the password is still the user's: the hash that it was checked against may be an old one."""
    current = user.password_hash
    return current == checked or passwords.is_password(services.settings, current, password)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _subject(user: User | None) -> str:
    return f"user:{user.id}" if user else "user:unknown"


def _wrong_login() -> Problem:
    return Problem(
        401,
        "wrong_login",
        "用户名或密码不正确。",
        "The login name or the password is wrong.",
        "Try again; check the keyboard's language. 请重试，并检查输入法。",
    )
