"""Blobs by the SHA-256 of their content, on a raw partition: rosters, photos, clips, templates, pictures.

A blob occupies sectors in a row, the first place where they fit (`blob_file`). Only when all of its content
has been read back and has the right hash is it complete, and nothing else is ever shown. What is no longer
wanted is flagged obsolete and erased step by step while idle, its first sector last, so that whatever a
mount finds outside of a blob is blank or a remainder without a header. The index is made at mount.

Blobs that the unit made itself (*own*: pictures taken here) are not touched by `keep_only`. They stay until
the server has fetched them (`delivered`) and their room is needed, and take half of the partition at most,
so that there is always room for what a manifest lists.
"""

import hashlib

from doorward_protocol.compat import const
from doorward_protocol.errors import (
    BAD_HASH,
    FLASH_FULL,
    MALFORMED,
    NOT_WANTED,
    ORDER_INCOMPLETE,
    TOO_LARGE,
    ProtocolError,
)

from doorward_firmware.store.blob_file import (
    COMPLETE,
    DELIVERED,
    OBSOLETE,
    Begun,
    Whole,
    flag,
    prepare,
    read_blob,
    read_content,
    sectors_for,
)
from doorward_firmware.store.flash import SECTOR, Region

MAX_BLOB = const(1048576)  # bytes; half a minute of speech, or six full screens


