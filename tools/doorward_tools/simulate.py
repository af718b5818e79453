"""`doorward simulate`: units and a scenario in real time, or a whole fleet for load."""

import dataclasses
import json
import signal
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from doorward_tools import day
from doorward_tools.runtime import RUNTIME, RuntimeName, check_runtime

SERVER_SECONDS = 600


def command(
    scenario: Annotated[str, typer.Argument(help="What happens: a scenario's name or file.")] = "delivery",
    data: Annotated[Path, typer.Option(help="Folder of the day, emptied at every start.")] = Path("data/day"),
    port: Annotated[int, typer.Option(help="Port of the server on this machine.", min=1, max=65535)] = 8000,
    patience: Annotated[str, typer.Option(help="How long the officer's decision is left to people.")] = "0s",
    once: Annotated[bool, typer.Option("--once", help="End after the scenario.")] = False,
    runtime: Annotated[RuntimeName, RUNTIME] = "cpython",
    fleet: Annotated[
        int, typer.Option(help="So many units at once, for load, in place of a scenario.", min=0)
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="With --fleet: the figures as JSON.")] = False,
) -> None:
    """Prepare a day, wait for the server, run the units and the people around them.

    The server is yours: watch its log, attach a debugger, pull its plug and start it again.

    With --fleet, units without doors connect, fetch their orders and deliver 50 records in 10 heads each to a
    server that is started for them. The exit status is 1 unless every record is stored exactly once.

    Example:  doorward simulate --fleet 1000 --json
    """
    from doorward_simulator.scenario_loader import ScenarioError

    check_runtime(runtime, "simulate")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if fleet:
        _run_fleet(data, fleet, port, as_json)
    console = Console()
    try:
        chosen = day.at_this_hour(scenario, patience)
        preparation = day.prepare_day(console, data, chosen)
        console.print("The day is ready. Start its server in another terminal:")
        console.print(f"    doorward serve --data {preparation.data} --port {port}", highlight=False)
        with console.status("Waiting for the server …"):
            day.wait_for_server(port, SERVER_SECONDS)
        day.introduce(console, preparation, port)
        passed = day.play(console, preparation, chosen, port, keep_running=not once, runtime=runtime)
    except (day.DayError, ScenarioError) as error:
        console.print(f"[red]doorward simulate: {error}[/red]")
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        console.print("Stopped.")
        raise typer.Exit(0) from None
    raise typer.Exit(0 if passed else 1)


def _run_fleet(data: Path, units: int, port: int, as_json: bool) -> NoReturn:
    from doorward_tools import fleet

    console = Console(stderr=as_json)
    try:
        result = fleet.measure(console, data, units, port)
    except day.DayError as error:
        console.print(f"[red]doorward simulate: {error}[/red]")
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        console.print("Stopped.")
        raise typer.Exit(130) from None
    fleet.show(console, result)
    if as_json:
        print(json.dumps(dataclasses.asdict(result), ensure_ascii=False))
    raise typer.Exit(0 if result.passed else 1)
