"""`doorward bench parsers` and `doorward bench cbor`: hostile bytes for each parser, cbor2 beside us.

Speed is not judged here; that nothing but values and declared refusals comes out, and that no input takes
more memory than its bound, is. A finding ends the command with the line that repeats it.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache
from typing import Annotated

import typer

PROCESSES = 2
MILLION = 1_000_000

Count = Annotated[int, typer.Option(help="Inputs for each parser.", min=1)]
Seed = Annotated[int, typer.Option(help="Equal seeds give equal inputs.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]


def parsers(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Which parsers; all eight if none is named.", show_default=False),
    ] = None,
    count: Count = MILLION,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """Feed every parser of bytes from outside with spoiled traffic: values or refusals, in bounded memory."""
    from doorward_tools.fuzzing.harness import Tally
    from doorward_tools.fuzzing.subjects import SUBJECTS

    unknown = sorted(set(names or ()) - set(SUBJECTS))
    if unknown:
        raise typer.BadParameter(f"no parser is called {', '.join(unknown)}; there are {', '.join(SUBJECTS)}")
    chosen = names or list(SUBJECTS)
    tallies = {name: Tally(name) for name in chosen}
    work = [(name, seed, chunk, size) for name in chosen for chunk, size in chunks(count)]
    for tally in spread(feed_chunk, work, "Feeding parsers", as_json):
        tallies[tally.subject].add(tally)
    if as_json:
        figures = [tally.to_json() for tally in tallies.values()]
        typer.echo(json.dumps({"seed": seed, "parsers": figures}, indent=2))
    else:
        show_tallies(list(tallies.values()))


def agreement(count: Count = MILLION, seed: Seed = 1, as_json: AsJson = False) -> None:
    """Compare our CBOR with cbor2: items both ways, and spoiled bytes with every refusal explained."""
    judged: Counter = Counter()
    for part in spread(
        agree_chunk, [(seed, chunk, size) for chunk, size in chunks(count)], "Comparing", as_json
    ):
        judged += part
    if as_json:
        typer.echo(
            json.dumps({"seed": seed, "items": count, "spoiled": dict(judged.most_common())}, indent=2)
        )
        return
    typer.echo(f"{count} items: both write the same bytes and read the same values.")
    typer.echo(f"{judged.total()} spoiled: both agree, or one rule of our profile explains the refusal:")
    for name, number in judged.most_common():
        typer.echo(f"  {number:9}  {name}")


def chunks(count: int) -> Iterator[tuple[int, int]]:
    """(number, size) of the chunks that make up `count` inputs."""
    from doorward_tools.fuzzing.harness import CHUNK

    for chunk, start in enumerate(range(0, count, CHUNK)):
        yield chunk, min(CHUNK, count - start)


@lru_cache
def _subject(name: str, seed: int):
    from doorward_tools.fuzzing import subjects

    return subjects.make(name, seed)


def feed_chunk(name: str, seed: int, chunk: int, size: int):
    """One chunk of one parser, in a worker."""
    from doorward_tools.fuzzing import harness

    return harness.run_chunk(_subject(name, seed), seed, chunk, size)


def agree_chunk(seed: int, chunk: int, size: int) -> Counter:
    """One chunk of the comparison, in a worker."""
    from doorward_tools.fuzzing import agreement as comparison

    return comparison.run_chunk(seed, chunk, size)


def spread(function: Callable, work: list[tuple], title: str, quiet: bool) -> Iterator:
    """Results of `function(*item)` for all items, from two processes; a finding ends the command."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with (
        ProcessPoolExecutor(min(PROCESSES, os.cpu_count() or 1)) as pool,
        Progress(*columns, console=console, disable=quiet) as progress,
    ):
        bar = progress.add_task(f"{title} (chunks)", total=len(work))
        waiting = [pool.submit(function, *item) for item in work]
        for done in as_completed(waiting):
            try:
                yield done.result()
            except Exception as finding:
                pool.shutdown(wait=False, cancel_futures=True)
                typer.echo(f"doorward bench: {finding}", err=True)
                typer.echo(
                    "Repeat it with the same --seed; put its bytes into a test, and mend the parser.",
                    err=True,
                )
                raise typer.Exit(1) from None
            progress.advance(bar)


def show_tallies(tallies: list) -> None:
    """One line for each parser, and how it refused."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Spoiled input", title_justify="left")
    for name in ("parser", "inputs", "accepted", "refused", "µs each", "slowest ms", "most memory KB"):
        table.add_column(name, justify="left" if name == "parser" else "right")
    for tally in tallies:
        table.add_row(
            tally.subject,
            str(tally.inputs),
            str(tally.accepted),
            str(tally.refused.total()),
            f"{tally.spent / max(1, tally.inputs) / 1000:.0f}",
            f"{tally.slowest / 1e6:.1f}",
            f"{tally.peak / 1024:.0f}",
        )
    console = Console()
    console.print(table)
    for tally in tallies:
        reasons = ", ".join(f"{name} {number}" for name, number in tally.refused.most_common())
        console.print(f"{tally.subject}: {reasons or 'skips what is none'}", highlight=False)
        console.print(f"  slowest: {tally.slowest_input}", highlight=False, markup=False)
