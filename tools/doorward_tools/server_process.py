"""`doorward serve` in a process of its own, for commands that need a server beside them."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doorward_tools import day

START_SECONDS = 60
STOP_SECONDS = 10
_PR_SET_PDEATHSIG = 1


class ServerProcess:
    """The running process, as the kernel sees it (proc(5))."""

    def __init__(self, pid: int) -> None:
        self._folder = Path("/proc") / str(pid)

    def cpu_seconds(self) -> float:
        """Processor time of all its threads so far, user and system."""
        fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_rss_bytes(self) -> int:
        """The most memory it has had resident."""
        for line in (self._folder / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise day.DayError("this system does not say how much memory a process has; Linux does")


@contextmanager
def serving(data: Path, port: int) -> Iterator[ServerProcess]:
    """Start the server, wait until it answers, and end it with the block. Raises DayError."""
    arguments = [
        sys.executable,
        "-m",
        "doorward_tools.main",
        "serve",
        "--data",
        str(data),
        "--host",
        day.HOST,
        "--port",
        str(port),
    ]
    process = subprocess.Popen(  # noqa: S603
        arguments,
        start_new_session=True,  # Ctrl-C is for us to pass on
        preexec_fn=_end_with_caller if sys.platform == "linux" else None,
        stdout=subprocess.DEVNULL,  # the address is for us to tell
    )

    def check() -> None:
        if process.poll() is not None:
            raise day.DayError("the server ended while starting; its message is above")

    try:
        day.wait_for_server(port, START_SECONDS, check)
        yield ServerProcess(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _end_with_caller() -> None:
    """However the caller ends, the server ends too, or it would hold port and data (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
