"""Processes that begin with their imports done: a fork server has imported the program once for all of them.

A day starts its server and its units again and again, and each would first spend most of its processor time
on importing the same modules. `python -m doorward_simulator.fork_server MODULE` imports MODULE once, calls
its `warm_up()` if it has one, and waits on its standard input, a socket. For every request it forks; the
child gets its console, environment, folder and bus, and calls the module's `main()` as the interpreter would.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

LONGEST_REQUEST = 1 << 18  # bytes: mostly the environment
POSSIBLE = hasattr(os, "pidfd_open")  # Linux; elsewhere every process is started in full


class ForkServerError(Exception):
    """The fork server has ended; what it wrote before says why."""


class Forked:
    """A process that a fork server has made: what `subprocess.Popen` offers to a participant."""

    def __init__(self, pid: int):
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    def kill(self) -> None:
        """End it with SIGKILL; nothing happens if it has ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)

    def wait(self) -> None:
        """Return when it has ended."""
        select.select([self._descriptor], [], [])

    def __del__(self) -> None:
        os.close(self._descriptor)


class ForkServer:
    """A running fork server of one module; it ends with this process."""

    def __init__(self, module: str):
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "doorward_simulator.fork_server", module]
            self._process = subprocess.Popen(command, stdin=theirs.fileno())  # noqa: S603 - our own command
        self._lock = threading.Lock()

    def start(self, arguments: list[str], bus: int, console: int, environment: dict[str, str]) -> Forked:
        """Fork the program: `arguments --bus FD`, and its output to `console`. Raises ForkServerError."""
        request = {"arguments": arguments, "environment": environment, "folder": str(Path.cwd())}
        with self._lock:
            try:
                socket.send_fds(self._socket, [json.dumps(request).encode()], [bus, console])
                answer = self._socket.recv(16)
            except OSError as error:
                raise ForkServerError("the fork server cannot be reached") from error
            if not answer:
                raise ForkServerError("the fork server has ended")
            return Forked(int(answer))


_servers: dict[tuple[int, str], ForkServer] = {}
_lock = threading.Lock()


def of(module: str) -> ForkServer:
    """This process's fork server of a module; the first call starts it."""
    with _lock:
        known = (os.getpid(), module)  # a copy of this process must not speak in between
        if known not in _servers:
            _servers[known] = ForkServer(module)
        return _servers[known]


def _serve() -> dict:
    """Fork for every request until there are no more. Returns in the children only, with the request."""
    with socket.socket(fileno=os.dup(0)) as requests:
        while True:
            data, descriptors, _, _ = socket.recv_fds(requests, LONGEST_REQUEST, 2)
            if not data:
                os._exit(0)
            _forget_the_dead()
            if not (pid := os.fork()):
                break
            for descriptor in descriptors:
                os.close(descriptor)
            requests.send(str(pid).encode())
    request = json.loads(data)
    bus, console = descriptors
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (console, 1), (console, 2)):
        os.dup2(source, target)
    for descriptor in (nothing, console):
        os.close(descriptor)
    return {**request, "bus": bus}


def _forget_the_dead() -> None:
    """Those that were told of have been noticed by now: their numbers may be given to others."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the world ends it, in the middle of its imports too
    module = importlib.import_module(sys.argv[1])
    if hasattr(module, "warm_up"):
        module.warm_up()
    gc.freeze()  # else a collection would copy all of it into every child
    request = _serve()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)  # type: ignore[union-attr] - one that is killed flushes nothing
    sys.argv = [str(module.__file__), *request["arguments"], "--bus", str(request["bus"])]
    module.main()


if __name__ == "__main__":
    main()
