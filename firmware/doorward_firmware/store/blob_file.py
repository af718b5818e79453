"""The sectors of one blob on raw flash: a header, flags that are programmed later, then the content.

    header of 4 units (magic, length, own, step, sequence, hash, CRC-32)
    flags of one unit each: complete, obsolete, delivered, progress 1 to 9
    content from byte 256 on, to the end of the last sector

Progress mark n says that the first n * step sectors hold their content, so that a transfer can be resumed
after a restart. A unit is written whole and once, so the last bytes of a piece wait for the next piece.
"""

import struct
from binascii import crc32
from collections import namedtuple

from doorward_protocol.compat import const

from doorward_firmware.store.flash import SECTOR, UNIT

COMPLETE = (4, b"blob is complete")  # number of the unit, its content
OBSOLETE = (5, b"blob is obsolete")
DELIVERED = (6, b"blob is reported")
_PROGRESS = b"blob is received"
_FIRST_MARK = const(7)
_MARKS = const(9)

_HEADER = ">4sIBBHI32s"  # magic, length, own, step, 0, sequence, hash
_HEADER_SIZE = const(48)
_MAGIC = b"DWB1"
_CONTENT_AT = const(256)


def sectors_for(total):
    """Return how many sectors a blob of total bytes occupies."""
    return (_CONTENT_AT + total + SECTOR - 1) // SECTOR


# A blob that is all here. A partition holds hundreds, so what is known of each takes 32 bytes of the heap.
Whole = namedtuple("Whole", ("start", "total", "own", "delivered", "sequence"))


class Begun:
    """A blob on its way; `position` bytes of its content are programmed, `pending` waits for a whole unit."""

    delivered = False

    def __init__(self, region, start, total, own, sequence):
        self._region = region
        self.start, self.total, self.own, self.sequence = start, total, own, sequence
        self.position = 0
        self.pending = b""

    @property
    def step(self):
        """Sectors from one progress mark to the next."""
        return (sectors_for(self.total) + _MARKS) // (_MARKS + 1)

    @property
    def received(self):
        """Bytes of content that were taken."""
        return self.position + len(self.pending)

    def create(self, name):
        """Write the header; the sectors may hold anything but a blob."""
        prepare(self._region, self.start)
        header = struct.pack(_HEADER, _MAGIC, self.total, self.own, self.step, 0, self.sequence, name)
        self._region.program(self.start * SECTOR, header + struct.pack(">I", crc32(header)))

    def append(self, data):
        """Take the next content, not beyond `total`."""
        data = self.pending + data
        whole = len(data) if self.position + len(data) == self.total else len(data) // UNIT * UNIT
        at = 0
        while at < whole:
            address = _CONTENT_AT + self.position
            room = SECTOR - address % SECTOR
            if room == SECTOR:
                prepare(self._region, self.start + address // SECTOR)
            piece = data[at : min(at + room, whole)]
            self._region.program(self.start * SECTOR + address, piece)
            at += len(piece)
            self.position += len(piece)
            done = (_CONTENT_AT + self.position) // SECTOR
            if len(piece) == room and done % self.step == 0 and done < sectors_for(self.total):
                flag(self._region, self.start, (_FIRST_MARK + done // self.step - 1, _PROGRESS))
        self.pending = data[whole:]

    def whole(self, delivered=False):
        """Return what is kept of it when all of it is here."""
        return Whole(self.start, self.total, self.own, delivered, self.sequence)

    def can_resume(self):
        """False if content may have been written of which no mark tells."""
        if self.position:
            return True
        room = min(self.total, SECTOR - _CONTENT_AT)
        return self._region.is_blank(self.start * SECTOR + _CONTENT_AT, room)


def read_content(region, start, offset, length):
    """Return length bytes (bytearray) of the content of the blob that begins at a sector."""
    return region.read(start * SECTOR + _CONTENT_AT + offset, length)


def flag(region, start, which):
    """Program one of the flags of the blob that begins at a sector."""
    unit, content = which
    region.program(start * SECTOR + unit * UNIT, content)


def read_blob(region, sector):
    """Return (name, Whole or Begun, True if obsolete) of the blob that begins at a sector, or None."""
    if region.read(sector * SECTOR, 4) != _MAGIC:
        return None
    content = region.read(sector * SECTOR, _CONTENT_AT)
    header = bytes(content[:_HEADER_SIZE])
    if struct.pack(">I", crc32(header)) != content[_HEADER_SIZE : _HEADER_SIZE + 4]:
        return None
    _, total, own, _, _, sequence, name = struct.unpack(_HEADER, header)
    if sector + sectors_for(total) > region.sectors:
        return None
    blob = Begun(region, sector, total, bool(own), sequence)
    for mark in range(_MARKS):
        if _has(content, (_FIRST_MARK + mark, _PROGRESS)):
            blob.position = (mark + 1) * blob.step * SECTOR - _CONTENT_AT
    if _has(content, COMPLETE):
        blob = blob.whole(_has(content, DELIVERED))
    return name, blob, _has(content, OBSOLETE)


def prepare(region, sector):
    """See that a sector is blank."""
    if not region.is_blank(sector * SECTOR, SECTOR):
        region.erase(sector)


def _has(content, flag):
    unit, expected = flag
    return content[unit * UNIT : (unit + 1) * UNIT] == expected
