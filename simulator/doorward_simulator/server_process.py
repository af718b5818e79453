"""The server in virtual time: a process on the bus that listens on a Unix socket.

The simulator does not know the server: it is given a command, starts it with `--bus FD --socket PATH`, and
lets the network dial that socket. `runtimes/server_loop.py` is the other end.
"""

import selectors
import socket
from pathlib import Path
from typing import Any

from .network import Network
from .participant import Participant, RefusedCall
from .process import spawn
from .world import World


class ServerParticipant(Participant):
    """A participant whose sockets are emptied while it runs, so that it never waits for room to send."""

    def __init__(self, name: str, endpoint, host, process, console: Path, world: World, network: Network):
        super().__init__(name, endpoint, host, process, console)
        self._selector, self._network = world.selector, network

    def run(self, cause: list | None) -> None:
        super().run(cause)
        self._network.drain()

    def receive(self) -> list:
        message = self.endpoint.poll()
        while message is None:
            self._selector.register(self.endpoint.socket, selectors.EVENT_READ, self.endpoint.receive_some)
            try:
                ready = self._selector.select(self.endpoint.socket.gettimeout())
            finally:
                self._selector.unregister(self.endpoint.socket)
            for key, _ in ready:
                key.data()
            message = self.endpoint.poll() if ready else self.endpoint.receive()
        return message


class ServerProcess:
    """Starts the command and makes it reachable as `host:port`."""

    def __init__(
        self, world: World, network: Network, command: list[str], folder: Path, host: str, port: int
    ):
        self._world, self._network = world, network
        self._path = Path(folder) / "server.sock"
        self._random = world.randomness("server")
        console = Path(folder) / "server.txt"
        process, endpoint = spawn([*command, "--socket", str(self._path)], console)
        self.participant = ServerParticipant("server", endpoint, self, process, console, world, network)
        self._woken_at = (-1, -1)
        network.changed = self._wake
        network.add_server(host, port, self._dial)
        world.join(self.participant)

    def call(self, target: str, method: str, arguments: list) -> Any:
        if (target, method, arguments) == ("system", "now", []):
            return self._world.now()
        if (target, method, arguments) == ("system", "epoch", []):
            return self._world.clock.epoch
        if (target, method) == ("random", "bytes") and len(arguments) == 1 and isinstance(arguments[0], int):
            return self._random.randbytes(min(arguments[0], 1 << 16))
        raise RefusedCall(f"{target} has no {method}")

    def write(self, channel: str, _data: bytes) -> None:
        raise RefusedCall(f"nothing is connected to {channel}")

    def _wake(self) -> None:
        """Let the server look at its sockets; once for all that changes in one moment before its turn."""
        mark = (self._world.now(), self.participant.causes)
        if mark != self._woken_at:
            self._woken_at = mark
            self._world.post(self.participant, "net", b"")

    def _dial(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        return connection
