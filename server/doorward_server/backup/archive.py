"""One backup is one file: a zip with the database, the keys and a manifest that names the hash of each.

Any tool can look into it; only `check` and `unpack` are to be believed about it. Everything in the file comes
from outside: names are those of the list below, sizes are what the manifest promises, hashes decide.
"""

import hashlib
import json
import os
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from doorward_server import zips
from doorward_server.backup.files import open_private
from doorward_server.clock import from_milliseconds

FORMAT = "doorward-backup"
VERSION = 1
DATABASE = "doorward.sqlite"
MANIFEST = "manifest.json"
_MOST_MANIFEST = 1 << 20
_PIECE = 1 << 20
_NAMES = re.compile(rf"{re.escape(DATABASE)}|keys/[a-z]{{1,40}}")
_REQUIRED = {DATABASE, "keys/master", "keys/server", "keys/dispatch", "keys/journal"}

# The manifest's words that are shown to people.
_WORD = re.compile("[0-9a-z_]{1,64}")

# told(done, total): bytes that have been worked through.
Told = Callable[[int, int], None]


class BackupError(Exception):
    """A backup that cannot be made, or must not be used; the text says what to do."""


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself.

    `made` is the moment whose state it holds (ms since 1970 UTC), `schema` its newest migration, `server` the
    kid of the server's key, `decisions` the size of the journal of decisions, `files` size and SHA-256.
    """

    made: int
    schema: str
    server: str
    decisions: int
    files: dict[str, tuple[int, str]]

    @property
    def moment(self) -> datetime:
        """When it was made, in UTC."""
        return from_milliseconds(self.made)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for size, _ in self.files.values())


def silent(_done: int, _total: int) -> None:
    """For whoever has nobody to tell."""


def write(path: Path, sources: dict[str, Path], facts: dict[str, object], told: Told = silent) -> Manifest:
    """Pack these files (by their names in the backup) and their manifest into a new file, durable on return.

    `facts`: the manifest's other fields.
    """
    total = sum(source.stat().st_size for source in sources.values())
    files: dict[str, tuple[int, str]] = {}
    done = 0
    with open_private(path, "xb") as raw:
        with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            for name, source in sources.items():
                digest, size = hashlib.sha256(), 0
                with source.open("rb") as file, packed.open(_entry(name), "w", force_zip64=True) as entry:
                    while piece := file.read(_PIECE):
                        entry.write(piece)
                        digest.update(piece)
                        size += len(piece)
                        told(done + size, total)
                files[name] = size, digest.hexdigest()
                done += size
            manifest = Manifest(files=files, **facts)  # pyright: ignore[reportArgumentType]
            said = {"format": FORMAT, "version": VERSION, **asdict(manifest)}
            packed.writestr(_entry(MANIFEST), json.dumps(said, indent=1))
        raw.flush()
        os.fsync(raw.fileno())
    return manifest


def read_manifest(path: Path) -> Manifest:
    """What a backup says of itself, not yet held against its content. Raises BackupError."""
    with _opened(path) as packed:
        return _manifest(path, packed)


def check(path: Path, told: Told = silent) -> Manifest:
    """Hold every file in a backup against the manifest. Raises BackupError."""
    return _read(path, None, told)


def unpack(path: Path, folder: Path, told: Told = silent) -> Manifest:
    """Check a backup while writing its files into an empty folder, durable on return. Raises BackupError."""
    return _read(path, folder, told)


def check_database(path: Path, database: Path) -> None:
    """Let SQLite look through the whole database of a backup. Raises BackupError."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise _damaged(path, f"its database: {found}")


def _read(path: Path, folder: Path | None, told: Told) -> Manifest:
    with _opened(path) as packed:
        manifest = _manifest(path, packed)
        if set(packed.namelist()) != {MANIFEST, *manifest.files} or len(packed.namelist()) != len(
            set(packed.namelist())
        ):
            raise _damaged(path, "its files are not those of its manifest")
        done = 0
        for name, (size, expected) in manifest.files.items():
            target = None if folder is None else folder / name
            digest = hashlib.sha256()
            for piece in _pieces(packed, name, size, target):
                digest.update(piece)
                done += len(piece)
                told(done, manifest.size)
            if digest.hexdigest() != expected:
                raise _damaged(path, f"{name} is not what its manifest says")
    return manifest


def _pieces(packed: zipfile.ZipFile, name: str, size: int, target: Path | None) -> Iterator[bytes]:
    """A file's content, at most `size` bytes and one more piece, and written to `target` on the way."""
    with packed.open(name) as entry:
        if target is None:
            yield from _at_most(entry, size)
            return
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with open_private(target, "xb") as file:
            for piece in _at_most(entry, size):
                file.write(piece)
                yield piece
            file.flush()
            os.fsync(file.fileno())


def _at_most(entry: IO[bytes], size: int) -> Iterator[bytes]:
    read = 0
    while read <= size and (piece := entry.read(_PIECE)):
        read += len(piece)
        yield piece


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zips.opened(path) as packed:
            yield packed
    except OSError as error:
        raise BackupError(f"{path} cannot be read ({error.strerror or error})") from error
    except zips.DamagedZipError as error:
        raise _damaged(path, str(error)) from error


def _manifest(path: Path, packed: zipfile.ZipFile) -> Manifest:
    try:
        entry = packed.getinfo(MANIFEST)
        said = json.loads(packed.read(entry)) if entry.file_size <= _MOST_MANIFEST else None
    except (KeyError, ValueError):
        said = None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise BackupError(f"{path} is no backup of Doorward; choose a file that `doorward backup` made")
    if said.get("version") != VERSION:
        raise BackupError(f"{path} was made by a newer Doorward; restore it with that version or a later one")
    try:
        files = {str(name): (int(size), str(digest)) for name, (size, digest) in said["files"].items()}
        manifest = Manifest(
            int(said["made"]), str(said["schema"]), str(said["server"]), int(said["decisions"]), files
        )
        _ = manifest.moment
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        raise _damaged(path, "its manifest makes no sense") from error
    if not all(_WORD.fullmatch(word) for word in (manifest.schema, manifest.server)):
        raise _damaged(path, "its manifest makes no sense")
    if not _REQUIRED.issubset(files) or not all(_NAMES.fullmatch(name) for name in files):
        raise _damaged(path, "its manifest does not name what a server needs")
    return manifest


def _damaged(path: Path, why: str) -> BackupError:
    return BackupError(f"{path} is damaged ({why}); take another backup, such as the one before")


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry
