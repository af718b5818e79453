"""`doorward rebuild`: handovers, alarms of records and the state of stops made again from the journals."""

import json
from pathlib import Path
from typing import Annotated

import typer

from doorward_tools.server_settings import data_option, existing

EXAMPLE = "Example:  doorward rebuild --data ./data --check"
SHOWN = 20


def command(
    data: Annotated[Path, data_option("The server's data folder.")] = Path("data"),
    check: Annotated[bool, typer.Option("--check", help="Only compare; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before changing rows.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Drop all projections and make them again from the units' journals; tell every row that differs.

    One transaction: if it fails or is interrupted, everything stays as it was. A server that runs meanwhile
    lets its units wait, so stop it first. With --check, a difference ends the command with status 1.
    """
    from doorward_server.handovers.rebuild import rebuild
    from rich.progress import Progress

    with (
        existing("rebuild", data) as services,
        services.database.writing() as session,
        Progress(disable=as_json) as progress,
    ):
        bar = progress.add_task("journals", total=None)
        report = rebuild(session, lambda done, total: progress.update(bar, completed=done, total=total))
        progress.stop()
        if not as_json:
            _show(report)
        keep = not check and bool(report.differences)
        if keep and not yes:
            keep = typer.confirm("Put the rebuilt rows in place?")
        if not keep:
            session.rollback()
    if as_json:
        differences = [[one.table, one.key, one.what] for one in report.differences]
        answer = {"leaves": report.leaves, "rows": report.rows, "differences": differences, "kept": keep}
        typer.echo(json.dumps(answer))
    elif report.differences:
        typer.echo("The rebuilt rows are in place." if keep else "Nothing was changed.")
    if check and report.differences:
        raise typer.Exit(1)


def _show(report) -> None:
    typer.echo(f"{report.leaves} records of journals, {report.rows} projected rows.")
    if not report.differences:
        typer.echo("Every row is as the journals say.")
        return
    for one in report.differences[:SHOWN]:
        typer.echo(f"  {one.what:8} {one.table} {one.key}")
    if len(report.differences) > SHOWN:
        typer.echo(f"  … and {len(report.differences) - SHOWN} more; --json lists all")
