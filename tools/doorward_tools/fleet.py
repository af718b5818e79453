"""`doorward simulate --fleet N`: N units on the protocol's own code against the real server, and the figures.

The server is `doorward serve` in a process of its own, on loopback, with the data of a bank that was made for
the fleet. What the units were told is then held against what the database has: every record exactly once.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from doorward_tools import day
from doorward_tools.server_process import ServerProcess, serving

RECORDS = 50
HEADS = 10


@dataclass(frozen=True)
class Percentiles:
    """Of a list of seconds."""

    p50: float
    p95: float
    p99: float

    @staticmethod
    def of(seconds: list[float]) -> "Percentiles":
        """All zero for none."""
        ordered = sorted(seconds) or [0.0]
        return Percentiles(
            *(ordered[min(len(ordered) - 1, len(ordered) * share // 100)] for share in (50, 95, 99))
        )


@dataclass(frozen=True)
class Result:
    """What a fleet measured. Rates per second of the wall; `server_…_seconds` are its processor's time."""

    units: int
    records: int
    heads: int
    failures: list[str]
    connect_seconds: float
    orders_seconds: float
    deliver_seconds: float
    connects_per_second: float
    orders_per_second: float
    records_per_second: float
    server_connect_seconds: float
    server_orders_seconds: float
    server_deliver_seconds: float
    server_seconds_per_record: float
    server_rss_bytes: int
    stored_seconds: Percentiles
    receipt_seconds: Percentiles

    @property
    def passed(self) -> bool:
        """Whether all units came through, and every record is stored exactly once."""
        return not self.failures


def measure(console: Console, folder: Path, units: int, port: int) -> Result:
    """Prepare, serve, run all phases, and check the database. Raises DayError where it cannot begin."""
    from doorward_simulator.fleet import Delivered, Fleet

    from doorward_tools.fleet_bank import prepare

    if day.listens(port):
        raise day.DayError(f"port {port} is taken; choose another one, for example --port {port + 1}")
    day.refuse_foreign(folder)
    shutil.rmtree(folder, ignore_errors=True)
    with _progress(console) as progress:
        made = progress.add_task("Preparing branches, people, runs, units", total=units)
        members, authorities = prepare(folder / "data", units, lambda n: progress.update(made, completed=n))
        (folder / day.MARK).touch()
        fleet = Fleet(members, authorities, f"ws://{day.HOST}:{port}/link")
        delivered = Delivered()

        def told(text: str) -> Callable[[int], None]:
            task = progress.add_task(text, total=units)
            return lambda done: progress.update(task, completed=done)

        async def phases(server: ServerProcess) -> list[tuple[Any, float]]:
            found = []
            for text, run in (
                ("Connecting", fleet.connect),
                ("Fetching orders", fleet.fetch_orders),
                ("Delivering", lambda hear: fleet.deliver(RECORDS, HEADS, delivered, hear)),
            ):
                before = server.cpu_seconds()
                phase = await run(told(text))
                found.append((phase, server.cpu_seconds() - before))
            await fleet.close()
            return found

        with serving(folder / "data", port) as server:
            (connect, connect_cpu), (orders, orders_cpu), (deliver, deliver_cpu) = asyncio.run(phases(server))
            rss = server.peak_rss_bytes()
    failures = [*connect.failures, *orders.failures, *deliver.failures]
    expected = {
        member.kid: client.journal.entries for member, client in zip(members, fleet.clients, strict=True)
    }
    failures += not_stored_once(folder / "data" / "doorward.sqlite", expected)
    records = sum(len(entries) for entries in expected.values())
    return Result(
        units=units,
        records=records,
        heads=len(delivered.receipts),
        failures=failures,
        connect_seconds=connect.seconds,
        orders_seconds=orders.seconds,
        deliver_seconds=deliver.seconds,
        connects_per_second=(units - len(connect.failures)) / connect.seconds,
        orders_per_second=(units - len(orders.failures)) / orders.seconds,
        records_per_second=records / deliver.seconds,
        server_connect_seconds=connect_cpu,
        server_orders_seconds=orders_cpu,
        server_deliver_seconds=deliver_cpu,
        server_seconds_per_record=deliver_cpu / max(1, records),
        server_rss_bytes=rss,
        stored_seconds=Percentiles.of(delivered.stored),
        receipt_seconds=Percentiles.of(delivered.receipts),
    )


def not_stored_once(database: Path, expected: dict[bytes, list[bytes]]) -> list[str]:
    """What the server's tables lack of these journals, or have too much: leaves, events and heads.

    Read past the server's code, after it has ended.
    """
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        stored: dict[bytes, list[bytes]] = {kid: [] for kid in expected}
        for kid, entry in connection.execute(
            "SELECT unit.kid, entry FROM leaf JOIN unit ON unit.id = unit_id "
            'ORDER BY unit_id, leaf.epoch, "index"'
        ):
            stored.setdefault(kid, []).append(entry)
        wrong = [
            f"unit {kid.hex()}: stored leaves differ from what it sent"
            for kid in expected
            if stored[kid] != expected[kid]
        ]
        total = sum(len(entries) for entries in expected.values())
        (events,) = connection.execute("SELECT count(*) FROM handoverevent").fetchone()
        (closed,) = connection.execute("SELECT count(*) FROM handover WHERE state = 'left'").fetchone()
        (alarms,) = connection.execute("SELECT count(*) FROM alarm").fetchone()
    finally:
        connection.close()
    if events != total:
        wrong.append(f"{events} events of handovers for {total} records")
    if closed != len(expected):
        wrong.append(f"{closed} completed handovers for {len(expected)} deliveries")
    if alarms:
        wrong.append(f"{alarms} alarms, though nothing went wrong at any door")
    return wrong


def show(console: Console, result: Result) -> None:
    """The figures as a table."""
    table = Table(
        "phase", "units", "seconds", "per second", "server's processor", title=f"{result.units} units"
    )
    table.add_row(
        "connect",
        str(result.units),
        f"{result.connect_seconds:.1f}",
        f"{result.connects_per_second:.0f}",
        f"{result.server_connect_seconds:.1f} s",
    )
    table.add_row(
        "orders",
        str(result.units),
        f"{result.orders_seconds:.1f}",
        f"{result.orders_per_second:.0f}",
        f"{result.server_orders_seconds:.1f} s",
    )
    table.add_row(
        f"{result.records} records in {result.heads} heads",
        str(result.units),
        f"{result.deliver_seconds:.1f}",
        f"{result.records_per_second:.0f}",
        f"{result.server_deliver_seconds:.1f} s, {result.server_seconds_per_record * 1e6:.0f} µs a record",
    )
    console.print(table)
    for name, spread in (
        ("record to receipt", result.stored_seconds),
        ("head to receipt", result.receipt_seconds),
    ):
        console.print(f"{name}: p50 {spread.p50:.2f} s, p95 {spread.p95:.2f} s, p99 {spread.p99:.2f} s")
    console.print(f"server: {result.server_rss_bytes / 1e6:.0f} MB at most")
    for failure in result.failures[:20]:
        console.print(f"[red]{failure}[/red]", highlight=False)
    if len(result.failures) > 20:
        console.print(f"[red]… and {len(result.failures) - 20} more[/red]")


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)
