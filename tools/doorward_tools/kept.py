"""Holds a server's database against what others remember of its acknowledgements. Reads SQLite past its code.

`check_now` asks for what must be true at every moment, also of the files that a killed server left;
`check_end` for what must be true when everybody has finished.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from doorward_protocol import merkle
from doorward_server.app import open_services
from doorward_server.audit import service as audit
from doorward_server.handovers import pictures
from doorward_server.handovers.models import Picture
from doorward_server.settings import Settings
from doorward_simulator.witness import Witness

DATABASE = "doorward.sqlite"
# Alarms that honest units must never cause, whatever happens to line and server.
FALSE_ALARMS = (
    "journal_changed",
    "journal_fork",
    "journal_back",
    "head_forged",
    "link_abuse",
    "unreadable_record",
)


class LostError(Exception):
    """Something acknowledged is not there, is there twice, or is something else."""


class Figures(NamedTuple):
    """What was held against each other at the end."""

    records: int
    sent: int
    receipts: int
    pictures: int
    drafts: int
    handovers: int
    connections: int


def check_now(folder: Path, witnesses: Iterable[Witness], confirmed: dict[str, int]) -> None:
    """Everything acknowledged up to now is in the database of this folder, once. Raises LostError."""
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        if (found := database.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            raise LostError(f"SQLite finds its file damaged: {found[:3]}")
        if found := database.execute("PRAGMA foreign_key_check").fetchall():
            raise LostError(f"rows point at nothing: {found[:3]}")
        for witness in witnesses:
            _check_journal(database, witness)
        _check_drafts(database, confirmed)


def check_end(data: Path, witnesses: list[Witness], confirmed: dict[str, int]) -> Figures:
    """All journals are there, whole and once, with pictures, projections and decisions. Raises LostError."""
    check_now(data, witnesses, confirmed)
    with closing(sqlite3.connect(data / DATABASE)) as database:
        for witness in witnesses:
            _check_whole(database, witness)
        marks = ",".join("?" * len(FALSE_ALARMS))
        statement = f"SELECT rule, details FROM alarm WHERE rule IN ({marks})"  # noqa: S608
        if found := database.execute(statement, FALSE_ALARMS).fetchall():
            raise LostError(f"false alarms: {found[:3]}")
        if database.execute("SELECT count(*) FROM journalconflict").fetchone()[0]:
            raise LostError("an honest unit was found to contradict itself")
        handovers = database.execute("SELECT count(*) FROM handover").fetchone()[0]
    _check_through_services(data, witnesses)
    return Figures(
        records=sum(len(witness.entries) for witness in witnesses),
        sent=sum(witness.sent for witness in witnesses),
        receipts=sum(len(witness.receipts) for witness in witnesses),
        pictures=sum(len(witness.pictures) for witness in witnesses),
        drafts=len(confirmed),
        handovers=handovers,
        connections=sum(witness.connections for witness in witnesses),
    )


def missing_pictures(data: Path) -> int:
    """How many pictures are named in records and have not come yet."""
    with closing(sqlite3.connect(f"file:{data / DATABASE}?mode=ro", uri=True)) as database:
        return database.execute("SELECT count(*) FROM picture WHERE content IS NULL").fetchone()[0]


def _check_journal(database: sqlite3.Connection, witness: Witness) -> None:
    """Stored leaves are the unit's own, none twice; what has a receipt is there; the receipt is, too."""
    unit = _unit(database, witness)
    rows = database.execute(
        'SELECT "index", entry, leaf_hash FROM leaf WHERE unit_id = ? ORDER BY "index"', (unit,)
    )
    stored: dict[int, bytes] = {}
    for index, entry, leaf_hash in rows:
        _expect(index not in stored, witness, f"record {index} is stored twice")
        _expect(index < len(witness.entries), witness, f"record {index} was never written")
        _expect(entry == witness.entries[index], witness, f"record {index} says something else")
        _expect(leaf_hash == merkle.leaf_hash(entry), witness, f"record {index} has another hash")
        stored[index] = entry
    missing = [index for index in range(witness.acknowledged) if index not in stored]
    _expect(not missing, witness, f"{len(missing)} acknowledged records are lost, first {missing[:1]}")
    heads = database.execute("SELECT size, root, receipt FROM head WHERE unit_id = ?", (unit,)).fetchall()
    known = {size: receipt for size, _, receipt in heads}
    _expect(len(known) == len(heads), witness, "a head is stored twice")
    for size, receipt in witness.receipts.items():
        _expect(known.get(size) == receipt, witness, f"the receipt for {size} records is lost or another one")
    for size, root, _ in heads:
        leaves = [merkle.leaf_hash(witness.entries[index]) for index in range(size)]
        _expect(root == merkle.root_of(leaves), witness, f"the head of {size} records has another root")
    epochs = database.execute(
        "SELECT size, head_size, disputed FROM journalepoch WHERE unit_id = ?", (unit,)
    ).fetchall()
    size, head_size, disputed = epochs[0] if epochs else (0, 0, 0)
    gap = next((index for index in range(len(stored) + 1) if index not in stored), 0)
    _expect(
        (size, head_size) == (gap, max(known, default=0)), witness, "the epoch's progress is not its leaves'"
    )
    _expect(not disputed, witness, "its journal is marked as disputed")
    events = database.execute(
        'SELECT count(*), count(DISTINCT event."index") FROM handoverevent AS event '
        'JOIN leaf ON leaf.id = event.id '
        'WHERE event.unit_id = ? AND leaf.unit_id = event.unit_id AND leaf."index" = event."index"', (unit,),
    ).fetchone()  # fmt: skip
    _expect(events == (size, size), witness, f"{size} records in order, but projected {events}")


