"""Runs a scenario: does its steps in order on a stage, waits for what it expects, and reports.

An expectation is a function that returns a `Check`; the world runs until the check holds or its time is over.
After the last step the whole day is judged: nothing lost and nothing twice, no alarm that nobody expected, no
wire on which somebody broke a part's protocol, no process that ended by itself.
"""

import time
from collections.abc import Callable
from pathlib import Path

from . import (
    scenario_actions,
    scenario_attacks,
    scenario_centre,
    scenario_checks,
    scenario_expectations,
    scenario_faults,
    scenario_loader,
)
from .desk import DeskError
from .http_client import HttpError
from .participant import ParticipantGone
from .preparation import Preparation
from .process import CPYTHON, Runtime
from .scenario_loader import Scenario, ScenarioError, Step, duration
from .scenario_report import Report
from .stage import Stage

TABLES = {
    "do": scenario_actions.DO,
    "expect": scenario_checks.EXPECT,
    "fault": scenario_faults.FAULT,
}
VOCABULARY = (  # whose import has filled the tables
    scenario_actions,
    scenario_attacks,
    scenario_centre,
    scenario_expectations,
    scenario_faults,
)


def load(name: str) -> Scenario:
    """A scenario by its name or its file."""
    return scenario_loader.load(scenario_loader.find(name), TABLES)


def run(
    scenario: Scenario,
    preparation: Preparation,
    server_command: list[str],
    folder: Path,
    listener: Callable[[Report], None] = lambda _report: None,
    runtime: Runtime = CPYTHON,
) -> Report:
    """Run a scenario in virtual time. `server_command` is completed with --bus and --socket."""
    with Stage(scenario, preparation, server_command, folder, runtime=runtime) as stage:
        return Runner(scenario, listener).play(stage)


class Runner:
    """One run of one scenario. `listener(report)` is told after each step."""

    def __init__(self, scenario: Scenario, listener: Callable[[Report], None] = lambda _report: None):
        self.scenario, self._listener = scenario, listener
        self.report = Report(scenario.name, scenario.title, scenario.seed, scenario.shows)

    def play(self, stage: Stage) -> Report:
        """Do the steps on an open stage, which afterwards is as the last step left it."""
        started = time.perf_counter()
        try:
            stage.begin()
            for step in self.scenario.steps:
                self._step(stage, step)
            self.report.problems += stage.judge()
        except ParticipantGone as gone:
            self.report.problems.append(str(gone))
        self._finish(stage)
        self.report.seconds = round(time.perf_counter() - started, 2)
        return self.report

    def _step(self, stage: Stage, step: Step) -> None:
        report, begun = self.report, stage.world.now()
        if not report.passed:
            report.add(step, begun, "not reached")
            return
        try:
            detail = self._carry_out(stage, step)
        except (ParticipantGone, DeskError, HttpError) as error:
            detail = str(error)
        except ScenarioError as error:
            raise ScenarioError(f"{self.scenario.name}.yaml: line {step.line}: {error}") from error
        report.add(step, stage.world.now(), "failed" if detail else "passed", detail)
        self._listener(report)

    def _carry_out(self, stage: Stage, step: Step) -> str:
        """What is wrong, or nothing."""
        if step.kind == "wait":
            stage.world.run_for(duration(step.name))
            return ""
        function = TABLES[step.kind][step.name]
        if step.kind != "expect":
            stage.acted_at = stage.world.now()
            return function(stage, **step.arguments) or ""
        check = function(stage, **step.arguments)
        if check.lasting:
            failed = stage.world.run_until(lambda: not check.holds(), check.within)
        else:
            failed = not stage.world.run_until(check.holds, check.within)
        return check.missing() if failed else ""

    def _finish(self, stage: Stage) -> None:
        self.report.world_ms, self.report.steps = stage.world.now(), stage.world.steps
        self.report.roots = {
            name: [unit.journal.head()[0], unit.journal.head()[1], unit.journal.head()[2].hex()]
            for name, unit in stage.units.items()
        }
        self.report.heard_ms = stage.slowest_record()
        self._listener(self.report)
