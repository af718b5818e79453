"""An SC16IS752: two serial ports behind one I2C address, each with 64 bytes of FIFO in and out.

Written from NXP's data sheet (SC16IS752/SC16IS762, rev. 9). The first byte of a transaction is the register
(bits 6..3) and channel (bits 2..1). What stands at an address depends on LCR: bit 7 opens the divisor, the
value BF the enhanced registers. Baud = crystal / (16 × divisor), divided by four when MCR bit 7 is set.

Each channel is wired to one `SerialDevice`. Bytes arrive no faster than the line carries them; what the
host does not fetch in time is lost and flagged as overrun, as on the chip.
"""

from collections import deque
from collections.abc import Callable

from doorward_simulator.devices.device import Handle, I2cDevice, Scheduler, SerialDevice

FIFO = 64
LINE_CHUNK = 16  # bytes that travel to a part together
(
    RHR,
    IER,
    FCR,
    LCR,
    MCR,
    LSR,
    MSR,
    SPR,
    TXLVL,
    RXLVL,
    IODIR,
    IOSTATE,
    IOINTENA,
    RESERVED,
    IOCONTROL,
    EFCR,
) = range(16)
IIR, EFR, TCR, TLR = FCR, 2, MSR, SPR
RX_LINE, RX_TIMEOUT, RX_DATA, TX_EMPTY, NOTHING = 0x06, 0x0C, 0x04, 0x02, 0x01
TRIGGERS = (8, 16, 56, 60)


