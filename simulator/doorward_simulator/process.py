"""Starting the processes that live in the world, each with its end of a bus and a file for what it prints."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from .bus import Endpoint
from .runtimes import micropython

RUNTIMES = ("cpython", "micropython")


def firmware_command(
    program: Path | None = None, runtime: str = "cpython", heap_figures: Path | None = None
) -> list[str]:
    """The command of a unit's processor in one of RUNTIMES; `program` runs in place of the firmware (tests).

    `heap_figures`: a file for what MicroPython's heap holds. Raises RuntimeMissingError.
    """
    if runtime == "micropython":
        return micropython.command(program, heap_figures)
    command = [sys.executable, "-m", "doorward_simulator.runtimes.cpython"]
    return [*command, "--program", str(program)] if program else command


def spawn(command: list[str], console: Path, environment: dict[str, str] | None = None):
    """Start `command --bus FD`; returns (process, endpoint). What it prints is appended to `console`."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with console.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, "--bus", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
    theirs.close()
    return process, Endpoint(ours)
