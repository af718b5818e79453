"""Raw NOR flash, as the stores see it: a run of sectors of an `esp32.Partition`.

Programming clears bits and only erasing a whole sector sets them; power may fail in the middle of either.
What that leaves behind is nothing to rely on, so the stores keep four rules:

* everything is written in units of 16 bytes, and no unit is programmed twice but with zeros. This is also
  what the chip's flash encryption asks for, under which erased flash reads as noise instead of 0xFF;
* a sector of a log counts as erased only by a mark that is programmed after the erase;
* before a sector is erased, its mark and header are overwritten with zeros: however far the erase came, the
  sector cannot be taken for what it was;
* whatever commits something is the last write of it, and carries a CRC or a full unit of known content.
"""

from doorward_protocol.compat import const

SECTOR = const(4096)  # bytes
UNIT = const(16)  # bytes

_BLOCK_COUNT = const(4)  # operations of vfs.AbstractBlockDev.ioctl
_BLOCK_ERASE = const(6)

ERASED_MARK = b"doorward erased\n"  # one unit
_RETIRED = bytes(4 * UNIT)  # over the mark and the beginning of the header
_PADDING = b"\xff" * UNIT


def padded(data):
    """Return data, lengthened with 0xFF to whole units."""
    return data + _PADDING[: -len(data) % UNIT]


class Region:
    """Count sectors of a partition from number first (by default all), addressed in bytes from there."""

    __slots__ = ("_first", "_partition", "sectors")

    def __init__(self, partition, first=0, count=None):
        self._partition = partition
        self._first = first
        self.sectors = partition.ioctl(_BLOCK_COUNT, 0) - first if count is None else count

    def read(self, address, length):
        """Return length bytes from address (bytearray)."""
        buffer = bytearray(length)
        self._partition.readblocks(self._first + address // SECTOR, buffer, address % SECTOR)
        return buffer

    def program(self, address, data):
        """Clear bits of whole units from address, a multiple of 16; data is padded to whole units."""
        self._partition.writeblocks(self._first + address // SECTOR, padded(data), address % SECTOR)

    def erase(self, sector):
        """Set all bits of one sector. Takes up to 80 ms, during which the chip does nothing else."""
        self._partition.ioctl(_BLOCK_ERASE, self._first + sector)

    def is_blank(self, address, length):
        """True if all bits from address on are set."""
        return self.read(address, length) == b"\xff" * length

    def retire(self, sector):
        """Make a sector's mark and header unreadable for ever: the step before its erase."""
        self.program(sector * SECTOR, _RETIRED)

    def erase_and_mark(self, sector):
        """Erase one sector and say so in its first unit."""
        self.erase(sector)
        self.program(sector * SECTOR, ERASED_MARK)

    def is_marked_blank(self, sector):
        """True if the sector was erased to the end and nothing was written since."""
        content = self.read(sector * SECTOR, SECTOR)
        return content[:UNIT] == ERASED_MARK and content[UNIT:] == b"\xff" * (SECTOR - UNIT)
