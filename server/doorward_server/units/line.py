"""The line to connected units, as those see it who have something to send.

Orders, commands and alarms lie below the link, which stores records and projects them; so they do not import
it. A running link answers to this protocol; see `link.links.Links`.
"""

from typing import Protocol

from doorward_server.services import Services


class Line(Protocol):
    """Safe from any thread; for a unit that is not connected nothing happens."""

    def is_online(self, unit_id: int) -> bool: ...

    def offer_manifest(self, unit_id: int, data: bytes, listed: set[bytes]) -> None:
        """Send a signed manifest; `listed` are the hashes that it names."""

    def send_command(self, unit_id: int, data: bytes) -> None:
        """Send a signed command."""


def line_of(services: Services) -> Line | None:
    """The line; None while no link is running."""
    return services.parts.get("link")
