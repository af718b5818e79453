"""A PN532 card reader on I2C, with ISO/IEC 14443-A cards in its field.

Written from the PN532 user manual (UM0701-02): every read begins with a status byte (01 when a frame is
ready), every command is acknowledged with 00 00 FF 00 FF 00 before its response, and P70_IRQ is low while
something waits to be read. InListPassiveTarget answers when a card comes; without a retry limit it waits for
ever, until the host sends an ACK frame or another command.
"""

from collections.abc import Callable
from dataclasses import dataclass

from doorward_simulator.devices.device import Handle, I2cDevice, Scheduler

ADDRESS = 0x24
READY = b"\x01"
PREAMBLE = b"\x00\x00\xff"
ACK = PREAMBLE + b"\x00\xff\x00"
NACK = PREAMBLE + b"\xff\x00\x00"
SYNTAX_ERROR = PREAMBLE + b"\x01\xff\x7f\x81\x00"
TO_READER, TO_HOST = 0xD4, 0xD5
FIRMWARE = b"\x32\x01\x06\x07"  # PN532, version 1.6, ISO 14443 A and B and ISO 18092
ACK_MS, WORK_MS, SCAN_MS = 1, 3, 30
FOREVER = 0xFF


@dataclass(frozen=True)
class Card:
    """A contactless card type A: UID of 4, 7 or 10 bytes, ATQA and SAK (MIFARE Classic 1K if not told)."""

    uid: bytes
    atqa: bytes = b"\x00\x04"
    sak: int = 0x08

    def __post_init__(self) -> None:
        if len(self.uid) not in (4, 7, 10):
            raise ValueError(f"UID of {len(self.uid)} bytes: 4, 7 or 10 are possible")

    def target(self) -> bytes:
        """Target data of InListPassiveTarget after the number: SENS_RES, SEL_RES, UID."""
        return self.atqa + bytes([self.sak, len(self.uid)]) + self.uid


def frame(payload: bytes) -> bytes:
    """A normal information frame (UM0701-02 6.2.1.1)."""
    length = len(payload)
    return PREAMBLE + bytes([length, -length & 0xFF]) + payload + bytes([-sum(payload) & 0xFF, 0])


