"""The unit's WebSocket: the answer to its upgrade, and a server's frames, made by the library websockets."""

import contextlib
from random import Random

from doorward_firmware.sync import websocket
from doorward_firmware.sync.stream import Disconnected, Stream
from doorward_protocol.errors import ProtocolError
from doorward_protocol.suite import run
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from doorward_tools.fuzzing.mutation import EDGES, split
from doorward_tools.fuzzing.subject import Subject, Target, require

LARGEST_BUFFER = websocket.MAX_MESSAGE + 2048


def no_masks(count: int) -> bytes:
    """In place of a unit's random numbers."""
    return bytes(count)


class Reader:
    """The network's end: pieces of any size, then the end of the connection."""

    def __init__(self, pieces: list[bytes]):
        self._pieces = pieces[::-1]

    async def read(self, limit: int) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.pop()
        if len(piece) > limit:
            self._pieces.append(piece[limit:])
        return piece[:limit]


class Wire(Stream):
    """The firmware's stream, with a network that never makes it wait and takes all it sends."""

    def __init__(self, pieces: list[bytes]):
        super().__init__(Reader(pieces), None)
        self.sent = bytearray()

    async def send(self, data: bytes) -> None:
        self.sent += data
        require(len(self._buffer) <= LARGEST_BUFFER, "the buffer is bounded")


def answer_of_a_server() -> bytes:
    """What `websockets` answers to our request."""
    wire = Wire([])
    with contextlib.suppress(Disconnected):
        run(websocket.handshake(wire, "server", 80, "/link", no_masks))
    server = ServerProtocol()
    server.receive_data(bytes(wire.sent))
    request = server.events_received()[0]
    if not isinstance(request, Request):
        raise TypeError("our request was not understood")
    server.send_response(server.accept(request))
    return b"".join(server.data_to_send())


def frames_of_a_server(rng: Random) -> list[bytes]:
    """Messages whole and in fragments, with pings between, and goodbyes."""

    def frame(opcode: Opcode, data: bytes, fin: bool = True) -> bytes:
        return Frame(opcode, data, fin).serialize(mask=False)

    streams = [frame(Opcode.BINARY, rng.randbytes(size)) for size in (0, 1, 125, 126, 4096, 8192)]
    for parts in (2, 3, 64):
        pieces = [rng.randbytes(rng.randrange(100)) for _ in range(parts)]
        stream = b"".join(
            frame(Opcode.CONT if at else Opcode.BINARY, piece, at == parts - 1)
            for at, piece in enumerate(pieces)
        )
        streams.append(stream)
    streams.append(
        frame(Opcode.BINARY, b"a", False) + frame(Opcode.PING, b"alive?") + frame(Opcode.CONT, b"b")
    )
    streams.append(frame(Opcode.PONG, b"x") + streams[2] + frame(Opcode.CLOSE, b"\x03\xe8bye"))
    return [*streams, streams[1] * 30, streams[4] + streams[3]]


def websocket_subject(seed: int) -> Subject:
    """The connection ends by name, or with the network's end; what was whole before that has come."""
    rng = Random(seed)  # noqa: S311 - repeats itself on purpose

    def upgrade(data: bytes, rng: Random) -> object:
        wire = Wire(split(rng, data))
        run(websocket.handshake(wire, "server", 80, "/link", no_masks))
        require(accept in data, "the answer was made for our key")
        return wire

    def frames(data: bytes, rng: Random) -> object:
        wire = Wire(split(rng, data))
        socket, received = websocket.WebSocket(wire, no_masks(16)), 0
        try:
            while True:
                message = run(socket.receive())
                require(len(message) <= websocket.MAX_MESSAGE, "a message within the limit")
                received += len(message)
        finally:
            require(received <= len(data), "nothing comes twice")
            require(len(wire.sent) <= 4 * len(data) + 8, "answers do not outgrow what asked for them")

    def well_framed(rng: Random, seed: bytes) -> bytes:
        """Frames with true lengths and any opcodes and flags, pressed together."""
        data = b""
        for _ in range(rng.randrange(1, 80)):
            payload = rng.randbytes(rng.choice((0, 0, 1, 2, 125, 126, 300)))
            first = rng.choice((0x02, 0x82, 0x00, 0x80, 0x89, 0x8A, 0x88, 0x81, rng.randrange(256)))
            length = (
                bytes((len(payload),)) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big")
            )
            data += bytes((first,)) + length + payload
        return data + seed if rng.random() < 0.2 else data

    def headers(rng: Random, seed: bytes) -> bytes:
        """Lines of the answer dropped, doubled, exchanged or with other letters."""
        lines = seed[:-4].split(b"\r\n")
        at = rng.randrange(len(lines))
        lines[at] = rng.choice(
            (lines[at] * 2, lines[at].swapcase(), lines[at] + bytes((rng.choice(EDGES),)), b"")
        )
        if rng.random() < 0.3:
            lines.append(rng.choice(lines))
        if rng.random() < 0.5:
            lines[1:] = rng.sample(lines[1:], len(lines) - 1)
        return b"\r\n".join(lines) + b"\r\n\r\n"

    answer = answer_of_a_server()
    accept = next(line for line in answer.split(b"\r\n") if line.lower().startswith(b"sec-websocket-accept"))
    accept = accept.partition(b":")[2].strip()
    return Subject(
        "websocket",
        (ProtocolError, Disconnected),
        [
            Target("upgrade", [answer], upgrade, [headers]),
            Target("frames", frames_of_a_server(rng), frames, [well_framed]),
        ],
    )
