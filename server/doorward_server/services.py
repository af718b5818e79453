"""What the parts of one running server share: settings, clock, database, suite, keys, live feed.

A session carries its `Services` with it, so that a service function asks only for the session:
`services_of(session).clock.now()`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Protocol

from sqlmodel import Session

from doorward_server.settings import Settings

if TYPE_CHECKING:
    from doorward_server.database import Database
    from doorward_server.live import Live
    from doorward_server.security.keys import KeyStore


class Clock(Protocol):
    """Where time comes from; see clock.SystemClock."""

    def now(self) -> datetime: ...

    def milliseconds(self) -> int: ...


@dataclass
class Services:
    """One server's shared parts. `random(n)` is for everything that can reach a unit or a journal."""

    settings: Settings
    clock: Clock
    random: Callable[[int], bytes]
    suite: Any
    database: "Database"
    keys: "KeyStore"
    live: "Live"
    # Room for parts of other domains (the link's sessions, the speech engine), by the domain's name.
    parts: dict[str, Any] = field(default_factory=dict)

    def today(self) -> date:
        """The day it is where the bank is."""
        return self.clock.now().astimezone(self.settings.zone).date()

    def day_begins(self, day: date) -> datetime:
        """When a day begins there."""
        return datetime.combine(day, time.min, self.settings.zone)

    @property
    def engine(self) -> Any:
        """The SQLAlchemy engine."""
        return self.database.engine


def services_of(session: Session) -> Services:
    """The services that belong to a session opened by `Database`."""
    return session.info["services"]