class CardReader(I2cDevice):
    """One module; `place` and `remove` are the world's side."""

    def __init__(self, scheduler: Scheduler, name: str = "card"):
        super().__init__(scheduler, name, ADDRESS)
        self.cards: list[Card] = []
        self.reset()

    def place(self, card: Card) -> None:
        """A card comes into the field."""
        if card not in self.cards:
            self.cards.append(card)
        self._look()

    def remove(self, card: Card) -> None:
        """A card leaves the field."""
        if card in self.cards:
            self.cards.remove(card)

    def reset(self) -> None:
        self._outgoing: list[bytes] = []
        self._last = b""
        self._wanted = 0  # targets that InListPassiveTarget waits for
        self._scan: Handle | None = None
        self.retries = FOREVER
        self.field_on = False
        self.set_interrupt(False)

    # --- the bus

    def write(self, data: bytes) -> bool:
        if not self.powered:
            return False
        if data == ACK:
            self._abort()
        elif data == NACK:
            self._offer(self._last)
        else:
            payload = self._payload(data)
            if payload is not None:
                self._abort()
                self._offer(ACK)
                self.later(ACK_MS, lambda: self._execute(payload))
        return True

    def read(self, count: int) -> bytes:
        if not self.powered:
            return b""
        if not self._outgoing:
            return b"\x00" * count
        if count == 1:
            return READY  # looking at the status alone takes nothing away
        data = self._outgoing.pop(0)
        self.set_interrupt(bool(self._outgoing))
        return (READY + data).ljust(count, b"\x00")[:count]

    def _payload(self, data: bytes) -> bytes | None:
        """Command bytes of a frame; anything malformed is ignored, as the chip does."""
        start = data.find(b"\x00\xff")
        if start < 0 or len(data) < start + 5:
            self.violation("no start code", data)
            return None
        length, check = data[start + 2], data[start + 3]
        body = data[start + 4 : start + 4 + length]
        if (length + check) & 0xFF or len(body) != length or len(data) < start + 5 + length:
            self.violation("length is wrong", data)
            return None
        if (sum(body) + data[start + 4 + length]) & 0xFF:
            self.violation("checksum is wrong", data)
            return None
        if length < 2 or body[0] != TO_READER:
            self.violation("not a command to the reader", data)
            self.later(ACK_MS, lambda: self._offer(SYNTAX_ERROR))
            return None
        return body[1:]

    def _offer(self, data: bytes) -> None:
        self._outgoing.append(data)
        self.set_interrupt(True)

    def _answer(self, command: int, data: bytes = b"") -> None:
        self._last = frame(bytes([TO_HOST, command + 1]) + data)
        self._offer(self._last)

    def _abort(self) -> None:
        self._wanted = 0
        self._outgoing.clear()
        if self._scan is not None:
            self._scan.cancel()
            self._scan = None
        self.set_interrupt(False)

    # --- commands

    def _execute(self, payload: bytes) -> None:
        command, arguments = payload[0], payload[1:]
        action = _TABLE.get(command)
        if action is None or not action(self, command, arguments):
            self.violation("command or arguments unknown", payload)
            self._offer(SYNTAX_ERROR)

    def _firmware(self, command: int, arguments: bytes) -> bool:
        self.later(WORK_MS, lambda: self._answer(command, FIRMWARE))
        return not arguments

    def _status(self, command: int, arguments: bytes) -> bool:
        targets = bytes([min(2, len(self.cards))]) if self.field_on else b"\x00"
        self.later(
            WORK_MS, lambda: self._answer(command, b"\x00" + bytes([self.field_on]) + targets + b"\x00")
        )
        return not arguments

    def _sam(self, command: int, arguments: bytes) -> bool:
        if not 1 <= len(arguments) <= 3 or not 1 <= arguments[0] <= 4:
            return False
        self.later(WORK_MS, lambda: self._answer(command))
        return True

    def _configure(self, command: int, arguments: bytes) -> bool:
        lengths = {0x01: 1, 0x02: 3, 0x04: 1, 0x05: 3, 0x0A: 11, 0x0B: 8, 0x0C: 3, 0x0D: 9}
        if not arguments or len(arguments) - 1 != lengths.get(arguments[0]):
            return False
        if arguments[0] == 0x01:
            self.field_on = bool(arguments[1] & 1)
        elif arguments[0] == 0x05:
            self.retries = arguments[3]
        self.later(WORK_MS, lambda: self._answer(command))
        return True

    def _list(self, _command: int, arguments: bytes) -> bool:
        if len(arguments) < 2 or arguments[0] not in (1, 2) or arguments[1] > 4:
            return False
        self.field_on = True
        self._wanted = arguments[0]
        tries = self.retries + 1
        if arguments[1] != 0:  # only type A is modelled: other kinds of card never come
            self._wanted = 0
        if self.retries != FOREVER:
            self.later(SCAN_MS * tries, self._nothing)
        self._look()
        return True

    def _look(self) -> None:
        if self._wanted and self.cards and self._scan is None and self.powered:
            self._scan = self.later(SCAN_MS, self._found)

    def _found(self) -> None:
        self._scan = None
        cards = self.cards[: self._wanted]
        if not cards:
            return
        self._wanted = 0
        listed = b"".join(bytes([number]) + card.target() for number, card in enumerate(cards, 1))
        self._answer(0x4A, bytes([len(cards)]) + listed)

    def _nothing(self) -> None:
        if self._wanted:
            self._wanted = 0
            self._answer(0x4A, b"\x00")

    def _release(self, command: int, arguments: bytes) -> bool:
        self.later(WORK_MS, lambda: self._answer(command, b"\x00"))
        return len(arguments) == 1

    def _power_down(self, command: int, arguments: bytes) -> bool:
        self.field_on = False
        self.later(WORK_MS, lambda: self._answer(command, b"\x00"))
        return 1 <= len(arguments) <= 2


_TABLE: dict[int, Callable[[CardReader, int, bytes], bool]] = {
    0x02: CardReader._firmware,
    0x04: CardReader._status,
    0x14: CardReader._sam,
    0x16: CardReader._power_down,
    0x32: CardReader._configure,
    0x44: CardReader._release,
    0x4A: CardReader._list,
    0x52: CardReader._release,
}
