"""An ST7789 display: SPI commands in, a picture out.

Written from Sitronix' ST7789V data sheet. Commands come with the data/command line low, their parameters and
pixels with it high. Pixels go into the window of CASET and RASET, in the order MADCTL asks for, as RGB565.
The glass is of the IPS kind of all small modules on sale: colours are true only after INVON.
"""

from io import BytesIO

from PIL import Image

from doorward_simulator.devices.device import Scheduler, SpiDevice

SWRESET, SLPIN, SLPOUT, NORON, INVOFF, INVON = 0x01, 0x10, 0x11, 0x13, 0x20, 0x21
DISPOFF, DISPON, CASET, RASET, RAMWR, MADCTL, COLMOD, RAMWRC = 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x36, 0x3A, 0x3C
EXCHANGED, RED_LAST = 0x20, 0x08  # MADCTL bits MV and RGB
# command: bytes of parameters
_PARAMETERS = {
    0x00: 0, SWRESET: 0, SLPIN: 0, SLPOUT: 0, 0x12: 0, NORON: 0, INVOFF: 0, INVON: 0, 0x26: 1, DISPOFF: 0,
    DISPON: 0, CASET: 4, RASET: 4, 0x30: 4, 0x33: 6, 0x34: 0, 0x35: 1, MADCTL: 1, 0x37: 2, 0x38: 0, 0x39: 0,
    COLMOD: 1, 0x44: 2, 0x51: 1, 0x53: 1, 0x55: 1, 0xB0: 2, 0xB1: 3, 0xB2: 5, 0xB3: 3, 0xB5: 1, 0xB7: 1,
    0xBA: 1, 0xBB: 1, 0xBC: 1, 0xBD: 1, 0xC0: 1, 0xC2: 2, 0xC3: 1, 0xC4: 1, 0xC5: 1, 0xC6: 1, 0xC7: 1,
    0xCA: 1, 0xCC: 1, 0xD0: 2, 0xD2: 1, 0xDF: 4, 0xE0: 14, 0xE1: 14, 0xE4: 3, 0xE8: 2, 0xE9: 3,
}  # fmt: skip


