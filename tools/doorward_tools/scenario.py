"""`doorward scenario`: play written days in virtual time, with the real firmware and the real server."""

import dataclasses
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from doorward_tools.runtime import RUNTIME, RuntimeName, check_runtime


def command(
    names: Annotated[
        list[str] | None, typer.Argument(help="Scenarios by name, or YAML files.", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Play all scenarios that there are.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="Only list what there is.")] = False,
    runtime: Annotated[RuntimeName, RUNTIME] = "cpython",
    as_json: Annotated[bool, typer.Option("--json", help="Print the reports as JSON.")] = False,
    keep: Annotated[
        Path | None,
        typer.Option(
            help="Keep databases, flash, consoles and printed reports in this folder.", metavar="FOLDER"
        ),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            help="Of days with power cuts, play only N of the points (and recover 100 N pieces of flash).",
            metavar="N",
            min=1,
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed than the file's.", metavar="NUMBER")] = None,
) -> None:
    """Play scenarios: each step with its world time, whether it came true, and every unit's journal root.

    A day of minutes takes seconds: nothing waits but in the world's time. Two runs of one scenario give
    equal roots. A day with power cuts is played some eighty times: `--sample 4` takes a minute of it.

    Example: doorward scenario delivery power-cuts --sample 4
    """
    from doorward_simulator import scenario_loader

    if listing:
        _list()
        return
    if every == bool(names):
        raise typer.BadParameter("name scenarios, or say --all; --list shows them")
    try:
        chosen = [load_scenario(name) for name in (scenario_loader.names() if every else names or [])]
        if seed is not None:
            chosen = [dataclasses.replace(scenario, seed=seed) for scenario in chosen]
    except scenario_loader.ScenarioError as error:
        typer.echo(f"doorward scenario: {error}", err=True)
        raise typer.Exit(2) from None
    check_runtime(runtime, "scenario")
    reports = []
    with tempfile.TemporaryDirectory(prefix="doorward-") as scratch:
        for scenario in chosen:
            folder = (keep or Path(scratch)) / scenario.name
            common = Path(scratch) / "common"
            reports.append(play(scenario, folder, common, runtime, sample, _progress))
            if not as_json:
                show(reports[-1])
    if as_json:
        typer.echo(json.dumps([report.to_json() for report in reports], ensure_ascii=False, indent=2))
    elif len(reports) > 1:
        _summary(reports)
    if not all(report.passed for report in reports):
        raise typer.Exit(1)


def load_scenario(name: str):
    """A scenario by name or file; ScenarioError if it cannot be meant."""
    from doorward_simulator import scenario

    return scenario.load(name)


def play(
    chosen,
    folder: Path,
    cache: Path,
    runtime: RuntimeName = "cpython",
    sample: int | None = None,
    tell: Callable[[str, int, int], None] = lambda _what, _done, _total: None,
):
    """Prepare a scenario's day under `folder` and play it in virtual time; returns its report. `cache` keeps
    what several days have in common; `sample` and `tell` are those of a sweep of power cuts. Raises
    RuntimeMissingError."""
    from doorward_simulator import scenario
    from doorward_simulator.process import Runtime

    from doorward_tools.prepare import prepare

    settings = {**QUICK, **chosen.settings}
    day = (chosen.seed, chosen.begins, chosen.units, chosen.plan)
    if chosen.power_cuts:
        prepared = prepare(folder / "day", *day, settings, commissioned=chosen.commissioned, cache=cache)
        return _sweep(chosen, prepared, folder, Runtime(runtime), sample, tell)
    preparation = prepare(folder, *day, settings, commissioned=chosen.commissioned, cache=cache)
    command = server_command(preparation.data)
    return scenario.run(chosen, preparation, command, folder / "world", runtime=Runtime(runtime))


def _sweep(
    chosen, preparation, folder: Path, runtime, sample: int | None, tell: Callable[[str, int, int], None]
):
    """Play a day again and again with power cuts, each time from the same beginning."""
    from doorward_simulator.power.sweep import Sweep

    beginning = folder / "beginning"
    shutil.rmtree(beginning, ignore_errors=True)
    shutil.copytree(preparation.folder, beginning)

    def reset():
        shutil.rmtree(preparation.folder)
        shutil.copytree(beginning, preparation.folder)
        return preparation

    command = server_command(preparation.data)
    return Sweep(chosen, reset, command, folder / "worlds", tell, runtime).run(sample)


def _progress(what: str, done: int, total: int) -> None:
    """One line that is written over, for people at a terminal."""
    if sys.stderr.isatty():
        typer.echo(f"\r{what}: {done} of {total}   ", err=True, nl=done == total)


# Logins in a simulated day need no expensive hashes; everything else is as served.
QUICK = {"argon2_time_cost": 1, "argon2_memory_kib": 8192}


def server_command(data: Path) -> list[str]:
    """The server's process for virtual time; the simulator adds its sockets."""
    return [sys.executable, "-m", "doorward_tools.simulated_server", "--data", str(data)]


def show(report) -> None:
    """Print a report as a table."""
    from doorward_simulator.scenario_report import clock_text
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    title = f"{report.name}  {report.title['zh']}  ·  {report.title['en']}"
    table = Table(title=title, title_justify="left", caption_justify="left", expand=False)
    for name, style in (("line", "dim"), ("world time", "cyan"), ("step", ""), ("", "")):
        table.add_column(name, style=style, justify="right" if name in ("line", "world time") else "left")
    colours = {"passed": "green", "failed": "bold red", "not reached": "dim"}
    for row in report.rows:
        text = Text(row.text)
        if row.note:
            text.append(f"\n{row.note}", "dim italic")
        if row.detail:
            text.append(f"\n{row.detail}", "red")
        result = Text(row.result, colours[row.result])
        table.add_row(str(row.line), clock_text(row.time), text, result)
    console.print(table)
    for problem in report.problems:
        console.print(Text(problem, "bold red"))
    for unit, (epoch, size, root) in report.roots.items():
        console.print(f"journal of {unit}: epoch {epoch}, {size} records, root {root}", highlight=False)
    console.print(_figures(report), highlight=False)


def _figures(report) -> str:
    heard = "" if report.heard_ms is None else f", slowest record at the centre after {report.heard_ms} ms"
    rate = round(report.steps / report.seconds) if report.seconds else 0
    verdict = "PASSED" if report.passed else "FAILED"
    cuts = report.power_cuts and (
        "\n{pieces} pieces of flash, {frames} frames, {relays} relays, {searches} searches; recovered at "
        "{recovered_pieces} pieces ({mounts} mounts), live at {live}; {places} places in the code write"
    ).format(**report.power_cuts)
    return (
        f"{verdict}  shows {', '.join(report.shows)}\n"
        f"{report.world_ms / 1000:.0f} s of the world in {report.seconds:.1f} s, "
        f"{report.steps} causes ({rate}/s){heard}{cuts or ''}"
    )


def _list() -> None:
    from doorward_simulator import scenario_loader

    for name in scenario_loader.names():
        scenario = load_scenario(name)
        typer.echo(f"{name:18} {scenario.title['en']}  [{', '.join(scenario.shows)}]")


def _summary(reports: list) -> None:
    failed = [report.name for report in reports if not report.passed]
    typer.echo(f"{len(reports)} scenarios, {len(reports) - len(failed)} passed, {len(failed)} failed")
    for name in failed:
        typer.echo(f"  failed: {name}")
