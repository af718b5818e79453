"""Files that are for the server's own user alone, and durable when they have to be."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any


def open_private(path: Path, mode: str) -> IO[Any]:
    """Open a file; one that is new is for this user alone."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))


def write_durably(path: Path, lines: Iterable[str], mode: str = "w") -> None:
    """Write lines to a private file; durable on return. A new name in its folder is not: see `sync`."""
    with open_private(path, mode) as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Make what was created, renamed or removed in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
