"""A server for tests: a clock that stands still until told otherwise, cheap hashes, seeded randomness."""

import random
import shutil
import sqlite3
import warnings
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import server_bank as bank
from console_branch import Branch
from doorward_server.app import create_app, open_services
from doorward_server.clock import to_milliseconds
from doorward_server.planning import service as planning
from doorward_server.planning.models import Run
from doorward_server.security import sessions
from doorward_server.security.models import User
from doorward_server.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have another client library
    from fastapi.testclient import TestClient


DATABASE = "doorward.sqlite"


class FixedClock:
    """A clock that only moves when a test says so. It begins on a Monday, 06:00 in Shanghai."""

    def __init__(self):
        self.moment = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)

    def now(self):
        return self.moment

    def milliseconds(self):
        return to_milliseconds(self.moment)

    def pass_time(self, **length):
        self.moment += timedelta(**length)


@pytest.fixture(scope="session")
def empty_data(tmp_path_factory) -> Path:
    """A data folder with keys and a migrated database without rows, made once and copied for every test."""
    folder = tmp_path_factory.mktemp("empty") / "data"
    open_services(cheap(folder), FixedClock(), random=random.Random("keys").randbytes).database.close()
    return folder


def cheap(folder: Path) -> Settings:
    """Settings for a folder, with password hashes that cost nothing."""
    return Settings(data=folder, argon2_time_cost=1, argon2_memory_kib=8)


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def settings(tmp_path, empty_data) -> Settings:
    return cheap(shutil.copytree(empty_data, tmp_path / "data"))


@pytest.fixture
def app(settings, clock, monkeypatch):
    monkeypatch.setattr("doorward_server.app.upgrade", lambda _url: None)  # the copied one is up to date
    app = create_app(settings, clock, random=random.Random(7).randbytes)
    yield app
    app.state.doorward.database.close()


@pytest.fixture
def services(app):
    return app.state.doorward


@pytest.fixture
def session(services):
    """A writing session; committed when the test ends well."""
    with services.database.writing() as opened:
        yield opened


@pytest.fixture(scope="session")
def staffed_data(empty_data, tmp_path_factory) -> tuple[Path, SimpleNamespace]:
    """The data folder of a bank with everything a day needs, made once; and the bank's rows."""
    folder = shutil.copytree(empty_data, tmp_path_factory.mktemp("staffed") / "data")
    services = open_services(cheap(folder), FixedClock())
    rows = bank.build(services)
    services.database.close()
    return folder, rows


@pytest.fixture
def staffed(services, staffed_data) -> SimpleNamespace:
    """A bank with everything a day needs, and one user of every role; its rows are detached."""
    folder, rows = staffed_data
    source, target = (sqlite3.connect(place / DATABASE) for place in (folder, services.settings.data))
    with closing(source), closing(target):
        source.backup(target)
    return rows


@pytest.fixture
def client(app) -> TestClient:
    """A browser in which nobody is logged in."""
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def log_in(app, services):
    """log_in(user) -> a browser in which that user is logged in, sending the CSRF token with everything."""

    def begin(user) -> TestClient:
        with services.database.writing() as session:
            token = sessions.begin(session, user)
        headers = {"x-csrf-token": sessions.csrf_token(token)}
        browser = TestClient(app, raise_server_exceptions=False, headers=headers)
        browser.cookies.set(sessions.COOKIE, token)
        return browser

    return begin


@pytest.fixture
def branch(session, staffed, clock, monkeypatch) -> Branch:
    """The bank's north branch, whose unit has just been registered and has a delivery planned."""
    monkeypatch.setattr("doorward_server.units.contents.PROMPTS", {})
    return Branch(session, staffed, clock)


@pytest.fixture
def first(session, staffed) -> User:
    """The dispatcher who plans, in the session."""
    return session.get(User, staffed.dispatcher.id)


@pytest.fixture
def second(session, staffed) -> User:
    """The dispatcher who approves, in the session."""
    return session.get(User, staffed.dispatcher2.id)


@pytest.fixture
def draft(session, staffed, first, clock) -> Run:
    """A run that is planned and no more. The session holds no transaction afterwards."""
    made = planning.create_run(session, first, bank.plan(staffed, clock.now()))
    session.commit()
    return made


@pytest.fixture
def released(session, draft, first, second) -> Run:
    """The same run released. The session holds no transaction afterwards."""
    planning.release_approve(session, second, planning.release_request(session, first, draft))
    session.commit()
    return draft
