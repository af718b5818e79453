"""A server beside a command lives as long as the command, however that ends."""

import signal
import socket
import subprocess
import sys
import time

import pytest
from doorward_tools import day

CALLER = """
import sys, time
from pathlib import Path
from doorward_tools.server_process import serving
with serving(Path(sys.argv[1]), int(sys.argv[2])):
    print("up", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("ends", [signal.SIGKILL, signal.SIGINT])
def test_no_server_is_left_behind(tmp_path, ends):
    with socket.socket() as free:
        free.bind((day.HOST, 0))
        port = free.getsockname()[1]
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, str(tmp_path / "data"), str(port)], stdout=subprocess.PIPE
    )
    assert caller.stdout is not None
    assert caller.stdout.readline() == b"up\n"
    assert day.listens(port)
    caller.send_signal(ends)
    caller.wait(10)
    caller.stdout.close()
    until = time.monotonic() + 15
    while day.listens(port):
        assert time.monotonic() < until, "the server goes on without its caller"
        time.sleep(0.1)
