"""Every scenario that comes with the simulator passes, and a second run of one gives the same journals."""

import dataclasses
import json
import os
import subprocess
import sys

import pytest
from doorward_server.app import open_services
from doorward_server.handovers.rebuild import rebuild
from doorward_server.settings import Settings
from doorward_tools import scenario as command

REQUIRED = {
    "delivery",
    "delivery-offline",
    "twin-van",
    "early-van",
    "five-failures",
    "spoof-finger",
    "missing-box",
    "wrong-box",
}


def failures(report):
    return [f"line {row.line}: {row.text}: {row.detail}" for row in report.rows if row.result == "failed"]


def rebuilt(data):
    """The day's projections, made again from its journals and held against what they were."""
    services = open_services(Settings(data=data))
    with services.database.writing() as session:
        report = rebuild(session)
    services.database.close()
    assert report.leaves > 0
    return report


@pytest.mark.shows("F12")
def test_it_passes(scenario_name, played):
    report, folder = played(scenario_name)
    assert failures(report) == [], folder
    assert report.problems == [], folder
    assert report.passed
    assert report.heard_ms is None or report.heard_ms <= 2000
    played_in = folder / "day" if report.power_cuts else folder  # a sweep plays its day from a copy
    assert rebuilt(played_in / "data").differences == [], folder


def test_the_first_delivery_is_covered(scenario_names):
    assert set(scenario_names) >= REQUIRED


@pytest.fixture
def scenario_names():
    from doorward_simulator import scenario_loader

    return scenario_loader.names()


@pytest.mark.shows("F12")
def test_two_runs_give_equal_journals(played, tmp_path):
    """The second run in another interpreter with another hash seed, in another folder."""
    name = "delivery"
    report, _ = played(name)
    script = (
        "import json, sys, pathlib\n"
        "from doorward_tools import scenario\n"
        "report = scenario.play(scenario.load_scenario(sys.argv[1]), *map(pathlib.Path, sys.argv[2:]))\n"
        "print(json.dumps(report.to_json()))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, name, str(tmp_path / "again"), str(tmp_path / "common")],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
    )
    again = json.loads(run.stdout.splitlines()[-1])
    assert again["roots"] == {unit: list(root) for unit, root in report.roots.items()}
    assert (again["world_ms"], again["steps"]) == (report.world_ms, report.steps)


def test_another_seed_gives_another_journal(played, tmp_path, cache):
    report, _ = played("spoof-finger")
    chosen = command.load_scenario("spoof-finger")
    other = command.play(dataclasses.replace(chosen, seed=chosen.seed + 100), tmp_path / "day", cache)
    assert failures(other) == []
    assert other.roots != report.roots
