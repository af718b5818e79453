"""`doorward backup` and `doorward restore` as an operator types them at night."""

import json
import re
from contextlib import closing
from datetime import timedelta
from sqlite3 import connect

import pytest
from doorward_server.app import open_services
from doorward_server.backup import making, restore, running, swap
from doorward_server.fleet.models import Area
from doorward_server.settings import Settings
from doorward_tools.main import app
from typer.testing import CliRunner

pytestmark = pytest.mark.shows("S23")


def run(command, *options, typed=""):
    """(exit status, what it said) of `doorward COMMAND`; never a traceback."""
    answer = CliRunner().invoke(app, [command, *map(str, options)], input=typed)
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, " ".join(answer.output.split())


def put_area(data, code):
    services = open_services(Settings(data=data))
    with services.database.writing() as session:
        session.add(Area(code=code, name_zh=code, name_en=code))
    services.database.close()


def areas(data) -> list[str]:
    with closing(connect(data / "doorward.sqlite")) as database:
        return [code for (code,) in database.execute("SELECT code FROM area ORDER BY code")]


@pytest.fixture
def data(tmp_path):
    put_area(tmp_path / "data", "before")
    return tmp_path / "data"


@pytest.fixture
def backup(data, tmp_path):
    status, said = run("backup", "--data", data, "--to", tmp_path / "kept", "--json")
    assert status == 0
    path = json.loads(said)["file"]
    put_area(data, "later")
    return path


def test_a_backup_says_where_it_is(data):
    status, said = run("backup", "--data", data)
    (path,) = making.kept(data / "backups")
    assert (status, said) == (0, f"{path}: {path.stat().st_size / 1e6:.1f} MB, checked.")


def test_old_ones_go_from_the_folder_of_the_daily_backups_alone(data, tmp_path, monkeypatch):
    monkeypatch.setenv("DOORWARD_BACKUP_KEEP", "1")
    for folder in (data / "backups", tmp_path / "kept"):
        folder.mkdir()
        (folder / "doorward-20250101T000000Z.backup").touch()
    assert "doorward-20250101T000000Z.backup was removed; 1 are kept" in run("backup", "--data", data)[1]
    assert "removed" not in run("backup", "--data", data, "--to", tmp_path / "kept")[1]
    assert [len(making.kept(folder)) for folder in (data / "backups", tmp_path / "kept")] == [1, 2]


def test_the_variables_of_the_server_count(data, tmp_path, monkeypatch):
    monkeypatch.setenv("DOORWARD_BACKUP_FOLDER", str(tmp_path / "other"))
    assert run("backup", "--data", data)[0] == 0
    assert len(making.kept(tmp_path / "other")) == 1


def test_a_backup_that_fails_says_what_to_do(data, tmp_path):
    (tmp_path / "file").touch()
    status, said = run("backup", "--data", data, "--to", tmp_path / "file" / "folder")
    assert status == 1
    assert "choose another" in said


def test_a_folder_without_database_is_refused(tmp_path):
    status, said = run("backup", "--data", tmp_path / "nowhere")
    assert status == 2
    assert "--data" in said
    assert not (tmp_path / "nowhere").exists()


def test_a_restore_asks_and_tells_what_it_did_and_what_comes_next(data, backup):
    status, said = run("restore", backup, "--data", data, typed="n\n")
    assert (status, areas(data)) == (1, ["before", "later"])
    assert "Nothing was changed" in said
    status, said = run("restore", backup, "--data", data, typed="y\n")
    assert (status, areas(data)) == (0, ["before"])
    assert re.search(r"What was there before is in \S+before-restore-", said)
    assert "two dispatchers" in said


def test_a_restore_that_is_not_to_ask_reports_as_json(data, backup):
    status, said = run("restore", backup, "--data", data, "--yes", "--json")
    report = json.loads(said)
    assert (status, areas(data)) == (0, ["before"])
    assert report["removed_again"] == {"people": 0, "users": 0}
    assert report["aside"].startswith(str(data / "before-restore-"))


def test_a_check_changes_nothing(data, backup, tmp_path):
    status, said = run("restore", backup, "--data", tmp_path / "nowhere", "--check")
    assert (status, "It is sound." in said) == (0, True)
    assert not (tmp_path / "nowhere").exists()
    status, said = run("restore", backup, "--check", "--json")
    assert json.loads(said)["sound"] is True


@pytest.mark.parametrize("content", [b"", b"no backup", b"PK\x03\x04" + bytes(100)])
def test_a_file_that_is_no_backup_is_refused(data, tmp_path, content):
    (tmp_path / "bad").write_bytes(content)
    status, said = run("restore", tmp_path / "bad", "--data", data, "--yes")
    assert status == 1
    assert "take another backup" in said or "choose a file" in said
    assert areas(data) == ["before"]


def test_nothing_is_replaced_below_a_running_server(data, backup):
    with running.serving(data):
        status, said = run("restore", backup, "--data", data, "--yes")
    assert (status, areas(data)) == (1, ["before", "later"])
    assert "stop it first" in said


def test_an_old_backup_warns_that_units_may_hold_less(data, tmp_path, backup, monkeypatch):
    monkeypatch.setattr(restore, "UNITS_KEEP", timedelta(0))
    assert "more than 7 days old" in run("restore", backup, "--check")[1]


@pytest.mark.parametrize("command", [("rebuild", "--check"), ("backup",)])
def test_no_command_opens_data_while_a_restore_is_at_its_last_step(data, command):
    (data / swap.READY).mkdir()
    with running.replacing(data):
        status, said = run(*command, "--data", data)
    assert (status, "a restore of" in said) == (2, True)


@pytest.mark.parametrize(
    ("command", "during"),
    [
        ("units", "doorward_server.units.facts.facts_of_all"),
        ("rebuild", "doorward_server.handovers.rebuild.rebuild"),
        ("backup", "doorward_server.backup.making.make"),
        ("serve", "doorward_server.app.create_app"),
    ],
)
def test_while_a_command_works_on_the_data_nothing_is_replaced_below_it(
    data, backup, monkeypatch, command, during
):
    """Not even between two of its transactions, when it has nothing open in the database."""
    said = []

    def restoring(*_, **__):
        said.append(run("restore", backup, "--data", data, "--yes"))
        raise SystemExit(9)

    monkeypatch.setattr(during, restoring)
    options = ("--port", 0) if command == "serve" else ()
    assert run(command, "--data", data, *options)[0] == 9
    ((status, answer),) = said
    assert status == 1
    assert "a server or another command works on" in answer
    assert areas(data) == ["before", "later"]
    assert run("restore", backup, "--data", data, "--yes")[0] == 0


@pytest.mark.parametrize("command", ["units", "rebuild", "backup", "serve"])
def test_no_command_opens_data_that_is_being_replaced(data, monkeypatch, command):
    def opened(*_, **__):
        raise AssertionError("it opened the data")

    monkeypatch.setattr("doorward_server.app.open_services", opened)
    with running.replacing(data):
        status, said = run(command, "--data", data)
    assert (status, f"doorward {command}: a restore of {data} is under way" in said) == (2, True)


def test_whichever_command_comes_first_finishes_a_restore_that_was_cut_off(data, backup, monkeypatch):
    """At that moment there is no database in its place."""

    move = swap._move

    def half(source, target):
        move(source, target)
        raise SystemExit(9)

    with monkeypatch.context() as patch:
        patch.setattr(swap, "_move", half)
        assert run("restore", backup, "--data", data, "--yes")[0] == 9
    assert not (data / "doorward.sqlite").exists()
    assert "The server was restored" in run("units", "--data", data)[1]
    assert areas(data) == ["before"]
