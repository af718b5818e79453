"""`doorward restore`: puts a backup in the place of a data folder's content, and keeps that aside."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doorward_tools.server_settings import chosen, data_option, usable

if TYPE_CHECKING:
    from doorward_server.backup.archive import Manifest
    from doorward_server.backup.restore import Restored
    from doorward_server.settings import Settings

EXAMPLE = "Example:  doorward restore ./data/backups/doorward-20261130T190000Z.backup --data ./data"


def command(
    file: Annotated[Path, typer.Argument(help="A file that `doorward backup` or the server made.")],
    data: Annotated[Path, data_option("The server's data folder; made if missing.")] = Path("data"),
    check: Annotated[bool, typer.Option("--check", help="Only check the file; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before the data is replaced.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Restore a backup while no server runs; what was there before is kept in a folder beside it.

    The file is checked first. Stopping the command at any point loses nothing: until its last step the data
    is as it was, and an interrupted last step is finished by the next start of the server or of this command.
    Afterwards units send again what they have recorded since; two dispatchers go on at the page Approvals.
    """
    from doorward_server.backup import archive, restore, running

    from doorward_tools.progress import telling

    settings = chosen("restore", data=data)
    try:
        manifest = restore.judge(settings, file)
        with telling("check", shown=not as_json) as told:
            archive.check(file, told)
        if not as_json:
            _describe(file, manifest, restore.UNITS_KEEP.total_seconds())
        if check:
            _answer_check(manifest, as_json)
            return
        if not yes and not typer.confirm(f"Put it in the place of what is in {data}?", err=True):
            typer.echo("Nothing was changed.", err=True)
            raise typer.Exit(1)
        usable("restore", data)
        with telling("restore", shown=not as_json) as told:
            done = restore.restore(settings, file, told=told)
    except (archive.BackupError, running.InUseError, OSError) as error:
        typer.echo(f"doorward restore: {error}", err=True)
        raise typer.Exit(1) from None
    _answer(done, settings, as_json)


def _describe(file: Path, manifest: "Manifest", units_keep: float) -> None:
    age = datetime.now(UTC) - manifest.moment
    hours = age.total_seconds() / 3600
    typer.echo(
        f"{file.name}: made {manifest.moment.astimezone():%Y-%m-%d %H:%M %Z} ({hours:.0f} hours ago), "
        f"{manifest.size / 1e6:.1f} MB, {manifest.decisions} decisions."
    )
    if age.total_seconds() > units_keep:
        typer.echo(
            "It is more than 7 days old: units may no longer hold all that they have recorded since, and an "
            "alarm tells of what is lost. Take a newer backup if there is one."
        )


def _answer_check(manifest: "Manifest", as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"made": manifest.made, "schema": manifest.schema, "sound": True}))
    else:
        typer.echo("It is sound.")


def _answer(done: "Restored", settings: "Settings", as_json: bool) -> None:
    aside = None if done.aside is None else str(done.aside)
    if as_json:
        again = {"people": done.settled.people, "users": done.settled.users}
        report = {
            "made": done.manifest.made,
            "aside": aside,
            "removed_again": again,
            "void_requests": done.settled.requests,
            "list_of_removals": done.list_found,
        }
        typer.echo(json.dumps(report))
        return
    typer.echo("The backup is in place.")
    if aside:
        typer.echo(
            f"What was there before is in {aside}; delete it once nobody needs it: it holds personal data."
        )
    if not done.list_found:
        typer.echo("No list of removals was found: remove again whoever was removed since the backup.")
    elif done.settled.people or done.settled.users:
        people, users = done.settled.people, done.settled.users
        typer.echo(f"Removed again, as since the backup: {people} people, {users} users.")
    if done.settled.requests:
        typer.echo(f"{done.settled.requests} requests that waited for a second person are void.")
    typer.echo(
        f"Next: `doorward serve --data {settings.data}`; then two dispatchers check the plan and go on at "
        "the page Approvals. Until then units work with the orders they hold."
    )
