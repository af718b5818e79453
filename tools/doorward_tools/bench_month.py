"""`doorward bench month`: a month of deliveries at one unit in virtual time; nothing grows or wears out."""

import dataclasses
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doorward_tools import month_judge
from doorward_tools.runtime import RUNTIME, RuntimeName, check_runtime

if TYPE_CHECKING:
    from doorward_simulator.month import Evening, Play


def command(
    days: Annotated[int, typer.Option(help="Days that are played.", min=1, max=120)] = 30,
    per_day: Annotated[int, typer.Option(help="Deliveries a day.", min=1, max=8)] = 2,
    passers_by: Annotated[
        int, typer.Option(help="People of the branch who go out before each delivery.", min=0, max=50)
    ] = 3,
    seed: Annotated[int, typer.Option(help="Who comes, with what; equal seeds give equal months.")] = 1,
    runtime: Annotated[RuntimeName, RUNTIME] = "cpython",
    journal: Annotated[
        int,
        typer.Option(help="Sectors of the journal, so few that it comes round; the board has 512.", min=4),
    ] = 16,
    wraps: Annotated[
        float, typer.Option(help="How often the journal must come round.", min=0)
    ] = month_judge.WRAPS,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Play days of deliveries on one unit's real firmware, against the real server, without a restart.

    Each day is planned and released by two dispatchers; crews of changing people and boxes come, and
    people do what the screens say. Half a minute before and after each delivery passes truly; over the
    rest of the day and the night the world leaps, because an idle hour takes half a minute here. To the
    unit a leap is as if its processor had stood still: its line is made anew. Other partitions than the
    journal are as large as the board's.

    The exit status is 1 if a delivery does not end, a record is not at the server exactly once, there is
    an alarm (but for lines that were down in a leap), heap or flash in use grow from the first to the
    last third, the journal comes round too seldom, its sectors or those of the state are worn unevenly,
    or any sector would not last 20 years. Heap is what is in use while idle after a forced collection:
    bytes under MicroPython, objects under CPython. Half an hour and more for the defaults; after
    Ctrl-C come the figures of the days until then.

    Judge growth by whole months: until some 20 deliveries are over, pictures fill the flash and their index
    the heap, and a short run calls that growth.

    Example:  doorward bench month --runtime micropython --json
    """
    from rich.console import Console
    from rich.progress import Progress

    check_runtime(runtime, "bench month")
    began = time.monotonic()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("deliveries", total=days * per_day)

        def tell(evening: "Evening") -> None:
            progress.update(bar, completed=evening.deliveries)
            progress.console.print(_line(evening), highlight=False, soft_wrap=True)

        from doorward_simulator.month import Play

        evenings, problems = _play(Play(days, per_day, passers_by), seed, runtime, journal, tell)
    problems += month_judge.problems(evenings, month_judge.HEAPS[runtime], wraps)
    figures = {
        "runtime": runtime,
        "seed": seed,
        "seconds": round(time.monotonic() - began, 1),
        "problems": problems,
        "wear": {label: _wear(erases, len(evenings)) for label, erases in evenings[-1].wear.items()}
        if evenings
        else {},
        "heap_unit": month_judge.HEAPS[runtime].unit,
        "days": [dataclasses.asdict(evening) for evening in evenings],
    }
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        _show(figures)
    if problems:
        raise typer.Exit(1)


def _play(
    play: "Play", seed: int, runtime: RuntimeName, journal: int, tell: Callable[["Evening"], None]
) -> tuple[list["Evening"], list[str]]:
    """The evenings, and what went wrong."""
    from doorward_server.settings import Settings
    from doorward_simulator import month
    from doorward_simulator.desk import DeskError
    from doorward_simulator.participant import ParticipantGone
    from doorward_simulator.process import Runtime
    from doorward_simulator.stage import Stage

    from doorward_tools.prepare import prepare
    from doorward_tools.scenario import QUICK, server_command

    evenings: list[Evening] = []
    chosen = month.scenario(seed, journal)
    interpreter = Runtime(runtime, heap_figures=True, heap_interval=month.HEAP_INTERVAL_MS, release=True)
    with tempfile.TemporaryDirectory(prefix="doorward-month-") as scratch:
        folder = Path(scratch)
        preparation = prepare(folder / "bank", seed, chosen.begins, chosen.units, [], QUICK)
        server = server_command(preparation.data)
        with Stage(chosen, preparation, server, folder / "world", runtime=interpreter) as stage:
            played = month.Month(stage, Settings(data=preparation.data).zone, play)
            try:
                for evening in played.days():
                    evenings.append(evening)
                    tell(evening)
            except (ParticipantGone, DeskError) as gone:
                played.problems.append(str(gone))
            except KeyboardInterrupt:
                played.problems.append(f"interrupted after {len(evenings)} days")
    return evenings, played.problems


def _wear(erases: list[int], days: int) -> dict:
    found = month_judge.Wear.of(erases)
    return {**found._asdict(), "years": round(month_judge.years_of(found.most, days))}


def _line(evening: "Evening") -> str:
    return (
        f"day {evening.day}: {evening.records} records, journal came round {evening.wraps} times, "
        f"heap {evening.heap}, {evening.blobs} blobs in {evening.blob_sectors} sectors, "
        f"{evening.bound_sectors} bound, "
        f"state {evening.state_bytes} B"
    )


def _show(figures: dict) -> None:
    if figures["days"]:
        last = figures["days"][-1]
        typer.echo(
            f"{last['day']} days, {last['deliveries']} deliveries, {last['records']} records; "
            f"the journal came round {last['wraps']} times; "
            f"heap at the end: {last['heap']:,} {figures['heap_unit']}."
        )
    for label, wear in figures["wear"].items():
        typer.echo(
            f"{label}: {wear['worn']} of {wear['sectors']} sectors erased, {wear['mean']} times in the mean, "
            f"{wear['most']} at the most: lasts {wear['years']:,} years."
        )
    for problem in figures["problems"]:
        typer.echo(f"FAILED: {problem}")


if __name__ == "__main__":
    typer.run(command)
