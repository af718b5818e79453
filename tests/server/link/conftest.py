"""A released day with a registered unit at its first stop, and the server running for it."""

import functools
import warnings
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
import server_bank
from doorward_protocol.prompts import PROMPTS
from doorward_server.planning import service as planning
from doorward_server.planning.models import Stop
from doorward_server.security.models import User
from doorward_server.speech.engine import ENGINE
from sqlmodel import col, select
from unit_client import Delivery, UnitClient

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have another client library
    from fastapi.testclient import TestClient


# Each name is really spoken, but once for all tests.
_spoken = functools.cache(ENGINE.synthesize)


@pytest.fixture(autouse=True)
def short_pack(monkeypatch):
    """A pack of three prompts, so that a database is made in milliseconds; the whole has its own tests."""
    monkeypatch.setattr("doorward_server.units.contents.PROMPTS", dict(list(PROMPTS.items())[:3]))
    monkeypatch.setattr(ENGINE, "synthesize", _spoken)


@pytest.fixture
def day(services, staffed, clock) -> SimpleNamespace:
    """The bank, its run released by two dispatchers, and the tasks of its two stops."""
    with services.database.writing() as session:
        first, second = (session.get(User, one.id) for one in (staffed.dispatcher, staffed.dispatcher2))
        run = planning.create_run(session, first, server_bank.plan(staffed, clock.now()))
        planning.release_approve(session, second, planning.release_request(session, first, run))
        tasks = session.exec(select(Stop.id).order_by(col(Stop.sequence))).all()
        return SimpleNamespace(bank=staffed, run=run.id, tasks=list(tasks))


@pytest.fixture
def unit(services, day) -> UnitClient:
    """The registered unit of the north branch, not yet connected."""
    return UnitClient(services).register(day.bank.sites["north"])


@pytest.fixture
def server(app):
    """The application, serving."""
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def connect(server):
    """connect(unit) -> the unit with its handshake done; closed when the test ends."""
    with ExitStack() as sockets:

        def begin(unit):
            socket = sockets.enter_context(server.websocket_connect("/link"))
            assert unit.shake_hands(socket)[0] == "time"
            return unit

        yield begin


@pytest.fixture
def online(connect, unit) -> UnitClient:
    """The unit of the north branch, connected."""
    return connect(unit)


@pytest.fixture
def delivery(day, unit) -> Delivery:
    """A delivery at the north branch, ready to be played."""
    bank = day.bank
    boxes = [box.epc for box in bank.boxes[:2]]
    crew = [person.id for person in bank.crew[:2]]
    return Delivery(unit, day.tasks[0], crew, bank.officers["north"].id, boxes)
