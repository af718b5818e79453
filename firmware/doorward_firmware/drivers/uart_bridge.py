"""SC16IS752: two more serial lines over I2C.

Registers are addressed by `register << 3 | channel << 1` (data sheet SC16IS752/SC16IS762 rev. 9, table 33);
the divisor is written behind LCR bit 7. Each channel has 64 bytes of FIFO in each direction: at 115,200
baud they last 5.5 ms, less than the loop may be held. What overflows is counted, and the protocol above
repeats itself (a tag is read again, a command is asked again).
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.errors import READER_SILENT

from .errors import DriverError

_RHR = const(0)  # received bytes
_THR = const(0)  # bytes to send
_DLL = const(0)  # divisor, low and high, while LCR bit 7 is set
_DLH = const(1)
_IER = const(1)
_FCR = const(2)
_IIR = const(2)
_LCR = const(3)
_LSR = const(5)
_SPR = const(7)  # a byte that the chip only keeps
_TXLVL = const(8)  # room for sending
_RXLVL = const(9)  # received bytes waiting
_IOCONTROL = const(14)

_RESET = const(0x08)  # IOControl: software reset
_LATCH = const(0x80)  # LCR: the divisor is visible
_EIGHT_BITS = const(0x03)  # LCR: 8 data bits, no parity, 1 stop bit
_FIFO_CLEAR = const(0x07)  # FCR: FIFOs on and emptied
_FIFO_ON = const(0x41)  # FCR: FIFOs on, interrupt at 16 received bytes or after 4 characters of silence
_RECEIVE = const(0x01)  # IER
_SEND = const(0x02)  # IER
_NOTHING = const(0x01)  # IIR: no interrupt pending
_OVERRUN = const(0x02)  # LSR
_MARK = const(0x5A)

_MAX_WAITING = const(1024)  # bytes kept per channel and direction


class Bridge:
    """The chip. `channel(n)` are its two streams; `service()` serves its interrupt."""

    name = "bridge"

    def __init__(self, i2c, address: int, crystal: int):
        self._i2c = i2c
        self._address = address
        self._crystal = crystal
        self._channels = []

    def channel(self, number: int, baud: int) -> "BridgeChannel":
        """Stream of channel 0 (A) or 1 (B); `open` sets it up."""
        channel = BridgeChannel(self, number, self._crystal // (16 * baud))
        self._channels.append(channel)
        return channel

    async def open(self) -> None:
        """Reset the chip, set all channels up."""
        try:
            self._write(_IOCONTROL, 0, bytes((_RESET,)))
        except DriverError:
            pass  # the chip resets before it acknowledges
        for channel in self._channels:
            channel.reset()

    async def self_test(self) -> tuple:
        """(ok, detail): the chip answers and keeps what is written to it."""
        try:
            for channel in self._channels:
                if not channel.is_set_up():
                    return False, "channel %d has lost its setting" % channel.number
        except DriverError as error:
            return False, str(error)
        return True, "SC16IS752, %d bytes lost" % sum(channel.lost for channel in self._channels)

    def service(self) -> bool:
        """Fetch what was received, send what waits. True if a channel had asked for it."""
        busy = False
        for channel in self._channels:
            if not self._read(_IIR, channel.number, 1)[0] & _NOTHING:
                busy = True
                channel.transfer()
        return busy

    def _write(self, register, channel, data):
        try:
            self._i2c.writeto_mem(self._address, register << 3 | channel << 1, data)
        except OSError as error:
            raise DriverError(READER_SILENT, "bridge does not answer") from error

    def _read(self, register, channel, count):
        try:
            return self._i2c.readfrom_mem(self._address, register << 3 | channel << 1, count)
        except OSError as error:
            raise DriverError(READER_SILENT, "bridge does not answer") from error


class BridgeChannel:
    """One serial line of the bridge: the same `read`, `write` and `reset` as a `SerialPort`."""

    def __init__(self, bridge: Bridge, number: int, divisor: int):
        self._bridge = bridge
        self.number = number
        self._divisor = divisor
        self._received = b""
        self._waiting = b""
        self._arrived = asyncio.Event()
        self.lost = 0

    async def read(self, limit: int) -> bytes:
        """Wait for bytes; returns 1 to `limit` of them."""
        while not self._received:
            self._arrived.clear()
            await self._arrived.wait()
        data = self._received[:limit]
        self._received = self._received[limit:]
        return data

    def write(self, data: bytes) -> None:
        """Queue bytes for sending; does not wait. READER_SILENT if the bridge is gone or stuck."""
        if len(self._waiting) + len(data) > _MAX_WAITING:
            raise DriverError(READER_SILENT, "bridge sends nothing")
        self._waiting += data
        self._send()

    def reset(self) -> None:
        """Forget what was received and what waits; set the channel up if the chip has lost its setting."""
        self._received = self._waiting = b""
        if not self.is_set_up():
            self._set(_LCR, _LATCH)
            self._set(_DLL, self._divisor & 255)
            self._set(_DLH, self._divisor >> 8)
            self._set(_LCR, _EIGHT_BITS)
            self._set(_SPR, _MARK + self.number)
        self._set(_FCR, _FIFO_CLEAR)
        self._set(_FCR, _FIFO_ON)
        self._set(_IER, _RECEIVE)
        if not self.is_set_up():
            raise DriverError(READER_SILENT, "bridge does not keep its setting")

    def is_set_up(self) -> bool:
        """Whether the chip still has our mark: a reset or a loss of power clears it."""
        return self._get(_SPR) == _MARK + self.number and self._get(_LCR) == _EIGHT_BITS

    def transfer(self) -> None:
        """Move bytes between the FIFOs and us."""
        if self._get(_LSR) & _OVERRUN:
            self.lost += 1
        count = min(self._get(_RXLVL), 64)
        if count:
            self._received += self._bridge._read(_RHR, self.number, count)
            excess = len(self._received) - _MAX_WAITING
            if excess > 0:
                self.lost += excess
                self._received = self._received[excess:]
            self._arrived.set()
        if self._waiting:
            self._send()

    def _send(self):
        room = min(self._get(_TXLVL), 64)
        if room and self._waiting:
            self._bridge._write(_THR, self.number, self._waiting[:room])
            self._waiting = self._waiting[room:]
        self._set(_IER, _RECEIVE | _SEND if self._waiting else _RECEIVE)

    def _set(self, register, value):
        self._bridge._write(register, self.number, bytes((value,)))

    def _get(self, register):
        return self._bridge._read(register, self.number, 1)[0]
