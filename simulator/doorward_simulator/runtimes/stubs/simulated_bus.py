"""The participant's end of the bus, in plain MicroPython: the stubs of the chip's modules speak through it.

The runtime makes a `Bus` over its transport (`send(frame)`, `receive() -> frame`) and stores it in `bus`; the
stubs call `bus.write`, `bus.call` and `bus.listen`. `bus.idle` is the event loop's: it blocks until the world
gives one cause, and hands an input to the one who listens to its channel. Messages: `doorward_simulator.bus`.
"""

from doorward_protocol import cbor

bus = None  # set by the runtime before any stub is used

# A processor asks a thousand times while it boots, mostly the same few things: only what differs is encoded.
_RETURN = cbor.encode(["return", None])[:-1]


class Bus:
    """Messages over a transport of frames."""

    def __init__(self, transport):
        self._transport = transport
        self._listeners = {}
        self._questions = {}  # (target, method): the encoding up to the arguments

    def write(self, channel, data):
        """Bytes for a channel; nothing comes back."""
        self._transport.send(cbor.encode(["write", channel, bytes(data)]))

    def call(self, target, method, *arguments):
        """Ask the world; returns its answer or raises what the real module would raise."""
        question = self._questions.get((target, method))
        if question is None:
            question = cbor.encode(["call", target, method, None])[:-1]
            self._questions[target, method] = question
        self._transport.send(question + cbor.encode(arguments))
        answer = self._transport.receive()
        if answer.startswith(_RETURN):
            return cbor.decode(answer[len(_RETURN) :])
        _, name, text = cbor.decode(answer)
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
