"""`doorward serve`: the server, with its database and keys in one data folder."""

import gc
from contextlib import suppress
from pathlib import Path
from socket import socket
from typing import Annotated

import typer

# The link's frames are at most 4 KB; anything larger on a WebSocket is no unit.
LARGEST_FRAME = 8192
SHUTDOWN_SECONDS = 2
# Objects made before Python looks for circles among them: a batch of the link makes tens of thousands, none
# in circles, and each look at all of them stopped the server for tens of milliseconds.
COLLECT_AFTER = 50_000


def command(
    data: Annotated[Path, typer.Option(help="Folder of database, keys and caches; made if missing.")] = Path(
        "data"
    ),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    language: Annotated[str, typer.Option(help="Language before login: zh or en.")] = "zh",
) -> None:
    """Run the server: pages for people at desks, and the link for units.

    Everything else is set by DOORWARD_… variables; docs/operations.md lists them.
    """
    import uvicorn
    from doorward_server.app import create_app
    from doorward_server.settings import Settings

    from doorward_tools.patient_http import PatientHTTP

    app = create_app(Settings(data=data, host=host, port=port, language=language))

    gc.collect()
    gc.freeze()  # what is there now stays
    gc.set_threshold(COLLECT_AFTER, 10, 10)

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket] | None = None) -> None:
            app.state.doorward.live.close()  # else it would wait for every open page
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=PatientHTTP,
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        log_level="warning",
    )
    with suppress(KeyboardInterrupt):
        Server(config).run()
