"""Scenarios play once per session; their reports are shared by all tests that look at them."""

import json

import pytest
from doorward_simulator import scenario_loader
from doorward_tools import scenario as command

SAMPLE = 1  # points at which power fails in a day that asks for it; all of them take many minutes


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """The folder of what all days have in common: banks, prompts."""
    return tmp_path_factory.mktemp("common")


@pytest.fixture(scope="session")
def played(tmp_path_factory, cache):
    """Plays a scenario of the simulator by name: `played(name)` gives its report and folder."""
    reports = {}

    def play(name):
        if name not in reports:
            folder = tmp_path_factory.mktemp(name)
            report = command.play(command.load_scenario(name), folder, cache, sample=SAMPLE)
            (folder / "report.json").write_text(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
            reports[name] = (report, folder)
        return reports[name]

    return play


def pytest_generate_tests(metafunc):
    if "scenario_name" in metafunc.fixturenames:
        metafunc.parametrize("scenario_name", scenario_loader.names())