class Display(SpiDevice):
    """One panel of `width` × `height` pixels in its upright position."""

    def __init__(self, scheduler: Scheduler, name: str = "screen", width: int = 240, height: int = 320):
        super().__init__(scheduler, name)
        self.panel = (width, height)
        self.writes = 0  # RAMWR commands so far, for whoever waits for a new picture
        self.reset()

    def reset(self) -> None:
        self.madctl = 0
        self.size = self.panel  # width and height as the host sees them
        self.pixels = bytearray(2 * self.panel[0] * self.panel[1])
        self.asleep, self.on, self.inverted, self.colour_mode = True, False, False, 0x66
        self.columns = (0, self.panel[0] - 1)
        self.rows = (0, self.panel[1] - 1)
        self._command: int | None = None
        self._parameters = bytearray()
        self._cursor = 0  # bytes into the window
        self._odd = b""
        self._awake_at = 0

    # --- the bus

    def transfer(self, data: bytes, dc: int | None = None) -> bytes:
        if not self.powered:
            return bytes(len(data))
        if not self.selected:
            self.violation("transfer without chip select", data)
        elif dc is None:
            self.violation("transfer without a data/command line", data)
        elif dc:
            self._data(data)
        else:
            for command in data:
                self._begin(command)
        return bytes(len(data))

    def hardware_reset(self) -> None:
        """The RES line went low and high again."""
        self.reset()
        self._awake_at = self.scheduler.now() + 5

    def _begin(self, command: int) -> None:
        wanted = _PARAMETERS.get(self._command or 0, 0)
        if self._command not in (None, RAMWR, RAMWRC) and len(self._parameters) < wanted:
            self.violation(f"command {self._command:02x} had {len(self._parameters)} of {wanted} parameters")
        if self.scheduler.now() < self._awake_at:
            self.violation(f"command {command:02x} before the panel was ready", bytes([command]))
        self._command = command
        self._parameters.clear()
        if command == SWRESET:
            self.reset()
            self._awake_at = self.scheduler.now() + 5
        elif command in (SLPIN, SLPOUT):
            self.asleep = command == SLPIN
            self._awake_at = self.scheduler.now() + 5
        elif command in (INVOFF, INVON):
            self.inverted = command == INVON
        elif command in (DISPOFF, DISPON):
            self.on = command == DISPON
        elif command == RAMWR:
            self._cursor, self._odd = 0, b""
            self.writes += 1
            if self.colour_mode & 7 != 5:
                self.violation(f"pixels in colour mode {self.colour_mode:02x}; 16 bit are emulated")
        elif command not in _PARAMETERS and command != RAMWRC:
            self.violation(f"unknown command {command:02x}", bytes([command]))

    def _data(self, data: bytes) -> None:
        if self._command in (RAMWR, RAMWRC):
            self._write(data)
            return
        wanted = _PARAMETERS.get(self._command, 0) if self._command is not None else 0
        room = wanted - len(self._parameters)
        self._parameters += data[:room]
        if len(data) > room:
            self.violation(f"{len(data) - room} bytes too many for command {self._command or 0:02x}", data)
        elif len(self._parameters) == wanted:
            self._complete(self._command, bytes(self._parameters))

    def _complete(self, command: int | None, parameters: bytes) -> None:
        if command in (CASET, RASET):
            first, last = int.from_bytes(parameters[:2], "big"), int.from_bytes(parameters[2:], "big")
            limit = self.size[0 if command == CASET else 1]
            if first > last or last >= limit:
                self.violation(f"window {first}..{last} does not fit {limit} pixels", parameters)
            elif command == CASET:
                self.columns = (first, last)
            else:
                self.rows = (first, last)
        elif command == COLMOD:
            self.colour_mode = parameters[0]
        elif command == MADCTL:
            self._turn(parameters[0])

    def _turn(self, madctl: int) -> None:
        """A new order of rows and columns; what is on the glass stays where it is."""
        image = self.memory()
        for mask, method in _undo(self.madctl):
            image = image.transpose(method) if mask else image
        for mask, method in reversed(_undo(madctl)):
            image = image.transpose(method) if mask else image
        self.madctl = madctl
        self.size = image.size
        self.pixels[:] = _to_565(image)

    # --- pixels

    def _write(self, data: bytes) -> None:
        data = self._odd + data
        self._odd = data[len(data) & ~1 :]
        width = 2 * (self.columns[1] - self.columns[0] + 1)
        area = width * (self.rows[1] - self.rows[0] + 1)
        position, end = 0, len(data) & ~1
        while position < end:
            row, column = divmod(self._cursor, width)
            count = min(width - column, end - position)
            start = 2 * ((self.rows[0] + row) * self.size[0] + self.columns[0]) + column
            self.pixels[start : start + count] = data[position : position + count]
            position += count
            self._cursor = (self._cursor + count) % area

    # --- the world's side

    def memory(self) -> Image.Image:
        """The picture in memory in the host's orientation, whatever the glass shows."""
        return _from_565(bytes(self.pixels), self.size)

    def image(self) -> Image.Image:
        """What a person sees: black when off or asleep, false colours when not inverted."""
        if not self.powered or self.asleep or not self.on:
            return Image.new("RGB", self.size)
        image = self.memory()
        if self.madctl & RED_LAST:
            red, green, blue = image.split()
            image = Image.merge("RGB", (blue, green, red))
        return image if self.inverted else image.point(lambda value: 255 - value)

    def png(self) -> bytes:
        """`image` as a PNG file."""
        out = BytesIO()
        self.image().save(out, "PNG")
        return out.getvalue()


def _undo(madctl: int) -> list[tuple[int, Image.Transpose]]:
    """Steps from the host's picture to the upright glass (data sheet 8.12: MV, then MX, then MY)."""
    return [
        (madctl & EXCHANGED, Image.Transpose.TRANSPOSE),
        (madctl & 0x40, Image.Transpose.FLIP_LEFT_RIGHT),
        (madctl & 0x80, Image.Transpose.FLIP_TOP_BOTTOM),
    ]


def _from_565(data: bytes, size: tuple[int, int]) -> Image.Image:
    swapped = bytearray(len(data))
    swapped[::2], swapped[1::2] = data[1::2], data[::2]
    return Image.frombytes("RGB", size, bytes(swapped), "raw", "BGR;16")


def _to_565(image: Image.Image) -> bytes:
    out = bytearray()
    for red, green, blue in zip(*(iter(image.tobytes()),) * 3, strict=True):
        out += ((red & 0xF8) << 8 | (green & 0xFC) << 3 | blue >> 3).to_bytes(2, "big")
    return bytes(out)
