"""A UHF reader module of the M100/R200 family with its antenna's field.

Written from the YRM100/M100 user protocol 2.3.3. The world puts tags into `field` and takes them out
(`enter`, `leave`). An inventory round singulates tags by slotted ALOHA: each round hears only some of
them, in random order and with varying strength; weak or crowded tags may need several rounds.

Polling once (0x22) answers with a notice per tag heard or error 0x15; polling many times (0x27) repeats
rounds until their number is reached or 0x28 stops them. Writing, locking and killing meet locked tags, as
the trade's tags are, and are refused by the tag.
"""

import struct

from doorward_simulator.devices.device import Handle, Scheduler, SerialDevice
from doorward_simulator.devices.m100_commands import ROUND_MS, TABLE, identity
from doorward_simulator.devices.m100_frames import COMMAND, NOTICE, RESPONSE, Broken, Frame, FrameReader
from doorward_simulator.devices.tags import Tag

ERROR = 0xFF  # command byte of an error response
NO_TAG, WRONG_PASSWORD, UNKNOWN_COMMAND = 0x15, 0x16, 0x17
POLL = 0x22
SLOT_MS = 4
PATIENCE_MS = 300


class UhfReader(SerialDevice):
    """One module; 115,200 baud from the factory."""

    def __init__(self, scheduler: Scheduler, name: str = "uhf"):
        super().__init__(scheduler, name, 115_200)
        self.chunk = 16  # so that a bridge's FIFO can be emptied while a long frame comes
        self.field: list[Tag] = []
        self.reset()

    # --- the world's side

    def enter(self, tag: Tag) -> None:
        """A tag comes into the field."""
        if tag not in self.field:
            self.field.append(tag)

    def leave(self, tag: Tag) -> None:
        """A tag leaves the field; no error if it was not there."""
        if tag in self.field:
            self.field.remove(tag)

    # --- power and line

    def reset(self) -> None:
        self.baud = 115_200
        self.power_cdbm = 2600  # hundredths of dBm
        self.region = 1
        self.channel = 1
        self.hopping = True
        self.query = 0x1020
        self.modem = bytes.fromhex("030601b0")
        self.select_mode = 2  # 0 before everything, 1 never, 2 before everything but polling
        self.select = bytes.fromhex("01000000200000")  # parameter, pointer, length, truncate; then the mask
        self.polling = 0  # rounds left
        self.asleep = False
        self._reader = FrameReader()
        self._patience: Handle | None = None
        self._round: Handle | None = None

    def handle(self, data: bytes) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if self.asleep:
            self.asleep = False  # any byte wakes the module and is lost (protocol, command 0x17)
            return
        for item in self._reader.feed(data):
            self._take(item)
        if self._reader.waiting:
            self._patience = self.later(PATIENCE_MS, self._give_up)

    def _give_up(self) -> None:
        self._patience = None
        broken = self._reader.abandon()
        if broken is not None:
            self._take(broken)

    def _take(self, item: Frame | Broken) -> None:
        if isinstance(item, Broken):
            self.violation(item.reason, item.data)
        elif item.type != COMMAND:
            self.violation(f"frame type {item.type:02x} from the host", item.to_bytes())
        else:
            handler = TABLE.get(item.command)
            if handler is None:
                self.violation("unknown command", item.to_bytes())
                self.fail(UNKNOWN_COMMAND)
                return
            try:
                handler(self, item.command, item.parameters)
            except (struct.error, IndexError, ValueError):
                self.violation("parameters do not fit the command", item.to_bytes())
                self.fail(UNKNOWN_COMMAND)

    def respond(self, command: int, parameters: bytes = b"\x00") -> None:
        """Send a response frame; one zero byte means done."""
        self.transmit(Frame(RESPONSE, command, parameters).to_bytes())

    def fail(self, code: int, tag: Tag | None = None) -> None:
        """Send an error response, naming the tag it is about."""
        about = b"" if tag is None else identity(tag)
        self.respond(ERROR, bytes([code]) + about)

    # --- the air

    def _heard(self) -> list[Tag]:
        """Tags that one round singulates, in the order of their slots."""
        random = self.scheduler.random
        loss = max(0.0, (2600 - self.power_cdbm) / 2600)
        crowd = max(0.35, 1 - 0.02 * max(0, len(self.field) - 4))
        heard = [tag for tag in self.field if random.random() < tag.reads * crowd * (1 - loss)]
        if self.select_mode == 0:
            heard = [tag for tag in heard if self._selected(tag)]
        random.shuffle(heard)
        return heard

    def _selected(self, tag: Tag) -> bool:
        parameter, pointer, length, _ = struct.unpack_from(">BIBB", self.select)
        return not length or tag.matches(parameter & 3, pointer, length, self.select[7:])

    def _notice(self, tag: Tag) -> None:
        strength = max(-90, min(-20, round(tag.signal + self.scheduler.random.gauss(0, 2.5))))
        reading = bytes([strength & 0xFF]) + tag.protocol_control + tag.epc + tag.crc
        self.transmit(Frame(NOTICE, POLL, reading).to_bytes())

    def poll_once(self) -> None:
        """One inventory round: a notice per tag heard, or error 0x15."""
        heard = self._heard()
        for tag in heard:
            self._notice(tag)
        if not heard:
            self.fail(NO_TAG)

    def start_polling(self, rounds: int) -> None:
        """Inventory round after round, at most `rounds` of them."""
        self.polling = rounds
        if self._round is None:
            self._round = self.later(ROUND_MS, self._next_round)

    def stop_polling(self) -> None:
        """No further round."""
        self.polling = 0
        if self._round is not None:
            self._round.cancel()
            self._round = None

    def _next_round(self) -> None:
        self._round = None
        if self.polling <= 0:
            return
        self.polling -= 1
        self.poll_once()
        if self.polling:
            self._round = self.later(ROUND_MS + SLOT_MS * len(self.field), self._next_round)

    def one_tag(self, missing: int, password: int) -> Tag | None:
        """The tag that an access command addresses, or None after the error was answered."""
        heard = [tag for tag in self.field if self.select_mode == 1 or self._selected(tag)]
        heard = [tag for tag in heard if self.scheduler.random.random() < min(1.0, tag.reads + 0.1)]
        if not heard:
            self.fail(missing)
            return None
        tag = self.scheduler.random.choice(heard)
        if password not in (0, tag.access_password):
            self.fail(WRONG_PASSWORD, tag)
            return None
        return tag
