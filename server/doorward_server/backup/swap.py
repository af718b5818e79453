"""Puts a restored database and its keys in the place of the present ones, by renames alone.

What is to come lies whole in one folder. Renaming that to `READY` decides: before, nothing has happened; from
then on every step is one rename that can be repeated, and whoever opens the data next finishes what is left:

    1. the present files go aside, those beside the database first: an old log must not meet a new database
    2. the note that names the folder aside is removed
    3. the new files come in
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doorward_server.backup.files import sync, write_durably
from doorward_server.backup.running import finishing, serving

STAGING = "restore-unpacked"
READY = "restore-ready"
_ASIDE = "aside"
_NAMES = ("doorward.sqlite-wal", "doorward.sqlite-shm", "doorward.sqlite", "keys", "imports")


def swap(data: Path, staging: Path, aside: str) -> None:
    """Take in what lies in `staging`, and leave what was there in the folder named `aside`. All in `data`."""
    write_durably(staging / _ASIDE, [aside])
    sync(staging)
    staging.rename(data / READY)
    sync(data)
    _finish(data)


def finish(data: Path) -> None:
    """Finish what was interrupted, if anything was. Raises running.InUseError while a restore is at it."""
    if (data / READY).is_dir():
        with finishing(data):
            finish_alone(data)


@contextmanager
def working(data: Path) -> Iterator[None]:
    """While a server or a command works on this folder, from before it opens anything in it.

    What it opened would else be moved aside beneath it, and what it writes lost. Raises running.InUseError.
    """
    finish(data)
    with serving(data):
        yield


def finish_alone(data: Path) -> None:
    """The same for whoever has the folder alone already."""
    if (data / READY).is_dir():
        _finish(data)


def _finish(data: Path) -> None:
    ready = data / READY
    note = ready / _ASIDE
    if note.exists():
        aside = data / note.read_text()
        aside.mkdir(mode=0o700, exist_ok=True)
        _move(data, aside)
        note.unlink()
        sync(ready)
    _move(ready, data)
    shutil.rmtree(ready)
    sync(data)


def _move(source: Path, target: Path) -> None:
    for name in _NAMES:
        if (source / name).exists():
            (source / name).rename(target / name)
    sync(target)
    sync(source)
