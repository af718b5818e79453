"""What the stores stand on in these tests: one NOR flash with three partitions, a clock and seeded salts."""

import random

from doorward_protocol.suite_openssl import OpenSSLSuite
from doorward_simulator.flash import SECTOR, NorFlash, Partition


class Slice:
    """A partition of a flash that has several, with the interface of esp32.Partition."""

    def __init__(self, flash: NorFlash, first: int, count: int):
        self._partition, self._first, self._count = Partition(flash), first, count

    def readblocks(self, block, buffer, offset=0):
        self._check(block * SECTOR + offset, len(buffer))
        self._partition.readblocks(self._first + block, buffer, offset)

    def writeblocks(self, block, buffer, offset):
        self._check(block * SECTOR + offset, len(buffer))
        assert (block * SECTOR + offset) % 16 == 0, "flash encryption writes whole units of 16 bytes"
        assert len(buffer) % 16 == 0, "flash encryption writes whole units of 16 bytes"
        self._partition.writeblocks(self._first + block, buffer, offset)

    def ioctl(self, command, argument=0):
        if command == 6:
            self._check(argument * SECTOR, SECTOR)
            return self._partition.ioctl(6, self._first + argument)
        return {4: self._count, 5: SECTOR}[command]

    def _check(self, address, length):
        assert 0 <= address <= address + length <= self._count * SECTOR, "outside of the partition"


class Clock:
    """A stand-in for the unit's clock: it goes on by a second whenever it is asked."""

    def __init__(self):
        self.time, self.sure = 1_800_000_000_000, True

    def now(self):
        self.time += 1000
        return self.time

    def state(self):
        return 0 if self.sure else 1


class Board:
    """Flash with partitions state, journal and blobs of so many sectors, and what the stores need besides."""

    def __init__(self, state=4, journal=8, blobs=16, seed=0):
        self.flash = NorFlash((state + journal + blobs) * SECTOR, seed=seed)
        self.state = Slice(self.flash, 0, state)
        self.journal = Slice(self.flash, state, journal)
        self.blobs = Slice(self.flash, state + journal, blobs)
        self.clock = Clock()
        self.suite = OpenSSLSuite(random.Random(seed).randbytes)
