"""Reads a unit's journal as a stranger would who holds its flash: without the firmware, changing nothing."""

from dataclasses import dataclass

from doorward_firmware.store.leaves import Leaves
from doorward_protocol import records
from doorward_protocol.errors import ProtocolError

from .flash import SECTOR, NorFlash


@dataclass(frozen=True)
class Entry:
    """One leaf: where it stands, its bytes, and the record in it."""

    epoch: int
    index: int
    content: bytes
    record: records.Record


class JournalView:
    """The decoded journal in a flash partition; new leaves are read when the flash has changed."""

    def __init__(self, flash: NorFlash):
        self._flash = flash
        self._read_at = -1
        self._entries: list[Entry] = []
        self._head = (0, 0, b"")

    def entries(self) -> list[Entry]:
        """All leaves that there ever were, oldest first: also those whose sectors were given up since."""
        self._refresh()
        return self._entries

    def head(self) -> tuple[int, int, bytes]:
        """Epoch, size and root of the present epoch."""
        self._refresh()
        return self._head

    def written_sectors(self) -> int:
        """How many sectors were ever begun; the ring's first sector is number 1."""
        return Leaves(_ReadOnly(self._flash)).ring.newest

    def _refresh(self) -> None:
        if self._read_at == self._flash.pieces:
            return
        leaves, last = Leaves(_ReadOnly(self._flash)), self._entries[-1] if self._entries else None
        place = (last.epoch, last.index + 1) if last else (0, 0)
        while (leaf := leaves.next_leaf(place)) is not None:
            epoch, index, content = leaf
            self._entries.append(_decoded(epoch, index, bytes(content)))
            place = (epoch, index + 1)
        self._head = leaves.head()
        self._read_at = self._flash.pieces


class _ReadOnly:
    """An esp32.Partition that is only looked at."""

    def __init__(self, flash: NorFlash):
        self._flash = flash

    def ioctl(self, command: int, _argument: int = 0) -> int:
        return self._flash.size // SECTOR if command == 4 else SECTOR

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        start = block * SECTOR + offset
        memoryview(buffer)[:] = self._flash.image[start : start + len(buffer)]

    def writeblocks(self, *_arguments) -> None:
        raise PermissionError("the journal is only looked at")


def _decoded(epoch: int, index: int, content: bytes) -> Entry:
    try:
        return Entry(epoch, index, content, records.decode(content))
    except ProtocolError as error:
        raise ValueError(f"leaf {epoch}/{index} is no record: {error}") from error
