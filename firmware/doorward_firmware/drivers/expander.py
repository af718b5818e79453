"""MCP23017: sixteen more pins over I2C, with an interrupt when an input changes.

Registers of the power-up layout (IOCON.BANK = 0, data sheet DS20001952D table 3-3), A and B as one 16-bit
number with A in the low byte. Both interrupt outputs are joined (MIRROR) and open-drain (ODR), because the
line is shared. An input interrupts on every change (INTCON = 0).

EGRESS and FIRE release doors, so one reading over a disturbed bus proves nothing. The registers before INTF
hold what we once wrote: a reading that does not begin with it, or shows other outputs than we set, is left
out, and what remains counts when three readings say the same. The flags are read first, alone, because that
clears nothing; reading INTCAP and GPIO re-arms the interrupt. If the readings do not agree, nothing is told
and `service` asks to be called again (`interrupts.py`); the flags are kept, so that a short press that was
seen among bad readings is told with the first good ones.
"""

from doorward_protocol.compat import const
from doorward_protocol.errors import SENSOR_GARBAGE, SENSOR_SILENT

from .errors import DriverError

_IODIR = const(0x00)  # 1: input
_IPOL = const(0x02)  # 1: read inverted
_GPINTEN = const(0x04)  # 1: interrupts on change
_DEFVAL = const(0x06)
_INTCON = const(0x08)
_IOCON = const(0x0A)
_GPPU = const(0x0C)  # 1: pull-up of 100 kΩ
_INTF = const(0x0E)
_INTCAP = const(0x10)  # then GPIO
_OLAT = const(0x14)

_MIRROR_OPEN_DRAIN = const(0x44)
_IOCON_OF_BANK_1 = const(0x05)  # GPINTEN of port B in our layout

_AGREEING = const(3)  # readings that have to say the same
_READINGS = const(8)  # in one go: 5 ms at 400 kHz


class Expander:
    """One MCP23017. `inputs` and `outputs` are the board's tables.

    `on_levels(flags, captured, now)` is called after each interrupt with three 16-bit masks.
    """

    name = "expander"

    def __init__(self, i2c, address: int, inputs: dict, outputs: dict):
        self._i2c = i2c
        self._address = address
        self._input_mask = 0
        for bit, _active in inputs.values():
            self._input_mask |= 1 << bit
        self._latch = 0
        for bit, level in outputs.values():
            self._latch |= level << bit
        self._outputs = outputs
        known = bytearray(_INTF)
        for register, value in self._setting():
            known[register : register + 2] = _both(value)
        self._known = bytes(known)
        self._flags = 0  # seen, and not yet told
        self._changed = True  # the levels are not known since something changed
        self.on_levels = None

    async def open(self) -> None:
        """Set the outputs to their resting levels, then all directions, pull-ups and interrupts."""
        self._set_up()
        if self._read(_IODIR, _INTF) != self._known:
            raise DriverError(SENSOR_SILENT, "expander does not keep its setting")

    def output(self, name: str) -> "ExpanderPin":
        """An output of the board's table as a pin."""
        return ExpanderPin(self, self._outputs[name][0])

    def set_outputs(self, mask: int, levels: int) -> None:
        """Set the outputs in `mask` to the bits in `levels`, at the same moment."""
        self._latch = self._latch & ~mask | levels & mask
        self._write(_OLAT, self._latch)

    def service(self) -> bool:
        """Answer the interrupt line: fetch what changed. True if it was us who pulled it.

        DriverError: SENSOR_GARBAGE if the readings contradict each other, SENSOR_SILENT if there are none or
        the chip had lost its setting. Then nothing was told: call again, even if the line is free by now.
        """
        if not self._changed and self._read(_IOCON, _INTCAP - _IOCON) == self._known[_IOCON:] + bytes(2):
            return False
        self._flags |= self._agreed(_IOCON, _INTCAP - _IOCON, 0)[-1][1]
        pulled = self._flags != 0
        if pulled or self._changed:
            self._changed = True  # from here on the chip has forgotten the flags
            captured, now = self._look()
            flags, self._flags, self._changed = self._flags, 0, False
            if self.on_levels is not None:
                self.on_levels(flags, captured, now)
        return pulled

    def levels(self) -> int:
        """The levels of all pins now."""
        return self._look()[1]

    async def self_test(self) -> tuple:
        """(ok, detail): the chip answers and still has the setting that we gave it."""
        try:
            if self._read(_IODIR, _INTF) != self._known:
                await self.open()
                return False, "expander had lost its setting; it was set again"
        except DriverError as error:
            return False, str(error)
        return True, "MCP23017"

    def _look(self):
        """(captured, now): in `captured`, pins that were otherwise before, if only at one reading, are so."""
        readings = self._agreed(_IODIR, _OLAT, self._latch)
        now, before = readings[-1][1], 0
        for data, levels in readings:
            before |= (data[_INTCAP] | data[_INTCAP + 1] << 8) ^ now | levels ^ now
        return now ^ before, now

    def _agreed(self, register, count, outputs):
        """Plausible readings of `count` bytes as (bytes, last two as a number), the last ones all alike."""
        known, begin, wrong = self._known[register:], None, 0
        readings, alike = [], 0
        for _ in range(_READINGS):
            data = self._read(register, count)
            value = data[-2] | data[-1] << 8
            if data[: len(known)] != known or (value ^ outputs) & ~self._input_mask:
                wrong = wrong + 1 if data[: len(known)] == begin else 1
                begin = data[: len(known)]
                continue
            alike = alike + 1 if readings and readings[-1][1] == value else 1
            readings.append((data, value))
            if alike == _AGREEING:
                return readings
        if wrong == _READINGS:
            self._set_up()
            raise DriverError(SENSOR_SILENT, "expander had lost its setting; it was set again")
        raise DriverError(SENSOR_GARBAGE, "expander contradicts itself")

    def _set_up(self):
        try:  # in case the layout itself was disturbed
            self._i2c.writeto_mem(self._address, _IOCON_OF_BANK_1, bytes((_MIRROR_OPEN_DRAIN,)))
        except OSError as error:
            raise DriverError(SENSOR_SILENT, "expander does not answer") from error
        self._write(_OLAT, self._latch)
        for register, value in self._setting():
            self._write(register, value)
        self._changed = True

    def _setting(self):
        return (
            (_IOCON, _MIRROR_OPEN_DRAIN * 0x0101),  # one register under two addresses
            (_IPOL, 0),
            (_GPPU, self._input_mask),
            (_INTCON, 0),
            (_DEFVAL, 0),
            (_IODIR, self._input_mask),
            (_GPINTEN, self._input_mask),
        )

    def _write(self, register, value):
        try:
            self._i2c.writeto_mem(self._address, register, _both(value))
        except OSError as error:
            raise DriverError(SENSOR_SILENT, "expander does not answer") from error

    def _read(self, register, count):
        try:
            return self._i2c.readfrom_mem(self._address, register, count)
        except OSError as error:
            raise DriverError(SENSOR_SILENT, "expander does not answer") from error


def _both(value):
    """Port A, then port B."""
    return bytes((value & 255, value >> 8))


class ExpanderPin:
    """An output of the expander, set as a `machine.Pin` is set: `pin(0)`, `pin(1)`."""

    def __init__(self, expander: Expander, bit: int):
        self._expander = expander
        self.mask = 1 << bit

    def __call__(self, level: int) -> None:
        self._expander.set_outputs(self.mask, self.mask if level else 0)
