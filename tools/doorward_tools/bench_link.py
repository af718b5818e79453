"""`doorward bench link`: the link under a fleet, and beside it, in the same run, the floor.

The floor is what no server could leave out: the bare ES256 verification of one signature per head, as many as
the link verified, and the rows that the link stored, inserted into the same tables, with the same indexes,
foreign keys and settings, each batch made durable; and nothing else. For a unit of 50 records in 10 heads
these are 10 signatures and 114 rows: 50 leaves, 50 events, 10 heads, 2 pictures, a handover and the progress
of its journal; alarms would count, but nothing goes wrong at any door. Its batches are as large as the link's
largest, while the link stores what is waiting, and may need more of them.

Not in the floor, though the link has to do it: to open and read the frames, to sign a receipt for each head,
to bring rows up to date (journal, handover, stop, run, picture), to look up what a record names.

One process, as the server is one. Two ratios: by the wall, and by the processor's time, which other programs
disturb less.
"""

import dataclasses
import json
import sqlite3
import time
from bisect import bisect_left
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from doorward_tools import day, fleet

# What the link adds for the records of a delivery, in an order that foreign keys allow.
TABLES = ("journalepoch", "leaf", "handover", "handoverevent", "picture", "head")
NUMBERED = ("leaf", "handover", "handoverevent")  # as their leaf is, in their first column
# What those rows refer to, and what this refers to: there before the clock starts.
PARENTS = ("area", "site", "unit")


@dataclasses.dataclass(frozen=True)
class Floor:
    """Seconds of wall and processor for so many records."""

    records: int
    signatures: int
    rows: int
    verify_seconds: float
    insert_seconds: float
    cpu_seconds: float

    @property
    def records_per_second(self) -> float:
        """By the wall."""
        return self.records / (self.verify_seconds + self.insert_seconds)


def command(
    units: Annotated[int, typer.Option(help="Units of the fleet.", min=1)] = 1000,
    data: Annotated[Path, typer.Option(help="Folder of the fleet, emptied at the start.")] = Path(
        "data/bench"
    ),
    port: Annotated[int, typer.Option(help="Port of the server on this machine.", min=1, max=65535)] = 8000,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as JSON.")] = False,
) -> None:
    """Measure the link under a fleet, and the floor beneath it.

    Example:  doorward bench link --units 200
    """
    console = Console(stderr=as_json)
    try:
        result = fleet.measure(console, data, units, port)
    except day.DayError as error:
        console.print(f"[red]doorward bench link: {error}[/red]")
        raise typer.Exit(2) from None
    fleet.show(console, result)
    with console.status("The floor: verifying, inserting, and nothing else …"):
        floor = measure_floor(data / "data" / "doorward.sqlite", data / "floor.sqlite")
    ratios = {
        "wall": result.records_per_second / floor.records_per_second,
        "processor": floor.cpu_seconds / floor.records / result.server_seconds_per_record,
    }
    microseconds = floor.cpu_seconds / floor.records * 1e6
    console.print(
        f"floor: {floor.records_per_second:.0f} records a second, {microseconds:.0f} µs of processor each "
        f"({floor.signatures} signatures in {floor.verify_seconds:.1f} s, "
        f"{floor.rows} rows in {floor.insert_seconds:.1f} s)"
    )
    console.print(
        f"link / floor: {ratios['wall']:.2f} by the wall, {ratios['processor']:.2f} by the processor"
    )
    if as_json:
        print(
            json.dumps(
                {"link": dataclasses.asdict(result), "floor": dataclasses.asdict(floor), "ratio": ratios}
            )
        )
    raise typer.Exit(0 if result.passed else 1)


def measure_floor(stored: Path, empty: Path) -> Floor:
    """Do again, in a fresh database, only what could not be left out of what the link stored."""
    rows = {table: _rows(stored, table) for table in TABLES}
    signatures = len(rows["head"])
    verify_seconds, verify_cpu = _verify(signatures)
    insert_seconds, insert_cpu = _insert(stored, empty, rows)
    count = sum(len(some) for some in rows.values())
    records = len(rows["leaf"])
    return Floor(records, signatures, count, verify_seconds, insert_seconds, verify_cpu + insert_cpu)


def _rows(stored: Path, table: str) -> list[tuple]:
    with closing(sqlite3.connect(f"file:{stored}?mode=ro", uri=True)) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()  # noqa: S608 - a name of our own


def _verify(count: int) -> tuple[float, float]:
    """Verify so many signatures, by a hundred keys, as OpenSSL does it with keys at hand."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    algorithm = ec.ECDSA(hashes.SHA256())
    message = bytes(120)  # as long as a head's Sig_structure
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(100)]
    signed = [(key.public_key(), key.sign(message, algorithm)) for key in keys]
    begin, cpu = time.perf_counter(), time.process_time()
    for number in range(count):
        public, signature = signed[number % len(signed)]
        public.verify(signature, message, algorithm)
    return time.perf_counter() - begin, time.process_time() - cpu


def _insert(stored: Path, empty: Path, rows: dict[str, list[tuple]]) -> tuple[float, float]:
    """Insert the rows in as many batches as hold the link's largest number of items each."""
    from doorward_server.database import PRAGMAS
    from doorward_server.link.ingest import BATCH

    _copy_schema(stored, empty)
    items = sum(len(rows[table]) for table in ("leaf", "head", "picture"))
    batches = -(-items // BATCH)
    with closing(sqlite3.connect(empty, isolation_level=None)) as connection:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        begin, cpu = time.perf_counter(), time.process_time()
        for batch in range(batches):
            connection.execute("BEGIN IMMEDIATE")
            for table, some in rows.items():
                begins, ends = (_until(rows["leaf"], table, some, (batch + n) / batches) for n in (0, 1))
                part = some[begins:ends]
                if part:
                    places = ",".join("?" * len(part[0]))
                    connection.executemany(f"INSERT INTO {table} VALUES ({places})", part)  # noqa: S608
            connection.execute("COMMIT")
        return time.perf_counter() - begin, time.process_time() - cpu


def _until(leaves: list[tuple], table: str, rows: list[tuple], share: float) -> int:
    """How many rows of a table are there once so large a share of the leaves is: rows with a leaf's number
    come with their leaf, others evenly."""
    if table not in NUMBERED or share == 1:
        return round(len(rows) * share)
    return bisect_left(rows, leaves[round(len(leaves) * share)][0], key=lambda row: row[0])


def _copy_schema(stored: Path, empty: Path) -> None:
    """The same tables and indexes, without rows but for the parents'."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{empty}{suffix}").unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"file:{stored}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(empty)) as target,
    ):
        names = (*PARENTS, *TABLES)
        wanted = ",".join("?" * len(names))
        query = f"SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN ({wanted})"  # noqa: S608
        for (statement,) in source.execute(query, names):
            target.execute(statement)
        for table in PARENTS:
            rows = source.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - a name of our own
            if rows:
                target.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(rows[0]))})", rows)  # noqa: S608
        target.commit()
