"""The unit's flash as a NOR chip has it: programming clears bits, only erasing a whole sector sets them.

A unit's flash lives in the world, not in the firmware's process, so it survives every power cut. One
`NorFlash` is one partition. Operations are split as the chip splits them (pages of 256 B, sectors of 4 KB);
between any two of these pieces, and in the middle of one, power may fail. `cut_after(n)` lets n further
pieces succeed and tears the next one: a prefix of a program, or a sector left half erased (the data sheets of
such chips promise nothing about the cells of an interrupted operation).
"""

import random
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

PAGE = 256
SECTOR = 4096
LOG_LENGTH = 4096
TYPE_DATA = 1  # esp32.Partition.TYPE_DATA
IOCTL_BLOCK_COUNT, IOCTL_BLOCK_SIZE, IOCTL_ERASE = 4, 5, 6


PROGRAM, ERASE = "program", "erase"


class Piece(NamedTuple):
    """What the chip does without a pause: a program within one page, or the erase of one sector (no data).

    `begins` tells the first piece of an operation that the firmware asked for.
    """

    kind: str
    offset: int
    data: bytes
    begins: bool


class PowerCut(Exception):  # noqa: N818 - an event in the world, not a programming error
    """Power failed during or before this operation; nothing works until `power_on()`."""


