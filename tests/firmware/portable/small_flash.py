"""NOR flash with power cuts in plain MicroPython: an `esp32.Partition` of a few sectors."""

SECTOR = 4096
PAGE = 256
NEVER = 1000000000


class Cut(Exception):  # noqa: N818 - an event
    """Power failed; everything but the image is gone."""


class Flash:
    """`left` pieces (page programs, erases) succeed, the next one is torn."""

    def __init__(self, sectors, seed=1):
        self.image = bytearray(b"\xff" * (sectors * SECTOR))
        self.left = NEVER
        self._random = seed

    def chance(self, limit):
        """A number below limit, from a generator that is the same everywhere."""
        self._random = (self._random * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._random >> 8) % limit

    def torn(self):
        """Count one piece; True if this is the one that is torn."""
        self.left -= 1
        return self.left < 0


class Slice:
    """Some sectors of a Flash, with the interface of esp32.Partition."""

    def __init__(self, flash, first, count):
        self._flash, self._first, self._count = flash, first, count

    def readblocks(self, block, buffer, offset=0):
        start = (self._first + block) * SECTOR + offset
        buffer[:] = self._flash.image[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset):
        start, at = (self._first + block) * SECTOR + offset, 0
        while at < len(buffer):
            room = min(PAGE - (start + at) % PAGE, len(buffer) - at)
            torn = self._flash.torn()
            for place in range(at, at + (self._flash.chance(room + 1) if torn else room)):
                self._flash.image[start + place] &= buffer[place]
            if torn:
                raise Cut
            at += room

    def ioctl(self, command, argument=0):
        if command == 4:
            return self._count
        start = (self._first + argument) * SECTOR
        torn = self._flash.torn()
        length = self._flash.chance(SECTOR) if torn else SECTOR
        self._flash.image[start : start + length] = b"\xff" * length
        if torn:
            raise Cut
        return 0