def _check_whole(database: sqlite3.Connection, witness: Witness) -> None:
    count = database.execute(
        "SELECT count(*) FROM leaf WHERE unit_id = ?", (_unit(database, witness),)
    ).fetchone()[0]
    _expect(count == len(witness.entries), witness, f"{count} of {len(witness.entries)} records are stored")
    _expect(
        witness.acknowledged == count, witness, f"only {witness.acknowledged} of {count} are acknowledged"
    )


def _check_drafts(database: sqlite3.Connection, confirmed: dict[str, int]) -> None:
    rows = database.execute("SELECT note, id FROM run WHERE note LIKE 'under fire %'").fetchall()
    stored = dict(rows)
    if len(stored) != len(rows):
        raise LostError("a draft is stored twice")
    for note, number in confirmed.items():
        if stored.get(note) != number:
            raise LostError(f"the confirmed draft {note!r} is lost or has another number")
    decided = database.execute('SELECT count(*), max("index") + 1 FROM decision').fetchone()
    if decided[0] != (decided[1] or 0):
        raise LostError("the journal of decisions has holes")


def _check_through_services(data: Path, witnesses: list[Witness]) -> None:
    """What only the server's keys can open: sealed pictures, and the signed journal of decisions."""
    services = open_services(Settings(data=data))
    with services.database.reading() as session:
        for witness in witnesses:
            for name, content in witness.pictures.items():
                picture = session.get(Picture, name)
                named = picture is not None and pictures.content_of(session, picture)
                _expect(named == content, witness, f"the picture {name.hex()[:16]} is missing or another one")
        if found := audit.verify(session):
            raise LostError(f"the journal of decisions does not verify: {found[:3]}")
    services.database.close()


def _unit(database: sqlite3.Connection, witness: Witness) -> Any:
    return database.execute("SELECT id FROM unit WHERE kid = ?", (witness.kid,)).fetchone()[0]


def _expect(holds: bool, witness: Witness, otherwise: str) -> None:
    if not holds:
        raise LostError(f"{witness.name}: {otherwise}")
