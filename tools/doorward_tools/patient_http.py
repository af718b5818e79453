"""HTTP that waits for a request, but not for ever.

uvicorn has no limit for how long a request may take to come: a peer that knows no key could hold connection
after connection by sending nothing, or a byte a minute, until the process has no more files for anybody. The
link's handshake has its own limit, and answers may take as long as they like.
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 120  # head and body; the largest import over a poor line


class PatientHTTP(H11Protocol):
    """A connection that is dropped when its next request has not come whole in time."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
        super().connection_lost(exc)

    def _expect_request(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = self.loop.call_later(REQUEST_SECONDS, self._give_up)

    def _give_up(self) -> None:
        upgraded = self.transport.get_protocol() is not self
        if not upgraded and self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self.transport.abort()
