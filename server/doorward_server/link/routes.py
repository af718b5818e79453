"""The link's place in the application: endpoint, the live feed it fills, its life beside the server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from doorward_server.link.endpoint import router
from doorward_server.link.links import Links
from doorward_server.live import Live
from doorward_server.services import Services

__all__ = ["lifespan", "prepare", "router"]


def prepare(services: Services) -> None:
    """The live feed is there before anything can be told."""
    services.live = Live()


@asynccontextmanager
async def lifespan(services: Services) -> AsyncIterator[None]:
    """Serve units as long as the application runs."""
    links = Links(services)
    services.parts["link"] = links
    await links.start()
    try:
        yield
    finally:
        del services.parts["link"]
        await links.close()
