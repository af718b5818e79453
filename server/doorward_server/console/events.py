"""The live feed as server-sent events (HTML Living Standard §9.2): one small JSON object per event.

An event tells a page that something happened and what to speak; what is shown is fetched from the server, so
a page that missed events is right again after the next one. Every 20 s an event `alive` keeps proxies from
closing the connection, tells the page that nobody has pulled a cable, and lets the server notice pages that
are gone; what the page is not told of makes no difference to it. The login is looked at before all that is
told: with it the stream ends.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from doorward_server.live import LiveClosed
from doorward_server.security import sessions
from doorward_server.security.dependencies import site_bound
from doorward_server.security.models import User
from doorward_server.security.roles import Permission, allows
from doorward_server.services import Services

KEEP_ALIVE_SECONDS = 20
_TOLD = ("topic", "site", "name", "severity", "speech", "dropped")


class EventStream(StreamingResponse):
    """The answer that ends with this token's login. Somebody bound to a site hears of that site alone."""

    def __init__(self, services: Services, token: str) -> None:
        super().__init__(
            blocks(services, token),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )


async def blocks(services: Services, token: str) -> AsyncIterator[str]:
    """The stream's blocks of text: what happens, as the login's user may hear it, until the login ends."""
    clock = asyncio.get_running_loop().time
    with services.live.subscribe() as subscription:
        yield "retry: 2000\n\n"
        told = clock()
        while True:
            try:
                silence = max(0, told + KEEP_ALIVE_SECONDS - clock())
                event = await asyncio.wait_for(subscription.next(), silence)
            except TimeoutError:
                event = None
            except LiveClosed:
                return
            listener = await run_in_threadpool(_listener, services, token)
            if listener is None:
                return
            if event is None:
                told = clock()
                yield "event: alive\ndata: {}\n\n"
            elif site_bound(listener) in (None, event.get("site")):
                told = clock()
                yield f"data: {json.dumps(_told(event, listener.language), ensure_ascii=False)}\n\n"


def _listener(services: Services, token: str) -> User | None:
    """Who listens with this login; None once it has ended, or may listen no more."""
    with services.database.reading() as session:
        user = sessions.user_of(session, token)
        return user if user is not None and allows(user.role, Permission.SEE_SITE) else None


def _told(event: dict[str, Any], language: str) -> dict[str, Any]:
    """What a page needs of an event; never anything that a site must not see."""
    told = {key: event[key] for key in _TOLD if key in event}
    if isinstance(told.get("speech"), dict):
        told["speech"] = told["speech"].get(language, [])
    return told
