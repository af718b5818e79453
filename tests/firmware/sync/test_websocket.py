"""The WebSocket client against the `websockets` library, and against servers that keep to no rule."""

import asyncio
import contextlib
import hashlib
import random

import pytest
import travel
from doorward_firmware.sync import websocket
from doorward_firmware.sync.sha1 import sha1
from doorward_firmware.sync.stream import Disconnected, Stream
from doorward_firmware.sync.websocket import MAX_MESSAGE, WebSocket
from doorward_protocol import errors
from doorward_protocol.errors import ProtocolError
from judge import JudgedSocket


def content(length, seed=0):
    return random.Random(seed).randbytes(length)


def masks(seed=0):
    return random.Random(seed).randbytes


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000])
def test_sha1_is_sha1(length):
    assert sha1(content(length)) == hashlib.sha1(content(length)).digest()


async def joined(seed=0, **shape):
    """(client's WebSocket, server's judge), after the handshake."""
    wire = travel.Wire(seed, **shape)
    server = JudgedSocket(wire.server)
    accepting = asyncio.create_task(server.accept())
    stream = Stream(wire.unit, wire.unit)
    client = await websocket.handshake(stream, "doorward.example", 8000, "/link", masks(seed))
    request = await accepting
    assert (request.path, request.headers["Host"]) == ("/link", "doorward.example:8000")
    return client, server, wire


@pytest.mark.parametrize("seed", range(4))
def test_messages_of_every_size_both_ways(seed):
    async def exchange():
        client, server, _ = await joined(seed, largest=[1, 7, 1500, 100_000][seed])
        for length in (0, 1, 125, 126, 127, 4096, 8192):
            await client.send(content(length))
            assert await server.receive() == content(length)
            server.send(content(length, 1))
            assert await client.receive() == content(length, 1)
        await client.close()
        assert await server.receive() is None

    travel.run(exchange())


def test_frames_longer_than_64_kb_are_announced_but_never_read():
    async def exchange():
        client, server, _ = await joined()
        server.send(content(70_000))
        with pytest.raises(ProtocolError) as refusal:
            await client.receive()
        assert refusal.value.reason == errors.TOO_LARGE
        await client.close()

    travel.run(exchange())


def test_fragments_with_pings_between_them():
    async def exchange():
        client, server, _ = await joined(3)
        server.protocol.send_binary(b"one ", fin=False)
        server.ping(b"still there?")
        server.protocol.send_continuation(b"two ", fin=False)
        server.protocol.send_pong(b"unasked")
        server.protocol.send_continuation(b"three", fin=True)
        server.flush()
        assert await client.receive() == b"one two three"
        await client.send(b"and now mine")
        assert await server.receive() == b"and now mine"
        assert server.pongs == [b"still there?"]
        server.send(content(5000), fragments=50)
        assert await client.receive() == content(5000)
        await client.close()

    travel.run(exchange())


