"""`doorward import` as whoever types it sees it: every bad row named, nothing written, an exit status."""

import json
import sqlite3
from contextlib import closing

import pytest
from doorward_server.app import open_services
from doorward_server.people.models import Person
from doorward_server.security.models import User
from doorward_server.settings import Settings
from doorward_simulator import bank, bank_files
from doorward_tools.main import app
from sqlmodel import func, select
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The demo bank's folder, the same with twenty mistakes, and these."""
    made = bank.build()
    sound, spoiled = tmp_path_factory.mktemp("sound"), tmp_path_factory.mktemp("spoiled")
    bank_files.write(made, sound)
    return sound, spoiled, bank_files.write_spoiled(made, spoiled)


@pytest.fixture
def run(tmp_path):
    """run(folder, *options, typed="") -> (exit status, output) of `doorward import` into one data folder."""

    def run(folder, *options, typed=""):
        command = ["import", str(folder), "--data", str(tmp_path / "data"), *options]
        result = CliRunner().invoke(app, command, input=typed)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout

    return run


@pytest.fixture
def rows(tmp_path):
    """rows() -> (people, users) in the database."""

    def rows():
        services = open_services(Settings(data=tmp_path / "data"))
        try:
            with services.database.reading() as session:
                return tuple(
                    session.exec(select(func.count()).select_from(table)).one() for table in (Person, User)
                )
        finally:
            services.database.close()

    return rows


@pytest.mark.shows("S20")
def test_every_bad_row_is_named_and_nothing_is_written(run, rows, folders):
    _, spoiled, mistakes = folders
    status, output = run(spoiled, "--json")
    report = json.loads(output)
    found = {(one["sheet"], one["row"], one["column"]): one for one in report["findings"]}
    for mistake in mistakes:
        one = found[mistake.sheet, mistake.row, mistake.column]
        for text in ("message_zh", "message_en", "what_to_do_zh", "what_to_do_en"):
            assert one[text]
    assert status == 1
    assert report["passwords"] == {}
    assert rows() == (0, 0)


def test_people_read_a_table_in_their_language(run, folders):
    _, spoiled, _ = folders
    status, output = run(spoiled, "--language", "zh")
    assert status == 1
    assert "请写成 2026-12-31" in output.replace("\n", "")


@pytest.mark.shows("S20")
def test_a_bank_comes_in_whole_after_its_mistakes_were_corrected(run, rows, folders):
    sound, spoiled, _ = folders
    assert run(spoiled)[0] == 1
    assert run(sound, "--check")[0] == 0
    assert rows() == (0, 0), "a check writes nothing"
    status, output = run(sound, "--json")
    assert status == 0
    assert len(json.loads(output)["passwords"]) == rows()[1] == 10
    assert rows()[0] == 13


@pytest.mark.shows("F7")
def test_later_imports_need_two_people_with_their_passwords(run, rows, folders):
    sound, spoiled, _ = folders
    passwords = json.loads(run(sound, "--json")[1])["passwords"]
    before = rows()
    asks = f"dispatch1\n{passwords['dispatch1']}\n"
    assert run(sound, typed="dispatch1\nwrong\n")[0] == 1
    assert run(sound, typed=asks + asks)[0] == 1, "one person is not two"
    approved = f"{asks}dispatch2\n{passwords['dispatch2']}\n"
    assert run(spoiled, typed=approved)[0] == 1
    assert rows() == before
    status, output = run(sound, typed=approved)
    assert (status, rows()) == (0, before), output


@pytest.mark.shows("F7")
def test_while_two_people_type_their_passwords_a_server_can_write(run, folders, tmp_path, monkeypatch):
    sound, _, _ = folders
    passwords = json.loads(run(sound, "--json")[1])["passwords"]
    typed = ["dispatch1", passwords["dispatch1"], "dispatch2", passwords["dispatch2"]]

    def prompt(*_, **__):
        database = tmp_path / "data" / "doorward.sqlite"
        with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        return typed.pop(0)

    monkeypatch.setattr("typer.prompt", prompt)
    assert run(sound)[0] == 0
    assert typed == []


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_folder_without_a_workbook_is_said_so(run, tmp_path, name):
    (tmp_path / "empty").mkdir()
    status, output = run(tmp_path / name)
    assert status == 1
    assert "bank.xlsx" in output


def test_a_workbook_that_is_none_is_said_so(run, tmp_path):
    (tmp_path / "bank.xlsx").write_bytes(b"PK\x03\x04 and no more")
    status, output = run(tmp_path, "--json")
    assert status == 1
    assert [one["reason"] for one in json.loads(output)["findings"]] == ["workbook_unreadable"]
