"""Who was removed, in a list beside the backups, so that a restore brings nobody back (D17).

A backup holds what its day held, also the key of somebody who was removed on the next one. The list has
numbers and times and says nothing else of anybody. It is written anew from the journal of decisions with
every backup, and added to in between; a restore removes everybody in it once more.
"""

import json
import logging
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from sqlmodel import Session, col, select

from doorward_server.audit.models import Decision
from doorward_server.backup.files import sync, write_durably
from doorward_server.database import after_commit
from doorward_server.services import services_of

log = logging.getLogger(__name__)

FILE = "removed.jsonl"
# Kinds of decisions, and what they are about.
_KINDS = {"person_removed": "person", "user_removed": "user"}
_SUBJECT = re.compile("(person|user):[0-9]{1,18}")
_DECIDED = "SELECT subject, time FROM decision WHERE kind IN ('person_removed', 'user_removed')"


class Removal(NamedTuple):
    """Somebody who was removed: "person:7" or "user:7", when (ms since 1970 UTC)."""

    subject: str
    time: int


def note(session: Session, subject: str) -> None:
    """Add somebody to the list once the removal is committed.

    If the folder cannot be written now, the next backup, which alarms if it fails, writes the list anew.
    """
    services = services_of(session)
    folder = services.settings.backups
    line = _line(Removal(subject, services.clock.milliseconds()))

    def add() -> None:
        if not folder.is_dir():
            return
        try:
            write_durably(folder / FILE, [line], "a")
        except OSError:
            log.warning("the removal of %s could not be noted in %s", subject, folder)

    after_commit(session, add)


def write_all(session: Session, folder: Path) -> None:
    """Write the list anew: what the journal tells of, and what stood there before. Durable on return."""
    rows = session.exec(select(Decision.subject, Decision.time).where(col(Decision.kind).in_(_KINDS)))
    removals = {Removal(*row) for row in rows} | set(read(folder) or [])
    part = folder / f".{FILE}.part"
    ordered = sorted(removals, key=lambda one: (one.time, one.subject))
    write_durably(part, [_line(one) for one in ordered])
    part.replace(folder / FILE)
    sync(folder)


def read(folder: Path) -> list[Removal] | None:
    """The list in this folder; None without one. A line that was torn by a power cut is passed over."""
    path = folder / FILE
    if not path.is_file():
        return None
    return list(_removals(path.read_text(errors="replace").splitlines()))


def read_database(path: Path) -> list[Removal] | None:
    """What the journal of decisions in this database tells of; None if it cannot be read."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return [Removal(*row) for row in database.execute(_DECIDED)]
    except sqlite3.Error:
        return None


def _removals(lines: Iterable[str]) -> Iterable[Removal]:
    for line in lines:
        try:
            said = json.loads(line)
            found = Removal(str(said["subject"]), int(said["time"]))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            found = None
        if found is not None and _SUBJECT.fullmatch(found.subject):
            yield found
        else:
            log.warning("a line in the list of removals cannot be read")


def _line(removal: Removal) -> str:
    return json.dumps(removal._asdict()) + "\n"
