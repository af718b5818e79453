"""A process ends with its world, whatever the world was killed at."""

import os
import socket
import threading

import pytest
from doorward_simulator.runtimes.cpython import SocketTransport


@pytest.mark.parametrize("read", [1, 4 + len(b"idle")], ids=["killed while it was read", "killed afterwards"])
def test_a_world_that_is_killed_ends_its_processes(monkeypatch, read):
    """Whatever it was killed at: an exception would leave the server waiting for its threads for ever."""

    def end(code):
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", end)
    ours, world = socket.socketpair()
    killed = threading.Thread(target=lambda: (world.recv(read), world.close()))
    killed.start()
    transport = SocketTransport(ours)
    transport.send(b"idle")
    with ours, pytest.raises(SystemExit):
        transport.receive()
    killed.join()
