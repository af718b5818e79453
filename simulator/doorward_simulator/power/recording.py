"""A delivery as it was once: every piece of flash, and everything that left the unit, in their common order.

Three things leave a unit and cannot be taken back: frames to the network, a relay that lets a door go, and a
finger held against the people in a sensor. Each is noted with the number of flash pieces that were whole by
then and the number of leaves that the journal held, so that "recorded first" can be judged without knowing
the firmware. What the frames carried is known from the server's side (`--heard`): the unit's n-th frame is
its n-th message.
"""

from collections.abc import Callable
from dataclasses import dataclass

from doorward_firmware.board import REFERENCE

from doorward_simulator.devices.ef01_packets import COMMAND, Packet, PacketReader
from doorward_simulator.flash import Piece
from doorward_simulator.unit import Unit

FRAME, RELAY, SEARCH = "frame", "relay", "search"

_SEARCH = 0x04  # R503 user manual: "Search the finger library"
_HANDSHAKE = 2  # EDHOC's message_1 and message_3 come before the first frame


@dataclass(frozen=True)
class Departure:
    """What left: a FRAME (`what`: its number), a RELAY (a door's) or a SEARCH (a panel's), by number.

    `after`: flash pieces that were whole; `leaves`: that the journal held at this moment.
    """

    kind: str
    what: int
    after: int
    leaves: int


class Recorder:
    """Listens at a unit's flash and wires from now on; `before(number)` is called before each piece."""

    def __init__(self, unit: Unit, before: Callable[[int], None] = lambda _number: None):
        self.initial = {label: bytes(memory.image) for label, memory in unit.flash.items()}
        self.pieces: list[tuple[str, Piece]] = []
        self.departures: list[Departure] = []
        self._unit, self._before = unit, before
        self._streams: dict[str, _Frames] = {}
        self._frames = 0
        self._relays = {settings["relay"]: door for door, settings in REFERENCE["doors"].items()}
        self._packets = {
            f"uart{settings['uart']}": (panel, PacketReader())
            for panel, settings in enumerate(REFERENCE["fingerprints"].values(), 1)
        }
        for label, memory in unit.flash.items():
            memory.on_piece = lambda piece, label=label: self._piece(label, piece)
        unit.chip.on_write = self._written
        self._drive, unit.chip.on_output = unit.chip.on_output, self._output

    def _piece(self, label: str, piece: Piece) -> None:
        self.pieces.append((label, piece))
        self._before(len(self.pieces) - 1)

    def _written(self, channel: str, data: bytes) -> None:
        if channel.startswith("net:"):
            stream = self._streams.setdefault(f"{self._unit.boots} {channel}", _Frames())
            for _ in range(stream.feed(data)):
                self._depart(FRAME, self._frames)
                self._frames += 1
        elif channel in self._packets:
            panel, reader = self._packets[channel]
            for packet in reader.feed(data):
                if isinstance(packet, Packet) and _searches_people(packet):
                    self._depart(SEARCH, panel)

    def _output(self, number: int, level: int) -> None:
        if level and number in self._relays:
            self._depart(RELAY, self._relays[number])
        self._drive(number, level)

    def _depart(self, kind: str, what: int) -> None:
        leaves = len(self._unit.journal.entries())
        self.departures.append(Departure(kind, what, len(self.pieces), leaves))


def _searches_people(packet: Packet) -> bool:
    """Whether a finger is compared with people: they begin in slot 0, searches that must fail behind them."""
    content = packet.content
    return packet.identifier == COMMAND and content[:1] == bytes([_SEARCH]) and content[2:4] == b"\0\0"


class _Frames:
    """Counts the channel's frames in what a unit sends on one connection (RFC 6455 §5.2)."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._upgraded = False
        self._messages = 0

    def feed(self, data: bytes) -> int:
        """How many frames of the channel these bytes complete."""
        self._buffer += data
        if not self._upgraded:
            _, end, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not end:
                return 0
            self._upgraded, self._buffer = True, bytearray(rest)
        count = 0
        while (opcode := self._next()) is not None:
            if opcode == 2:
                self._messages += 1
                count += self._messages > _HANDSHAKE
        return count

    def _next(self) -> int | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, at = buffer[1] & 0x7F, 2
        if length > 125:
            at = 4 if length == 126 else 10
            length = int.from_bytes(buffer[2:at], "big")
        end = at + 4 + length  # the mask, then the payload
        if len(buffer) < end:
            return None
        opcode = buffer[0] & 0x0F
        del buffer[:end]
        return opcode
