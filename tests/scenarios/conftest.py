"""Scenarios play once per run; their reports are shared by all tests that look at them."""

import pickle

import pytest
from doorward_simulator import scenario_loader
from doorward_tools import scenario as command

SAMPLE = 1  # points at which power fails in a day that asks for it; all of them take many minutes


@pytest.fixture(scope="session")
def played(shared, alone, cache):
    """Plays a scenario of the simulator by name: `played(name)` gives its report and folder."""

    def play(name):
        folder = shared / name
        kept = shared / f"{name}.report"
        with alone(name):
            if not kept.exists():
                report = command.play(command.load_scenario(name), folder, cache, sample=SAMPLE)
                kept.write_bytes(pickle.dumps(report))
        return pickle.loads(kept.read_bytes()), folder

    return play


def pytest_generate_tests(metafunc):
    if "scenario_name" in metafunc.fixturenames:
        metafunc.parametrize("scenario_name", scenario_loader.names())
