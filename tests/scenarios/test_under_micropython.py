"""Days under the real MicroPython with the device's own cryptography leave the journals that CPython leaves.

A few are enough here; `doorward scenario --all --runtime micropython` plays every one.
"""

import pytest
from doorward_tools import scenario as command
from typer.testing import CliRunner

# A delivery; power lost in the middle of flash operations, and handshakes after it.
DAYS = ["delivery", "power-cuts-while-writing"]


@pytest.mark.shows("F12")
@pytest.mark.parametrize("name", DAYS)
def test_the_journals_are_equal(name, played, tmp_path, cache):
    expected, _ = played(name)
    report = command.play(command.load_scenario(name), tmp_path, cache, "micropython")
    assert [f"{row.text}: {row.detail}" for row in report.rows if row.result == "failed"] == []
    assert report.problems == []
    assert report.roots == expected.roots
    assert (report.world_ms, report.steps) == (expected.world_ms, expected.steps)


@pytest.mark.parametrize("words", [["scenario", "delivery"], ["demo"], ["simulate"]])
def test_without_node_the_command_says_what_to_install(words, tmp_path, monkeypatch):
    from doorward_tools.main import app

    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(app, [*words, "--runtime", "micropython"])
    assert result.exit_code == 2
    assert "install Node.js" in result.output
