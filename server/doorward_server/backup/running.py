"""Who works on a data folder: servers and commands share it, a restore has it alone.

A lock of the operating system on a file: it ends with its process, however that ends.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

FILE = "lock"


class InUseError(Exception):
    """The data folder is in use; the text says by whom, and what to do."""


_RESTORING = "a restore of {} is under way; try again after its end"
_SERVING = "a server or another command works on {}; stop it first, or wait for its end"


def serving(data: Path) -> AbstractContextManager[None]:
    """While a server or a command works on this folder. Raises InUseError during a restore."""
    return _locked(data, fcntl.LOCK_SH, _RESTORING)


def replacing(data: Path) -> AbstractContextManager[None]:
    """While the folder's content is being replaced. Raises InUseError if anybody works on it."""
    return _locked(data, fcntl.LOCK_EX, _SERVING)


def finishing(data: Path) -> AbstractContextManager[None]:
    """While an interrupted restore is finished. Raises InUseError if it has not been interrupted at all."""
    return _locked(data, fcntl.LOCK_EX, _RESTORING)


def refuse_if_open(database: Path) -> None:
    """Raise InUseError if a program that is not ours has the database open. A damaged one passes."""
    if not database.is_file():
        return
    with suppress(sqlite3.DatabaseError), closing(_connected(database)) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            raise InUseError(f"another program works on {database}; wait for its end") from error
        connection.execute("ROLLBACK")


@contextmanager
def _locked(data: Path, kind: int, otherwise: str) -> Iterator[None]:
    descriptor = os.open(data / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except OSError:
            raise InUseError(otherwise.format(data)) from None
        yield
    finally:
        os.close(descriptor)


def _connected(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(database, timeout=0, isolation_level=None)
