"""The network between units, desks and the server, at the level of byte streams.

Every party has a `Cable` with a latency, a plug and taps for faults. A connection is a real socket to the
server (a Unix socket in virtual time, TCP in real time) whose bytes travel through the cable in world time.
As with TCP, an unplugged or cut cable stops bytes and does not lose them: they follow when it carries
again, unless one end has given up. In virtual time the server is a participant: it is told "look at your
sockets" in its own turn, and what it sent is collected when it has gone idle.
"""

import errno
import socket
from collections.abc import Callable
from typing import Protocol

from .faults import Tap
from .world import World

Dial = Callable[[], socket.socket]


class Sink(Protocol):
    """Who owns a connection's near end."""

    def opened(self, connection: "Connection", /) -> None: ...

    def refused(self, connection: "Connection", number: int, /) -> None: ...

    def received(self, connection: "Connection", data: bytes, /) -> None: ...

    def closed(self, connection: "Connection", /) -> None: ...


class Cable:
    """One party's way into the network. `latency` in ms, each way."""

    def __init__(self, world: World, name: str, latency: int = 20):
        corner = world.corner(f"cable {name}")
        self.name, self.latency = name, latency
        self.plugged = True
        self.up, self.down = Tap(corner, f"{name} up"), Tap(corner, f"{name} down")
        self.connections: list[Connection] = []

    @property
    def passes(self) -> bool:
        """Bytes get through; a `cut` tap stops them too, without the link being seen as down."""
        return self.plugged and not self.up.cut and not self.down.cut

    def plug(self, on: bool) -> None:
        """Plug or unplug; both ends of the link notice."""
        self.plugged = on
        self._resume()

    def clear(self) -> None:
        """No faults any more."""
        self.up.clear()
        self.down.clear()
        self._resume()

    def _resume(self) -> None:
        if self.passes:
            for connection in list(self.connections):
                connection.resume()

    def reset(self) -> None:
        """Drop every connection, as a restarted router does: both ends learn it."""
        for connection in list(self.connections):
            connection.abort()


class Network:
    """Names of servers and how to reach them; all connections."""

    def __init__(self, world: World):
        self.world = world
        self.changed: Callable[[], None] = lambda: None  # set by the server's participant
        self._servers: dict[tuple[str, int], Dial] = {}
        self._count = 0
        self._unread: set[Connection] = set()
        world.after_network = self.flush

    def add_server(self, host: str, port: int, dial: Dial) -> None:
        """Make `host:port` reachable; `dial` gives a connected socket or raises OSError."""
        self._servers[host, port] = dial

    def connect(self, cable: Cable, host: str, port: int, sink: Sink) -> "Connection":
        """Begin a connection; the sink hears `opened` or `refused` (errno) after the way there and back."""
        self._count += 1
        connection = Connection(self, cable, self._count, sink)
        if not cable.plugged:
            self.world.call_later(0, lambda: connection.fail(errno.EHOSTUNREACH))
        elif not (cable.up.cut or cable.down.cut):  # else: silence, as behind a dead router
            dial = self._servers.get((host, port))
            self.world.call_later(2 * cable.latency, lambda: connection.dial(dial))
        return connection

    def drain(self) -> None:
        """Read whatever the server has sent by now, then deliver it."""
        while ready := self.world.selector.select(0):
            for key, _ in ready:
                key.data()
        self.flush()

    def unread(self, connection: "Connection") -> None:
        self._unread.add(connection)

    def flush(self) -> None:
        """Start the journey of bytes that were read, in the order of the connections' numbers."""
        for connection in sorted(self._unread, key=lambda c: c.number):
            connection.flush()
        self._unread.clear()


class Connection:
    """One byte stream: `send` and `close` from the near end, the sink hears the far end."""

    def __init__(self, network: Network, cable: Cable, number: int, sink: Sink):
        self.network, self.cable, self.number, self.sink = network, cable, number, sink
        self._world = network.world
        self._socket: socket.socket | None = None
        self._out: list[bytes] = []  # waiting for the plug or for room in the socket; b"" is the end
        self._in = bytearray()
        self._held: list[bytes] = []  # came while unplugged
        self._far_end = self._done = False
        cable.connections.append(self)

    def send(self, data: bytes) -> None:
        """Bytes for the server, or b"" to close."""
        if not self._done:
            self._world.call_later(self.cable.latency, lambda: self._travel(data))

    def close(self) -> None:
        self.send(b"")

    def abort(self) -> None:
        """End it now, at both ends."""
        self._finish()
        self.sink.closed(self)

    def vanish(self) -> None:
        """The near end is gone without a word (power cut): the far end sees the connection end."""
        self._finish()

    def dial(self, dial: Dial | None) -> None:
        if self._done:
            return
        try:
            if dial is None:
                raise ConnectionRefusedError(errno.ECONNREFUSED, "nobody listens there")
            self._socket = dial()
        except OSError as error:
            self.fail(error.errno or errno.ECONNREFUSED)
            return
        self._socket.setblocking(False)
        self._world.selector.register(self._socket, 1, self._readable)
        self.network.changed()
        self.sink.opened(self)

    def fail(self, number: int) -> None:
        if not self._done:
            self._finish()
            self.sink.refused(self, number)

    def resume(self) -> None:
        """The plug is in again: what waited travels on."""
        self._pump()
        held, self._held = self._held, []
        for data in held:
            self._deliver(data)

    def flush(self) -> None:
        data, self._in = bytes(self._in), bytearray()
        if data:
            self._world.call_later(self.cable.latency, lambda: self._return(data))
        if self._far_end:
            self._far_end = False
            self._world.call_later(self.cable.latency, lambda: self._deliver(b""))

    def _travel(self, data: bytes) -> None:
        if self.cable.up.cut:
            self._arrive(data)
        else:
            self.cable.up.carry(data, self._arrive)

    def _arrive(self, data: bytes) -> None:
        self._out.append(data)
        self._pump()

    def _pump(self) -> None:
        while self._out and self._socket is not None and self.cable.passes:
            data = self._out[0]
            if not data:
                self._finish()
                return
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                self._world.call_later(1, self._pump)
                break
            except OSError:
                self._out.clear()  # the far end is gone; its end of file is on the way
                return
            self._out[0] = data[sent:]
            if not self._out[0]:
                self._out.pop(0)
            self.network.changed()

    def _readable(self) -> None:
        assert self._socket is not None  # only an open socket is in the selector
        try:
            data = self._socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._in += data
        else:
            self._world.selector.unregister(self._socket)
            self._far_end = True
        self.network.unread(self)

    def _return(self, data: bytes) -> None:
        if self.cable.down.cut:
            self._deliver(data)
        else:
            self.cable.down.carry(data, self._deliver)

    def _deliver(self, data: bytes) -> None:
        if self._done:
            return
        if not self.cable.passes:
            self._held.append(data)
        elif data:
            self.sink.received(self, data)
        else:
            self._finish()
            self.sink.closed(self)

    def _finish(self) -> None:
        if self._done:
            return
        self._done = True
        self.cable.connections.remove(self)
        if self._socket is not None:
            if self._socket in self._world.selector.get_map():
                self._world.selector.unregister(self._socket)
            self._socket.close()
            self.network.changed()