class Channel:
    """One of the two ports."""

    def __init__(self, bridge: "SerialBridge", number: int):
        self.bridge = bridge
        self.number = number
        self.device: SerialDevice | None = None
        self.overruns = 0
        self._drain: Handle | None = None
        self._timeout: Handle | None = None
        self.reset()

    def reset(self) -> None:
        for handle in (self._drain, self._timeout):
            if handle is not None:
                handle.cancel()
        self.registers = bytearray(16)
        self.registers[LCR] = 0x1D
        self.enhanced = bytearray(16)
        self.divisor = 0
        self.fifo_control = 0
        self.received: deque[int] = deque()
        self.overrun = False
        self.timed_out = False
        self.transmit_wanted = False  # an interrupt for room that was not yet told
        self._sending: deque[int] = deque()
        self._drain = self._timeout = None

    @property
    def baud(self) -> int | None:
        """Rate of the line in bit/s, or None before the divisor is set."""
        clock = self.bridge.crystal // (4 if self.registers[MCR] & 0x80 else 1)
        return clock // (16 * self.divisor) if self.divisor else None

    @property
    def room(self) -> int:
        """Bytes that fit into the transmit FIFO now."""
        depth = FIFO if self.fifo_control & 1 else 1
        return max(0, depth - len(self._sending))

    # --- towards the device

    def put(self, value: int) -> None:
        """A byte from the host for the line."""
        if not self.room:
            self.bridge.violation(f"channel {self.number}: transmit FIFO overrun", bytes([value]))
            return
        if self.baud is None:
            self.bridge.violation(f"channel {self.number}: data before the divisor was set", bytes([value]))
            return
        self._sending.append(value)

    def start_sending(self) -> None:
        """Put what is in the transmit FIFO on the line, unless that is under way."""
        baud = self.baud
        if self._drain is not None or not self._sending or baud is None:
            return
        count = min(LINE_CHUNK, len(self._sending))
        self._drain = self.bridge.later(-(-count * 10_000 // baud), lambda: self._drained(count))

    def _drained(self, count: int) -> None:
        data = bytes(self._sending.popleft() for _ in range(count))
        self._drain = None
        self.transmit_wanted = True
        self.start_sending()
        if self.device is not None:
            self.device.receive(data, self.baud)
        self.bridge.update_interrupt()

    # --- from the device

    def arrive(self, data: bytes) -> None:
        """Bytes from the line."""
        rate = self.device.baud if self.device is not None else 0
        if self.baud is not None and abs(self.baud - rate) > self.baud * 3 // 100:
            self.bridge.violation(f"channel {self.number} at {self.baud} baud, its line at {rate}", data)
            return
        depth = FIFO if self.fifo_control & 1 else 1
        for value in data:
            if len(self.received) >= depth:
                self.overrun = True
                self.overruns += 1
            else:
                self.received.append(value)
        self._restart_timeout()
        self.bridge.update_interrupt()

    def get(self) -> int:
        """The oldest byte received; the host reads zeros from an empty FIFO."""
        self.timed_out = False
        if not self.received:
            self.bridge.violation(f"channel {self.number}: read from an empty receive FIFO")
            return 0
        value = self.received.popleft()
        if self.received:
            self._restart_timeout()
        return value

    def _restart_timeout(self) -> None:
        """Four characters of silence with bytes left also interrupt (7.5.1)."""
        if self._timeout is not None:
            self._timeout.cancel()
        self._timeout = self.bridge.later(-(-40_000 // (self.baud or 9600)), self._silence)

    def _silence(self) -> None:
        self._timeout = None
        self.timed_out = bool(self.received)
        self.bridge.update_interrupt()

    # --- registers

    def interrupt_source(self) -> int:
        """IIR bits 5..0 of the most urgent enabled source."""
        enabled = self.registers[IER]
        if enabled & 0x04 and self.overrun:
            return RX_LINE
        if enabled & 0x01:
            trigger = TRIGGERS[self.fifo_control >> 6] if self.fifo_control & 1 else 1
            if len(self.received) >= trigger:
                return RX_DATA
            if self.timed_out:
                return RX_TIMEOUT
        if enabled & 0x02 and self.transmit_wanted:
            return TX_EMPTY
        return NOTHING

    def line_status(self) -> int:
        """LSR; reading it clears the overrun."""
        status = bool(self.received) | self.overrun << 1
        status |= 0x60 if not self._sending else 0
        self.overrun = False
        return status

    def clear_fifos(self, value: int) -> None:
        """FCR bits 1 and 2 empty the FIFOs and clear themselves."""
        if value & 0x02:
            self.received.clear()
            self.timed_out = self.overrun = False
        if value & 0x04:
            self._sending.clear()
            if self._drain is not None:
                self._drain.cancel()
                self._drain = None


class SerialBridge(I2cDevice):
    """One chip with its two channels; `connect` wires a device to one."""

    def __init__(
        self, scheduler: Scheduler, name: str = "bridge", address: int = 0x4D, crystal: int = 14_745_600
    ):
        super().__init__(scheduler, name, address)
        self.crystal = crystal
        self.channels = (Channel(self, 0), Channel(self, 1))
        self._selected: tuple[Channel, int] = (self.channels[0], 0)

    def connect(self, number: int, device: SerialDevice) -> None:
        """Wire a part to channel 0 or 1."""
        channel = self.channels[number]
        channel.device = device
        device.send = lambda data: channel.arrive(data) if self.powered else None

    def reset(self) -> None:
        for channel in self.channels:
            channel.reset()
        self.set_interrupt(False)

    def update_interrupt(self) -> None:
        """Drive the IRQ line from both channels."""
        self.set_interrupt(any(channel.interrupt_source() != NOTHING for channel in self.channels))

    # --- the bus

    def write(self, data: bytes) -> bool:
        if not self.powered:
            return False
        if not data:
            return True
        number = data[0] >> 1 & 3
        if number > 1 or data[0] & 0x81:
            self.violation("no such channel or register", data)
            return True
        channel, register = self.channels[number], data[0] >> 3 & 0x0F
        self._selected = (channel, register)
        for value in data[1:]:
            self._set(channel, register, value)
        channel.start_sending()
        self.update_interrupt()
        return True

    def read(self, count: int) -> bytes:
        if not self.powered:
            return b""
        channel, register = self._selected
        values = bytes(self._get(channel, register) for _ in range(count))
        self.update_interrupt()
        return values

    def _set(self, channel: Channel, register: int, value: int) -> None:
        line_control = channel.registers[LCR]
        if register == LCR:
            channel.registers[LCR] = value
        elif line_control == 0xBF:
            channel.enhanced[register] = value
        elif line_control & 0x80 and register in (0, 1):
            shift = 8 * register
            channel.divisor = channel.divisor & ~(0xFF << shift) | value << shift
        elif register == RHR:
            channel.put(value)
        elif register == FCR:
            channel.fifo_control = value & ~0x06
            channel.clear_fifos(value)
        elif register in (LSR, TXLVL, RXLVL):
            self.violation("write to a read-only register", bytes([register, value]))
        elif register == IOCONTROL and value & 0x08:
            for each in self.channels:
                each.reset()
        else:
            if register == IER and value & 0x02 and not channel.registers[IER] & 0x02:
                channel.transmit_wanted = True  # enabling tells at once that there is room
            channel.registers[register] = value

    def _get(self, channel: Channel, register: int) -> int:
        line_control = channel.registers[LCR]
        if register == LCR:
            return line_control
        if line_control == 0xBF:
            return channel.enhanced[register]
        if line_control & 0x80 and register in (0, 1):
            return channel.divisor >> 8 * register & 0xFF
        reader: Callable[[], int] | None = {
            RHR: channel.get,
            LSR: channel.line_status,
            TXLVL: lambda: channel.room,
            RXLVL: lambda: len(channel.received),
        }.get(register)
        if reader is not None:
            return reader()
        if register == IIR:
            source = channel.interrupt_source()
            if source == TX_EMPTY:
                channel.transmit_wanted = False
            return source | (0xC0 if channel.fifo_control & 1 else 0)
        return channel.registers[register]
