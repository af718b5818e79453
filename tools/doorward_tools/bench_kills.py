"""`doorward bench kills`: the real server killed again and again under load; what it acknowledged stays."""

import asyncio
import json
import signal
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example:  doorward bench kills --kills 100 --seed 1"


def command(
    kills: Annotated[int, typer.Option(help="How often the server is killed.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Decides when, and what the units report.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Kill the server with SIGKILL under load, and look into its files after every kill.

    At the end every unit's journal is stored whole and once, with receipts, pictures and projections, and
    every confirmed draft. A killed process loses nothing that the kernel has; a power cut is not this.
    """
    from rich.progress import Progress

    from doorward_tools.fire import Stage
    from doorward_tools.kept import LostError

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the server goes, too
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="doorward-kills-") as folder:
        stage = Stage(Path(folder), seed)
        try:
            stage.server.start()
            with Progress(disable=as_json) as progress:
                bar = progress.add_task("kill -9", total=kills)
                asyncio.run(stage.shoot(kills, lambda number: progress.update(bar, completed=number)))
            figures = stage.check()
            if missing := [name for name, number in figures._asdict().items() if number == 0]:
                raise LostError(f"this shows nothing: there are no {', '.join(missing)}")
        except LostError as problem:
            typer.echo(
                f"doorward bench kills: after {stage.kills} kills (--seed {seed}): {problem}", err=True
            )
            raise typer.Exit(1) from None
        finally:
            stage.server.kill()
    report = {
        "kills": stage.kills,
        "seed": seed,
        "seconds": round(time.monotonic() - began, 1),
        **figures._asdict(),
    }
    if as_json:
        typer.echo(json.dumps(report))
        return
    typer.echo(
        f"{stage.kills} kills: {figures.records} records (sent {figures.sent} times), "
        f"{figures.receipts} receipts, {figures.pictures} pictures, {figures.drafts} drafts, "
        f"{figures.handovers} handovers over {figures.connections} connections. None lost, none doubled."
    )


if __name__ == "__main__":
    typer.run(command)
