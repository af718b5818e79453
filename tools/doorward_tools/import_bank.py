"""`doorward import`: people, vehicles, boxes, sites from a folder of bank.xlsx, photos/ and fingers/ (S20).

Everything is judged first; with one bad row nothing is written, and every bad row is listed. The first import
into an empty bank also makes its users and prints a password for each, once. Later imports need two people,
who type their own passwords (F7).
"""

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from doorward_tools.server_settings import Language, chosen, data_option, opened

if TYPE_CHECKING:
    from doorward_server.importing.service import Report
    from doorward_server.security.models import User
    from sqlmodel import Session

# Easy to read aloud and to type on any keyboard; 20 of 32 letters are 100 bits.
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def command(
    folder: Annotated[Path, typer.Argument(help="Folder with bank.xlsx, photos/ and fingers/.")],
    data: Annotated[Path, data_option("The server's data folder; made if missing.")] = Path("data"),
    check: Annotated[bool, typer.Option("--check", help="Judge only; write nothing.")] = False,
    language: Annotated[Language, typer.Option(help="Language of the findings.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Import a bank from spreadsheets, whole or not at all."""
    from doorward_server.importing import service
    from doorward_server.importing.sources import FolderSource
    from doorward_server.problems import Problem
    from doorward_server.security import users

    given: dict[str, str] = {}
    with opened("import", chosen("import", data=data)) as services:
        if check:
            with services.database.reading() as session:
                report = service.check(session, FolderSource(folder))
        else:
            with services.database.reading() as session:  # while they type, units have to store
                asker, decider = _two_people(session)
            with services.database.writing() as session:
                try:
                    requester, approver = (
                        None if one is None else users.get_user(session, one.id) for one in (asker, decider)
                    )
                    report = service.import_folder(session, folder, requester, approver)
                except Problem as problem:  # such as one person twice, or somebody who may not import
                    typer.echo(f"{problem} Nothing was imported.", err=True)
                    raise typer.Exit(1) from None
                if report.applied and requester is None:
                    given = give_passwords(session, report.without_password)
    if as_json:
        answer = {
            **report._asdict(),
            "findings": [found._asdict() for found in report.findings],
            "passwords": given,
        }
        print(json.dumps(answer, ensure_ascii=False))
    else:
        _show(report, given, language, check)
    if report.findings:
        raise typer.Exit(1)


def give_passwords(session: "Session", logins: list[str]) -> dict[str, str]:
    """Give each of these logins a new random password; returns them, for they are stored nowhere in clear."""
    from doorward_server.security import users

    given = {}
    for login in logins:
        user = users.find_user(session, login)
        if user is not None:
            given[login] = "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))
            users.set_password(session, None, user, given[login])
    return given


def _two_people(session: "Session") -> tuple["User | None", "User | None"]:
    """Two users who have shown their passwords; or none while the bank has no user yet."""
    from doorward_server.security.models import User
    from sqlmodel import select

    if session.exec(select(User).limit(1)).first() is None:
        return None, None
    return _person(session, "Who asks for the import (login)"), _person(session, "Who approves it (login)")


def _person(session: "Session", question: str) -> "User":
    from doorward_server.security import passwords, users
    from doorward_server.services import services_of

    login = typer.prompt(question, err=True)
    typed = typer.prompt("Password", hide_input=True, err=True)
    user = users.find_user(session, login)
    stored = user.password_hash if user else ""
    if not passwords.is_password(services_of(session).settings, stored, typed) or user is None:
        typer.echo("The login name or the password is wrong. Nothing was imported.", err=True)
        raise typer.Exit(1)
    return user


def _show(report: "Report", given: dict[str, str], language: str, check: bool) -> None:
    console = Console()
    if report.findings:
        table = Table("sheet", "row", "column", title="Nothing was imported")
        for heading in ("what is wrong", "what to do"):
            table.add_column(heading, overflow="fold")  # Chinese has no spaces to break at
        for found in report.findings:
            what, remedy = (
                (found.message_zh, found.what_to_do_zh)
                if language == "zh"
                else (found.message_en, found.what_to_do_en)
            )
            table.add_row(found.sheet, str(found.row or ""), found.column, what, remedy)
        console.print(table)
        return
    table = Table("sheet", "rows", title="No findings; nothing was written" if check else "Imported")
    for sheet, counts in report.counts.items():
        table.add_row(sheet, ", ".join(f"{number} {what}" for what, number in counts.items()))
    console.print(table)
    if given:
        logins = Table("login", "password", title="Passwords, shown this once: note them now")
        for login, password in given.items():
            logins.add_row(login, password)
        console.print(logins)
