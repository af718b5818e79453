"""Tables of users, their logins, and approvals by a second person."""

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from doorward_server.database import UtcDateTime


class User(SQLModel, table=True):
    """Somebody who may log in. Without `password_hash`, or once removed, nobody can.

    Officers and keepers see their own site alone. `person_id` links the login to the person with the fingers.
    """

    id: int = Field(default=None, primary_key=True)
    login: str = Field(unique=True)
    name: str
    password_hash: str = ""
    role: str
    site_id: int | None = Field(default=None, foreign_key="site.id", index=True)
    person_id: int | None = Field(default=None, foreign_key="person.id")
    language: str = "zh"
    created_at: datetime = Field(sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LoginSession(SQLModel, table=True):
    """One login. The browser holds the token; the database holds only its SHA-256."""

    token_hash: bytes = Field(primary_key=True, max_length=32)
    user_id: int = Field(foreign_key="user.id", index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class LoginThrottle(SQLModel, table=True):
    """Failed logins in a row for one key (a login name at an address, a login name, an address)."""

    key: str = Field(primary_key=True)
    failures: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime, index=True)


class Approval(SQLModel, table=True):
    """A step that needs four eyes: one user asks, another one decides, before it expires.

    `payload` holds what was asked for, exactly; `digest` is what the asker saw, so that nothing else passes.
    """

    id: int = Field(default=None, primary_key=True)
    kind: str = Field(index=True)
    subject: str = Field(index=True)
    # requested, approved, refused, expired, withdrawn
    state: str = Field(default="requested", index=True)
    payload: dict = Field(default_factory=dict, sa_type=JSON)
    digest: str = ""
    requested_by: int = Field(foreign_key="user.id")
    requested_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: int | None = Field(default=None, foreign_key="user.id")
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    note: str = ""
