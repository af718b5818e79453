"""A unit that runs the firmware's own link, stores and journal, and the server that it connects to by TCP."""

import asyncio
import socket
import threading
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from doorward_firmware.clock import Clock, to_calendar
from doorward_firmware.store import identity as identities
from doorward_firmware.store.blobs import Blobs
from doorward_firmware.store.journal import Journal
from doorward_firmware.store.state import State
from doorward_firmware.sync.link import Link
from doorward_firmware.sync.manifest import Desired
from doorward_protocol.suite import run
from doorward_server.security.keys import KeyPair
from doorward_server.units import authority, service
from doorward_simulator.flash import NorFlash, Partition
from doorward_simulator.runtimes import compat

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


@asynccontextmanager
async def running(firmware):
    """The unit's link, as long as the block lasts."""
    link = asyncio.create_task(firmware.link.run())
    try:
        yield
    finally:
        while not link.done():  # CPython 3.11's wait_for may swallow a cancellation
            link.cancel()
            await asyncio.wait({link}, timeout=0.1)


async def delivered(firmware):
    """Everything that the unit has recorded has a receipt."""
    firmware.link.head_now()
    await until(lambda: firmware.journal.acknowledged == firmware.journal.size)


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


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def registered(services, site, port: int) -> Firmware:
    """A unit of this site that will connect to this port."""
    firmware = Firmware(services, port)
    identity = firmware.identity
    keys = (identity.dh[1], identity.signing[1], identity.bundle[1])
    with services.database.writing() as session:
        firmware.id = service.register_unit(session, identity.unit, site, *keys).id
    return firmware
