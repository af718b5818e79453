"""The unit's journal: a Merkle log (RFC 6962) on a ring of flash sectors.

`append` is durable on return; only then may an entry leave the unit or a relay move. What has been appended
is never changed, and not forgotten before the server's receipt for it (`acknowledge`). Acknowledged leaves
stay as long as the ring has room: a sector is given up only when it is among the next to be written. On the
reference board's 2 MB that is after 19,000 entries of a usual day, far more than the seven days that they are
owed. An append costs one write of 110 bytes, and a thousand of them 27 erases, all while idle.

The last sectors are a reserve: without them no task starts (`room_for_task`), so that a running one can
always be finished; records that anybody can cause from outside may use half of it only. The very last sector
is kept for a new epoch. A record `storage` tells of it in time.

Power cuts lose nothing that was promised. So if a mount finds less than was once written (`state` remembers
that sector by sector), flash was replaced, restored or is worn out. Then, and when a receipt disagrees, a new
epoch begins: index 0, in a sector of its own, with a record that names the old head. Leaves of the old epoch
that nobody has acknowledged are still sent, before it.
"""

from doorward_protocol import records
from doorward_protocol.compat import const
from doorward_protocol.errors import FLASH_FULL, TOO_LARGE, ProtocolError
from doorward_protocol.merkle import EMPTY_ROOT

from doorward_firmware.store.flash import SECTOR
from doorward_firmware.store.leaves import MAX_ENTRY, NO_HEAD, Leaves

MAX_RESERVE = const(16)  # sectors: 60 KB, three times the longest handover
UNMARKED = const(64)  # acknowledged leaves, at most, that are sent again after a restart

CAUSE_LOST = const(1)  # less was found than had been written
CAUSE_DAMAGED = const(2)  # leaves that nobody has acknowledged cannot be read
CAUSE_DISAGREES = const(3)  # the server's receipt names another root, or more than there is

FROM_OUTSIDE = ("refusal", "vehicle_refused", "finger_refused", "sensor", "input", "storage")


class JournalFull(ProtocolError):  # noqa: N818 - a state of the unit, as all code here calls it
    """Nothing was recorded, so nothing may be done; the unit has to be connected."""

    def __init__(self):
        super().__init__(FLASH_FULL, "journal")


