"""`doorward serve`: the server, with its database and keys in one data folder."""

import gc
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doorward_tools.server_settings import Language, chosen, data_option, held

if TYPE_CHECKING:
    from doorward_server.services import Services
    from doorward_server.settings import Settings

# The link's frames are at most 4 KB; anything larger on a WebSocket is no unit.
LARGEST_FRAME = 8192
SHUTDOWN_SECONDS = 2
# Objects made before Python looks for circles among them: a batch of the link makes tens of thousands, none
# in circles, and each look at all of them stopped the server for tens of milliseconds.
COLLECT_AFTER = 50_000


def command(
    data: Annotated[Path, data_option("Folder of database, keys and caches; made if missing.")] = Path(
        "data"
    ),
    host: Annotated[str, typer.Option(envvar="DOORWARD_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(envvar="DOORWARD_PORT", help="Port to listen on; 0: any.", min=0, max=65535)
    ] = 8000,
    language: Annotated[
        Language, typer.Option(envvar="DOORWARD_LANGUAGE", help="Language before login.")
    ] = "zh",
) -> None:
    """Run the server: pages for people at desks, and the link for units.

    Everything else is set by DOORWARD_… variables; docs/operations.md lists them.
    """
    settings = chosen("serve", data=data, host=host, port=port, language=language)
    with held("serve", data):
        _serve(settings)


def _serve(settings: "Settings") -> None:
    import uvicorn
    from doorward_server.app import create_app

    from doorward_tools.patient_http import PatientHTTP

    listener = None if settings.uds else _listener(settings.host, settings.port)
    app = create_app(settings)

    gc.collect()
    gc.freeze()  # what is there now stays
    gc.set_threshold(COLLECT_AFTER, 10, 10)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                _welcome(app.state.doorward, settings.uds or _address(listener))

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.doorward.live.close()  # else it would wait for every open page
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        uds=str(settings.uds) if settings.uds else None,
        http=PatientHTTP,
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        log_level="warning",
    )
    with suppress(KeyboardInterrupt):
        Server(config).run([listener] if listener else None)


def _listener(host: str, port: int) -> socket.socket:
    """The socket to listen on; ends the command if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named: asyncio sets TCP_NODELAY only then, and small answers would wait for others.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        typer.echo(
            f"doorward serve: cannot listen on port {port} of {host} ({error.strerror}); choose another one, "
            f"for example --port {port % 65535 + 1}",
            err=True,
        )
        raise typer.Exit(2) from None
    return listener


def _address(listener: socket.socket | None) -> str:
    assert listener is not None
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _welcome(services: "Services", address: object) -> None:
    """Where the pages are; and for a bank without users, how it gets them."""
    from doorward_server.security.models import User
    from sqlmodel import select

    print(f"Doorward runs at {address} (Ctrl-C ends it).", flush=True)
    with services.database.reading() as session:
        if session.exec(select(User).limit(1)).first() is None:
            data = services.settings.data
            print(f"Nobody can log in yet: `doorward import FOLDER --data {data}` makes users.", flush=True)
