"""A scenario played in real time at this very hour, against a server that really runs: for demo and simulate.

Everything is what runs in a bank: the server in a process of its own, the firmware in one per unit. Only
doors, people, vans and sensors are simulated. What the officer decides may be left to whoever sits at the
host screen.
"""

import dataclasses
import inspect
import secrets
import socket
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from doorward_simulator.preparation import Preparation
    from doorward_simulator.scenario_loader import Scenario, Step
    from doorward_simulator.scenario_report import Report

    from doorward_tools.runtime import RuntimeName

HOST = "127.0.0.1"
SITE = "B01"
UNITS = ("V01", "B01", "B02", "B03")
MARK = "made-by-doorward"
# What else is planned, so that the wall shows a bank's day: (site, hours from now, boxes).
LATER = (("B02", 1, ["HX-0002", "HX-0005"]), ("B03", 2, ["HX-0003"]))
SECOND_RUN = {"vehicle": "京A·Y0742", "door": ["E1003", "E1004"], "drive": ["D2002"]}
SECOND_STOPS = (("B03", 1, ["HX-0006", "HX-0009"]), ("B02", 2, ["HX-0008"]), ("B01", 3, ["HX-0010"]))
LOGINS = {
    "duty1": "the wall: every run, record and alarm",
    "o3001": "the host screen of B01: compare, count heads, approve",
    "dispatch1": "plans runs and asks for their release, by the API for now",
    "dispatch2": "approves what another dispatcher asks for",
    "auditor1": "reads everything",
}


class DayError(Exception):
    """The day cannot begin; the text says what to do."""


def prepare_day(console: Console, folder: Path, scenario: "Scenario") -> "Preparation":
    """Make a bank with random keys and passwords in a folder, which is emptied if an earlier day made it."""
    from doorward_tools.prepare import prepare

    refuse_foreign(folder)
    with console.status("Making a bank: people, fingers, vans, boxes, spoken prompts, and a day's plan …"):
        preparation = prepare(
            folder,
            secrets.randbits(32),
            scenario.begins,
            scenario.units,
            scenario.plan,
            password=lambda _login: secrets.token_hex(5),
        )
        (folder / MARK).touch()
    return preparation


def refuse_foreign(folder: Path) -> None:
    """Raise DayError for a folder with contents that no such command made: it would be emptied."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise DayError(f"{folder} holds something else; choose another folder with --data")


def at_this_hour(name: str, patience: str) -> "Scenario":
    """A scenario moved to this hour, with all units; people may decide for as long as `patience`.

    What is waited for before anybody does anything lies in the past already.
    """
    from doorward_server.settings import Settings
    from doorward_simulator import scenario as scenarios
    from doorward_simulator.scenario_loader import duration

    scenario = scenarios.load(name)
    # Scenarios are written in the bank's local time.
    now = datetime.now(Settings().zone).replace(second=0, microsecond=0, tzinfo=None)
    first = next(i for i, step in enumerate(scenario.steps) if step.kind == "do")
    waits = [step for step in scenario.steps[:first] if step.kind == "wait"]
    shift = now - scenario.begins - timedelta(milliseconds=sum(duration(step.name) for step in waits))
    plan = [
        {**run, "stops": [{**stop, "window": _window(scenario, stop, shift, now)} for stop in run["stops"]]}
        for run in scenario.plan
    ]
    if len(plan) == 1:
        plan[0]["stops"] += _later(LATER, now)
        plan += [{**SECOND_RUN, "stops": stops} for stops in [_later(SECOND_STOPS, now)] if stops]
    steps = [_for_people(step, patience) for step in scenario.steps if step not in waits]
    return dataclasses.replace(scenario, begins=now, plan=plan, steps=steps, units=list(UNITS))


def _window(scenario: "Scenario", stop: dict, shift: timedelta, now: datetime) -> list[str]:
    """A stop's window moved in time, and cut at midnight: a plan is for one day."""
    earliest, latest = now.replace(hour=0, minute=0), now.replace(hour=23, minute=59)
    ends = [datetime.combine(scenario.begins, clock.fromisoformat(text)) + shift for text in stop["window"]]
    return [f"{min(max(end, earliest), latest):%H:%M}" for end in ends]


def _later(stops: tuple, now: datetime) -> list[dict]:
    """Stops of half an hour each, as far as the day is long enough."""
    planned = []
    for site, hours, boxes in stops:
        begin = now + timedelta(hours=hours)
        end = begin + timedelta(minutes=30)
        if end.date() == now.date():
            window = [f"{begin:%H:%M}", f"{end:%H:%M}"]
            planned.append({"site": site, "kind": "deliver", "window": window, "boxes": boxes})
    return planned


def play(
    console: Console,
    preparation: "Preparation",
    scenario: "Scenario",
    port: int,
    keep_running: bool,
    runtime: "RuntimeName",
) -> bool:
    """Play the steps in real time, tell each, show the table; then go on until Ctrl-C. Whether all passed."""
    from doorward_simulator.process import Runtime
    from doorward_simulator.scenario import Runner
    from doorward_simulator.stage import Stage

    from doorward_tools.scenario import show

    preparation.epoch = time.time_ns() // 1_000_000
    world = preparation.folder / "world"
    address = (HOST, port)
    with Stage(scenario, preparation, None, world, 1.0, address, Runtime(runtime)) as stage:
        report = Runner(scenario, _Narrator(console)).play(stage)
        show(report)
        if keep_running:
            console.print("Units and server keep running. Ctrl-C ends them.")
        while keep_running:
            stage.world.run_for(60_000)
    return report.passed


def introduce(console: Console, preparation: "Preparation", port: int) -> None:
    """Where the pages are, and who can log in."""
    table = Table("login", "password", "what it is for", title=f"Doorward runs at http://{HOST}:{port}")
    for login, what in LOGINS.items():
        table.add_row(login, preparation.passwords[login], what)
    console.print(table)


def listens(port: int) -> bool:
    """Whether something listens on this machine's port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def wait_for_server(port: int, seconds: float, check: Callable[[], None] = lambda: None) -> None:
    """Wait until the server answers. `check` may raise when waiting makes no more sense."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check()
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/api/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise DayError(f"no server answers at http://{HOST}:{port} after {seconds:.0f} s; start it and try again")


def _for_people(step: "Step", patience: str) -> "Step":
    """The step with its unit named, for there are several, and with time for people to decide."""
    from doorward_simulator.scenario import TABLES

    function = TABLES[step.kind].get(step.name)
    parameters = inspect.signature(function).parameters if function else {}
    added = {"unit": SITE} if "unit" in parameters else {}
    if "patience" in parameters:
        added["patience"] = patience
    return dataclasses.replace(step, arguments={**added, **step.arguments})


class _Narrator:
    """Tells each step when it has been done."""

    def __init__(self, console: Console):
        self._console, self._told = console, 0

    def __call__(self, report: "Report") -> None:
        for row in report.rows[self._told :]:
            colour = "green" if row.result == "passed" else "red"
            line = f"{row.time / 1000:7.1f} s  [{colour}]{row.result:7}[/{colour}] {row.text}"
            self._console.print(line, highlight=False)
        self._told = len(report.rows)
