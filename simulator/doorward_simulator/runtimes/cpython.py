"""A unit's processor as a CPython process: `python -m doorward_simulator.runtimes.cpython --bus FD_OR_PATH`.

In this order: the bus, MicroPython's names for CPython, the stubs of the chip's modules, the world's time
and randomness; then the firmware's own `main.run()`, exactly as `main.py` starts it on the device.
Cryptography comes from OpenSSL, randomness from the world. `--program FILE` runs another program in place
of the firmware.
"""

import argparse
import asyncio
import os
import random
import runpy
import socket
import sys
import time
from pathlib import Path

from . import compat, heap_figures, write_places
from .world_loop import WorldPolicy

STUBS = Path(__file__).with_name("stubs")


class SocketTransport:
    """Frames over the bus's socket; writes are gathered until an answer is needed."""

    def __init__(self, connection: socket.socket):
        self._socket = connection
        self._out = bytearray()
        self._in = connection.makefile("rb")

    def send(self, frame: bytes) -> None:
        self._out += len(frame).to_bytes(4, "big") + frame
        if len(self._out) > 1 << 16:
            self._flush()

    def receive(self) -> bytes:
        self._flush()
        try:
            header = self._in.read(4)
            frame = self._in.read(int.from_bytes(header, "big"))
        except ConnectionResetError:  # it was killed while something of ours was unread
            header = frame = b""
        if len(header) < 4 or not frame:
            os._exit(0)  # the world has ended; nothing here is worth saving
        return frame

    def _flush(self) -> None:
        try:
            self._socket.sendall(self._out)
        except (BrokenPipeError, ConnectionResetError):
            os._exit(0)
        self._out.clear()


def open_bus(where: str) -> socket.socket:
    """The bus by the number of an inherited descriptor, or by the path of a Unix socket."""
    if where.isdigit():
        return socket.socket(fileno=int(where))
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(where)
    return connection


def prepare(where: str):
    """Turn this process into a simulated board; returns its bus."""
    compat.install()
    sys.path.insert(0, str(STUBS))
    import simulated_bus  # pyright: ignore[reportMissingImports]
    import simulated_net  # pyright: ignore[reportMissingImports]

    bus = simulated_bus.connect(SocketTransport(open_bus(where)))
    asyncio.set_event_loop_policy(WorldPolicy(bus))
    asyncio.open_connection = simulated_net.open_connection
    os.urandom = lambda count: bus.call("random", "bytes", count)
    random.seed(os.urandom(16))
    time.time = lambda: bus.call("rtc", "seconds")
    time.sleep = _refuse_to_sleep
    if write_places.VARIABLE in os.environ:
        import esp32  # pyright: ignore[reportMissingImports]

        write_places.install(esp32.Partition, os.environ[write_places.VARIABLE])
    return bus


def _refuse_to_sleep(_seconds: float) -> None:
    raise RuntimeError("time.sleep stops the whole device: await asyncio.sleep_ms instead")


def main() -> None:
    parser = argparse.ArgumentParser(prog="doorward_simulator.runtimes.cpython")
    parser.add_argument(
        "--bus", required=True, help="number of an inherited descriptor, or path of a Unix socket"
    )
    parser.add_argument("--program", help="run this file in place of the firmware")
    parser.add_argument("--heap-figures", help="file for what the heap holds while idle")
    parser.add_argument("--heap-interval", type=int, default=0, help="ms between two of its lines, at least")
    arguments = parser.parse_args()
    bus = prepare(arguments.bus)
    if arguments.heap_figures:
        heap_figures.install(bus, Path(arguments.heap_figures), arguments.heap_interval)
    if arguments.program:
        runpy.run_path(arguments.program, run_name="__main__")
        return
    from doorward_firmware import main as firmware
    from doorward_protocol.suite_openssl import OpenSSLSuite

    firmware.run(suite=OpenSSLSuite(random=lambda count: bus.call("random", "bytes", count)))


if __name__ == "__main__":
    main()
