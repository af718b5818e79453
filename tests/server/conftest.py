"""A server for tests: a clock that stands still until told otherwise, cheap hashes, seeded randomness."""

import random
import shutil
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import server_bank as bank
from doorward_server import database
from doorward_server.app import create_app
from doorward_server.clock import to_milliseconds
from doorward_server.security import sessions
from doorward_server.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have another client library
    from fastapi.testclient import TestClient


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
def empty_database(tmp_path_factory) -> Path:
    """A migrated database without rows, made once and copied for every test."""
    path = tmp_path_factory.mktemp("empty") / "doorward.sqlite"
    database.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def settings(tmp_path, empty_database) -> Settings:
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(empty_database, folder / "doorward.sqlite")
    return Settings(data=folder, argon2_time_cost=1, argon2_memory_kib=8)


@pytest.fixture
def app(settings, clock):
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


@pytest.fixture
def staffed(services) -> SimpleNamespace:
    """A bank with everything a day needs, and one user of every role; see tests/server/bank.py."""
    return bank.build(services)


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
