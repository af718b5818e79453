"""Slows down guessing of passwords: counted per login name at an address, per login name, and per address.

The narrow count locks soon and for long, so that an attacker elsewhere cannot lock somebody out of their own
desk; the wide counts stop guessing from many addresses, or of many names. Waiting doubles with each further
failure (NIST SP 800-63B §5.2.2); a success clears the narrow count.
"""

from datetime import datetime, timedelta

from sqlmodel import Session, col, delete

from doorward_server.problems import Problem
from doorward_server.security.models import LoginThrottle
from doorward_server.services import services_of

# What callers give when they cannot tell where an attempt comes from.
UNKNOWN_ADDRESS = "local"
_WIDE_FACTOR = 10
_LONGEST_LOCK = timedelta(minutes=15)
_FORGET_AFTER = timedelta(days=1)


def keys_of(login: str, address: str) -> list[str]:
    """The counts that one attempt belongs to, the narrow one first; without an address, no count of it."""
    name = login.casefold()[:100]
    keys = [f"pair:{name}@{address}", f"login:{name}"]
    return keys if address == UNKNOWN_ADDRESS else [*keys, f"address:{address}"]


def refuse_if_locked(session: Session, login: str, address: str) -> None:
    """Raise 429 while any count of this attempt is locked."""
    now = services_of(session).clock.now()
    for key in keys_of(login, address):
        counted = session.get(LoginThrottle, key)
        if counted is not None and counted.locked_until is not None and counted.locked_until > now:
            raise too_many_failures(counted.locked_until - now)


def count_failure(session: Session, login: str, address: str) -> None:
    """Count a failed attempt, and lock what has failed too often. The caller commits."""
    services = services_of(session)
    now = services.clock.now()
    session.exec(delete(LoginThrottle).where(col(LoginThrottle.updated_at) < now - _FORGET_AFTER))
    for position, key in enumerate(keys_of(login, address)):
        limit = services.settings.login_failures * (_WIDE_FACTOR if position else 1)
        counted = session.get(LoginThrottle, key) or LoginThrottle(key=key, updated_at=now)
        counted.failures += 1
        counted.updated_at = now
        counted.locked_until = _locked_until(
            now, counted.failures - limit, services.settings.login_lock_seconds
        )
        session.add(counted)


def clear(session: Session, login: str, address: str) -> None:
    """Forget the narrow count after a success."""
    counted = session.get(LoginThrottle, keys_of(login, address)[0])
    if counted is not None:
        session.delete(counted)


def too_many_failures(wait: timedelta) -> Problem:
    """The refusal that says how long to wait."""
    seconds = max(1, round(wait.total_seconds()))
    return Problem(
        429,
        "too_many_failures",
        f"登录失败次数过多，请等待 {seconds} 秒。",
        f"Too many failed logins; wait {seconds} s.",
        "If you have forgotten your password, ask an administrator. 忘记密码请联系管理员。",
        [{"wait_seconds": seconds}],
    )


def _locked_until(now: datetime, beyond: int, seconds: int) -> datetime | None:
    if beyond < 0:
        return None
    return now + min(timedelta(seconds=seconds * 2 ** min(beyond, 20)), _LONGEST_LOCK)
