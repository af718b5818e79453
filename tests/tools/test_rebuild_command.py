"""`doorward rebuild`: tells what differs, changes nothing when asked only to check."""

import json
import sqlite3
from contextlib import closing

from doorward_tools.main import app
from typer.testing import CliRunner


def test_a_folder_without_database_is_refused(tmp_path):
    answer = CliRunner().invoke(app, ["rebuild", "--data", str(tmp_path / "nowhere")])
    assert answer.exit_code == 2
    assert "--data" in answer.output
    assert not (tmp_path / "nowhere").exists()


def test_check_tells_and_yes_puts_right(tmp_path):
    from doorward_server.app import open_services
    from doorward_server.settings import Settings

    open_services(Settings(data=tmp_path)).database.close()
    with closing(sqlite3.connect(tmp_path / "doorward.sqlite")) as database:
        database.execute(
            "INSERT INTO alarm (key, rule, severity, time, received, details) "
            "VALUES ('record:9:fire', 'fire', 'critical', 1, 1, '{}')"
        )
        database.commit()

    def run(*options):
        answer = CliRunner().invoke(app, ["rebuild", "--data", str(tmp_path), "--json", *options])
        return answer.exit_code, json.loads(answer.output)

    found = {"leaves": 0, "rows": 0, "differences": [["alarm", "record:9:fire", "gone"]]}
    assert run("--check") == (1, {**found, "kept": False})
    assert run("--yes") == (0, {**found, "kept": True})
    assert run("--check") == (0, {"leaves": 0, "rows": 0, "differences": [], "kept": False})
