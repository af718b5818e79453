"""Passwords: hashed with Argon2id (RFC 9106), compared without telling whether the login exists."""

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from doorward_server.problems import Problem
from doorward_server.settings import Settings

LONGEST = 200


def hash_password(settings: Settings, password: str) -> str:
    """The hash to store. Refuses passwords that are too short or too long to be one."""
    refuse_length(settings, password)
    return _hasher(settings.argon2_time_cost, settings.argon2_memory_kib).hash(password)


def refuse_length(settings: Settings, password: str) -> None:
    """Raise 422 for what is too short or too long to be a password."""
    if not settings.password_minimum_length <= len(password) <= LONGEST:
        raise Problem(
            422,
            "password_length",
            f"密码长度应为 {settings.password_minimum_length} 至 {LONGEST} 个字符。",
            f"A password has {settings.password_minimum_length} to {LONGEST} characters.",
            "Choose another one; several words are easy to remember. 请换一个密码，几个词连用便于记忆。",
        )


def is_password(settings: Settings, stored: str, password: str) -> bool:
    """Whether this is the password. An empty hash never matches, and takes as long as a real one."""
    hasher = _hasher(settings.argon2_time_cost, settings.argon2_memory_kib)
    try:
        matches = hasher.verify(stored or _nobody(hasher), password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return matches and bool(stored)


def is_outdated(settings: Settings, stored: str) -> bool:
    """Whether the hash was made with other costs than today's settings say."""
    return _hasher(settings.argon2_time_cost, settings.argon2_memory_kib).check_needs_rehash(stored)


@lru_cache
def _hasher(time_cost: int, memory_kib: int) -> PasswordHasher:
    return PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)


@lru_cache
def _nobody(hasher: PasswordHasher) -> str:
    return hasher.hash("nobody has this password")
