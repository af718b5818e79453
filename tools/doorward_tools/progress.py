"""A progress bar for work that tells how many of how many bytes it has done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def telling(what: str, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Gives told(done, total); the bar begins again with each pass over the data."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not shown, transient=True) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)
