"""Where reports are printed: a spool folder, or a queue of the machine's own print system.

A site's `printer` is "spool:FOLDER" (a PDF per report, for a print service that watches the folder) or
"lp:QUEUE".
"""

import os
import subprocess
from pathlib import Path

PRINT_SECONDS = 30


class PrintError(Exception):
    """The printer did not take the report. The text says why, and goes into the alarm."""


def send(printer: str, name: str, document: bytes) -> None:
    """Hand a PDF to a printer under a job name of letters, digits and dashes. Raises PrintError.

    The same name again replaces a spooled file, so that a repeated job prints once.
    """
    kind, _, target = printer.partition(":")
    if kind == "spool" and target:
        _spool(Path(target), f"{name}.pdf", document)
    elif kind == "lp" and target and not target.startswith("-"):
        _lp(target, name, document)
    else:
        raise PrintError(f"printer {printer!r} is neither spool:FOLDER nor lp:QUEUE; correct it at the site")


def _spool(folder: Path, name: str, document: bytes) -> None:
    """Write beside, then rename: a watching print service never sees half a file."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{name}.part"
        with part.open("wb") as file:
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / name)
    except OSError as error:
        raise PrintError(f"the spool folder does not take the report: {error.strerror}") from error


def _lp(queue: str, name: str, document: bytes) -> None:
    command = ["lp", "-d", queue, "-t", name, "-"]
    try:  # no shell, and the queue's name cannot be an option
        done = subprocess.run(  # noqa: S603
            command, input=document, capture_output=True, timeout=PRINT_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise PrintError("this machine has no `lp`; install its print system or use spool:FOLDER") from error
    except subprocess.TimeoutExpired as error:
        raise PrintError(f"the print queue {queue} did not answer in {PRINT_SECONDS} s") from error
    if done.returncode != 0:
        raise PrintError(
            f"the print queue {queue} refused: {done.stderr.decode(errors='replace').strip()[:200]}"
        )
