"""The other side of a WebSocket, by the `websockets` library's own protocol: a judge that is not ours."""

from websockets.frames import Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol


class JudgedSocket:
    """Server side of one connection; every byte of the client is checked by `websockets`."""

    def __init__(self, end):
        self._end = end
        self.protocol = ServerProtocol(max_size=1 << 20)
        self._events = []
        self.pongs = []

    async def accept(self):
        """Wait for the upgrade request and accept it; returns the request."""
        request = await self._event(Request)
        assert isinstance(request, Request)
        self.protocol.send_response(self.protocol.accept(request))
        self.flush()
        return request

    async def receive(self):
        """The next whole binary message; None at the end."""
        parts = []
        while True:
            frame = await self._event()
            if frame is None or frame.opcode is Opcode.CLOSE:
                return None
            if frame.opcode is Opcode.PONG:
                self.pongs.append(bytes(frame.data))
                continue
            assert frame.opcode in (Opcode.BINARY, Opcode.CONT)
            parts.append(bytes(frame.data))
            if frame.fin:
                return b"".join(parts)

    def send(self, message, fragments=1):
        """Send a binary message in so many fragments."""
        size = -(-len(message) // fragments) or 1
        pieces = [message[at : at + size] for at in range(0, len(message), size)] or [b""]
        for number, piece in enumerate(pieces):
            send = self.protocol.send_binary if number == 0 else self.protocol.send_continuation
            send(piece, number == len(pieces) - 1)
        self.flush()

    def ping(self, data):
        self.protocol.send_ping(data)
        self.flush()

    def close(self, code=1000):
        if self.protocol.state is State.OPEN:
            self.protocol.send_close(code)
        self.flush()

    def flush(self):
        for data in self.protocol.data_to_send():
            if data:
                self._end.write(data)
            else:
                self._end.close()

    async def _event(self, kind=None):
        while not self._events:
            data = await self._end.read(4096)
            if data:
                self.protocol.receive_data(data)
            else:
                self.protocol.receive_eof()
            if self.protocol.handshake_exc:
                raise self.protocol.handshake_exc
            if self.protocol.parser_exc and not isinstance(self.protocol.parser_exc, EOFError):
                raise self.protocol.parser_exc
            self._events.extend(self.protocol.events_received())
            self.flush()
            if not data and not self._events:
                return None
        event = self._events.pop(0)
        assert kind is None or isinstance(event, kind)
        return event
