"""`doorward demo`: a small bank, its server, four simulated units and one delivery, in real time."""

import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from doorward_tools import day
from doorward_tools.runtime import RUNTIME, RuntimeName, check_runtime
from doorward_tools.server_process import serving

PATIENCE = "45s"  # how long the script leaves the decision to a person at the host screen


def command(
    once: Annotated[bool, typer.Option("--once", help="Play one delivery, print its steps, end.")] = False,
    data: Annotated[Path, typer.Option(help="Folder of the demo, emptied at every start.")] = Path(
        "data/demo"
    ),
    port: Annotated[
        int, typer.Option(help="Port of the pages, on this machine only.", min=1, max=65535)
    ] = 8000,
    runtime: Annotated[RuntimeName, RUNTIME] = "cpython",
) -> None:
    """Start server and units, print address and logins, play a delivery, keep running until Ctrl-C."""
    check_runtime(runtime, "demo")
    console = Console()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if day.listens(port):
            raise day.DayError(f"port {port} is taken; choose another one, for example --port {port + 1}")
        scenario = day.at_this_hour("delivery", patience="0s" if once else PATIENCE)
        preparation = day.prepare_day(console, data, scenario)
        with serving(preparation.data, port):
            day.introduce(console, preparation, port)
            if not once:
                console.print(
                    "A delivery at B01 begins. To decide yourself, log in as o3001 and approve with head "
                    f"count 2; after {PATIENCE} the script does."
                )
            passed = day.play(console, preparation, scenario, port, keep_running=not once, runtime=runtime)
    except day.DayError as error:
        console.print(f"[red]doorward demo: {error}[/red]")
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        console.print("Stopped.")
        raise typer.Exit(130 if once else 0) from None
    raise typer.Exit(0 if passed else 1)
