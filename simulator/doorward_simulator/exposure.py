"""Emulated serial parts on a pseudo-terminal or a TCP port, in real time: for other people's drivers.

A *pseudo-terminal* is opened by its path as any serial port is, and knows the baud rate that the driver set:
at a wrong one the part hears framing errors, as in life. A *TCP port* carries the bytes alone (pyserial
opens it as `socket://HOST:PORT`); it has one plug, so a second connection is refused while the first lasts.

What a driver does not fetch waits in a buffer of bounded size, and is lost beyond it, as at a UART.
"""

import contextlib
import os
import socket
import termios
import tty
from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE

from .clock import RealClock
from .devices.device import SerialDevice
from .world import World

CHUNK = 4096
BACKLOG = 1 << 16  # bytes that wait for a driver
BAUDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (9600, 19200, 38400, 57600, 115_200, 230_400, 460_800, 921_600)
    if hasattr(termios, f"B{baud}")
}

Receive = Callable[
    [bytes, int | None], None
]  # bytes from the driver, and at which baud rate if that is known


class Wire:
    """One file descriptor, read and written without ever blocking the world."""

    def __init__(
        self, world: World, descriptor: int, read: Callable[[bytes], None], gone: Callable[[], None]
    ):
        """`gone` is called once, when the other side hangs up."""
        self._selector, self._descriptor = world.selector, descriptor
        self._read, self._gone = read, gone
        self._backlog = bytearray()
        self._selector.register(descriptor, EVENT_READ, self._ready)
        os.set_blocking(descriptor, False)

    def write(self, data: bytes) -> None:
        """Send; what the other side does not take waits, up to BACKLOG bytes."""
        self._backlog += data[: BACKLOG - len(self._backlog)]
        self._flush()

    def close(self) -> None:
        """Look at it no longer; the descriptor stays its owner's."""
        self._selector.unregister(self._descriptor)

    def _ready(self) -> None:
        self._flush()
        try:
            data = os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            return
        except OSError:  # hung up, or reset by the peer
            data = b""
        if data:
            self._read(data)
        else:
            self._gone()

    def _flush(self) -> None:
        with contextlib.suppress(OSError):  # full: wait until it is writable; hung up: reading will tell
            while self._backlog:
                del self._backlog[: os.write(self._descriptor, self._backlog[:CHUNK])]
        wanted = EVENT_READ | EVENT_WRITE if self._backlog else EVENT_READ
        if self._selector.get_key(self._descriptor).events != wanted:
            self._selector.modify(self._descriptor, wanted, self._ready)


class PseudoTerminal:
    """A serial port that this process makes; `address` is the path to open."""

    def __init__(self, world: World, receive: Receive):
        self._receive = receive
        self._master, self._slave = os.openpty()  # ours stays open, so that drivers may come and go
        tty.setraw(self._slave)
        self.address = os.ttyname(self._slave)
        self._wire = Wire(world, self._master, self._read, lambda: None)
        self.write = self._wire.write

    def _read(self, data: bytes) -> None:
        speed = termios.tcgetattr(self._slave)[5]
        self._receive(data, BAUDS.get(speed))

    def close(self) -> None:
        self._wire.close()
        os.close(self._master)
        os.close(self._slave)


class TcpPort:
    """A port on this machine alone; `address` is what pyserial opens."""

    def __init__(self, world: World, receive: Receive, port: int = 0):
        """`port` 0 takes any that is free. OSError if the port is in use."""
        self._world, self._receive = world, receive
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.setblocking(False)
        self._peer: socket.socket | None = None
        self._wire: Wire | None = None
        self.address = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        world.selector.register(self._listener, EVENT_READ, self._accept)

    def write(self, data: bytes) -> None:
        """Send to whoever is connected; nobody: lost, as on a wire without an end."""
        if self._wire is not None:
            self._wire.write(data)

    def close(self) -> None:
        self._hang_up()
        self._world.selector.unregister(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except OSError:  # it went away again
            return
        if self._peer is not None:
            peer.close()
            return
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peer = peer
        self._wire = Wire(self._world, peer.fileno(), lambda data: self._receive(data, None), self._hang_up)

    def _hang_up(self) -> None:
        if self._wire is not None and self._peer is not None:
            self._wire.close()
            self._peer.close()
        self._wire = self._peer = None


class Exposure:
    """One powered part in a world of its own, which follows the PC's clock, and its port to the outside.

    `tell` hears the part's bytes and the driver's: (True for the driver's, the bytes).
    """

    def __init__(self, make: Callable[..., SerialDevice], seed: int, tell: Callable[[bool, bytes], None]):
        """`make` gets the scheduler."""
        self.world = World(RealClock(0), seed)
        self.device = make(self.world.corner("device"))
        self._tell = tell
        self._port: PseudoTerminal | TcpPort | None = None
        self.device.send = self._send

    def on_terminal(self) -> str:
        """Make a pseudo-terminal; returns its path."""
        self._port = PseudoTerminal(self.world, self._heard)
        return self._port.address

    def on_tcp(self, port: int) -> str:
        """Listen on a port of this machine; returns the address. OSError if it is in use."""
        self._port = TcpPort(self.world, self._heard, port)
        return self._port.address

    def listen(self, descriptor: int, read: Callable[[bytes], None], gone: Callable[[], None]) -> Wire:
        """Take bytes from a further descriptor (a person's commands) in the world's own turn.

        PermissionError if the system cannot wait for it, as for a file.
        """
        return Wire(self.world, descriptor, read, gone)

    def run(self, going: Callable[[], bool]) -> None:
        """Power the part and let time pass while `going()`, which is asked after every event."""
        self.world.clock.catch_up()
        self.device.power(True)
        while going():
            self.world.step()

    def close(self) -> None:
        """Free the port; a driver that has it open sees the line hang up."""
        if self._port is not None:
            self._port.close()
        self.world.close()

    def _heard(self, data: bytes, baud: int | None) -> None:
        self._tell(True, data)
        self.device.receive(data, baud)

    def _send(self, data: bytes) -> None:
        if self._port is not None:
            self._port.write(data)
        self._tell(False, data)  # afterwards: who is told that the part is ready may count on its being so
