"""What all simulated days of the demo bank have in common: made once, then copied for each day.

The bank's files, the server's database with people, boxes and users, its keys, and a flash image that holds
the prompt pack.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from doorward_firmware.store.blobs import Blobs
from doorward_protocol import objects
from doorward_server.app import open_services
from doorward_server.clock import from_milliseconds, to_milliseconds
from doorward_server.importing import service as importing
from doorward_server.security import users
from doorward_server.settings import Settings
from doorward_server.units import blobs, contents
from doorward_simulator import bank as banks
from doorward_simulator import bank_files
from doorward_simulator.flash import Partition
from doorward_simulator.unit import blank_flash
from sqlmodel import Session

from doorward_tools.simulated_server import seeded

BANK = "demo"
PROMPTS_IMAGE = "prompts.bin"
_BEFORE = timedelta(hours=12)  # before the day begins, so that no day's own clock lies behind it


class StandingClock:
    """Stands still: preparing takes no time."""

    def __init__(self, milliseconds: int):
        self._milliseconds = milliseconds

    def milliseconds(self) -> int:
        return self._milliseconds

    def now(self) -> datetime:
        return from_milliseconds(self._milliseconds)


@lru_cache
def bank_of(day: date) -> banks.Bank:
    """The demo bank, whose permits count from `day`. To be looked at only."""
    return banks.build(BANK, today=day)


def provide(
    folder: Path,
    day: date,
    seed: int,
    settings: dict[str, Any],
    password: Callable[[str], str],
    cache: Path | None = None,
) -> dict[str, str]:
    """Lay the foundation into `folder`, which is emptied first; returns the passwords by login.

    With a `cache` it is made once, without regard to the seed, and copied from there. Its keys are then as
    public as this file: for scenarios and tests.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if cache is None:
        return _lay(folder, day, f"foundation/{seed}", settings, password)
    known = json.dumps([day.isoformat(), settings, password("")], sort_keys=True).encode()
    kept = cache / hashlib.sha256(known).hexdigest()[:16]
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as half:
            _lay(Path(half) / "foundation", day, "foundation", settings, password)
            with suppress(OSError):  # another process was quicker
                (Path(half) / "foundation").rename(kept)
    shutil.copytree(kept, folder)
    return {user[0]: password(user[0]) for user in banks.USERS}


def _lay(
    folder: Path, day: date, seed: str, settings: dict[str, Any], password: Callable[[str], str]
) -> dict[str, str]:
    chosen = Settings(data=folder / "data", **settings)
    moment = to_milliseconds(datetime.combine(day, time(), chosen.zone) - _BEFORE)
    bank_files.write(bank_of(day), folder / "bank")
    services = open_services(chosen, StandingClock(moment), random=seeded(seed.encode()))
    passwords = {}
    with services.database.writing() as session:
        report = importing.import_folder(session, folder / "bank")
        if report.findings:
            raise RuntimeError(f"the demo bank was refused: {report.findings}")
        for user in users.list_users(session):
            passwords[user.login] = password(user.login)
            users.set_password(session, None, user, passwords[user.login])
        (folder / PROMPTS_IMAGE).write_bytes(_prompts_image(session))
    services.database.close()
    return passwords


def _prompts_image(session: Session) -> bytes:
    """A blobs partition, without its erased end, that holds the prompt pack."""
    memory = blank_flash("")["blobs"]
    flash = Blobs(Partition(memory))
    pack = contents.prompts(session)
    for name in sorted({pack, *contents.referenced(objects.PROMPTS, blob(session, pack))}):
        flash.put(blob(session, name), own=False)
    return bytes(memory.image.rstrip(b"\xff"))


def blob(session: Session, name: bytes) -> bytes:
    """The server's blob of this hash, which must be there."""
    content = blobs.get(session, name)
    if content is None:
        raise KeyError(f"the server has no blob {name.hex()}")
    return content
