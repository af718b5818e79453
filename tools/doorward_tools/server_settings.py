"""The server's settings for a command: its options, then DOORWARD_… variables, then the defaults."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doorward_server.services import Services
    from doorward_server.settings import Settings

Language = Literal["zh", "en"]


def data_option(text: str) -> Any:
    """The option `--data`, which is also the variable DOORWARD_DATA."""
    return typer.Option("--data", envvar="DOORWARD_DATA", help=text)


def chosen(command: str, **options: Any) -> "Settings":
    """The settings; ends the command with what is wrong if a variable makes no sense."""
    from doorward_server.settings import Settings
    from pydantic import ValidationError

    try:
        return Settings(**options)
    except ValidationError as error:
        for one in error.errors():
            said = one["msg"].removeprefix("Value error, ")
            name, *within = one["loc"]  # within a list: which of them, and what of it
            where = "".join(f", {part + 1 if isinstance(part, int) else part}" for part in within)
            typer.echo(f"doorward {command}: DOORWARD_{str(name).upper()}{where}: {said}", err=True)
        raise typer.Exit(2) from None


def usable(command: str, folder: Path) -> None:
    """Make the data folder if it is missing; ends the command if nothing can be written there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as error:
        typer.echo(
            f"doorward {command}: the data folder {folder} cannot be written ({error.strerror}); "
            "make it this user's, or name another one by --data",
            err=True,
        )
        raise typer.Exit(2) from None


@contextmanager
def existing(command: str, data: Path) -> "Iterator[Services]":
    """The services of a server that has run here before; ends the command if there is no database."""
    from doorward_server.backup.swap import READY

    settings = chosen(command, data=data)
    there = (data / "doorward.sqlite", data / READY)  # the latter of a restore that was cut off
    if not settings.database_url and not any(one.exists() for one in there):
        typer.echo(f"doorward {command}: there is no database in {data}; name the folder by --data", err=True)
        raise typer.Exit(2)
    with opened(command, settings) as services:
        yield services


@contextmanager
def opened(command: str, settings: "Settings") -> "Iterator[Services]":
    """The server's services over a usable data folder; ends the command with what is wrong with it."""
    from doorward_server.app import open_services

    with held(command, settings.data):
        services = open_services(settings)
        try:
            yield services
        finally:
            services.database.close()


@contextmanager
def held(command: str, folder: Path) -> "Iterator[None]":
    """A usable data folder, and no restore in it meanwhile; ends the command with what is wrong with it."""
    from doorward_server.backup.running import InUseError
    from doorward_server.backup.swap import working
    from doorward_server.security.keys import KeyFileError

    usable(command, folder)
    try:
        with working(folder):
            yield
    except (KeyFileError, InUseError) as error:
        typer.echo(f"doorward {command}: {error}", err=True)
        raise typer.Exit(2) from None
