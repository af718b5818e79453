"""What a unit does when the server itself was taken over: it obeys what is right, once, and nothing else."""

import sys
from pathlib import Path

import pytest
from doorward_simulator import scenario
from doorward_tools import scenario as command
from doorward_tools.prepare import prepare

DAY = Path(__file__).with_name("days") / "taken-over.yaml"
SERVER = Path(__file__).with_name("taken_over.py")
WRONG = [step for step in command.load_scenario(str(DAY)).steps if step.arguments.get("kind") == "refusal"]


@pytest.mark.shows("S2")
def test_a_server_that_was_taken_over_opens_no_door(tmp_path, cache):
    chosen = command.load_scenario(str(DAY))
    day = (chosen.seed, chosen.begins, chosen.units, chosen.plan)
    preparation = prepare(tmp_path, *day, command.QUICK, cache=cache)
    server = [sys.executable, str(SERVER), "--data", str(preparation.data)]
    with scenario.Stage(chosen, preparation, server, tmp_path / "world") as stage:
        report = scenario.Runner(chosen).play(stage)
        found = [entry.record for entry in stage.entries("B01")]
    assert [f"{row.text}: {row.detail}" for row in report.rows if row.result == "failed"] == []
    assert report.problems == []
    assert report.passed
    refused = [
        (record.fields["what"], record.fields["reason"]) for record in found if record.name == "refusal"
    ]
    assert len(refused) == len(set(refused)) == len(WRONG), "each is written down once"
    assert [record.name for record in found].count("approval") == 1
