"""The socket between the world and a participant: frames, and what may stand in them.

A frame is a length (u32, big-endian) and one CBOR array. A participant's process (a unit's firmware, in
virtual time the server too) runs until nothing is due, says `idle` and blocks; the world then gives it one
cause.

  participant → world   ["write", channel, bytes]                  no answer
                        ["call", target, method, [arguments]]      answered by return or error
                        ["idle", deadline | null]                  answered by timer or input
  world → participant   ["return", value] | ["error", name, text]
                        ["timer", now] | ["input", now, channel, payload]      now in ms of world time

The world trusts no participant: whatever does not fit ends that participant with a `BusError`, not the world.
The other end is `runtimes/stubs/simulated_bus.py`, which the device's interpreter runs too.
"""

import socket

from doorward_protocol import cbor
from doorward_protocol.errors import ProtocolError

MAX_FRAME = 1 << 20  # a whole screen is 150 KB
_HEADER = 4


class BusError(Exception):
    """A participant sent what the bus does not carry, or stopped answering."""


class BusClosedError(BusError):
    """The participant's process has ended."""


class FrameReader:
    """Cuts a byte stream into frames, however it was split or merged on the way."""

    def __init__(self, limit: int = MAX_FRAME):
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def next(self) -> bytes | None:
        """The next whole frame, or None until more bytes have come; BusError when one is too long."""
        if len(self._buffer) < _HEADER:
            return None
        length = int.from_bytes(self._buffer[:_HEADER], "big")
        if length > self._limit:
            raise BusError(f"a frame of {length} B: at most {self._limit} B are allowed")
        if len(self._buffer) < _HEADER + length:
            return None
        frame = bytes(memoryview(self._buffer)[_HEADER : _HEADER + length])
        del self._buffer[: _HEADER + length]
        return frame


def pack(message: list) -> bytes:
    """One message as a frame."""
    body = cbor.encode(message)
    return len(body).to_bytes(_HEADER, "big") + body


_SHAPES = {
    "write": (str, bytes),
    "call": (str, str, list),
    "idle": ((int, type(None)),),
}


def unpack(frame: bytes) -> list:
    """A participant's message, checked for kind, number and types of its fields; else BusError."""
    try:
        message = cbor.decode(frame)
    except ProtocolError as error:
        raise BusError(f"not a message: {error}") from error
    if not isinstance(message, list) or not message or not isinstance(message[0], str):
        raise BusError("not a message: expected an array that begins with a kind")
    shape = _SHAPES.get(message[0])
    if shape is None:
        raise BusError(f"unknown message {message[0]!r}: a participant says write, call or idle")
    fields = message[1:]
    if len(fields) != len(shape) or not all(
        isinstance(field, kind) and not isinstance(field, bool)
        for field, kind in zip(fields, shape, strict=True)
    ):
        raise BusError(f"malformed {message[0]!r}: wrong number or types of fields")
    return message


class Endpoint:
    """The world's side of one participant's bus."""

    def __init__(self, connection: socket.socket, patience: float = 120.0):
        """`patience`: seconds of the PC's time after which a silent participant counts as hung."""
        self.socket = connection
        self.socket.settimeout(patience)
        self._reader = FrameReader()

    def send(self, message: list) -> None:
        try:
            self.socket.sendall(pack(message))
        except (BrokenPipeError, ConnectionResetError) as error:
            raise BusClosedError("the process has ended") from error

    def receive(self) -> list:
        """The next message; blocks. BusClosedError: the process has ended; BusError: hung or hostile."""
        while (frame := self._reader.next()) is None:
            self.receive_some()
        return unpack(frame)

    def poll(self) -> list | None:
        """The next message if it is here already."""
        frame = self._reader.next()
        return None if frame is None else unpack(frame)

    def receive_some(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except TimeoutError as error:
            raise BusError("the process is hung: it neither goes idle nor asks for anything") from error
        except ConnectionResetError:
            data = b""
        if not data:
            raise BusClosedError("the process has ended")
        self._reader.feed(data)

    def close(self) -> None:
        self.socket.close()