class Blobs:
    """The blobs on a partition. Names are their hashes (32 bytes), offsets and lengths bytes of content."""

    def __init__(self, partition):
        self._region = Region(partition)
        self._index = {}  # name -> Whole or Begun
        self._obsolete = []  # [first sector, sectors, how many of them are still to be erased]
        self._sequence = 0
        self._mount()

    def has(self, name):
        """True if the whole blob is here."""
        return isinstance(self._index.get(name), Whole)

    def is_own(self, name):
        """True if the whole blob is here and the unit made it."""
        return self.has(name) and self._index[name].own

    def size(self, name):
        """Return the length of a blob. Raises ORDER_INCOMPLETE if it is not here."""
        return self._whole(name).total

    def read(self, name, offset, length):
        """Return up to length bytes of a blob from offset on. Raises ORDER_INCOMPLETE if it is not here."""
        blob = self._whole(name)
        length = max(0, min(length, blob.total - offset))
        return bytes(read_content(self._region, blob.start, offset, length))

    def chunks(self, name, length=1024):
        """Yield the content of a blob in pieces of length bytes."""
        for offset in range(0, self.size(name), length):
            yield self.read(name, offset, length)

    def names(self):
        """Return the names of all blobs that are here."""
        return [name for name in self._index if self.has(name)]

    def used(self):
        """Return (bytes that are in use or still to be erased, bytes of the partition)."""
        return sum([extent[1] for extent in self._extents()]) * SECTOR, self._region.sectors * SECTOR

    def room(self):
        """Return how many bytes of own blobs still find room; what the server has fetched makes room."""
        kept = [blob for blob in self._index.values() if not blob.delivered]
        sectors = self._region.sectors
        return max(0, min(sectors // 2 - _sectors(kept, True), sectors - _sectors(kept))) * SECTOR

    # Receiving

    def progress(self, name):
        """Return the offset at which the transfer of a blob goes on; 0 if it has not begun."""
        if self.has(name):
            return self.size(name)
        return self._index[name].received if name in self._index else 0

    def begin(self, name, total, own=False):
        """Make room for a blob of total bytes, or resume it. Raises TOO_LARGE or FLASH_FULL."""
        if name in self._index:
            if self.has(name) or self._index[name].total == total:
                return
            self.discard(name)
        if total > MAX_BLOB:
            raise ProtocolError(TOO_LARGE, "blob of %d bytes" % total)
        start = self._allocate(sectors_for(total), own)
        self._sequence += 1
        blob = Begun(self._region, start, total, own, self._sequence)
        blob.create(name)
        self._index[name] = blob

    def write(self, name, offset, data):
        """Take content from offset on; what is already here is skipped. Returns `progress`.

        Raises NOT_WANTED before `begin` and if there would be a gap, MALFORMED beyond the announced total.
        """
        blob = self._index.get(name)
        if not isinstance(blob, Begun) or offset > blob.received:
            raise ProtocolError(NOT_WANTED, "blob")
        if offset + len(data) > blob.total:
            raise ProtocolError(MALFORMED, "blob longer than announced")
        if offset + len(data) > blob.received:
            blob.append(data[blob.received - offset :])
        return blob.received

    def finish(self, name):
        """Verify the content by reading it back, then show the blob. Raises NOT_WANTED or BAD_HASH."""
        if self.has(name):
            return
        blob = self._index.get(name)
        if blob is None or blob.position != blob.total:
            raise ProtocolError(NOT_WANTED, "blob is not all here")
        digest = hashlib.sha256()
        for offset in range(0, blob.total, SECTOR):
            length = min(SECTOR, blob.total - offset)
            digest.update(read_content(self._region, blob.start, offset, length))
        if digest.digest() != name:
            self.discard(name)
            raise ProtocolError(BAD_HASH, "blob")
        flag(self._region, blob.start, COMPLETE)
        self._index[name] = blob.whole()

    def put(self, data, own=True):
        """Store data and return its name. Raises TOO_LARGE or FLASH_FULL."""
        name = hashlib.sha256(data).digest()
        self.begin(name, len(data), own)
        if not self.has(name):
            self.write(name, 0, data)
            self.finish(name)
        return name

    # Giving up

    def delivered(self, name):
        """The server has fetched an own blob, whose room may now be used when it is needed."""
        blob = self._whole(name)
        if blob.own and not blob.delivered:
            flag(self._region, blob.start, DELIVERED)
            self._index[name] = Whole(blob.start, blob.total, True, True, blob.sequence)

    def keep_only(self, names):
        """Give up every blob, begun ones too, that is not among names and not the unit's own."""
        for name in sorted(self._index):  # in one order under every interpreter
            if name not in names and not self._index[name].own:
                self.discard(name)

    def discard(self, name):
        """Give up a blob; its sectors are erased by `idle_step`, or when they are needed."""
        blob = self._index.pop(name, None)
        if blob is not None:
            self._give_up(blob)

    def idle_step(self):
        """Erase at most one sector of what was given up. True if there is more to do."""
        if self._obsolete:
            extent = self._obsolete[-1]
            extent[2] -= 1
            if extent[2]:
                prepare(self._region, extent[0] + extent[2])
            else:
                self._region.retire(extent[0])
                self._region.erase(extent[0])
                self._obsolete.pop()  # and only now: until then a mount takes all of them for this blob's
        return len(self._obsolete) > 0

    def _whole(self, name):
        if not self.has(name):
            raise ProtocolError(ORDER_INCOMPLETE, "blob")
        return self._index[name]

    def _give_up(self, blob):
        flag(self._region, blob.start, OBSOLETE)
        self._add_obsolete(blob)

    def _add_obsolete(self, blob):
        sectors = sectors_for(blob.total)
        self._obsolete.append([blob.start, sectors, sectors])

    # Room

    def _extents(self):
        extents = [(blob.start, sectors_for(blob.total)) for blob in self._index.values()]
        return sorted(extents + [(extent[0], extent[1]) for extent in self._obsolete])

    def _first_fit(self, sectors):
        free = 0
        for start, count in self._extents():
            if start - free >= sectors:
                return free
            free = start + count
        return free if self._region.sectors - free >= sectors else None

    def _allocate(self, sectors, own):
        while own and _sectors(self._index.values(), True) + sectors > self._region.sectors // 2:
            self.discard(self._oldest_delivered())
        start = self._first_fit(sectors)
        while start is None:
            if not self._obsolete:
                self.discard(self._oldest_delivered())
            self.idle_step()
            start = self._first_fit(sectors)
        return start

    def _oldest_delivered(self):
        delivered = [(blob.sequence, name) for name, blob in self._index.items() if blob.delivered]
        if not delivered:
            raise ProtocolError(FLASH_FULL, "blobs")
        return min(delivered)[1]

    def _mount(self):
        sector = 0
        while sector < self._region.sectors:
            found = read_blob(self._region, sector)
            if found is None:
                sector += 1
                continue
            name, blob, obsolete = found
            sector += sectors_for(blob.total)
            self._sequence = max(self._sequence, blob.sequence)
            if obsolete:
                self._add_obsolete(blob)
            else:
                self._add(name, blob)

    def _add(self, name, blob):
        """Take a found blob into the index, or give it up: an own one unfinished, the worse of two."""
        if self.has(name) or (isinstance(blob, Begun) and (blob.own or not blob.can_resume())):
            self._give_up(blob)
        else:
            self.discard(name)
            self._index[name] = blob


def _sectors(blobs, own=False):
    """How many sectors they take, all of them or the own ones."""
    return sum([sectors_for(blob.total) for blob in blobs if blob.own or not own])
