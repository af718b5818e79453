"""`doorward bench fingers`: false accepts and false rejects of the emulated fingerprint module, measured."""

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from doorward_simulator.population import Study

# R503 user manual 1.2.2, "Main parameters": at security level 3, the module's default.
SHEET_FALSE_ACCEPTS, SHEET_FALSE_REJECTS = 0.001 / 100, 1 / 100
# Requirement S24: so many people cannot be enrolled by ordinary algorithms.
CANNOT_ENROL = (0.03, 0.05)
OTHER_THRESHOLDS = (20, 28, 44, 52, 64, 80, 100)


@dataclass(frozen=True)
class Rate:
    """A counted share with its exact 95 % bounds."""

    events: int
    trials: int
    low: float
    high: float

    @classmethod
    def of(cls, events: int, trials: int) -> "Rate":
        from doorward_simulator.proportions import bounds

        return cls(events, trials, *bounds(events, trials))

    def to_json(self) -> dict:
        share = self.events / self.trials
        return {"events": self.events, "trials": self.trials, "rate": share, "bounds": [self.low, self.high]}

    def text(self, digits: int) -> str:
        """Per cent, with bounds; a rate of zero says what it excludes."""
        low, high = (f"{100 * share:.{digits}f}" for share in (self.low, self.high))
        if not self.events:
            return f"0 (below {high} %)"
        return f"{100 * self.events / self.trials:.{digits}f} % ({low} to {high})"


def command(
    people: Annotated[int, typer.Option(help="People who come to enrol.", min=2, max=20_000)] = 1900,
    touches: Annotated[int, typer.Option(help="Later touches of each.", min=1, max=1000)] = 11,
    seed: Annotated[int, typer.Option(help="Which people; equal seeds give equal figures.", min=0)] = 1,
    workers: Annotated[int, typer.Option(help="Processes that share the work.", min=1, max=64)] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Enrol a population at the emulated R503 and compare everybody with everybody, through its own matcher.

    Prints false accepts and false rejects per threshold with exact 95 % bounds, beside the data sheet, and
    the share of people who could not be enrolled. The defaults make 3.3 million impostor comparisons: some
    minutes on two cores.
    """
    from doorward_simulator.population import study
    from rich.console import Console
    from rich.progress import Progress

    begun = time.monotonic()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, int] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done)  # pyright: ignore[reportArgumentType]

        try:
            result = study(people, touches, seed, workers, progress=tell)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
    figures = judge(result)
    figures |= {"seed": seed, "seconds": round(time.monotonic() - begun, 1)}
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
    else:
        show(result, figures)
    if not figures["as_data_sheet"]:
        raise typer.Exit(1)


def judge(result: "Study") -> dict:
    """The figures of a study, and whether the module at its own threshold keeps the data sheet's promises."""
    from doorward_simulator.devices.ef01_library import THRESHOLDS
    from doorward_simulator.devices.ef01_settings import Settings

    genuine, impostor = result.genuine.total(), result.impostor.total()
    if not impostor:
        raise typer.BadParameter("nobody could be compared with another: take more --people")
    own = Settings().security
    levels = {score: level for level, score in THRESHOLDS.items()}
    rows = []
    for threshold in sorted({*levels, *OTHER_THRESHOLDS}):
        accepts = Rate.of(result.false_accepts(threshold), impostor)
        rejects = Rate.of(result.false_rejects(threshold), genuine)
        rows.append(
            {
                "threshold": threshold,
                "security_level": levels.get(threshold),
                "false_accepts": accepts.to_json(),
                "false_rejects": rejects.to_json(),
            }
        )
    accepts, rejects = (
        Rate.of(count(THRESHOLDS[own]), trials)
        for count, trials in ((result.false_accepts, impostor), (result.false_rejects, genuine))
    )
    not_enrolled = Rate.of(result.people - result.enrolled, result.people)
    return {
        "people": result.people,
        "enrolled": result.enrolled,
        "not_enrolled": not_enrolled.to_json(),
        "genuine_comparisons": genuine,
        "impostor_comparisons": impostor,
        "module": {"security_level": own, "threshold": THRESHOLDS[own]},
        "data_sheet": {"false_accepts": SHEET_FALSE_ACCEPTS, "false_rejects": SHEET_FALSE_REJECTS},
        "as_data_sheet": accepts.events / impostor < SHEET_FALSE_ACCEPTS
        and rejects.events / genuine < SHEET_FALSE_REJECTS,
        "surely_as_data_sheet": accepts.high < SHEET_FALSE_ACCEPTS and rejects.high < SHEET_FALSE_REJECTS,
        "thresholds": rows,
    }


def show(result: "Study", figures: dict) -> None:
    """Print the figures as a table."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title="The emulated R503, per threshold, with 95 % bounds", title_justify="left")
    for name in ("threshold", "security level", "false accepts", "false rejects"):
        table.add_column(name, justify="right")
    own = figures["module"]["threshold"]
    for row in figures["thresholds"]:
        threshold, level = row["threshold"], row["security_level"]
        table.add_row(
            str(threshold),
            "" if level is None else f"{level} ← in use" if threshold == own else str(level),
            Rate.of(row["false_accepts"]["events"], row["false_accepts"]["trials"]).text(5),
            Rate.of(row["false_rejects"]["events"], row["false_rejects"]["trials"]).text(3),
            style="bold" if threshold == own else "",
        )
    sheet = figures["data_sheet"]
    table.add_section()
    table.add_row(
        "data sheet",
        "3",
        f"below {100 * sheet['false_accepts']:.3f} %",
        f"below {100 * sheet['false_rejects']:.0f} %",
    )
    console.print(table)
    verdict = {
        (True, True): "kept, and its bounds as well",
        (True, False): "kept, but the bounds reach beyond it: take more --people to be sure",
    }.get((figures["as_data_sheet"], figures["surely_as_data_sheet"]), "MISSED")
    missing = Rate.of(result.people - result.enrolled, result.people)
    low, high = (100 * share for share in CANNOT_ENROL)
    console.print(
        f"{figures['impostor_comparisons']:,} impostor and {figures['genuine_comparisons']:,} genuine "
        f"comparisons in {figures['seconds']:.0f} s\n"
        f"data sheet at security level {figures['module']['security_level']}: {verdict}\n"
        f"could not be enrolled: {missing.events} of {missing.trials} people, {missing.text(2)}; "
        f"in life {low:.0f} to {high:.0f} %\n"
        "Bounds are Clopper-Pearson's, which take comparisons as independent.",
        highlight=False,
    )