class Journal:
    """The journal on a partition of at least 4 sectors.

    clock gives time and sureness, suite the salts, state (`State`) the boot count, under "boot", and a place
    for the journal's floor, under "journal": [epoch, size, root, acknowledged epoch, acknowledged size].
    """

    def __init__(self, partition, clock, suite, state):
        self._clock, self._suite, self._state = clock, suite, state
        self._leaves = Leaves(partition)
        self._ring = self._leaves.ring
        self.boot = state.get("boot", 0)
        self.reserve = max(1, min(MAX_RESERVE, self._ring.sectors // 8))  # sectors
        self._warned = False
        floor = state.get("journal", [0, 0, EMPTY_ROOT, 0, 0])
        self._floor = tuple(floor[:3])
        self._acknowledged = self._marked = tuple(floor[3:])  # the latter is what state holds
        self._cause = self._what_is_wrong()  # not 0: an epoch has to begin before anything is recorded
        try:
            self._begin_if_due()
        except JournalFull:
            pass  # nothing can be recorded; reading and sending go on

    @property
    def epoch(self):
        """The number of the present epoch, from 1."""
        return self._leaves.epoch

    @property
    def size(self):
        """The number of leaves of this epoch."""
        return self._leaves.frontier.size

    @property
    def previous(self):
        """The head (epoch, size, root) that this epoch follows; epoch 0 if it is the first."""
        return self._leaves.previous

    @property
    def acknowledged(self):
        """The number of leaves of this epoch that the server has confirmed."""
        return self._acknowledged[1] if self._acknowledged[0] == self.epoch else 0

    def root(self):
        """Return the tree hash of this epoch's leaves."""
        return self._leaves.frontier.root()

    def root_at(self, epoch, size):
        """Return the root that the first size leaves of an epoch had, or None if they are not kept here."""
        return self._leaves.root_at(epoch, size)

    def append(self, kind_name, **fields):
        """Record an entry and return its index; durable on return. Raises JournalFull, or ProtocolError."""
        entry = self._encode(kind_name, fields)
        self._begin_if_due()
        keep = 1
        if kind_name in FROM_OUTSIDE:
            keep += self.reserve // 2
            if self._free() < keep:
                raise JournalFull  # also if it would fit: the newest sector is of the part that is kept
        if not self._leaves.fits(entry):
            self._next_sector(keep)
        index = self._leaves.append(entry)
        self._warn()
        return index

    def entry(self, index):
        """Return entry number index of this epoch, or None if it is not kept here (any more)."""
        found = self._leaves.next_leaf((self.epoch, index))
        return found[2] if found and found[:2] == (self.epoch, index) else None

    def entries(self, first, limit):
        """Return up to limit (index, entry) of this epoch from index first on."""
        result = []
        found = self._leaves.next_leaf((self.epoch, first))
        while found and len(result) < limit:
            result.append(found[1:])
            found = self._leaves.next_leaf((self.epoch, found[1] + 1))
        return result

    def next_leaf(self, place):
        """Return (epoch, index, entry) of the first leaf not before place, an (epoch, index), or None."""
        return self._leaves.next_leaf(place)

    def first_unacknowledged(self):
        """Return the place (epoch, index) where sending begins after a connect."""
        return self._acknowledged

    def first_kept(self):
        """Return the place (epoch, index) of the oldest leaf that is still here."""
        return self._leaves.first_place(self._ring.oldest)

    def acknowledge(self, size, epoch=None):
        """The server has the first size leaves of an epoch (by default the present one) and all before it."""
        place = (self.epoch if epoch is None else epoch, size)
        if not self._acknowledged < place <= (self.epoch, self.size):
            return
        self._acknowledged = place
        if place[0] != self._marked[0] or size - self._marked[1] >= UNMARKED:
            self._mark()

    def room(self):
        """Return how many bytes of entries can still be recorded."""
        return max(0, self._free() - 1) * MAX_ENTRY + self._ring.room()

    def room_for_task(self):
        """True if a task may start: whatever happens in it can be recorded."""
        return not self._cause and self._free() - 1 > self.reserve

    def used(self):
        """Return (bytes that cannot be given up now, bytes of the partition)."""
        return (self._ring.sectors - self._free()) * SECTOR, self._ring.sectors * SECTOR

    def kept_since(self):
        """Return the time (ms) since which every leaf is kept here."""
        return self._leaves.opened(self._ring.oldest)

    def new_epoch(self, cause, above=0):
        """Begin an epoch, numbered above `above`, whose record names this one's head. Raises JournalFull."""
        self._cause = cause
        self._begin_if_due(above)

    def idle_step(self):
        """Prepare room for what comes: at most one sector's erase. True if there is more to do."""
        if self._ring.free <= self._ring.ahead and self._droppable():
            self._drop()
        return self._ring.idle_step()

    def _encode(self, kind_name, fields):
        salt = self._suite.random(16)
        entry = records.encode(kind_name, self._clock.now(), self._clock.state(), self.boot, salt, **fields)
        if len(entry) > MAX_ENTRY:
            raise ProtocolError(TOO_LARGE, kind_name)
        return entry

    # Epochs

    def _what_is_wrong(self):
        """The cause for a new epoch that the mount found, or 0."""
        epoch, size, _ = self._leaves.head()
        if (epoch, size) < self._floor[:2]:
            return CAUSE_LOST
        if epoch and not self._leaves.is_whole(self.acknowledged):
            return CAUSE_DAMAGED
        return 0

    def _begin_if_due(self, above=0):
        leaves = self._leaves
        if self._cause or not leaves.epoch:
            head = max(leaves.head(), self._floor) if self._cause else NO_HEAD
            epoch = max(head[0], above) + 1
            self._free_sector(0)
            leaves.next_epoch(epoch, head, self._cause, self._clock.now())
            self._cause = 0
        if leaves.cause and not leaves.frontier.size:  # also if power failed just here
            epoch, size, root = leaves.previous
            fields = {
                "previous_epoch": epoch,
                "previous_size": size,
                "previous_root": root,
                "cause": leaves.cause,
            }
            leaves.append(self._encode("epoch", fields))
        if self._floor[0] != leaves.epoch:
            self._mark()

    # Room

    def _droppable(self):
        """How many of the oldest sectors hold nothing but acknowledged leaves."""
        return self._leaves.sector_of(self._acknowledged) - self._ring.oldest if self.epoch else 0

    def _free(self):
        return self._ring.free + self._droppable()

    def _next_sector(self, keep):
        self._free_sector(keep)
        self._leaves.next_sector(self._clock.now())
        self._mark()

    def _free_sector(self, keep):
        """Make the next sector free, so that keep more remain; raises JournalFull."""
        if self._free() <= keep:
            raise JournalFull
        if not self._ring.free:
            self._drop()

    def _drop(self):
        if self._marked < self._leaves.first_place(self._ring.oldest + 1):
            self._mark()  # or a restart would take these leaves for lost
        self._leaves.drop_oldest()

    def _mark(self):
        """Remember what has been written and acknowledged: the floor of the next mount."""
        self._floor = self._leaves.head()
        self._state.set("journal", list(self._floor) + list(self._acknowledged))
        self._marked = self._acknowledged

    def _warn(self):
        """Record once when less than twice the reserve is left."""
        free = self._free() - 1
        if free > 3 * self.reserve:
            self._warned = False
        elif free <= 2 * self.reserve and not self._warned:
            used, total = self.used()
            entry = self._encode("storage", {"name": "journal", "used": used, "total": total})
            if self._leaves.fits(entry):  # otherwise with the next entry
                self._leaves.append(entry)
                self._warned = True
