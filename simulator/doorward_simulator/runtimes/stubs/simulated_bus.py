"""The participant's end of the bus, in plain MicroPython: the stubs of the chip's modules speak through it.

The runtime makes a `Bus` over its transport (`send(frame)`, `receive() -> frame`) and stores it in `bus`; the
stubs call `bus.write`, `bus.call` and `bus.listen`. `bus.idle` is the event loop's: it blocks until the world
gives one cause, and hands an input to the one who listens to its channel. Messages: `doorward_simulator.bus`.
"""

from doorward_protocol import cbor

bus = None  # set by the runtime before any stub is used


class Bus:
    """Messages over a transport of frames."""

    def __init__(self, transport):
        self._transport = transport
        self._listeners = {}

    def write(self, channel, data):
        """Bytes for a channel; nothing comes back."""
        self._transport.send(cbor.encode(["write", channel, bytes(data)]))

    def call(self, target, method, *arguments):
        """Ask the world; returns its answer or raises what the real module would raise."""
        self._transport.send(cbor.encode(["call", target, method, list(arguments)]))
        answer = cbor.decode(self._transport.receive())
        if answer[0] == "return":
            return answer[1]
        name, text = answer[1], answer[2]
        if name == "OSError":
            number, _, text = text.partition(" ")
            raise OSError(int(number), text)
        raise (ValueError if name == "ValueError" else RuntimeError)(text)

    def listen(self, channel, callback):
        """Call `callback(payload)` for inputs on a channel; None stops it."""
        if callback is None:
            self._listeners.pop(channel, None)
        else:
            self._listeners[channel] = callback

    def idle(self, deadline):
        """Block until the world gives a cause; returns (now, action or None), ms and a function to call."""
        self._transport.send(cbor.encode(["idle", deadline]))
        cause = cbor.decode(self._transport.receive())
        if cause[0] == "timer":
            return cause[1], None
        callback = self._listeners.get(cause[2])
        if callback is None:
            return cause[1], None
        payload = cause[3]
        return cause[1], lambda: callback(payload)


def connect(transport):
    """Make the bus that the stubs use."""
    global bus
    bus = Bus(transport)
    return bus
