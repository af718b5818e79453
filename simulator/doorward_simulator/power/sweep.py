"""A whole sweep: one recording, the stores at every piece, the delivery live at chosen pieces.

    report = Sweep(scenario, reset, server_command, folder, tell, runtime).run(sample)

`reset()` puts the prepared day back to its beginning. The recording is always made under CPython, which can
tell the places in the code; `runtime` plays the live points. For the same seed its flash operations are the
same ones: a cut that falls into another piece than the recorded one is a problem of that point.
"""

import dataclasses
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from doorward_simulator.preparation import Preparation
from doorward_simulator.process import CPYTHON, Runtime
from doorward_simulator.runtimes import write_places
from doorward_simulator.scenario import Runner
from doorward_simulator.scenario_loader import Scenario
from doorward_simulator.scenario_report import Report
from doorward_simulator.stage import Stage

from .every_piece import EveryPiece, Recording, spread
from .live import Cut
from .promises import recorded_first
from .recording import FRAME, RELAY, SEARCH, Recorder

PIECES_PER_POINT = 100  # that a sample recovers for each point that it plays

Tell = Callable[[str, int, int], None]  # what is being done, how far, of how much


@dataclasses.dataclass
class Figures:
    """What a sweep did. Pieces are page programs and sector erases; mounts are recoveries of all stores."""

    pieces: int
    frames: int
    relays: int
    searches: int
    places: int
    recovered_pieces: int
    mounts: int
    live: int


class Sweep:
    """See above. `folder` keeps the worlds: of the recording, and of every point that failed."""

    def __init__(
        self,
        scenario: Scenario,
        reset: Callable[[], Preparation],
        server_command: list[str],
        folder: Path,
        tell: Tell = lambda _what, _done, _total: None,
        runtime: Runtime = CPYTHON,
    ):
        self._scenario, self._reset, self._tell, self._runtime = scenario, reset, tell, runtime
        self._server_command, self._folder = server_command, folder

    def run(self, sample: int | None = None) -> Report:
        """Everything; with a `sample`, only so many live points and PIECES_PER_POINT pieces for each."""
        self._tell("recording", 0, 1)
        report, recording = self._record()
        if not report.passed:
            return report
        self._tell("recording", 1, 1)
        report.problems += recorded_first(recording.departures, recording.leaves, recording.heard)
        total, seed = len(recording.pieces), self._scenario.seed
        chosen = None if sample is None else set(spread(min(total, sample * PIECES_PER_POINT), total, seed))
        walk = EveryPiece(recording, seed)
        report.problems += walk.problems(chosen, lambda number: self._tell("pieces", number + 1, total))
        points = self._points(recording, sample)
        for done, number in enumerate(points, 1):
            report.problems += self._live(number, recording)
            self._tell("live", done, len(points))
        kinds = [departure.kind for departure in recording.departures]
        figures = Figures(
            pieces=total,
            frames=kinds.count(FRAME),
            relays=kinds.count(RELAY),
            searches=kinds.count(SEARCH),
            places=len(set(recording.places)),
            recovered_pieces=total if chosen is None else len(chosen),
            mounts=walk.mounts,
            live=len(points),
        )
        report.power_cuts = dataclasses.asdict(figures)
        return report

    def _record(self) -> tuple[Report, Recording]:
        folder = self._folder / "recording"
        folder.mkdir(parents=True, exist_ok=True)
        heard, places = folder / "heard.txt", folder / "places.txt"
        for path in (heard, places):
            path.unlink(missing_ok=True)
        command = [*self._server_command, "--heard", str(heard)]
        with Stage(self._scenario, self._reset(), command, folder) as stage:
            unit = stage.unit(None)
            unit.environment[write_places.VARIABLE] = str(places)
            recorder = Recorder(unit)
            report = Runner(self._scenario).play(stage)
            recording = Recording(
                initial=recorder.initial,
                pieces=recorder.pieces,
                departures=recorder.departures,
                leaves={(entry.epoch, entry.index): entry.content for entry in unit.journal.entries()},
                heard=[bytes.fromhex(line) for line in heard.read_text().splitlines()],
                places=_place_of_each(recorder, places.read_text(encoding="utf-8").splitlines()),
                wall=stage.world.clock.epoch + stage.world.now(),
            )
        frames = sum(departure.kind == FRAME for departure in recorder.departures)
        if not 0 <= frames - len(recording.heard) <= 1:  # the last one may still be on its way
            report.problems.append(f"{frames} frames left the unit, the server heard {len(recording.heard)}")
        return report, recording

    def _points(self, recording: Recording, sample: int | None) -> list[int]:
        """A piece of each place in the code that writes, and as many spread ones as the scenario asks for."""
        choice = random.Random(f"points {self._scenario.seed}")  # noqa: S311 - reproducible
        by_place: dict[str, list[int]] = {}
        for number, place in enumerate(recording.places):
            by_place.setdefault(place, []).append(number)
        points = {choice.choice(numbers) for numbers in by_place.values()}
        points |= set(spread(self._scenario.power_cuts, len(recording.pieces), self._scenario.seed))
        return sorted(points if sample is None else choice.sample(sorted(points), sample))

    def _live(self, number: int, recording: Recording) -> list[str]:
        folder = self._folder / f"cut-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        day = (self._scenario, self._reset(), self._server_command, folder)
        with Stage(*day, runtime=self._runtime) as stage:
            cut = Cut(stage, number, recording.pieces[number])
            report = Runner(self._scenario).play(stage)
            problems = [f"{row.text}: {row.detail}" for row in report.rows if row.result == "failed"]
            problems += report.problems
            if report.passed:
                problems += cut.judge()
        if not problems:
            shutil.rmtree(folder)
        label, piece = recording.pieces[number]
        where = f"cut in piece {number} ({label} {piece.kind} at {piece.offset}, {recording.places[number]})"
        return [f"{where}: {problem}" for problem in problems]


def _place_of_each(recorder: Recorder, lines: list[str]) -> list[str]:
    """For each piece the place of its operation; the firmware told one line per operation."""
    places, operation = [], -1
    for label, piece in recorder.pieces:
        operation += piece.begins
        told, kind, place = lines[operation].split(" ", 2)
        if (told, kind) != (label, piece.kind):
            raise RuntimeError(f"operation {operation} is a {kind} of {told} in the code, {piece} on {label}")
        places.append(place)
    return places
