"""`doorward simulate`: units and a scenario in real time, against a server that somebody else starts."""

import signal
from pathlib import Path
from typing import Annotated

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
) -> None:
    """Prepare a day, wait for the server, run the units and the people around them.

    The server is yours: watch its log, attach a debugger, pull its plug and start it again.
    """
    from doorward_simulator.scenario_loader import ScenarioError

    check_runtime(runtime, "simulate")
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
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
