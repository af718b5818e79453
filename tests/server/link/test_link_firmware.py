"""The firmware's own link against this server, over a real WebSocket on the loopback interface."""

import asyncio
import socket
import threading
from contextlib import contextmanager

import pytest
import uvicorn
from doorward_firmware.clock import Clock, to_calendar
from doorward_firmware.store import identity as identities
from doorward_firmware.store.blobs import Blobs
from doorward_firmware.store.journal import Journal
from doorward_firmware.store.state import State
from doorward_firmware.sync.link import Link
from doorward_firmware.sync.manifest import Desired
from doorward_protocol import merkle, objects
from doorward_protocol.suite import run
from doorward_server.alarms.models import Alarm
from doorward_server.handovers.models import Handover
from doorward_server.link.models import Head, Leaf
from doorward_server.security.keys import KeyPair
from doorward_server.security.roles import Role
from doorward_server.units import authority, service
from doorward_server.units.models import Unit
from doorward_simulator.flash import NorFlash, Partition
from doorward_simulator.runtimes import compat
from sqlmodel import col, select

compat.install()

SECTORS = {"state": 8, "journal": 32, "blobs": 256}
SECONDS = 15


class Rtc:
    """A chip's clock that stands at the server's time."""

    def __init__(self, clock):
        self._clock = clock

    def datetime(self, fields=None):
        return to_calendar(self._clock.milliseconds())


class Firmware:
    """A unit's stores and link, as its application makes them."""

    def __init__(self, services, port: int):
        self.suite = services.suite
        partitions = {name: Partition(NorFlash(count * 4096, name)) for name, count in SECTORS.items()}
        roots = [KeyPair(bytes([n]) * 8, *run(self.suite.new_key())) for n in range(3)]
        identity = run(identities.create(self.suite))
        identity.trust_object = authority.make_trust(services, roots)
        identity.host, identity.port, identity.path = "127.0.0.1", port, "/link"
        self.state = State(partitions["state"])
        identities.write(self.state, identity)
        self.identity = identities.read(self.state)
        self.clock = Clock(Rtc(services.clock))
        self.journal = Journal(partitions["journal"], self.clock, self.suite, self.state)
        self.blobs = Blobs(partitions["blobs"])
        self.desired = Desired(self.identity, self.suite, self.clock, self.journal, self.blobs, self.state)
        self.link = Link(
            self.identity, self.suite, self.clock, self.journal, self.blobs, self.state, self.desired, "test"
        )
        self.id = 0
        self.commands = []
        self.link.on_command = lambda fields: self.commands.append(fields)
        self.link.on_desired = list

    def append(self, name, **fields):
        self.journal.append(name, **fields)
        self.link.wake()


async def until(condition):
    """Wait until `condition` is true; fails after SECONDS."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 - the server is in another thread
            await asyncio.sleep(0.01)


@contextmanager
def serving(app, port: int):
    """The application under uvicorn, as `doorward serve` runs it."""
    config = uvicorn.Config(
        app,
        port=port,
        ws="websockets-sansio",
        ws_max_size=8192,
        timeout_graceful_shutdown=2,
        log_level="error",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(SECONDS)
        assert not thread.is_alive()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def firmware(services, day, port) -> Firmware:
    """A unit of the north branch that runs the firmware's link; the other one there is only registered."""
    firmware = Firmware(services, port)
    identity = firmware.identity
    keys = (identity.dh[1], identity.signing[1], identity.bundle[1])
    with services.database.writing() as session:
        firmware.id = service.register_unit(session, identity.unit, day.bank.sites["north"], *keys).id
    return firmware


def test_the_firmware_fetches_reports_and_obeys(app, services, firmware, port, day, delivery, log_in):
    asyncio.run(play(app, services, firmware, port, day, delivery, log_in))


async def play(app, services, firmware, port, day, delivery, log_in):
    link = asyncio.create_task(firmware.link.run())
    van, bank = day.bank.vehicles[0], day.bank
    try:
        with serving(app, port):
            # It fetches what its manifest lists, and the server knows that it holds it.
            await until(firmware.desired.is_complete)
            assert [order["task"] for order in firmware.desired.orders()] == [day.tasks[0]]
            assert {bank.crew[0].id, bank.officers["north"].id} <= set(firmware.desired.roster())
            await until(lambda: row_of(services, firmware).actual_complete)
            assert row_of(services, firmware).online
            # What it records is projected, and acknowledged by a receipt that it verifies.
            nonce = bytes(8)
            firmware.append(
                "vehicle", task=day.tasks[0], nonce=nonce, vehicle=van.id, epc=van.epc, tid=van.tid,
                order_version=1, manifest=firmware.desired.version, last_contact=0,
            )  # fmt: skip
            people = [person.id for person in bank.crew[:2]]
            firmware.append("crew", task=day.tasks[0], nonce=nonce, people=people, picture=None)
            firmware.link.head_now()
            await until(lambda: firmware.journal.acknowledged == firmware.journal.size)
            # The officer's decision arrives as a command that it accepts.
            handover = await asyncio.to_thread(handover_of, services)
            officer = log_in(bank.users[Role.OFFICER])
            answer = await asyncio.to_thread(
                officer.post, f"/api/handovers/{handover.id}/decide", json={"approve": True, "head_count": 2}
            )
            assert answer.status_code == 200, answer.text
            await until(lambda: firmware.commands)
            assert firmware.commands[0]["verb"] == objects.APPROVE
            assert firmware.commands[0]["nonce"] == nonce
        # The server is gone; records go on, and follow when it is back: none lost, none twice.
        await until(lambda: not firmware.link.online)
        for number in range(60):
            firmware.append("door", door=1 + number % 2, event=1, cause=1)
        with serving(app, port):
            firmware.link.connect_now()
            await until(lambda: firmware.journal.acknowledged == firmware.journal.size)
    finally:
        while not link.done():  # CPython 3.11's wait_for may swallow a cancellation
            link.cancel()
            await asyncio.wait({link}, timeout=0.1)
    with services.database.reading() as session:
        mine = session.exec(select(Leaf).where(Leaf.unit_id == firmware.id).order_by(col(Leaf.index))).all()
        assert [leaf.entry for leaf in mine] == [entry for _, entry in firmware.journal.entries(0, 1000)]
        head = session.exec(select(Head).order_by(col(Head.size).desc())).first()
        assert (head.size, head.root) == (len(mine), merkle.root_of([leaf.leaf_hash for leaf in mine]))
        rules = set(session.exec(select(Alarm.rule).where(Alarm.unit_id == firmware.id)))
        assert rules <= {"unit_offline"}


def row_of(services, firmware) -> Unit:
    with services.database.reading() as session:
        return session.get(Unit, firmware.id)


def handover_of(services) -> Handover:
    with services.database.reading() as session:
        return session.exec(select(Handover)).one()
