"""MCP23017: sixteen more pins over I2C, with an interrupt when an input changes.

Registers of the power-up layout (IOCON.BANK = 0, data sheet DS20001952D table 3-3), A and B as one 16-bit
number with A in the low byte. Both interrupt outputs are joined (MIRROR) and open-drain (ODR), because the
line is shared. An input interrupts on every change (INTCON = 0). One reading of six bytes from INTF takes
the flags, the levels captured at the interrupt and the levels now, and thereby re-arms the interrupt.
"""

from doorward_protocol.compat import const
from doorward_protocol.errors import SENSOR_SILENT

from .errors import DriverError

_IODIR = const(0x00)  # 1: input
_GPINTEN = const(0x04)  # 1: interrupts on change
_INTCON = const(0x08)
_IOCON = const(0x0A)
_GPPU = const(0x0C)  # 1: pull-up of 100 kΩ
_INTF = const(0x0E)  # then INTCAP and GPIO
_GPIO = const(0x12)
_OLAT = const(0x14)

_MIRROR_OPEN_DRAIN = const(0x44)


class Expander:
    """One MCP23017. `inputs` and `outputs` are the board's tables.

    `on_levels(flags, captured, now)` is called after each interrupt with three 16-bit masks.
    """

    name = "expander"

    def __init__(self, i2c, address: int, inputs: dict, outputs: dict):
        self._i2c = i2c
        self._address = address
        self._input_mask = 0
        for bit, _active, _wiring in inputs.values():
            self._input_mask |= 1 << bit
        self._latch = 0
        for bit, level, _wiring in outputs.values():
            self._latch |= level << bit
        self._outputs = outputs
        self.on_levels = None

    async def open(self) -> None:
        """Set the outputs to their resting levels, then all directions, pull-ups and interrupts."""
        self._write(_OLAT, self._latch)
        for register, value in self._setting():
            self._write(register, value)
        for register, value in self._setting():
            if self._read(register, 2) != value:
                raise DriverError(SENSOR_SILENT, "expander does not keep register %02x" % register)

    def output(self, name: str) -> "ExpanderPin":
        """An output of the board's table as a pin."""
        return ExpanderPin(self, self._outputs[name][0])

    def set_outputs(self, mask: int, levels: int) -> None:
        """Set the outputs in `mask` to the bits in `levels`, at the same moment."""
        self._latch = self._latch & ~mask | levels & mask
        self._write(_OLAT, self._latch)

    def service(self) -> bool:
        """Answer the interrupt line: fetch what changed. True if it was us who pulled it."""
        state = self._read(_INTF, 6)
        flags = state & 0xFFFF
        if self.on_levels is not None:
            self.on_levels(flags, state >> 16 & 0xFFFF, state >> 32)
        return flags != 0

    def levels(self) -> int:
        """The levels of all pins now."""
        return self._read(_GPIO, 2)

    async def self_test(self) -> tuple:
        """(ok, detail): the chip answers and still has the directions that we gave it."""
        try:
            for register, value in self._setting():
                if self._read(register, 2) != value:
                    await self.open()
                    return False, "expander had lost its setting; it was set again"
        except DriverError as error:
            return False, str(error)
        return True, "MCP23017"

    def _setting(self):
        return (
            (_IOCON, _MIRROR_OPEN_DRAIN * 0x0101),  # one register under two addresses
            (_GPPU, self._input_mask),
            (_INTCON, 0),
            (_IODIR, self._input_mask),
            (_GPINTEN, self._input_mask),
        )

    def _write(self, register, value):
        try:
            self._i2c.writeto_mem(self._address, register, bytes((value & 255, value >> 8)))
        except OSError as error:
            raise DriverError(SENSOR_SILENT, "expander does not answer") from error

    def _read(self, register, count):
        try:
            data = self._i2c.readfrom_mem(self._address, register, count)
        except OSError as error:
            raise DriverError(SENSOR_SILENT, "expander does not answer") from error
        return int.from_bytes(data, "little")


class ExpanderPin:
    """An output of the expander, set as a `machine.Pin` is set: `pin(0)`, `pin(1)`."""

    def __init__(self, expander: Expander, bit: int):
        self._expander = expander
        self.mask = 1 << bit

    def __call__(self, level: int) -> None:
        self._expander.set_outputs(self.mask, self.mask if level else 0)