class NorFlash:
    """One partition: `size` bytes (a multiple of 4096), erased. `seed` decides how torn pieces look."""

    def __init__(self, size: int, label: str = "data", seed: int = 0):
        if size <= 0 or size % SECTOR:
            raise ValueError(f"flash size {size}: use a positive multiple of {SECTOR}")
        self.size, self.label = size, label
        self.image = bytearray(b"\xff") * size
        self.wear = [0] * (size // SECTOR)
        self.log: deque[tuple[str, int, int]] = deque(maxlen=LOG_LENGTH)
        self.programs = self.programmed_bytes = self.erases = self.reads = 0
        self.powered = True
        self.on_cut: Callable[[], None] | None = None  # called once, after a piece was torn
        self.on_program: Callable[[int, bytes], None] | None = None  # hears of each program before it begins
        self.on_piece: Callable[[Piece], None] | None = None  # hears of each piece before it begins
        self._random = random.Random(f"{seed}:{label}")  # noqa: S311 - reproducible, not secret
        self._pieces_left: int | None = None

    @property
    def pieces(self) -> int:
        """How many pieces (page programs and sector erases) were carried out so far."""
        return self.programs + self.erases

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`; OSError when outside the partition."""
        self._check(offset, length)
        self.reads += 1
        return bytes(self.image[offset : offset + length])

    def blank(self) -> bytes:
        """Which sectors are blank, a bit for each: sector 0 is the lowest bit of the first byte."""
        if not self.powered:
            raise PowerCut(f"{self.label}: no power")
        erased, found = b"\xff" * SECTOR, bytearray(-(-len(self.wear) // 8))
        for sector in range(len(self.wear)):
            if self.image.startswith(erased, sector * SECTOR):
                found[sector // 8] |= 1 << sector % 8
        return bytes(found)

    def program(self, offset: int, data: bytes) -> None:
        """Clear bits: each byte becomes old AND new, page by page (≤ 256 B, never across a page border)."""
        self._check(offset, len(data))
        if self.on_program:
            self.on_program(offset, data)
        position = 0
        while position < len(data):
            room = PAGE - (offset + position) % PAGE
            piece = bytes(data[position : position + room])
            torn = self._spend(Piece(PROGRAM, offset + position, piece, position == 0))
            self._program_piece(offset + position, self._torn_prefix(piece) if torn else piece)
            if torn:
                self._fail()
            position += len(piece)

    def erase(self, sector: int) -> None:
        """Set all bits of one 4 KB sector."""
        self._check(sector * SECTOR, SECTOR)
        start = sector * SECTOR
        torn = self._spend(Piece(ERASE, start, b"", True))
        old = self.image[start : start + SECTOR]
        self.image[start : start + SECTOR] = self._half_erased(old) if torn else b"\xff" * SECTOR
        self.erases += 1
        self.wear[sector] += 1
        self.log.append((ERASE, start, SECTOR))
        if torn:
            self._fail()

    def cut_after(self, pieces: int, seed: str | None = None) -> None:
        """Let `pieces` further pieces succeed, then tear the next one and raise PowerCut.

        `seed` decides how that one will look; without it, whatever was torn before.
        """
        self._pieces_left = pieces
        if seed is not None:
            self._random = random.Random(seed)  # noqa: S311 - reproducible, not secret

    def carry_out(self, piece: Piece) -> None:
        """Do once more what was done elsewhere."""
        if piece.kind == ERASE:
            self.erase(piece.offset // SECTOR)
        else:
            self.program(piece.offset, piece.data)

    def power_off(self) -> None:
        """No operation runs: simply stop working until `power_on()`."""
        self.powered, self._pieces_left = False, None

    def power_on(self) -> None:
        self.powered, self._pieces_left = True, None

    def to_file(self, path: Path) -> None:
        """Write the content as a raw partition image (what esptool would flash)."""
        Path(path).write_bytes(self.image)

    @classmethod
    def from_file(cls, path: Path, label: str = "data", seed: int = 0) -> "NorFlash":
        """Read a raw partition image; ValueError when its size is no multiple of a sector."""
        content = Path(path).read_bytes()
        flash = cls(len(content), label, seed)
        flash.image[:] = content
        return flash

    def _check(self, offset: int, length: int) -> None:
        if not self.powered:
            raise PowerCut(f"{self.label}: no power")
        if offset < 0 or offset + length > self.size:
            raise OSError(22, f"{self.label}: {length} B at {offset} is outside of {self.size} B")

    def _spend(self, piece: Piece) -> bool:
        """Whether power fails in this piece."""
        if self.on_piece:
            self.on_piece(piece)
        if self._pieces_left is None:
            return False
        self._pieces_left -= 1
        return self._pieces_left < 0

    def _fail(self) -> None:
        self.power_off()
        if self.on_cut:
            self.on_cut()
        raise PowerCut(f"{self.label}: power failed during an operation")

    def _program_piece(self, offset: int, piece: bytes) -> None:
        end = offset + len(piece)
        old = int.from_bytes(self.image[offset:end], "big")
        self.image[offset:end] = (old & int.from_bytes(piece, "big")).to_bytes(len(piece), "big")
        self.programs += 1
        self.programmed_bytes += len(piece)
        self.log.append((PROGRAM, offset, len(piece)))

    def _torn_prefix(self, piece: bytes) -> bytes:
        """Whole bytes, one byte of which only some bits went through, then untouched cells."""
        whole = self._random.randint(0, len(piece))
        torn = bytearray(b"\xff") * len(piece)
        torn[:whole] = piece[:whole]
        if whole < len(piece):
            torn[whole] = piece[whole] | self._random.getrandbits(8)
        return bytes(torn)

    def _half_erased(self, old: bytearray) -> bytes:
        """A sector whose erase was cut: some cells already read 1, in no order to rely on."""
        if self._random.random() < 0.25:
            return bytes(old)
        noise = int.from_bytes(self._random.randbytes(SECTOR), "big")
        mixed = bytearray((int.from_bytes(old, "big") | noise).to_bytes(SECTOR, "big"))
        done = self._random.randint(0, SECTOR)
        mixed[:done] = b"\xff" * done
        return bytes(mixed)


class Partition:
    """esp32.Partition over a NorFlash, for tests and for provisioning a unit on the PC.

    `writeblocks` with an offset programs without erasing; without one it erases first, as on the ESP32.
    """

    TYPE_APP, TYPE_DATA = 0, TYPE_DATA

    def __init__(self, flash: NorFlash):
        self.flash = flash

    def info(self) -> tuple:
        return (TYPE_DATA, 0x40, 0, self.flash.size, self.flash.label, False)

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        memoryview(buffer)[:] = self.flash.read(block * SECTOR + offset, len(buffer))

    def writeblocks(self, block: int, buffer: bytes, offset: int | None = None) -> None:
        if offset is None:
            for sector in range(block, block + -(-len(buffer) // SECTOR)):
                self.flash.erase(sector)
        self.flash.program(block * SECTOR + (offset or 0), bytes(buffer))

    def ioctl(self, command: int, argument: int = 0) -> int:
        if command == IOCTL_BLOCK_COUNT:
            return self.flash.size // SECTOR
        if command == IOCTL_BLOCK_SIZE:
            return SECTOR
        if command == IOCTL_ERASE:
            self.flash.erase(argument)
        return 0
