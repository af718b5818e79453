"""A WebSocket client (RFC 6455): binary messages to the server's link, over a `Stream`.

No extension and no subprotocol is offered, so none is accepted. Whatever the server sends against the
standard ends the connection with a named reason; nothing is read beyond the bounds below, whatever a header
announces.
"""

import hashlib
import struct
from binascii import b2a_base64

from doorward_protocol.compat import const
from doorward_protocol.errors import MALFORMED, TOO_LARGE, ProtocolError

from doorward_firmware.sync.sha1 import sha1
from doorward_firmware.sync.stream import Disconnected

MAX_MESSAGE = const(8192)  # bytes received in one message
MAX_RESPONSE = const(2048)  # bytes of the server's answer to the handshake
MAX_FRAGMENTS = const(64)

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # §1.3

_CONTINUATION = const(0x0)  # opcodes, §5.2
_BINARY = const(0x2)
_CLOSE = const(0x8)
_PING = const(0x9)
_PONG = const(0xA)

_ACCEPT = b"sec-websocket-accept"
_EXTENSIONS = b"sec-websocket-extensions"
_PROTOCOL = b"sec-websocket-protocol"
_HEADERS = (b"upgrade", b"connection", _ACCEPT, _EXTENSIONS, _PROTOCOL)  # each comes at most once

_NORMAL = const(1000)  # status codes, §7.4.1
_PROTOCOL_ERROR = const(1002)
_TOO_BIG = const(1009)


class WebSocket:
    """One side of an open connection; the masks come from `seed`, random bytes of this connection."""

    def __init__(self, stream, seed):
        self._stream, self._seed = stream, seed
        self._masks = 0

    async def send(self, message):
        """Send one binary message."""
        await self._send(_BINARY, message)

    async def receive(self):
        """Return the next binary message. Raises Disconnected, or ProtocolError for a forbidden one."""
        try:
            return await self._receive()
        except ProtocolError as error:
            await self._say_goodbye(_TOO_BIG if error.reason == TOO_LARGE else _PROTOCOL_ERROR)
            raise

    async def close(self):
        """Say goodbye and end the connection; never raises."""
        await self._say_goodbye(_NORMAL)
        await self._stream.close()

    async def _receive(self):
        message, fragments = b"", 0
        while True:
            final, opcode, payload = await self._frame(MAX_MESSAGE - len(message))
            if opcode >= _CLOSE:
                await self._control(opcode, payload)
                continue
            if opcode != (_CONTINUATION if fragments else _BINARY):
                raise ProtocolError(MALFORMED, "WebSocket opcode %d" % opcode)
            fragments += 1
            message += payload
            if final:
                return message
            if fragments == MAX_FRAGMENTS:
                raise ProtocolError(TOO_LARGE, "WebSocket fragments")

    async def _frame(self, room):
        """(final, opcode, payload) of the next frame (§5.2); of a message not more than room bytes."""
        first, second = await self._stream.read_exactly(2)
        if first & 0x70 or second & 0x80:
            raise ProtocolError(MALFORMED, "WebSocket frame with reserved or mask bits")
        opcode, length = first & 0x0F, second & 0x7F
        if opcode >= _CLOSE and (length > 125 or not first & 0x80):
            raise ProtocolError(MALFORMED, "WebSocket control frame")
        if length > 125:
            size = 2 if length == 126 else 8
            length = int.from_bytes(await self._stream.read_exactly(size), "big")
            if length < (126 if size == 2 else 65536):
                raise ProtocolError(MALFORMED, "WebSocket length")
        if opcode < _CLOSE and length > room:
            raise ProtocolError(TOO_LARGE, "WebSocket message")
        return first >> 7, opcode, await self._stream.read_exactly(length)

    async def _control(self, opcode, payload):
        if opcode == _PING:
            await self._send(_PONG, payload)
        elif opcode == _CLOSE:
            if len(payload) == 1:
                raise ProtocolError(MALFORMED, "WebSocket close")
            await self._send(_CLOSE, payload[:2])
            raise Disconnected("closed by the server")
        elif opcode != _PONG:
            raise ProtocolError(MALFORMED, "WebSocket opcode %d" % opcode)

    async def _say_goodbye(self, code):
        try:
            await self._send(_CLOSE, struct.pack(">H", code))
        except Disconnected:
            pass

    async def _send(self, opcode, payload):
        mask = self._next_mask()
        length = len(payload)
        if length < 126:
            head = struct.pack(">BB", 0x80 | opcode, 0x80 | length)
        else:
            head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, length)
        await self._stream.send(head + mask + _masked(payload, mask))

    def _next_mask(self):
        """Nobody without the seed can tell it in advance (§5.3). Drawing each from the chip instead would
        let the number and order of messages decide which random bytes the journal's salts get."""
        self._masks += 1
        return hashlib.sha256(self._seed + self._masks.to_bytes(4, "big")).digest()[:4]


def _masked(payload, mask):
    """payload XOR the repeated mask (§5.3), as one long integer: the device has no faster way."""
    length = len(payload)
    stream = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(length, "big")


async def handshake(stream, host, port, path, random):
    """Open the WebSocket on a connected stream (§4.1). Raises Disconnected or ProtocolError."""
    drawn = random(32)
    key = b2a_base64(drawn[:16]).strip()
    request = (
        "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n" % (path, host, port, key.decode())
    )
    await stream.send(request.encode())
    response = await stream.read_until(b"\r\n\r\n", MAX_RESPONSE)
    _check_response(response, b2a_base64(sha1(key + _GUID)).strip())
    return WebSocket(stream, drawn[16:])


def _check_response(response, accept):
    lines = response[:-4].split(b"\r\n")
    if not lines[0].startswith(b"HTTP/1.1 101 ") and lines[0] != b"HTTP/1.1 101":
        raise ProtocolError(MALFORMED, "no WebSocket: " + _printable(lines[0][:40]))
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or (name in headers and name in _HEADERS):
            raise ProtocolError(MALFORMED, "HTTP header")
        headers[name] = value.strip()
    tokens = [token.strip() for token in headers.get(b"connection", b"").lower().split(b",")]
    if headers.get(b"upgrade", b"").lower() != b"websocket" or b"upgrade" not in tokens:
        raise ProtocolError(MALFORMED, "no WebSocket upgrade")
    if headers.get(_ACCEPT) != accept:
        raise ProtocolError(MALFORMED, "Sec-WebSocket-Accept")
    if _EXTENSIONS in headers or _PROTOCOL in headers:
        raise ProtocolError(MALFORMED, "WebSocket extension that nobody offered")


def _printable(data):
    return "".join([chr(byte) if 32 <= byte < 127 else "?" for byte in data])
