"""The link's own parts on the interpreter of the device, without a network: SHA-1, WebSocket, handshake."""

from binascii import b2a_base64, hexlify

from doorward_firmware.sync import session, websocket
from doorward_firmware.sync.sha1 import sha1
from doorward_protocol import messages
from doorward_protocol.channel import Channel
from doorward_protocol.edhoc import Responder
from doorward_protocol.errors import MALFORMED, TOO_LARGE, ProtocolError

NEEDS_SUITE = True


class Carrier:
    """A stream whose other end is a function: what it gives for all that was sent so far."""

    def __init__(self, answer):
        self._answer = answer
        self._in = b""

    async def send(self, data):
        self._in += await self._answer(data)

    async def read_exactly(self, count):
        assert len(self._in) >= count
        taken, self._in = self._in[:count], self._in[count:]
        return taken

    async def read_until(self, marker, limit):
        return await self.read_exactly(self._in.find(marker) + len(marker))

    async def close(self):
        pass


def frame(payload):
    """A server's binary frame."""
    length = len(payload)
    head = bytes([0x82, length]) if length < 126 else b"\x82\x7e" + length.to_bytes(2, "big")
    return head + payload


def unmasked(data):
    """The payload of a client's frame, by the letter of RFC 6455 §5.3."""
    at = 2 if data[1] & 0x7F < 126 else 4
    mask = data[at : at + 4]
    return bytes([byte ^ mask[place % 4] for place, byte in enumerate(data[at + 4 :])])


def upgrade(request):
    """The server's answer to a WebSocket request."""
    key = request[request.find(b"Sec-WebSocket-Key: ") + 19 :].split(b"\r\n")[0]
    accept = b2a_base64(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")).strip()
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


async def check_sha1(suite):
    """FIPS 180-4's examples."""
    assert hexlify(sha1(b"abc")) == b"a9993e364706816aba3e25717850c26c9cd0d89d"
    assert hexlify(sha1(b"a" * 1000)) == b"291e9a6c66994949b57ba5e650361e98fc36b1ba"


async def check_websocket_frames(suite):
    """Masked out, plain in, and refused what the standard forbids."""
    sent = []

    async def answer(data):
        sent.append(data)
        return b""

    for length in (0, 5, 125, 126, 4096):
        payload = bytes([number & 255 for number in range(length)])
        await websocket.WebSocket(Carrier(answer), suite.random(16)).send(payload)
        assert unmasked(sent[-1]) == payload
    for data, reason in (
        (b"\x82\x83", MALFORMED),
        (b"\x81\x00", MALFORMED),
        (b"\x82\x7e\x20\x01", TOO_LARGE),
    ):
        carrier = Carrier(answer)
        carrier._in = data
        try:
            await websocket.WebSocket(carrier, suite.random(16)).receive()
            raised = None
        except ProtocolError as error:
            raised = error.reason
        assert raised == reason


class Identity:
    """What a session needs of store.identity.Identity."""

    host, port, path, unit = "server.example", 8000, "/link", b"unit   1"

    def __init__(self, dh, server):
        self.dh = dh
        self._server = server

    def server_key(self, kid):
        return self._server if kid == b"server 1" else None


async def check_a_session_opens(suite):
    """From the upgrade to the first verified frame, against the protocol's Responder."""
    server = await suite.new_key()
    identity = Identity(await suite.new_key(), server[1])
    party = Responder(suite, server[0], b"server 1", server[1], {identity.unit: identity.dh[1]}.get)
    steps = []

    async def answer(data):
        steps.append(data)
        if len(steps) == 1:
            return upgrade(data)
        if len(steps) == 2:
            return frame(await party.message_2(unmasked(data)))
        await party.finish(unmasked(data))
        return frame(Channel.after(party).seal(messages.encode("time", nonce=None, time=1800000000000)))

    assert isinstance(await session._shake_hands(Carrier(answer), identity, suite), session.Session)
    assert len(steps) == 3
    assert party.peer_kid == identity.unit
