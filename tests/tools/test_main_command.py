"""The `doorward` command as a whole: variables of a bank's real server stay with the commands about it."""

import os

import pytest
import typer
from doorward_tools import main
from typer.testing import CliRunner

REAL = {
    "DOORWARD_DATABASE_URL": "sqlite:////nowhere/bank.sqlite",
    "DOORWARD_HTTPS": "true",
    "DOORWARD_TIMEZONE": "Asia/Shanghai",
}


def left_to(command: str, monkeypatch) -> set[str]:
    """Which of these variables a sub-command finds."""
    for name, text in REAL.items():
        monkeypatch.setenv(name, text)
    context = typer.Context(typer.main.get_command(main.app))
    context.invoked_subcommand = command
    main._apart(context)
    return REAL.keys() & os.environ.keys()


@pytest.mark.parametrize("command", ["demo", "scenario", "simulate", "bench"])
def test_a_bank_of_its_own_is_not_made_in_the_real_ones_database(command, monkeypatch):
    assert left_to(command, monkeypatch) == {"DOORWARD_TIMEZONE"}


@pytest.mark.parametrize("command", ["serve", "import", "rebuild", "units", "backup", "restore"])
def test_commands_about_the_real_server_find_its_variables(command, monkeypatch):
    assert left_to(command, monkeypatch) == REAL.keys()


def test_the_help_is_that_of_the_command():
    shown = CliRunner().invoke(main.app, ["--help"]).output
    assert "Authenticates cash-in-transit crews" in shown
