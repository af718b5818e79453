"""Starting the processes that live in the world, each with its end of a bus and a file for what it prints."""

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from . import fork_server
from .bus import Endpoint
from .runtimes import micropython

HEAP_FIGURES = "heap.jsonl"


@dataclass(frozen=True)
class Runtime:
    """The interpreter of a unit's processor: "cpython" or "micropython".

    `heap_figures`: it writes what its heap holds to HEAP_FIGURES in the unit's folder, a line for each idle
    (processor.mjs: bytes; heap_figures.py: objects), but at most one in `heap_interval` ms of
    world time. `release`: the firmware is compiled as for a release; tracebacks lose lines.
    """

    name: Literal["cpython", "micropython"] = "cpython"
    heap_figures: bool = False
    heap_interval: int = 0
    release: bool = False


CPYTHON = Runtime()


def firmware_command(program: Path | None, runtime: Runtime, folder: Path) -> list[str]:
    """The command of a unit's processor; `program` runs in place of the firmware (tests), `folder` is the
    unit's. Raises RuntimeMissingError."""
    figures: list[str] = []
    if runtime.heap_figures:
        figures = [
            "--heap-figures",
            str(folder / HEAP_FIGURES),
            "--heap-interval",
            str(runtime.heap_interval),
        ]
    if runtime.name == "micropython":
        return micropython.command(program, runtime.release) + figures
    command = [sys.executable, "-m", "doorward_simulator.runtimes.cpython", *figures]
    return [*command, "--program", str(program)] if program else command


def spawn(command: list[str], console: Path, environment: dict[str, str] | None = None):
    """Start `command --bus FD`; returns (process, endpoint). What it prints is appended to `console`.

    A module of this interpreter (`-m NAME`) is forked from its fork server, where that is possible.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    whole = {**os.environ, **(environment or {})}
    with theirs, console.open("ab") as log:
        if fork_server.POSSIBLE and command[:2] == [sys.executable, "-m"]:
            process = fork_server.of(command[2]).start(command[3:], theirs.fileno(), log.fileno(), whole)
        else:
            process = subprocess.Popen(  # noqa: S603 - our own command
                [*command, "--bus", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=whole,
            )
    return process, Endpoint(ours)