def test_many_or_long_fragments_are_refused():
    async def exchange(pieces, length):
        client, server, _ = await joined(3)
        server.send(content(pieces * length), fragments=pieces)
        with pytest.raises(ProtocolError) as refusal:
            await client.receive()
        assert refusal.value.reason == errors.TOO_LARGE
        await client.close()

    travel.run(exchange(70, 1))
    travel.run(exchange(3, MAX_MESSAGE // 2))


def test_the_servers_goodbye_is_answered():
    async def exchange():
        client, server, _ = await joined()
        server.close(1001)
        with pytest.raises(Disconnected):
            await client.receive()
        assert await server.receive() is None
        assert server.protocol.close_rcvd
        assert server.protocol.close_rcvd.code == 1001
        await client._stream.close()

    travel.run(exchange())


def test_two_tasks_may_send_at_once():
    async def exchange():
        client, server, _ = await joined(5, largest=9)
        sent = [content(300, number) for number in range(20)]
        sending = [asyncio.create_task(client.send(message)) for message in sent]
        received = [await server.receive() for _ in sent]
        await asyncio.gather(*sending)
        assert received == sent
        await client.close()

    travel.run(exchange())


# Servers that keep to no rule: raw bytes instead of the judge.


def answer(status="HTTP/1.1 101 Switching Protocols", accept=None, **headers):
    """The bytes of an upgrade response to the request with mask seed 0; headers override, None removes."""
    from base64 import b64encode

    key = b64encode(masks()(16))
    good = b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
    lines = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept or good}
    lines.update({name.replace("_", "-"): value for name, value in headers.items()})
    rows = [status, *(f"{name}: {value}" for name, value in lines.items() if value is not None)]
    return "\r\n".join(rows).encode() + b"\r\n\r\n"


def upgrade(response):
    """The client's handshake against a server that answers these bytes, then closes."""

    async def exchange():
        wire = travel.Wire()
        wire.server.write(response)
        wire.server.close()
        stream = Stream(wire.unit, wire.unit)
        return await websocket.handshake(stream, "h", 1, "/link", masks())

    return travel.run(exchange())


def test_the_plainest_upgrade_is_accepted():
    assert isinstance(upgrade(answer()), WebSocket)
    assert isinstance(upgrade(answer(Connection="keep-alive, Upgrade", Upgrade="WebSocket")), WebSocket)
    assert isinstance(upgrade(answer(Date="x", Server="y")), WebSocket)


@pytest.mark.parametrize(
    "response",
    [
        b"\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"\xff\x00\xff\r\n\r\n",
        answer(status="HTTP/1.1 200 OK"),
        answer(status="HTTP/1.1 1010 Switching"),
        answer(status="HTTP/1.0 101 Switching"),
        answer(accept="AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        answer(Upgrade=None),
        answer(Upgrade="h2c"),
        answer(Connection=None),
        answer(Connection="close"),
        answer(Sec_WebSocket_Extensions="permessage-deflate"),
        answer(Sec_WebSocket_Protocol="chat"),
        answer().replace(b"Upgrade: websocket", b"Upgrade websocket"),
        answer().replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Accept: other\r\n\r\n"),
    ],
)
def test_a_wrong_upgrade_is_refused(response):
    with pytest.raises(ProtocolError) as refusal:
        upgrade(response)
    assert refusal.value.reason == errors.MALFORMED


def test_an_endless_or_cut_response_is_refused():
    with pytest.raises(ProtocolError) as refusal:
        upgrade(b"HTTP/1.1 101 x\r\n" + b"a: b\r\n" * 1000)
    assert refusal.value.reason == errors.TOO_LARGE
    for cut in (0, 1, 20, len(answer()) - 1):
        with pytest.raises(Disconnected):
            upgrade(answer()[:cut])


def hear(data):
    """What receive() makes of these raw bytes after a good handshake; also whatever the client sent."""

    async def exchange():
        wire = travel.Wire()
        client = WebSocket(Stream(wire.unit, wire.unit), masks()(16))
        wire.server.write(data)
        wire.server.close()
        try:
            return await client.receive()
        finally:
            await client._stream.close()

    return travel.run(exchange())


def test_a_plain_frame_is_heard():
    assert hear(b"\x82\x03abc") == b"abc"
    assert hear(b"\x89\x00" + b"\x82\x7e\x00\x7e" + bytes(126)) == bytes(126)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x81\x03abc", errors.MALFORMED),  # text
        (b"\x80\x03abc", errors.MALFORMED),  # continuation of nothing
        (b"\x02\x01a\x82\x01b", errors.MALFORMED),  # a new message inside a message
        (b"\xc2\x03abc", errors.MALFORMED),  # reserved bits
        (b"\x82\x83abcdabc", errors.MALFORMED),  # masked by the server
        (b"\x83\x00", errors.MALFORMED),  # unknown opcodes
        (b"\x8b\x00", errors.MALFORMED),
        (b"\x09\x00", errors.MALFORMED),  # fragmented control frame
        (b"\x89\x7e\x00\x7e" + bytes(126), errors.MALFORMED),  # long control frame
        (b"\x88\x01a", errors.MALFORMED),  # half a status code
        (b"\x82\x7e\x00\x03abc", errors.MALFORMED),  # length not in its shortest form
        (b"\x82\x7f" + bytes(6) + b"\xff\xff", errors.MALFORMED),
        (b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", errors.TOO_LARGE),
        (b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", errors.TOO_LARGE),
        (b"\x82\x7e\x20\x01", errors.TOO_LARGE),  # one byte more than MAX_MESSAGE
    ],
)
def test_frames_against_the_standard_are_refused(data, reason):
    with pytest.raises(ProtocolError) as refusal:
        hear(data)
    assert refusal.value.reason == reason


@pytest.mark.parametrize("cut", range(7))
def test_a_frame_cut_anywhere_is_a_disconnect(cut):
    with pytest.raises(Disconnected):
        hear(b"\x82\x7e\x00\x80abc"[:cut])


@pytest.mark.parametrize("seed", range(60))
def test_garbage_ends_in_a_named_way(seed):
    choice = random.Random(seed)
    data = bytearray(b"\x02\x05first\x89\x04ping\x80\x7e\x00\x80" + bytes(128) + b"\x82\x02ok")
    for _ in range(choice.randint(1, 4)):
        data[choice.randrange(len(data))] = choice.randrange(256)
    with contextlib.suppress(ProtocolError, Disconnected):
        assert isinstance(hear(bytes(data)), bytes)
