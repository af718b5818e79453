"""A ring of sectors on raw flash: the log under the journal.

A sector is mark, header frame, entry frames. Its header carries a sequence number, which also says where it
lies (sequence modulo the number of sectors), and whatever the owner of the ring wants to know before reading
any entry. Writing goes round; the oldest sector is given up with `drop_oldest`, and a few sectors in front of
the newest are kept erased by `idle_step`, so that an append need not wait for an erase.

At mount the newest whole header is the head, and the unbroken run of sequences behind it is the content. An
entry torn by a power cut ends its sector: the next entry goes to the next sector.
"""

import struct

from doorward_protocol.compat import const

from doorward_firmware.store.flash import SECTOR, UNIT, Region
from doorward_firmware.store.frames import ENTRY, HEADER, entries_from, frame, frame_size, read_frame

_MAGIC = b"DWJ1"
_PREFIX = ">4sI"  # magic, sequence
_PREFIX_SIZE = const(8)
_HEADER_AT = UNIT
_HEADER_READ = const(1024)  # bytes, enough for every header: see Ring.open
MAX_HEADER = const(960)  # bytes of a header that the owner may use


class Ring:
    """A ring on a partition. `oldest` and `newest` are sequence numbers; `newest` is 0 while it is empty."""

    def __init__(self, partition):
        self._region = Region(partition)
        self.sectors = self._region.sectors
        self.newest = 0
        self.oldest = 1
        self.mounted = {}  # sequence -> header, of all sectors that a mount found; for the owner to forget
        self.damaged = False  # True if the newest sector holds whole entries behind a broken one
        self.ahead = min(2, self.sectors // 4)  # sectors kept erased in front of the newest
        self._clean = 0  # sectors in front of the newest that are known to be erased
        self._starts = []  # of the entries of the newest sector
        self._end = 0  # of its last entry
        self._position = SECTOR  # where its next entry goes, SECTOR if nothing more may be written to it
        self._table = (0, b"", [])  # the older sector that was read last: sequence, content, starts
        self._mount()

    @property
    def free(self):
        """Sectors that hold nothing."""
        return self.sectors - (self.newest - self.oldest + 1)

    def header(self, sequence):
        """Return what `open` was given for this sector, or None if it cannot be read."""
        found = self._read_header(sequence % self.sectors)
        return found[1] if found and found[0] == sequence else None

    def count(self, sequence):
        """Return how many entries of a sector can be read."""
        return len(self._entries_of(sequence)[1])

    def entry(self, sequence, number):
        """Return entry `number` of a sector, or None if it cannot be read."""
        content, starts = self._entries_of(sequence)
        if number >= len(starts):
            return None
        if content is not None:
            return read_frame(content, starts[number], ENTRY, sequence)
        end = starts[number + 1] if number + 1 < len(starts) else self._end
        content = self._region.read(self._address(sequence) + starts[number], end - starts[number])
        return read_frame(content, 0, ENTRY, sequence)

    def room(self):
        """Return the bytes that are left in the newest sector."""
        return SECTOR - self._position

    def append(self, payload):
        """Write an entry to the newest sector, where it must fit; durable on return."""
        start = self._position
        self._position = SECTOR  # a write that fails is never written over
        self._region.program(self._address(self.newest) + start, frame(ENTRY, payload, self.newest))
        self._starts.append(start)
        self._position = self._end = start + frame_size(len(payload))

    def open(self, header):
        """Begin the next sector, which must be free, with a header of at most MAX_HEADER bytes."""
        sequence = self.newest + 1
        if not self._clean:
            self._erase_ahead()
        self._clean -= 1
        payload = struct.pack(_PREFIX, _MAGIC, sequence) + header
        self._region.program(self._address(sequence) + _HEADER_AT, frame(HEADER, payload, 0))
        self.newest = sequence
        self._starts = []
        self._position = self._end = _HEADER_AT + frame_size(len(payload))

    def drop_oldest(self):
        """Give up the oldest sector. It is erased when its turn comes; until then a mount finds it again."""
        self.oldest += 1

    def idle_step(self):
        """Erase at most one sector ahead. True if there is more to do."""
        wanted = min(self.ahead, self.free)
        if self._clean < wanted:
            self._erase_ahead()
        return self._clean < wanted

    def _address(self, sequence):
        return sequence % self.sectors * SECTOR

    def _erase_ahead(self):
        sector = (self.newest + 1 + self._clean) % self.sectors
        self._region.retire(sector)
        self._region.erase_and_mark(sector)
        self._clean += 1

    def _read_header(self, sector):
        """(sequence, header) of a sector, None if it has no whole header or does not belong here."""
        address = sector * SECTOR
        if self._region.read(address + _HEADER_AT, UNIT)[2] != HEADER:
            return None  # most of the sectors of a young ring: not worth a kilobyte
        payload = read_frame(self._region.read(address, _HEADER_READ), _HEADER_AT, HEADER, 0)
        if payload is None or len(payload) < _PREFIX_SIZE:
            return None
        magic, sequence = struct.unpack_from(_PREFIX, payload, 0)
        if magic != _MAGIC or sequence % self.sectors != sector:
            return None
        return sequence, payload[_PREFIX_SIZE:]

    def _mount(self):
        found = {}
        for sector in range(self.sectors):
            header = self._read_header(sector)
            if header:
                found[header[0]] = header[1]
        self.mounted = found
        if found:
            self.newest = self.oldest = max(found)
            while self.oldest - 1 in found:
                self.oldest -= 1
            self._mount_newest()
        while self._clean < min(self.ahead, self.free) and self._region.is_marked_blank(
            (self.newest + 1 + self._clean) % self.sectors
        ):
            self._clean += 1

    def _mount_newest(self):
        content, starts, end = self._scan(self.newest)
        self._starts, self._end = starts, end
        if content[end:] == b"\xff" * (SECTOR - end):
            self._position = end
            return
        # Nothing is ever written behind a torn entry. Whole entries there mean that flash lost its content.
        for at in range(end + UNIT, SECTOR, UNIT):
            if read_frame(content, at, ENTRY, self.newest) is not None:
                self.damaged = True

    def _scan(self, sequence):
        content = self._region.read(self._address(sequence), SECTOR)
        header = read_frame(content, _HEADER_AT, HEADER, 0)
        if header is None:
            return content, [], SECTOR
        _, starts, end = entries_from(content, _HEADER_AT + frame_size(len(header)), sequence)
        return content, starts, end

    def _entries_of(self, sequence):
        """(content, starts); the newest sector's content changes and is not kept: None."""
        if sequence == self.newest:
            return None, self._starts
        if self._table[0] != sequence:
            content, starts, _ = self._scan(sequence)
            self._table = (sequence, content, starts)
        return self._table[1], self._table[2]
