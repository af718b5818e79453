"""What this unit should hold: the newest signed manifest, and the blobs that it lists.

A manifest takes effect when it is accepted: what it does not list is revoked from that moment, although its
own blobs may still be on the way. Its version is a floor that survives everything (`State`, under
"manifest"); the signed object itself is kept as a blob, so that a unit works for a shift without the
network.

Blobs that the newest manifest does not name are given up as soon as all of its lists are here, because only
then is it known what they name.
"""

import hashlib

from doorward_protocol import cose, objects
from doorward_protocol.compat import const
from doorward_protocol.errors import (
    EXPIRED,
    MALFORMED,
    NOT_YET_VALID,
    OLD_VERSION,
    TOO_LARGE,
    WRONG_UNIT,
    ProtocolError,
)
from doorward_protocol.records import CLOCK_SURE

from doorward_firmware.sync import contents

MAX_ENTRIES = const(90)  # more do not fit one frame
MAX_AHEAD_MS = const(120_000)  # how far in the future `issued` may lie: twice what a clock may be off

_STATE = "manifest"  # [version, hash of the object]
_LISTS = (objects.CONFIGURATION, objects.ROSTER, objects.ORDER, objects.PROMPTS)


class Desired:
    """The manifest in force and its contents. version is 0, and nothing is listed, until one was accepted."""

    def __init__(self, identity, suite, clock, journal, blobs, state):
        self._identity, self._suite, self._clock = identity, suite, clock
        self._journal, self._blobs, self._state = journal, blobs, state
        self.version = self.issued = self.fresh_until = 0
        self._name = None  # hash of the object in force
        self._entries = []
        self._contents = {}  # hash -> fields of a roster, order, … that is here and readable
        self._unusable = set()  # hashes of such blobs that are here and not readable
        self._missing = None  # cache of missing()
        self.unlisted = set()  # hashes of blobs that stay although no manifest lists them
        self._mount()

    async def accept(self, data):
        """Take a signed manifest; False if it is the one in force. Raises ProtocolError to refuse it."""
        fields = await objects.verify(self._suite, "manifest", data, self._identity.dispatch_keys())
        name = hashlib.sha256(data).digest()
        if name == self._name:
            return False
        self._check(fields, name)
        self._blobs.put(data, own=False)
        self._journal.append("manifest", version=fields["version"], hash=name)
        self._state.set(_STATE, [fields["version"], name])
        self._adopt(fields, name)
        return True

    def arrived(self, name):
        """A blob has come. Returns True if a list came with it; raises ProtocolError if it is unreadable."""
        for entry in self._entries:
            if entry[3] == name and entry[0] in contents.NAMES:
                self._missing = None
                self._read(entry)
                self._give_up_others()
                return True
        if self._missing and name in self._missing:
            self._missing.remove(name)
        return False

    def missing(self):
        """Return the hashes still to be fetched, in the order of their use."""
        if self._missing is None:
            self._missing, seen = [], set()
            for name in self._names():
                if name not in seen and not self._blobs.has(name):
                    self._missing.append(name)
                seen.add(name)
        return list(self._missing)

    def is_complete(self):
        """True if everything that is listed is here and readable."""
        return self.version > 0 and not self.missing() and not self._unusable

    def complete(self, task):
        """True if a task's order, its people, their templates, photos and names are all here."""
        order = self.order(task)
        people = self.roster()
        if order is None or not all(entry[3] in self._contents for entry in self._of(objects.ROSTER)):
            return False
        return all(self._blobs.has(name) for name in contents.of_order(order, people))

    def incomplete(self):
        """Return the ids of the listed tasks that still lack something."""
        return [entry[1] for entry in self._of(objects.ORDER) if not self.complete(entry[1])]

    def roster(self):
        """Return {id: fields of the person} of everybody who is listed."""
        people = {}
        for entry in self._of(objects.ROSTER):
            people.update(self._contents.get(entry[3], {"by_id": {}})["by_id"])
        return people

    def orders(self):
        """Return the fields of the listed orders that are here."""
        return [self._contents[entry[3]] for entry in self._of(objects.ORDER) if entry[3] in self._contents]

    def order(self, task):
        """Return the fields of a task's order, or None if it is not listed or not here."""
        for entry in self._of(objects.ORDER):
            if entry[1] == task:
                return self._contents.get(entry[3])
        return None

    def configuration(self):
        """Return the fields of the configuration, or None if it is not here."""
        for entry in self._of(objects.CONFIGURATION):
            return self._contents.get(entry[3])
        return None

    def prompts(self):
        """Return {number of a prompt: (hash of its clip, hash of its picture)}; either may be None."""
        prompts = {}
        for entry in self._of(objects.PROMPTS):
            for number, clip, picture in self._contents.get(entry[3], {"prompts": []})["prompts"]:
                prompts[number] = (clip, picture)
        return prompts

    def make_room(self):
        """Give up all blobs that are not known to be listed, also if more may turn out to be."""
        self._blobs.keep_only(self.unlisted.union(self._names()) | {self._name})

    def _of(self, kind):
        return [entry for entry in self._entries if entry[0] == kind]

    # Acceptance

    def _check(self, fields, name):
        if fields["unit"] != self._identity.unit:
            raise ProtocolError(WRONG_UNIT, "manifest")
        version, kept = self._state.get(_STATE, [0, b""])
        if fields["version"] < version or (fields["version"] == version and name != kept):
            raise ProtocolError(OLD_VERSION, "manifest %d after %d" % (fields["version"], version))
        if len(fields["entries"]) > MAX_ENTRIES:
            raise ProtocolError(TOO_LARGE, "manifest")
        keys = [(entry[0], entry[1]) for entry in fields["entries"]]
        keys += [entry[3] for entry in fields["entries"]]  # and one content is of one kind
        if len(set(keys)) != len(keys) or fields["fresh_until"] <= fields["issued"]:
            raise ProtocolError(MALFORMED, "manifest")
        if self._clock.state() == CLOCK_SURE:
            now = self._clock.now()
            if fields["fresh_until"] <= now:
                raise ProtocolError(EXPIRED, "manifest")
            if fields["issued"] > now + MAX_AHEAD_MS:
                raise ProtocolError(NOT_YET_VALID, "manifest")

    def _mount(self):
        version, name = self._state.get(_STATE, [0, b""])
        if version and self._blobs.has(name):
            data = b"".join(self._blobs.chunks(name, 4096))  # verified when it was accepted
            self._adopt(objects.payload_fields("manifest", cose.peek_payload(data)), name)

    def _adopt(self, fields, name):
        self.version, self.issued, self.fresh_until = (
            fields["version"],
            fields["issued"],
            fields["fresh_until"],
        )
        self._name, self._entries = name, fields["entries"]
        self._contents, self._unusable, self._missing = {}, set(), None
        for entry in self._entries:
            if entry[0] in contents.NAMES and self._blobs.has(entry[3]):
                try:
                    self._read(entry)
                except ProtocolError:  # told when it came
                    pass
        self._give_up_others()

    def _read(self, entry):
        try:
            self._contents[entry[3]] = contents.read(self._blobs, entry)
        except ProtocolError:
            self._unusable.add(entry[3])
            raise

    # Blobs

    def _lists(self):
        """The hashes of the lists, configuration first, prompts last."""
        return [entry[3] for kind in _LISTS for entry in self._of(kind)]

    def _names(self):
        """Every hash that the manifest names, as far as is known, in the order of use."""
        people, names = self.roster(), self._lists()
        for order in sorted(self.orders(), key=lambda order: order["window_from"]):
            names += contents.of_order(order, people)
        for number in sorted(people):
            names += contents.of_person(people[number])
        for entry in self._of(objects.PROMPTS):
            if entry[3] in self._contents:
                names += contents.of_prompts(self._contents[entry[3]])
        return names

    def _give_up_others(self):
        if all(name in self._contents for name in self._lists()):
            self.make_room()
