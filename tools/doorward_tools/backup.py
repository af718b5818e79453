"""`doorward backup`: one backup now, beside a running server or without one."""

import json
from pathlib import Path
from typing import Annotated

import typer

from doorward_tools.server_settings import data_option, existing

EXAMPLE = "Example:  doorward backup --data ./data --to /mnt/backups"


def command(
    data: Annotated[Path, data_option("The server's data folder.")] = Path("data"),
    to: Annotated[
        Path | None,
        typer.Option(help="Folder for it, made if missing; without it the daily backups' own, old ones go."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Write one file with all that a server needs to come back: database and keys.

    The server may run meanwhile. The file is read again before it gets its name. It holds personal data and
    the keys to it: keep it where nobody else can read, and away from this machine.
    """
    from doorward_server.backup import making
    from doorward_server.backup.archive import BackupError

    from doorward_tools.progress import telling

    with existing("backup", data) as services:
        keep, folder = services.settings.backup_keep, to or services.settings.backups
        try:
            with telling("backup", shown=not as_json) as told:
                path, manifest = making.make(services, folder, told)
            old = [] if to else making.remove_old(folder, keep, services.clock.now())
        except (BackupError, OSError) as error:
            typer.echo(f"doorward backup: {error}", err=True)
            raise typer.Exit(1) from None
    size = path.stat().st_size
    if as_json:
        answer = {
            "file": str(path),
            "bytes": size,
            "made": manifest.made,
            "removed": [str(one) for one in old],
        }
        typer.echo(json.dumps(answer))
        return
    typer.echo(f"{path}: {size / 1e6:.1f} MB, checked.")
    for one in old:
        typer.echo(f"{one.name} was removed; {keep} are kept.")
