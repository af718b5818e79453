"""The firmware's own stores, mounted on what a power cut left, in the order in which a start mounts them.

    state -> boot counter -> journal -> blobs -> manifest -> what was in hand -> logic

Everything happens in this process and on copies, so thousands of cuts take a minute. A mount may write
(finish an erase, flag a remainder); whatever it wrote, a second mount must find the same.
"""

import random
from collections.abc import Mapping

from doorward_firmware.logic import interlock, unit
from doorward_firmware.starting import what_was_left
from doorward_firmware.store import identity as identities
from doorward_firmware.store.blobs import Blobs
from doorward_firmware.store.journal import Journal
from doorward_firmware.store.state import State
from doorward_firmware.sync.manifest import Desired
from doorward_protocol import records
from doorward_protocol.suite_openssl import OpenSSLSuite

from doorward_simulator.flash import NorFlash, Partition

_VOLATILE = ("boot",)  # counts the starts themselves


class _Clock:
    """A unit's clock that stands at the moment of the cut."""

    def __init__(self, now: int):
        self._now = now

    def now(self) -> int:
        return self._now

    def state(self) -> int:
        return records.CLOCK_SURE


class Recovered:
    """What a start finds: `leaves` by (epoch, index), `logic` and the effects that it begins with, the rest
    as the firmware's own stores. `wall`: ms since 1970."""

    def __init__(self, flash: Mapping[str, NorFlash], wall: int, blobs: Blobs | None = None):
        """`blobs`: those of an earlier mount, if that partition is as it was then."""
        clock, suite = _Clock(wall), OpenSSLSuite(random.Random(0).randbytes)  # noqa: S311
        self.state = State(Partition(flash["state"]))
        identity = identities.read(self.state)
        self.boots = self.state.get("boot", 0)
        self.state.set("boot", self.boots + 1)
        self.journal = Journal(Partition(flash["journal"]), clock, suite, self.state)
        self.blobs = blobs or Blobs(Partition(flash["blobs"]))
        self.desired = Desired(identity, suite, clock, self.journal, self.blobs, self.state)
        left = what_was_left(self.state, self.journal)
        self.logic, self.effects = unit.restore(*left, interlock.Interlock(), 0, wall)
        self.leaves: dict[tuple[int, int], bytes] = {}
        place = (0, 0)
        while (leaf := self.journal.next_leaf(place)) is not None:
            self.leaves[leaf[0], leaf[1]] = bytes(leaf[2])
            place = (leaf[0], leaf[1] + 1)

    def records(self) -> list[records.Record]:
        """All records, oldest first."""
        return [records.decode(entry) for entry in self.leaves.values()]

    def essence(self) -> tuple:
        """What a second mount has to find again."""
        values = {name: self.state.get(name) for name in self.state.names() if name not in _VOLATILE}
        return (
            values,
            self.leaves,
            self.journal.root(),
            set(self.blobs.names()),
            self.desired.version,
            self.logic,
        )


def copies(flash: Mapping[str, NorFlash]) -> dict[str, NorFlash]:
    """Chips of their own with the same content, powered."""
    copied = {}
    for label, memory in flash.items():
        copied[label] = NorFlash(memory.size, label)
        copied[label].image[:] = memory.image
    return copied
