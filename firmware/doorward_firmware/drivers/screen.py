"""An ST7789 screen: filled rectangles and bitmaps, row by row.

The chip is written only, so nothing here can tell whether anybody sees a picture. Its select and data/command
lines are outputs of the expander and change together in one register write; they select the chip for one
command with its data and are given back, because both screens and the card slot share the bus. Pixels are
RGB565, high byte first. Registers: ST7789V2 data sheet, chapter 9.
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.errors import SCREEN_FAILED

from .errors import DriverError, observed

_SLEEP_OUT = const(0x11)
_NORMAL = const(0x13)
_INVERT = const(0x21)
_ON = const(0x29)
_COLUMNS = const(0x2A)
_ROWS = const(0x2B)
_WRITE = const(0x2C)
_ORIENTATION = const(0x36)
_PIXEL_FORMAT = const(0x3A)

_SIXTEEN_BITS = b"\x55"
_CHUNK = const(4080)  # bytes per transfer: 0.8 ms at 40 MHz, and below the controller's 4,092
_AFTER_RESET = const(120)  # ms

BLACK = 0x0000
WHITE = 0xFFFF


class Bus:
    """The SPI bus and the expander's lines on it. One command and its data at a time."""

    def __init__(self, spi, expander, data_command, selects):
        self.lock = asyncio.Lock()
        self._spi = spi
        self._expander = expander
        self._data = data_command.mask
        self._all = data_command.mask
        for select in selects:
            self._all |= select.mask

    def select(self, pin, data: bool) -> None:
        """Select one chip for a command or for data."""
        self._expander.set_outputs(self._all, self._all & ~pin.mask & (-1 if data else ~self._data))

    def release(self) -> None:
        """Select nobody."""
        self._expander.set_outputs(self._all, self._all)

    def write(self, data) -> None:
        self._spi.write(data)


class Screen:
    """One screen on the bus. `select` is its expander pin."""

    def __init__(self, bus: Bus, select, width: int, height: int, name: str):
        self.name = name
        self.width = width
        self.height = height
        self._bus = bus
        self._select = select
        self._ready = False

    async def open(self) -> None:
        """Wake the chip (its reset line has been pulsed) and make it black."""
        async with self._bus.lock:
            try:
                self._command(_SLEEP_OUT)
                await asyncio.sleep_ms(_AFTER_RESET)
                self._command(_PIXEL_FORMAT, _SIXTEEN_BITS)
                self._command(_ORIENTATION, b"\x00")
                self._command(_INVERT)  # the panels of this size are inverted by construction
                self._command(_NORMAL)
                self._command(_ON)
            except Exception as error:
                raise self._failure(error) from error
        self._ready = True
        await self.clear(BLACK)

    async def clear(self, color: int) -> None:
        """Fill the whole screen."""
        await self.rectangle(0, 0, self.width, self.height, color)

    async def rectangle(self, x: int, y: int, width: int, height: int, color: int) -> None:
        """Fill a rectangle; `color` is RGB565."""
        row = bytes((color >> 8, color & 255)) * width
        await self.bitmap(x, y, width, height, (row for _ in range(height)))

    async def bitmap(self, x: int, y: int, width: int, height: int, chunks) -> None:
        """Draw RGB565 rows that come in chunks of any size; they must be exactly as many as the window holds.

        SCREEN_FAILED if the window lies outside the screen, or the data is too short or too long.
        """
        if min(x, y) < 0 or not 0 < width <= self.width - x or not 0 < height <= self.height - y:
            raise DriverError(SCREEN_FAILED, "window %d,%d %dx%d" % (x, y, width, height))
        async with self._bus.lock:
            if not self._ready:
                raise DriverError(SCREEN_FAILED, "the screen was never opened")
            rest = width * height * 2
            try:
                self._command(_COLUMNS, _range(x, width))
                self._command(_ROWS, _range(y, height))
                self._begin(_WRITE)
                for chunk in _regular(chunks):
                    if len(chunk) > rest:
                        raise DriverError(SCREEN_FAILED, "more pixels than the window holds")
                    rest -= len(chunk)
                    self._bus.write(chunk)
                    await asyncio.sleep_ms(0)
            except DriverError as error:
                raise DriverError(SCREEN_FAILED, error.detail) from error
            except OSError as error:
                raise self._failure(error) from error
            finally:
                self._give_back()
            if rest:
                raise DriverError(SCREEN_FAILED, "%d bytes of pixels are missing" % rest)

    async def self_test(self) -> tuple:
        """(ok, detail): the chip was set up; that it shows anything only eyes can tell."""
        return self._ready, "%d x %d, write-only" % (self.width, self.height) if self._ready else "not set up"

    def _command(self, command, parameters=b""):
        try:
            self._begin(command)
            if parameters:
                self._bus.write(parameters)
        finally:
            self._bus.release()

    def _begin(self, command):
        self._bus.select(self._select, False)
        self._bus.write(bytes((command,)))
        self._bus.select(self._select, True)

    def _give_back(self):
        try:
            self._bus.release()
        except DriverError:
            pass  # the expander is gone, and its own driver says so

    def _failure(self, error):
        return DriverError(SCREEN_FAILED, error.detail if isinstance(error, DriverError) else observed(error))


def _range(start, size):
    end = start + size - 1
    return bytes((start >> 8, start & 255, end >> 8, end & 255))


def _regular(chunks):
    """The same bytes in pieces that the bus can take at once, and not too small ones."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        while len(rest) >= _CHUNK:
            yield rest[:_CHUNK]
            rest = rest[_CHUNK:]
    if rest:
        yield rest
