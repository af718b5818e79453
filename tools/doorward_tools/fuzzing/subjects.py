"""The eight parsers of bytes from outside, by name; `make` builds one with its seeds."""

from doorward_tools.fuzzing import encoded, handshakes, serial, sockets
from doorward_tools.fuzzing.subject import Subject

SUBJECTS = {
    "cbor": encoded.cbor_subject,
    "cose": encoded.cose_subject,
    "edhoc": handshakes.edhoc_subject,
    "channel": handshakes.channel_subject,
    "ef01": serial.ef01_subject,
    "m100": serial.m100_subject,
    "websocket": sockets.websocket_subject,
    "cobs": serial.cobs_subject,
}


def make(name: str, seed: int) -> Subject:
    """The subject called `name`; equal seeds give equal subjects."""
    return SUBJECTS[name](seed)
