"""Small named values that survive every power cut: counters, floors, keys, the number of the manifest.

The partition is two halves, each a log: mark, header (sequence), then one entry per `set`, CBOR [name,
value]. The half with the higher sequence is in force and its later entries replace earlier ones. When it is
full, the values in force are written to the other half, and the header that commits them is written last. A
cut at any point leaves either the old value or the new one, whole.

Wear: an entry of a counter takes 32 bytes, so a half of eight sectors is erased once in a thousand of these.
"""

import struct

from doorward_protocol import cbor
from doorward_protocol.compat import const
from doorward_protocol.errors import FLASH_FULL, ProtocolError

from doorward_firmware.store.flash import ERASED_MARK, SECTOR, UNIT, Region
from doorward_firmware.store.frames import ENTRY, HEADER, entries_from, frame, frame_size, read_frame

_HEADER = ">4sI"  # magic, sequence
_MAGIC = b"DWS1"
_HEADER_AT = UNIT  # behind the mark
_ENTRIES_AT = const(32)


class State:
    """The values on a partition of at least two sectors; an erased partition is an empty state."""

    def __init__(self, partition):
        sectors = Region(partition).sectors // 2
        self._halves = (Region(partition, 0, sectors), Region(partition, sectors, sectors))
        self._size = sectors * SECTOR  # bytes of a half
        self._limit = self._size * 3 // 4  # for values in force: the rest delays the next move
        self._values = {}  # name -> encoded entry [name, value]
        self._live = 0  # bytes that the values in force occupy
        self._dirty = sectors  # sectors of the other half still to be erased; 0 when it is ready
        self._mount()

    def get(self, name, default=None):
        """Return the value called name, a copy of its own, or default."""
        entry = self._values.get(name)
        return default if entry is None else cbor.decode(entry)[1]

    def set(self, name, value):
        """Store a value that CBOR can encode; durable on return. None removes it.

        Raises FLASH_FULL, and keeps the old value, when all values together would fill three quarters of a
        half.
        """
        entry = cbor.encode([name, value])
        if self._values.get(name) == entry or (value is None and name not in self._values):
            return
        at, end = self._position, self._position + frame_size(len(entry))
        if end > self._size:
            self._move(name, entry, value)
            return
        self._position = self._size  # a write that fails is never written over
        self._halves[self._active].program(at, frame(ENTRY, entry, self._sequence))
        self._position = end
        self._keep(name, entry, value)

    def names(self):
        """Return the names of all values."""
        return list(self._values)

    def used(self):
        """Return (bytes in use, bytes that fit)."""
        return self._live, self._limit

    def idle_step(self):
        """Prepare the other half: at most one sector's erase. True if there is more to do."""
        if self._dirty:
            self._erase_step()
        return self._dirty > 0

    def _mount(self):
        contents = [half.read(0, self._size) for half in self._halves]
        sequences = [_sequence_of(content) for content in contents]
        self._active = (
            0 if sequences[0] > sequences[1] else 1
        )  # of an empty state, the first `set` uses half 0
        self._sequence = sequences[self._active]
        self._position = self._size
        if self._sequence:
            content = contents[self._active]
            entries, _, end = entries_from(content, _ENTRIES_AT, self._sequence)
            for entry in entries:
                name, value = cbor.decode(entry)
                self._keep(name, entry, value)
            if content[end:] == b"\xff" * (self._size - end):
                self._position = end  # but behind a torn entry nothing is written any more
        other = contents[1 - self._active]
        if other[:UNIT] == ERASED_MARK and other[UNIT:] == b"\xff" * (self._size - UNIT):
            self._dirty = 0

    def _keep(self, name, entry, value):
        old = self._values.pop(name, None)
        if old is not None:
            self._live -= frame_size(len(old))
        if value is not None:
            self._values[name] = entry
            self._live += frame_size(len(entry))

    def _erase_step(self):
        """Erase from the last sector to the first, so that the first one's mark speaks for all."""
        other = self._halves[1 - self._active]
        if self._dirty == other.sectors:
            other.retire(0)
        self._dirty -= 1
        if self._dirty:
            other.erase(self._dirty)
        else:
            other.erase_and_mark(0)

    def _move(self, name, entry, value):
        """Begin the other half with all values in force, name's new one among them."""
        entries = [self._values[other] for other in sorted(self._values) if other != name]
        if value is not None:
            entries.append(entry)
        sequence = self._sequence + 1
        content = b"".join([frame(ENTRY, one, sequence) for one in entries])
        if len(content) > self._limit:
            raise ProtocolError(FLASH_FULL, "state: %s" % name)
        while self._dirty:
            self._erase_step()
        self._dirty = self._halves[0].sectors  # whatever happens now, it is no longer blank
        other = self._halves[1 - self._active]
        other.program(_ENTRIES_AT, content)
        other.program(_HEADER_AT, frame(HEADER, struct.pack(_HEADER, _MAGIC, sequence), 0))
        self._active, self._sequence = 1 - self._active, sequence
        self._position = _ENTRIES_AT + len(content)
        self._keep(name, entry, value)


def _sequence_of(data):
    """The sequence of a half, 0 if its header was never finished."""
    header = read_frame(data, _HEADER_AT, HEADER, 0)
    if header is None or len(header) != struct.calcsize(_HEADER):
        return 0
    magic, sequence = struct.unpack(_HEADER, header)
    return sequence if magic == _MAGIC else 0
