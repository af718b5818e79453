"""Makes one backup beside a running server: copied, checked, packed, read again, only then given its name.

The copy is SQLite's own (its backup interface) inside one reading transaction: one moment's state, while the
writers go on. Until the last rename a backup has a name that nobody takes for one.
"""

import fcntl
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from doorward_server.backup import archive, removed
from doorward_server.backup.archive import DATABASE, BackupError, Manifest, Told
from doorward_server.backup.files import open_private, sync
from doorward_server.clock import from_milliseconds
from doorward_server.services import Services
from doorward_server.units import authority

_NAME = "doorward-%Y%m%dT%H%M%SZ.backup"
_NAMED = re.compile(r"doorward-\d{8}T\d{6}Z\.backup")
_LATEST = datetime.max.replace(tzinfo=UTC)
_MAKING = ".making-"
_ROOM = 2  # times the database's size: a copy, and that packed
_SPARE = 64 << 20  # bytes that are left for others
_PAGES = 4096  # copied between two words to whoever watches


def database_file(services: Services) -> Path | None:
    """The file of the database; None if it is not SQLite's, and has backups of its own."""
    url = services.engine.url
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def make(services: Services, folder: Path, told: Told = archive.silent) -> tuple[Path, Manifest]:
    """Make a backup in this folder, made if missing; returns where it is, checked and durable.

    Raises BackupError or OSError; what was there before stays untouched.
    """
    source = database_file(services)
    if source is None:
        raise BackupError("the database is not SQLite: back it up by its own tools, and the folder keys too")
    _make_private(folder)
    with _alone(folder), tempfile.TemporaryDirectory(prefix=_MAKING, dir=folder) as name:
        work = Path(name)
        _refuse_if_full(source, folder)
        now = services.clock.milliseconds()
        path = folder / from_milliseconds(now).strftime(_NAME)
        if path.exists():
            raise BackupError(f"{path} has just been made; wait a second")
        copy = work / DATABASE
        facts = {"made": now, "server": authority.server_key(services).kid.hex()}
        facts |= _copy_database(source, copy, told)
        sources = {DATABASE: copy}
        sources |= {
            f"keys/{key.name}": key for key in sorted(services.settings.keys.iterdir()) if _is_key(key)
        }
        packed = work / "packed"
        manifest = archive.write(packed, sources, facts, told)
        if archive.check(packed, told) != manifest:
            raise BackupError("the backup does not read as it was written; check the disk of its folder")
        packed.rename(path)
        sync(folder)
    with services.database.reading() as session:
        removed.write_all(session, folder)
    return path, manifest


def kept(folder: Path, until: datetime = _LATEST) -> list[Path]:
    """The backups in a folder, the oldest first; those after `until` were made by a clock that was ahead."""
    if not folder.is_dir():
        return []
    found = ((moment_of(path), path) for path in folder.iterdir())
    return [path for _, path in sorted((made, path) for made, path in found if made and made <= until)]


def moment_of(path: Path) -> datetime | None:
    """When a backup was made, as its name says, in UTC; None if that is not the name of a backup."""
    if not _NAMED.fullmatch(path.name):
        return None
    try:
        return datetime.strptime(path.name, _NAME).replace(tzinfo=UTC)
    except ValueError:  # no such day
        return None


def remove_old(folder: Path, keep: int, now: datetime) -> list[Path]:
    """Remove all backups until `now` but the newest `keep`; returns the removed ones."""
    old = kept(folder, now)[: -max(1, keep)]
    for path in old:
        path.unlink()
    return old


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BackupError(f"the folder {folder} cannot be made ({error.strerror}); choose another") from error


def _refuse_if_full(source: Path, folder: Path) -> None:
    """Raise BackupError if the backup might fill the disk: on the database's own, nothing could be stored."""
    files = (source, source.with_name(f"{source.name}-wal"))
    needed = _ROOM * sum(file.stat().st_size for file in files if file.exists()) + _SPARE
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BackupError(
            f"{folder} has {free >> 20} MiB free and {needed >> 20} MiB are needed; make room, or set "
            "DOORWARD_BACKUP_FOLDER to a folder on another disk"
        )


def _is_key(path: Path) -> bool:
    """Not what is left of a key that was being written."""
    return path.is_file() and not path.suffix


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One at a time in a folder; what a killed one has left behind goes first: it is a whole database."""
    with open_private(folder / ".lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BackupError(f"another backup is being made in {folder}; wait for its end") from None
        for left in folder.glob(f"{_MAKING}*"):
            shutil.rmtree(left)
        yield


def _copy_database(source: Path, copy: Path, told: Told) -> dict[str, object]:
    """Copy the database and check the copy; returns what its manifest says of it. Raises BackupError."""
    try:
        with closing(sqlite3.connect(copy)) as target:
            copy.chmod(0o600)
            _copy(source, target, told)
            return _facts(target)
    except sqlite3.DatabaseError as error:
        raise BackupError(
            f"the database is damaged or cannot be read ({error}); if that stays, stop the server and "
            "restore the last backup"
        ) from error


def _copy(source: Path, target: sqlite3.Connection, told: Told) -> None:
    """Copy what one moment's reader sees, and let SQLite look through the copy."""
    with closing(sqlite3.connect(f"file:{source}?mode=rw", uri=True, isolation_level=None)) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it sees one moment
        connection.backup(
            target,
            pages=_PAGES,
            progress=lambda _, left, total: told((total - left) * size, total * size),
            sleep=0,
        )
        connection.execute("ROLLBACK")
    target.execute("PRAGMA journal_mode=DELETE")  # one file, and nothing beside it
    found = target.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(found)


def _facts(database: sqlite3.Connection) -> dict[str, object]:
    schema = database.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    decisions = database.execute('SELECT coalesce(max("index") + 1, 0) FROM decision').fetchone()[0]
    return {"schema": schema, "decisions": decisions}
