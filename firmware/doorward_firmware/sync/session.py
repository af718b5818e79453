"""One encrypted connection to the server, from the first byte to the first verified frame.

    TCP  ->  WebSocket upgrade  ->  EDHOC message_1, 2, 3 as binary messages  ->  channel frames

The unit cannot know that message_3 has arrived until a frame of the server verifies, so a session is open
only after the server's first frame, a `time`; nothing but the handshake leaves the unit before.
"""

import asyncio

from doorward_protocol import messages
from doorward_protocol.channel import Channel
from doorward_protocol.compat import const
from doorward_protocol.edhoc import Initiator
from doorward_protocol.errors import WRONG_DIRECTION, ProtocolError

from doorward_firmware.sync import stream, websocket
from doorward_firmware.sync.stream import Disconnected

HANDSHAKE_MS = const(30_000)  # a device computes for some seconds


class Session:
    """An open session; messages go out and come in whole. One task sends, one receives."""

    def __init__(self, socket, channel):
        self._socket, self._channel = socket, channel

    async def send(self, message_name, **fields):
        """Send one message of the protocol's table."""
        await self._socket.send(self._channel.seal(messages.encode(message_name, **fields)))

    async def receive(self):
        """Return the next message, authentic but not yet judged. Raises Disconnected, ProtocolError."""
        return self._channel.open(await self._socket.receive())

    async def close(self):
        """End the session; never raises."""
        await self._socket.close()


async def open_session(identity, suite):
    """Return a Session with the identity's server. Raises Disconnected, or ProtocolError with the reason."""
    carrier = await stream.connect(identity.host, identity.port)
    try:
        return await asyncio.wait_for_ms(_shake_hands(carrier, identity, suite), HANDSHAKE_MS)
    except asyncio.TimeoutError:
        await carrier.close()
        raise Disconnected("no answer in the handshake") from None
    except BaseException:
        await carrier.close()
        raise


async def _shake_hands(carrier, identity, suite):
    socket = await websocket.handshake(carrier, identity.host, identity.port, identity.path, suite.random)
    private, public = identity.dh
    party = Initiator(suite, private, identity.unit, public, identity.server_key)
    await socket.send(await party.message_1())
    await socket.send(await party.message_3(await socket.receive()))
    session = Session(socket, Channel.after(party))
    name, _ = messages.decode(await session.receive(), messages.TO_UNIT)
    if name != "time":
        raise ProtocolError(WRONG_DIRECTION, "first message %s" % name)
    return session
