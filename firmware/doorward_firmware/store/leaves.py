"""Merkle leaves on a ring of sectors: writing, finding and reading them, across epochs.

Each sector's header names its epoch, when it was opened, the head of the epoch before, and the frontier of
all leaves of its epoch before it. A *place* is (epoch, index); places grow along the ring.
"""

import struct

from doorward_protocol.compat import const
from doorward_protocol.merkle import EMPTY_ROOT, Frontier, leaf_hash

from doorward_firmware.store.frames import frame_size
from doorward_firmware.store.ring import Ring

MAX_ENTRY = const(3100)  # bytes; fits a sector beside the header of a log of 67 million leaves

_HEADER = ">IQBIQ32s"  # epoch, time opened (ms), cause, and of the epoch before: number, size, root
_HEADER_SIZE = const(57)

NO_HEAD = (0, 0, EMPTY_ROOT)


class Leaves:
    """The leaves on a partition; the attributes describe the epoch that is being written, 0 if none is."""

    def __init__(self, partition):
        self.ring = Ring(partition)
        self.epoch = 0
        self.cause = 0  # why this epoch began
        self.previous = NO_HEAD  # epoch, size and root of the one before
        self.frontier = Frontier()
        self._starts = {}  # sequence of a sector -> place of its first leaf
        self._mount()

    def head(self):
        """Return (epoch, size, root)."""
        return self.epoch, self.frontier.size, self.frontier.root()

    def fits(self, entry):
        """True if the newest sector has room for entry."""
        return frame_size(len(entry)) <= self.ring.room()

    def append(self, entry):
        """Write one entry, which must fit; durable on return. Returns its index."""
        self.ring.append(entry)
        index = self.frontier.size
        self.frontier.append(leaf_hash(entry))
        return index

    def next_sector(self, time):
        """Go on in the next sector, which must be free."""
        opened = struct.pack(
            _HEADER, self.epoch, time, self.cause, self.previous[0], self.previous[1], self.previous[2]
        )
        self.ring.open(opened + self.frontier.to_bytes())
        self._starts[self.ring.newest] = (self.epoch, self.frontier.size)

    def next_epoch(self, epoch, previous, cause, time):
        """Begin an epoch in the next sector, which must be free; previous is a head (epoch, size, root)."""
        self.epoch, self.previous, self.cause, self.frontier = epoch, previous, cause, Frontier()
        self.next_sector(time)

    def drop_oldest(self):
        """Forget the leaves of the oldest sector."""
        self._starts.pop(self.ring.oldest, None)
        self.ring.drop_oldest()

    def first_place(self, sequence):
        """Return the place of the first leaf of a sector, written or not."""
        return self._starts[sequence]

    def opened(self, sequence):
        """Return the time (ms) at which a sector was opened."""
        return struct.unpack_from(_HEADER, self.ring.header(sequence), 0)[1]

    def sector_of(self, place):
        """Return the last sector that begins at or before place, or the oldest."""
        low, high = self.ring.oldest, self.ring.newest
        while low < high:
            middle = (low + high + 1) // 2
            if self._starts[middle] <= place:
                low = middle
            else:
                high = middle - 1
        return low

    def next_leaf(self, place):
        """Return (epoch, index, entry) of the first readable leaf not before place, or None."""
        for sequence in range(self.sector_of(place), self.ring.newest + 1):
            epoch, first = self._starts[sequence]
            if epoch < place[0]:
                continue
            number = place[1] - first if epoch == place[0] and place[1] > first else 0
            entry = self.ring.entry(sequence, number)
            if entry is not None:
                return epoch, first + number, entry
        return None

    def root_at(self, epoch, size):
        """Return the root of the first size leaves of an epoch, or None if they are not kept here."""
        if (epoch, size) == (self.epoch, self.frontier.size):
            return self.frontier.root()
        if not self.ring.newest:
            return None
        sequence = self.sector_of((epoch, size))
        of_epoch, first = self._starts[sequence]
        if of_epoch != epoch or first > size:
            return None
        frontier = _frontier(self.ring.header(sequence))
        for number in range(size - first):
            entry = self.ring.entry(sequence, number)
            if entry is None:
                return None
            frontier.append(leaf_hash(entry))
        return frontier.root()

    def is_whole(self, index):
        """True if all leaves of this epoch from index on can be read."""
        if self.ring.damaged:
            return False
        sequence = self.sector_of((self.epoch, index))
        if self._starts[sequence] > (self.epoch, index):
            return False
        for older in range(sequence, self.ring.newest):
            first, following = self._starts[older], self._starts[older + 1]
            if first[0] == self.epoch and self.ring.count(older) != following[1] - first[1]:
                return False
        return True

    def _mount(self):
        ring = self.ring
        for sequence in range(ring.oldest, ring.newest + 1):
            header = ring.mounted[sequence]
            self._starts[sequence] = (struct.unpack_from(_HEADER, header, 0)[0], _frontier(header).size)
        if not ring.newest:
            return
        header = ring.mounted[ring.newest]
        ring.mounted = {}
        self.epoch, _, self.cause, epoch, size, root = struct.unpack_from(_HEADER, header, 0)
        self.previous = (epoch, size, root)
        self.frontier = _frontier(header)
        for number in range(ring.count(ring.newest)):
            self.frontier.append(leaf_hash(ring.entry(ring.newest, number)))


def _frontier(header):
    return Frontier.from_bytes(header[_HEADER_SIZE:])
