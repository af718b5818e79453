"""The database: engine, transactions, and the upgrade at start.

Services change objects and flush; only the edge commits: a route's session commits when the route has
returned and before its answer is sent, `Database.writing()` when its block ends. An exception rolls
everything back.

SQLite runs with a write-ahead log, full synchronisation (an answer given is an answer kept), enforced foreign
keys and overwritten deletions. A writing transaction takes the write lock when it begins, because SQLite
cannot wait for it later (a reader that becomes a writer fails at once when somebody else wrote in between).
Writers of this process ask for it one after the other: SQLite lets waiters try again after a sleep, and one
that writes much and often would always be quicker.
"""

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from alembic import command
from alembic.config import Config
from fastapi import Depends, Request
from sqlalchemy import DateTime, Dialect, Engine, TypeDecorator, create_engine, event
from sqlmodel import Session

import doorward_server

BUSY_MILLISECONDS = 10_000
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    f"busy_timeout={BUSY_MILLISECONDS}",
)


class UtcDateTime(TypeDecorator):
    """A point in time: aware datetimes in, aware UTC datetimes out, even where the database forgets zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone cannot be stored; use an aware datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def open_engine(url: str) -> Engine:
    """An engine for the address; SQLite with the pragmas above."""
    engine = create_engine(url, pool_size=20, max_overflow=30)
    if engine.dialect.name == "sqlite":
        _keep_private(engine.url.database)
        event.listen(engine, "connect", _prepare_connection)
        event.listen(engine, "begin", _Turns().begin)
    return engine


def _keep_private(name: str | None) -> None:
    """The file is for the server's own user, whatever folder an operator has made for it; SQLite gives the
    files beside it the same mode."""
    if name and name != ":memory:":
        file = Path(name)
        file.touch(0o600)
        file.chmod(0o600)


def _prepare_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # sqlite3's own implicit BEGIN would come too late; see _Turns
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


class _Turns:
    """Begins transactions. Of all writers only the next one asks SQLite, so that its patience (busy_timeout)
    is for one transaction of somebody else, however many are waiting."""

    def __init__(self) -> None:
        self._next = threading.Lock()

    def begin(self, connection: Any) -> None:
        """Called by the engine where a transaction begins."""
        if connection.get_execution_options().get("doorward_writes", True):
            with self._next:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("BEGIN")


class Database:
    """Sessions on one engine. `services` is set by `create_app` and travels in every session."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self._reading = self.engine.execution_options(doorward_writes=False)
        self.services: Any = None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for looking; nothing in it is ever committed."""
        with Session(self._reading, info={"services": self.services}) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session for changing; committed at the end of the block, rolled back by an exception."""
        with Session(self.engine, info={"services": self.services}, expire_on_commit=False) as session:
            yield session
            session.commit()

    def close(self) -> None:
        """Close all connections. The database stays usable: the next session opens new ones."""
        self.engine.dispose()


def after_commit(session: Session, action: Callable[[], None]) -> None:
    """Do something once this session's transaction is durable, such as telling the live feed; else never."""
    if "after_commit" not in session.info:
        session.info["after_commit"] = []
        event.listen(session, "after_commit", _run_actions)
        event.listen(session, "after_rollback", lambda rolled_back: rolled_back.info["after_commit"].clear())
    session.info["after_commit"].append(action)


def _run_actions(session: Session) -> None:
    actions, session.info["after_commit"] = session.info["after_commit"], []
    for action in actions:
        action()


def import_models() -> None:
    """Import the models of every domain, so that SQLModel.metadata knows all tables."""
    for package in pkgutil.iter_modules(doorward_server.__path__):
        if package.ispkg and (Path(doorward_server.__path__[0]) / package.name / "models.py").exists():
            importlib.import_module(f"doorward_server.{package.name}.models")


def migration_config(url: str) -> Config:
    """Alembic's configuration for the packaged migrations."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def upgrade(url: str) -> None:
    """Bring the schema to the newest version. An empty database gets all tables."""
    command.upgrade(migration_config(url), "head")


def get_session(request: Request) -> Iterator[Session]:
    """The request's session: for looking at GET and HEAD, for changing otherwise."""
    database: Database = request.app.state.doorward.database
    opened = database.reading() if request.method in ("GET", "HEAD") else database.writing()
    with opened as session:
        yield session


# scope="function": the transaction ends before the answer is sent, and before a stream begins.
SessionDependency = Annotated[Session, Depends(get_session, scope="function")]
