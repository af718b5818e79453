"""`doorward notify-test`: sends a test message to the targets of notifications, and tells what came back."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from doorward_tools.server_settings import chosen

if TYPE_CHECKING:
    from doorward_server.notify.targets import Target
    from doorward_server.notify.verdicts import Verdict


def command(
    names: Annotated[list[str] | None, typer.Argument(help="Names of targets; none: all of them.")] = None,
) -> None:
    """Send a test message to each target in DOORWARD_NOTIFY, and say what came back.

    Needs no running server, and touches no data. Ends with status 1 if a message did not arrive.
    """
    settings = chosen("notify-test")
    targets = {target.name: target for target in settings.notify}
    if not targets:
        _refuse("there are no targets; docs/operations.md says how to set DOORWARD_NOTIFY")
    for name in names or ():
        if name not in targets:
            _refuse(f"there is no target {name}; there are {', '.join(targets)}")
    failed = False
    for name in dict.fromkeys(names or targets):
        verdict = asyncio.run(_try_out(targets[name], settings.language))
        failed |= bool(verdict.trouble)
        typer.echo(f"{name} ({targets[name].kind}, {targets[name].host}): {_in_words(verdict)}")
    if failed:
        raise typer.Exit(1)


async def _try_out(target: "Target", language: str) -> "Verdict":
    from doorward_server.clock import SystemClock
    from doorward_server.notify import post
    from doorward_server.notify.delivery import send
    from doorward_server.notify.wording import test_message

    now = SystemClock().milliseconds()
    async with post.connection(target) as client:
        return await send(client, target, [test_message(target, language, now)], now)


def _in_words(verdict: "Verdict") -> str:
    from doorward_server.notify.verdicts import TROUBLES, trouble_in_words

    said = f" ({verdict.said.strip()})" if verdict.said.strip() else ""
    if not verdict.trouble:
        return f"delivered, HTTP {verdict.number}{said}"
    what = trouble_in_words(verdict.trouble, verdict.number, "en")
    return f"not delivered: {what}{said}; {TROUBLES[verdict.trouble].what_to_do}"


def _refuse(why: str) -> None:
    typer.echo(f"doorward notify-test: {why}", err=True)
    raise typer.Exit(2)
