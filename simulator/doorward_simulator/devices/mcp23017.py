"""An MCP23017 port expander: sixteen pins in two ports, with interrupts on change.

Written from Microchip's data sheet DS20001952. Pins 0..7 are port A, 8..15 port B. The world drives inputs
(`set_input`) and watches outputs (`on_output`); a pin that is not an output drives nothing, which is what a
relay sees when the expander loses power or was never set up.
"""

from collections.abc import Callable

from doorward_simulator.devices.device import I2cDevice, Scheduler

(IODIR, IPOL, GPINTEN, DEFVAL, INTCON, IOCON, GPPU, INTF, INTCAP, GPIO, OLAT) = range(11)
BANK, MIRROR, SEQOP, ODR, INTPOL = 0x80, 0x40, 0x20, 0x04, 0x02
A, B = 0, 1


class PortExpander(I2cDevice):
    """One chip. `interrupt` is INTA; `interrupt_b` is INTB, given True while that line is active."""

    def __init__(self, scheduler: Scheduler, name: str = "expander", address: int = 0x20):
        super().__init__(scheduler, name, address)
        self.on_output: Callable[[int, bool | None], None] = lambda _pin, _level: None
        self.interrupt_b: Callable[[bool], None] = lambda _active: None
        self._b_active = False
        self._driven: dict[int, bool] = {}  # by the world
        self._outputs: list[bool | None] = [None] * 16
        self._registers = [bytearray(11), bytearray(11)]
        self.reset()

    # --- the world's side

    def set_input(self, pin: int, level: bool | None) -> None:
        """Drive a pin from outside; None lets go, so that only a pull-up acts on it."""
        before = [self._pins(port) for port in (A, B)]
        if level is None:
            self._driven.pop(pin, None)
        else:
            self._driven[pin] = bool(level)
        if self.powered:
            self._changed(before)

    def output(self, pin: int) -> bool | None:
        """Level that the chip drives, or None while the pin is an input or without power."""
        return self._outputs[pin]

    # --- power

    def reset(self) -> None:
        self._pointer = 0
        for port in (A, B):
            self._registers[port][:] = bytes(11)
            self._registers[port][IODIR] = 0xFF
        self._update_outputs()
        self._update_interrupts()

    # --- the bus

    def write(self, data: bytes) -> bool:
        if not self.powered:
            return False
        if not data:
            return True
        self._pointer = data[0]
        for value in data[1:]:
            self._set(self._pointer, value)
            self._advance()
        return True

    def read(self, count: int) -> bytes:
        if not self.powered:
            return b""
        values = bytearray()
        for _ in range(count):
            values.append(self._get(self._pointer))
            self._advance()
        return bytes(values)

    def _locate(self, pointer: int) -> tuple[int, int] | None:
        """Port and register of an address, under the present IOCON.BANK."""
        if self._registers[A][IOCON] & BANK:
            port, register = pointer >> 4, pointer & 0x0F
        else:
            port, register = pointer & 1, pointer >> 1
        if port > B or register > OLAT:
            self.violation(f"no register at {pointer:#04x}", bytes([pointer]))
            return None
        return port, register

    def _advance(self) -> None:
        config = self._registers[A][IOCON]
        if config & SEQOP:
            if not config & BANK:
                self._pointer ^= 1  # byte mode toggles between the two ports (1.3.1)
        else:
            self._pointer = self._pointer + 1 & 0xFF
            if not config & BANK and self._pointer > 0x15:
                self._pointer = 0

    def _set(self, pointer: int, value: int) -> None:
        place = self._locate(pointer)
        if place is None:
            return
        port, register = place
        before = [self._pins(side) for side in (A, B)]
        if register == IOCON:
            self._registers[A][IOCON] = self._registers[B][IOCON] = value & 0xFE
        elif register in (INTF, INTCAP):
            self.violation("write to a read-only register", bytes([pointer, value]))
        else:
            self._registers[port][OLAT if register == GPIO else register] = value
        self._update_outputs()
        self._changed(before)

    def _get(self, pointer: int) -> int:
        place = self._locate(pointer)
        if place is None:
            return 0
        port, register = place
        if register == GPIO:
            value = self._pins(port) ^ self._registers[port][IPOL]
        else:
            value = self._registers[port][register]
        if register in (GPIO, INTCAP):
            self._registers[port][INTF] = 0
            self._compare_with_defaults(port)
            self._update_interrupts()
        return value

    # --- pins

    def _pins(self, port: int) -> int:
        """Levels at the pins of a port: outputs as latched, inputs as driven or pulled up."""
        registers = self._registers[port]
        level = 0
        for bit in range(8):
            if not registers[IODIR] >> bit & 1:
                high = registers[OLAT] >> bit & 1
            else:
                high = self._driven.get(8 * port + bit, bool(registers[GPPU] >> bit & 1))
            level |= bool(high) << bit
        return level

    def _update_outputs(self) -> None:
        for pin in range(16):
            registers = self._registers[pin >> 3]
            driven = self.powered and not registers[IODIR] >> (pin & 7) & 1
            level = bool(registers[OLAT] >> (pin & 7) & 1) if driven else None
            if level != self._outputs[pin]:
                self._outputs[pin] = level
                self.on_output(pin, level)

    def _changed(self, before: list[int]) -> None:
        """Raise interrupts for pins that differ from before."""
        for port in (A, B):
            registers, now = self._registers[port], self._pins(port)
            on_change = registers[GPINTEN] & ~registers[INTCON] & registers[IODIR]
            flags = (now ^ before[port]) & on_change
            if flags and not registers[INTF]:
                registers[INTF], registers[INTCAP] = flags, now ^ registers[IPOL]
            self._compare_with_defaults(port)
        self._update_interrupts()

    def _compare_with_defaults(self, port: int) -> None:
        registers, now = self._registers[port], self._pins(port)
        compared = registers[GPINTEN] & registers[INTCON] & registers[IODIR]
        flags = (now ^ registers[DEFVAL]) & compared
        if flags and not registers[INTF]:
            registers[INTF], registers[INTCAP] = flags, now ^ registers[IPOL]

    def _update_interrupts(self) -> None:
        flags = [self.powered and bool(self._registers[port][INTF]) for port in (A, B)]
        if self._registers[A][IOCON] & MIRROR:
            flags = [any(flags)] * 2
        self.set_interrupt(flags[A])
        if flags[B] != self._b_active:
            self._b_active = flags[B]
            self.interrupt_b(flags[B])
