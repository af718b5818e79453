"""A fingerprint module of the EF01 family on its serial line: wire, power, time and light.

Written from the R503 user manual 1.2.2 (GROW) and the ZFM-20 manual; `ef01_packets` frames the bytes,
`ef01_library` keeps images and templates, `ef01_instructions` is the table of what each instruction does.

The world presses and lifts fingers (`press`, `lift`), looks at the light (`light`) and watches the touch
output (`on_touch`). The module works on one instruction at a time and answers after the time that work
takes; bytes that come meanwhile wait in a bounded buffer.
"""

from collections.abc import Callable

from doorward_simulator.devices import ef01_instructions
from doorward_simulator.devices.device import Handle, Scheduler, SerialDevice
from doorward_simulator.devices.ef01_library import RECEIVE_ERROR, Library
from doorward_simulator.devices.ef01_packets import (
    ACKNOWLEDGE,
    COMMAND,
    DATA,
    LAST_DATA,
    Broken,
    Packet,
    PacketReader,
    in_packets,
)
from doorward_simulator.devices.ef01_profiles import LIVE, Profile
from doorward_simulator.devices.ef01_settings import Light, Settings
from doorward_simulator.fingers import Touch

READY = b"\x55"  # sent once after start-up
MUST_VERIFY_PASSWORD = 0x21
PATIENCE_MS = 500  # for the rest of a packet
WAITING_BYTES = 4096  # that may come while an instruction runs


class FingerprintModule(SerialDevice):
    """One module; `serial` are its 8 characters of serial number."""

    def __init__(
        self, scheduler: Scheduler, name: str = "finger", profile: Profile = LIVE, serial: str = "00000001"
    ):
        self.profile = profile
        self.serial = serial
        self.settings = Settings()
        self.notepad: dict[int, bytes] = {}
        self.library = Library(profile, scheduler.random)
        self.finger: Touch | None = None
        self.sensor_works = True  # False: CheckSensor answers 0x29 and captures fail
        self.on_touch: Callable[[int], None] = lambda _level: None
        super().__init__(scheduler, name, 9600 * self.settings.baud_factor)
        self.reset()

    # --- the world's side

    def press(self, touch: Touch) -> None:
        """A finger is laid on the window."""
        self.finger = touch
        self.on_touch(self.touch_level)

    def lift(self) -> None:
        """The window is free again."""
        self.finger = None
        self.on_touch(self.touch_level)

    @property
    def touch_level(self) -> int:
        """Electrical level of the touch output; its supply is separate and always on (pin 3.3VT)."""
        touched = self.profile.touched_level
        return touched if self.finger is not None else 1 - touched

    # --- power

    def reset(self) -> None:
        self.library.forget()
        self.light = Light()
        self.verified = self.settings.password == 0
        self.passed = False
        self.busy = False
        self.started = False
        self.baud = 9600 * self.settings.baud_factor
        self.download: tuple[int, bytearray] | None = None
        self._reader = PacketReader()
        self._waiting: list[Packet | Broken] = []
        self._patience: Handle | None = None
        if self.powered:
            self.later(self.profile.start_ms, self._ready)

    def restart(self) -> None:
        """What power off and on does, by instruction SoftRst."""
        self.reset()

    def _ready(self) -> None:
        self.started = True
        self.transmit(READY)

    # --- the line

    def handle(self, data: bytes) -> None:
        if not self.started:
            return  # no receiver yet: the manual allows the host to talk after 0x55 only
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self._waiting += self._reader.feed(data)
        if (
            sum(len(item.data if isinstance(item, Broken) else item.content) for item in self._waiting)
            > WAITING_BYTES
        ):
            self.violation("more bytes than the module can buffer while it works", data)
            self._waiting.clear()
        if self._reader.waiting:
            self._patience = self.later(PATIENCE_MS, self._give_up)
        self._work()

    def _give_up(self) -> None:
        self._patience = None
        broken = self._reader.abandon()
        if broken is not None:
            self._waiting.append(broken)
            self._work()

    def _work(self) -> None:
        while self._waiting and not self.busy:
            item = self._waiting.pop(0)
            if isinstance(item, Broken):
                self.violation(item.reason, item.data)
                self.download = None
                if item.framed:
                    self.acknowledge(RECEIVE_ERROR)
            elif item.address != self.settings.address:
                self.violation(f"packet for address {item.address:08x}", item.content)
            elif item.identifier == COMMAND:
                self._command(item.content)
            elif item.identifier in (DATA, LAST_DATA):
                self._data(item)
            else:
                self.violation(f"packet identifier {item.identifier:02x} from the host", item.content)

    def acknowledge(self, code: int, content: bytes = b"") -> None:
        """Send an acknowledge packet."""
        self.transmit(Packet(self.settings.address, ACKNOWLEDGE, bytes([code]) + content).to_bytes())

    def upload(self, data: bytes) -> None:
        """Send bytes to the host as data packets, after the acknowledgement."""
        for packet in in_packets(self.settings.address, data, self.settings.packet_size):
            self.transmit(packet.to_bytes())

    # --- instructions

    def _command(self, content: bytes) -> None:
        if self.download is not None:
            self.violation("instruction in the middle of a download", content)
            self.download = None
        instruction = ef01_instructions.TABLE.get(content[0]) if content else None
        if instruction is None or not instruction.known_to(self.profile):
            if instruction is None:
                self.violation("unknown instruction", content)
            self.acknowledge(self.profile.unknown_instruction)
        elif len(content) - 1 != instruction.arguments:
            self.violation(f"{instruction.name} takes {instruction.arguments} bytes of arguments", content)
            self.acknowledge(RECEIVE_ERROR)
        elif not self.verified and not instruction.open:
            self.acknowledge(MUST_VERIFY_PASSWORD)
        else:
            self._run(instruction, content[1:])

    def _run(self, instruction: "ef01_instructions.Instruction", arguments: bytes) -> None:
        """Busy for as long as the work takes; what it does becomes true at its end."""
        self.busy = True

        def finish() -> None:
            self.busy = False
            instruction.run(self, arguments)
            self._work()

        self.later(instruction.duration(self, arguments), finish)

    def _data(self, packet: Packet) -> None:
        if self.download is None:
            self.violation("data without an instruction that announced it", packet.content)
            return
        buffer, received = self.download
        size = self.settings.packet_size
        if len(packet.content) > size or (packet.identifier == DATA and len(packet.content) != size):
            self.violation(f"data packet of {len(packet.content)} bytes; {size} are set", packet.content)
            self.download = None
            return
        received += packet.content
        if len(received) > self.profile.template_size:
            self.violation(f"more than {self.profile.template_size} bytes for a template", packet.content)
            self.download = None
        elif packet.identifier == LAST_DATA:
            self.library.download(buffer, bytes(received))
            self.download = None
