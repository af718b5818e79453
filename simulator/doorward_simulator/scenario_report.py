"""What a scenario's run gave: one row per step with its world time, and the journal root of every unit."""

from dataclasses import asdict, dataclass, field

from .scenario_loader import Step


@dataclass
class Row:
    """One step's outcome: `time` in ms since the scenario began, `result` passed, failed or not reached."""

    line: int
    time: int
    text: str
    note: str
    result: str
    detail: str = ""


@dataclass
class Report:
    """Everything about one run. `roots` = {unit: [epoch, size, root in hex]}, `heard_ms` = slowest record."""

    name: str
    title: dict[str, str]
    seed: int
    shows: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    roots: dict[str, list] = field(default_factory=dict)
    world_ms: int = 0
    steps: int = 0
    seconds: float = 0.0
    heard_ms: int | None = None
    power_cuts: dict[str, int] | None = None  # figures of a sweep: `power.sweep.Figures`

    @property
    def passed(self) -> bool:
        return not self.problems and all(row.result == "passed" for row in self.rows)

    def add(self, step: Step, time: int, result: str, detail: str = "") -> None:
        self.rows.append(Row(step.line, time, str(step), step.note, result, detail))

    def to_json(self) -> dict:
        """For `--json`: the dataclass and whether all passed."""
        return {**asdict(self), "passed": self.passed}


def clock_text(milliseconds: int) -> str:
    """World time as m:ss.mmm."""
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes}:{rest // 1000:02}.{rest % 1000:03}"
