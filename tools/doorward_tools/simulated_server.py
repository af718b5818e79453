"""The real server in world time: `python -m doorward_tools.simulated_server --data D --bus FD --socket S`.

Started by the simulator as a participant of the bus. Only three things differ from `doorward serve`: the
event loop asks the world when to wait, the clock is the world's, and randomness is seeded. Routes,
database, files and the WebSocket of the units are the same.
"""

import argparse
import asyncio
import importlib
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from doorward_protocol import messages
from doorward_server.app import create_app, joined_routes
from doorward_server.database import import_models
from doorward_server.settings import Settings
from doorward_simulator.runtimes.server_loop import ServerLoop, open_loop


class WorldClock:
    """The server's clock: the world's wall time, without drift."""

    def __init__(self, loop: ServerLoop, epoch: int):
        self._loop, self._epoch = loop, epoch

    def milliseconds(self) -> int:
        """Whole milliseconds since 1970 UTC."""
        return self._epoch + round(self._loop.time() * 1000)

    def now(self) -> datetime:
        """Aware datetime in UTC."""
        return datetime.fromtimestamp(self.milliseconds() / 1000, UTC)


def seeded(seed: bytes) -> Callable[[int], bytes]:
    """A source of bytes that repeats itself; safe to use from several threads."""
    source, lock = random.Random(seed), threading.Lock()  # noqa: S311 - the world's randomness

    def take(count: int) -> bytes:
        with lock:
            return source.randbytes(count)

    return take


def write_down_messages(path: Path) -> None:
    """Append what units say, decrypted, to a file: one message in hexadecimal per line, in its order.

    As with the key log of a TLS program, only so can somebody at the wire tell what its frames carried.
    """
    decode = messages.decode
    lines = path.open("a", encoding="ascii", buffering=1)

    def noting(data: bytes, table: dict) -> tuple[str, dict]:
        if table is messages.TO_SERVER:
            lines.write(data.hex() + "\n")
        return decode(data, table)

    messages.decode = noting


class Server(uvicorn.Server):
    """uvicorn without its ten ticks a second: nothing in a simulated day needs them."""

    async def main_loop(self) -> None:
        await asyncio.Event().wait()  # the world ends this process


def warm_up() -> None:
    """Import what `create_app` and the first report import: a fork server does it once for many days."""
    importlib.import_module("doorward_server.reports.document")
    import_models()
    for route in joined_routes():  # what each works out when it is asked for the first time
        route.matches({"type": "http", "method": "GET", "path": "/"})


def main() -> None:
    parser = argparse.ArgumentParser(prog="doorward_tools.simulated_server")
    parser.add_argument("--data", required=True, type=Path, help="the server's data folder")
    parser.add_argument("--socket", required=True, help="Unix socket to listen on")
    parser.add_argument(
        "--bus", required=True, help="number of an inherited descriptor, or path of a Unix socket"
    )
    parser.add_argument("--heard", type=Path, help="write every unit's messages to this file, one a line")
    arguments = parser.parse_args()
    if arguments.heard:
        write_down_messages(arguments.heard)
    loop, bus = open_loop(arguments.bus)
    loop.count_anyio_workers()
    clock = WorldClock(loop, bus.call("system", "epoch"))
    app = create_app(
        Settings(data=arguments.data, backup_time=""),
        clock=clock,
        random=seeded(bus.call("random", "bytes", 32)),
    )
    config = uvicorn.Config(app, uds=arguments.socket, date_header=False, log_level="warning", lifespan="on")
    loop.run_until_complete(Server(config).serve())


if __name__ == "__main__":
    main()
