"""The live feed as server-sent events (HTML Living Standard §9.2): one small JSON object per event.

An event tells a page that something happened and what to speak; what is shown is fetched from the server, so
a page that missed events is right again after the next one. A line every 20 s keeps proxies from closing the
connection, and lets the server notice pages that are gone.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi.responses import StreamingResponse

from doorward_server.live import LiveClosed
from doorward_server.security.dependencies import site_bound
from doorward_server.security.models import User
from doorward_server.services import Services

KEEP_ALIVE_SECONDS = 20
_TOLD = ("topic", "sequence", "site", "name", "severity", "speech", "dropped")


class EventStream(StreamingResponse):
    """The answer that never ends. Somebody bound to a site hears of that site alone."""

    def __init__(self, services: Services, user: User) -> None:
        super().__init__(
            _events(services, site_bound(user), user.language),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )


async def _events(services: Services, site: int | None, language: str) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    with services.live.subscribe() as subscription:
        while True:
            try:
                event = await asyncio.wait_for(subscription.next(), KEEP_ALIVE_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            except LiveClosed:
                return
            if site is None or event.get("site") == site:
                yield f"data: {json.dumps(_told(event, language), ensure_ascii=False)}\n\n"


def _told(event: dict[str, Any], language: str) -> dict[str, Any]:
    """What a page needs of an event; never anything that a site must not see."""
    told = {key: event[key] for key in _TOLD if key in event}
    if isinstance(told.get("speech"), dict):
        told["speech"] = told["speech"].get(language, [])
    return told
