"""The option `--runtime`: which interpreter runs the units' firmware."""

from typing import Literal

import typer

RuntimeName = Literal["cpython", "micropython"]

RUNTIME = typer.Option(
    "--runtime",
    help="Interpreter of the units: CPython with OpenSSL, or the real MicroPython (under node) with the "
    "device's own cryptography.",
)


def check_runtime(runtime: RuntimeName, command: str) -> None:
    """End the command with what to install if the interpreter is missing."""
    from doorward_simulator.runtimes import micropython

    if runtime == "cpython":
        return
    try:
        micropython.command()
    except micropython.RuntimeMissingError as error:
        typer.echo(f"doorward {command}: {error}", err=True)
        raise typer.Exit(2) from None
