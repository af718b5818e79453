"""A released day with a registered unit at its first stop, and the server running for it."""

import random
import shutil
import warnings
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
import server_bank
from doorward_protocol.prompts import PROMPTS
from doorward_server.app import open_services
from doorward_server.clock import SystemClock
from doorward_server.evidence.pack import Pack, read
from doorward_server.handovers import pictures
from doorward_server.handovers import service as handovers
from doorward_server.handovers.models import Handover, Picture
from doorward_server.planning import service as planning
from doorward_server.planning.models import Stop
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from doorward_server.settings import Settings
from doorward_server.units import contents
from evidence_case import FACES, HASHES
from firmware_unit import Firmware, free_port, registered
from sqlmodel import col, select
from unit_client import Delivery, UnitClient, eventually

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have another client library
    from fastapi.testclient import TestClient


class Monday(SystemClock):
    """The moment at which the tests' own clock begins."""

    def milliseconds(self) -> int:
        return 1_772_402_400_000  # 2026-03-01 22:00 UTC


@pytest.fixture(scope="session")
def released_data(staffed_data, tmp_path_factory) -> tuple[Path, SimpleNamespace]:
    """A bank's data folder with a run released by two dispatchers and a unit at its first stop; made once.

    The prompt pack has three prompts, so that a copy takes milliseconds; the whole pack has its own tests.
    """
    empty, bank = staffed_data
    folder = shutil.copytree(empty, tmp_path_factory.mktemp("released") / "data")
    services = open_services(Settings(data=folder), Monday(), random=random.Random("released").randbytes)
    with pytest.MonkeyPatch.context() as patch, services.database.writing() as session:
        patch.setattr(contents, "PROMPTS", dict(list(PROMPTS.items())[:3]))
        first, second = (session.get_one(User, one.id) for one in (bank.dispatcher, bank.dispatcher2))
        run = planning.create_run(session, first, server_bank.plan(bank, services.clock.now()))
        planning.release_approve(session, second, planning.release_request(session, first, run))
        tasks = session.exec(select(Stop.id).order_by(col(Stop.sequence))).all()
        unit = UnitClient(services).register(session, bank.sites["north"])
        day = SimpleNamespace(bank=bank, run=run.id, tasks=list(tasks), unit=unit.id)
    services.database.close()
    return folder, day


@pytest.fixture
def settings(tmp_path, released_data):
    folder = shutil.copytree(released_data[0], tmp_path / "data")
    return Settings(data=folder, argon2_time_cost=1, argon2_memory_kib=8)


@pytest.fixture(autouse=True)
def short_pack(monkeypatch):
    """The same short pack while a test runs."""
    monkeypatch.setattr(contents, "PROMPTS", dict(list(PROMPTS.items())[:3]))


@pytest.fixture
def day(released_data) -> SimpleNamespace:
    """What is in the data folder: `bank`, `run`, `tasks` along the route, `unit` at the first."""
    return released_data[1]


@pytest.fixture
def unit(services, day) -> UnitClient:
    """The registered unit of the north branch, not yet connected."""
    unit = UnitClient(services)
    unit.id = day.unit
    return unit


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def firmware(services, day, port) -> Firmware:
    """A unit of the north branch that runs the firmware's link; the other one there is only registered."""
    return registered(services, day.bank.sites["north"], port)


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


@pytest.fixture
def handed_over(online, delivery, day, services, clock):
    """A delivery decided at the host screen, closed, left and signed; returns its number."""
    van = day.bank.vehicles[0]
    delivery.arrive(van.id, van.epc, van.tid)
    for person, name in zip(delivery.crew, HASHES, strict=False):
        delivery.finger(person, picture=name)
    delivery.crew_complete(picture=HASHES[2])

    def number() -> int | None:
        with services.database.reading() as session:
            found = session.exec(select(Handover).where(Handover.state == "crew")).first()
            return found and found.id

    handover = eventually(number)
    with services.database.writing() as session:
        for name, face in zip(HASHES, FACES, strict=True):
            pictures.keep(session, session.get_one(Picture, name), face)
        officer = session.get_one(User, day.bank.users[Role.OFFICER].id)
        command = handovers.decide(session, officer, handover, True, head_count=2, picture=HASHES[2]).id
    delivery.approve(command=command, picture=HASHES[2])
    delivery.unit.say("door", door=1, event=1, cause=1)
    delivery.read_boxes()
    clock.pass_time(minutes=5)
    delivery.close()
    delivery.leave()
    online.store_all()
    return handover


@pytest.fixture
def auditor(log_in, day):
    return log_in(day.bank.users[Role.AUDITOR])


@pytest.fixture
def content(auditor, handed_over) -> bytes:
    """The file that an auditor takes away."""
    answer = auditor.post(f"/api/handovers/{handed_over}/evidence")
    assert answer.status_code == 200, answer.text
    assert f'filename="handover-{handed_over}.evidence.zip"' in answer.headers["content-disposition"]
    return answer.content


@pytest.fixture
def made(content) -> Pack:
    return read(content)
