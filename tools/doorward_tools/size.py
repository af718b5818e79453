"""`doorward size`: what the device's software takes of a board, beside what it may take."""

import json
import sys
from typing import Annotated

import typer

from doorward_tools import size_code, size_delivery
from doorward_tools.runtime import check_runtime

LARGEST = 12  # files in the table
RUNS = 15  # of each cryptographic operation, with fresh keys each time
MOST_BETWEEN_YIELDS = 150  # 256-bit multiplications: what the firmware computes before others have their turn


def multiplications_between_yields(runs: int = RUNS) -> int:
    """The most 256-bit multiplications that any operation does before it lets other tasks run."""
    from doorward_tools import bench_crypto

    return max(counts.between_pauses for counts in bench_crypto.count(runs).values())


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure the device's software: compiled code, heap, flash wear, and what computing holds up.

    Code is compiled by mpy-cross as for a release: no line numbers, short names. Heap and erases are those of
    the scenario `delivery` under the real MicroPython with the device's own cryptography: minutes of work;
    nothing here depends on this machine's speed.

    How the heap is derived: bytes in use after a forced collection, idle being the most while nothing is in
    hand (30 s before the van and after it), peak the most between. Under node the compiled code lies on the
    heap, on the device it is frozen into flash: its share, measured by loading each file and reading the heap
    at its first statement, is subtracted and has a line of its own. So are the classes and functions of the
    modules that stand for the board's, measured by importing those alone.

    Example: doorward size --json
    """
    from doorward_simulator.device_files import CompilerMissingError

    check_runtime("micropython", "size")
    try:
        sizes = size_code.compiled_sizes()
        delivery = size_delivery.measure(_progress)
    except (CompilerMissingError, size_delivery.DeliveryFailedError) as error:
        typer.echo(f"doorward size: {error}", err=True)
        raise typer.Exit(2) from None
    figures = {
        "compiled_bytes": sum(sizes.values()),
        "idle_bytes": delivery.idle_bytes,
        "peak_bytes": delivery.peak_bytes,
        "flash_erases_per_delivery": sum(delivery.erases.values()),
        "multiplications_between_yields": multiplications_between_yields(),
    }
    budgets = {
        "compiled_bytes": size_code.BUDGET,
        "idle_bytes": size_delivery.IDLE_BUDGET,
        "peak_bytes": size_delivery.PEAK_BUDGET,
        "multiplications_between_yields": MOST_BETWEEN_YIELDS,
    }
    if as_json:
        objects = {"stand_ins": delivery.stand_in_object_bytes}
        code = {"firmware": delivery.code_bytes, "stand_ins": delivery.stand_in_code_bytes}
        more = {
            "budgets": budgets,
            "code_on_heap_bytes": code,
            "objects_on_heap_bytes": objects,
            "flash_erases": delivery.erases,
            "files": sizes,
        }
        typer.echo(json.dumps({**figures, **more}, indent=2))
    else:
        _show(sizes, figures, budgets, delivery)
    if any(figures[name] > budget for name, budget in budgets.items()):
        raise typer.Exit(1)


def _progress(text: str) -> None:
    """One line that is written over, for people at a terminal."""
    if sys.stderr.isatty():
        typer.echo(f"\rdelivery under MicroPython: {text}   ", err=True, nl=False)


TITLES = {
    "compiled_bytes": "compiled code, bytes",
    "idle_bytes": "heap while idle, bytes (without code)",
    "peak_bytes": "heap at the most in a delivery, bytes (without code)",
    "flash_erases_per_delivery": "flash sectors erased in a delivery",
    "multiplications_between_yields": "256-bit multiplications between yields, at the most",
}


def _show(sizes: dict[str, int], figures: dict[str, int], budgets: dict[str, int], delivery) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    parts = Table(title="Compiled as for a release: folders, then the largest files", title_justify="left")
    parts.add_column("")
    parts.add_column("bytes", justify="right", style="cyan")
    for name, size in size_code.by_folder(sizes).items():
        parts.add_row(f"{name}/", f"{size:,}")
    parts.add_section()
    for name, size in size_code.largest(sizes, LARGEST).items():
        parts.add_row(name, f"{size:,}")
    console.print(parts)
    table = Table(title="What the device's software takes", title_justify="left")
    table.add_column("")
    table.add_column("found", justify="right")
    table.add_column("budget", justify="right")
    for name, title in TITLES.items():
        budget = budgets.get(name)
        colour = "red" if budget and figures[name] > budget else "green"
        table.add_row(title, f"[{colour}]{figures[name]:,}[/]", f"{budget:,}" if budget else "")
    table.add_section()
    table.add_row("code on node's heap, in flash on the device", f"{delivery.code_bytes:,}", "")
    table.add_row("code of the board's stand-ins, only simulated", f"{delivery.stand_in_code_bytes:,}", "")
    table.add_row("classes and functions of the stand-ins", f"{delivery.stand_in_object_bytes:,}", "")
    console.print(table)
    by_partition = ", ".join(f"{label} {count}" for label, count in delivery.erases.items() if count)
    console.print(f"Erased sectors by partition: {by_partition or 'none'}.", highlight=False)
    console.print(
        "Heap: in use after a forced collection; the last three lines are taken off. Code is measured as "
        "each file is loaded and before it runs, the stand-ins' classes and functions as they are imported.",
        highlight=False,
    )
