"""`/link`: the WebSocket that units connect to. Binary messages only; who is there is proved by EDHOC."""

import logging

from doorward_protocol.channel import MAX_FRAME
from doorward_protocol.errors import MALFORMED, TOO_LARGE, ProtocolError
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketState

from doorward_server.link.links import links_of
from doorward_server.security.dependencies import public

router = APIRouter()
log = logging.getLogger(__name__)

TRY_AGAIN_LATER = 1013


class WebSocketCarrier:
    """A WebSocket as `session.Carrier`."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> bytes | None:
        """The next binary message; None after the end. Raises MALFORMED for text, TOO_LARGE."""
        try:
            message = await self._socket.receive()
        except RuntimeError:  # received after the end
            return None
        if message["type"] == "websocket.disconnect":
            return None
        data = message.get("bytes")
        if data is None:
            raise ProtocolError(MALFORMED, "a text message on the link")
        if len(data) > MAX_FRAME:
            raise ProtocolError(TOO_LARGE, "message on the link")
        return data

    async def send(self, data: bytes) -> None:
        """Send one message. Raises ConnectionError when the other side has gone."""
        try:
            await self._socket.send_bytes(data)
        except Exception as problem:  # each ASGI server has its own
            raise ConnectionResetError("the unit has gone") from problem

    async def close(self, code: int, reason: str) -> None:
        """Close; harmless if it is closed already."""
        if WebSocketState.DISCONNECTED in (self._socket.client_state, self._socket.application_state):
            return
        try:
            await self._socket.close(code, reason)
        except Exception:  # each ASGI server has its own
            log.debug("the unit had gone before its connection was closed")


@router.websocket("/link", dependencies=[public()])
async def link(socket: WebSocket) -> None:
    """Serve one unit."""
    links = links_of(socket.app.state.doorward)
    if links is None:
        await socket.close(TRY_AGAIN_LATER)
        return
    await socket.accept()
    await links.serve(WebSocketCarrier(socket))
