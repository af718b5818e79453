"""Restores a backup: unpacked and made ready beside the present data, and put in its place in one step.

    check → unpack into a folder of its own → upgrade the schema → settle (see there) → swap (see there)

Until the swap begins the present data is untouched, and afterwards it lies whole in a folder beside.
"""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from alembic.script import ScriptDirectory

from doorward_server.app import open_services
from doorward_server.backup import archive, numbers, removed, running, swap
from doorward_server.backup.archive import DATABASE, BackupError, Manifest, Told
from doorward_server.backup.settle import Settled, settle
from doorward_server.clock import SystemClock
from doorward_server.database import migration_config
from doorward_server.security.keys import KID_BYTES
from doorward_server.services import Clock
from doorward_server.settings import Settings

# Units keep what has a receipt for so long at least: what is older they may not be able to give again.
UNITS_KEEP = timedelta(days=7)
_ASIDE = "before-restore-%Y%m%dT%H%M%SZ"
_ROOM = 2  # times the files' size: unpacked, and some for the upgrade and its log


class Restored(NamedTuple):
    """What a restore did. `aside`: where the data lies that was there before; None if there was none.

    `list_found`: whether anything was found that knows who has been removed since the backup.
    """

    manifest: Manifest
    aside: Path | None
    settled: Settled
    list_found: bool


def judge(settings: Settings, path: Path) -> Manifest:
    """Whether this backup can be restored here, as far as its manifest says. Raises BackupError."""
    if settings.database_url:
        raise BackupError(
            "DOORWARD_DATABASE_URL is set: restore that database by its own tools, and the folder keys too"
        )
    manifest = archive.read_manifest(path)
    if manifest.schema not in _known_schemas(settings):
        raise BackupError(
            f"{path} was made by a newer Doorward (schema {manifest.schema}); restore it with that version"
        )
    here = settings.keys / "server"
    if here.is_file() and here.read_bytes()[:KID_BYTES].hex() != manifest.server:
        raise BackupError(
            f"{path} is the backup of another server; to restore that one, name an empty folder by --data"
        )
    return manifest


def restore(
    settings: Settings, path: Path, clock: Clock | None = None, told: Told = archive.silent
) -> Restored:
    """Put a backup in the place of the present data. Raises BackupError, running.InUseError or OSError.

    Whatever it raises, and wherever it is interrupted, the present data is there: in its place, or whole in
    the folder beside.
    """
    clock = clock or SystemClock()
    data = settings.data
    judge(settings, path)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with running.replacing(data):
        running.refuse_if_open(data / DATABASE)
        swap.finish_alone(data)
        staging = data / swap.STAGING
        shutil.rmtree(staging, ignore_errors=True)
        try:
            staging.mkdir(mode=0o700)
            manifest = _unpack(path, staging, told)
            found = _removals(settings, path)
            settled = _make_ready(settings, staging, manifest, found, clock)
            had_data = (data / DATABASE).exists() or settings.keys.exists()
            aside = data / clock.now().strftime(_ASIDE)
            if aside.exists():
                raise BackupError(f"{aside} has just been made by another restore; wait a second")
            swap.swap(data, staging, aside.name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return Restored(manifest, aside if had_data else None, settled, found is not None)


def _known_schemas(settings: Settings) -> set[str]:
    script = ScriptDirectory.from_config(migration_config(settings.database))
    return {revision.revision for revision in script.walk_revisions()}


def _unpack(path: Path, staging: Path, told: Told) -> Manifest:
    needed = archive.read_manifest(path).size * _ROOM
    free = shutil.disk_usage(staging).free
    if free < needed:
        raise BackupError(
            f"{staging.parent} has {free >> 20} MiB free and {needed >> 20} MiB are needed; make room first"
        )
    manifest = archive.unpack(path, staging, told)
    archive.check_database(path, staging / DATABASE)
    return manifest


def _removals(settings: Settings, path: Path) -> list[removed.Removal] | None:
    """Who has been removed, from all that knows it; None if nothing does."""
    folders = {path.parent.resolve(), settings.backups.resolve()}
    found = [removed.read(folder) for folder in folders] + [removed.read_database(settings.data / DATABASE)]
    lists = [one for one in found if one is not None]
    return [removal for one in lists for removal in one] if lists else None


def _make_ready(
    settings: Settings,
    staging: Path,
    manifest: Manifest,
    removals: list[removed.Removal] | None,
    clock: Clock,
) -> Settled:
    """Open the unpacked data as a server would, upgrade it, and set right what time has made wrong."""
    present = numbers.last_numbers(settings.data / DATABASE)
    here = settings.model_copy(update={"data": staging, "backup_folder": settings.backups})
    services = open_services(here, clock)
    try:
        with services.database.writing() as session:
            return settle(session, manifest, removals or [], present)
    finally:
        services.database.close()
