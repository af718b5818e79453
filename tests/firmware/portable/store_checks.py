"""The stores on the interpreter of the device: what was promised survives a cut at any flash operation."""

import hashlib

from doorward_firmware.store.blobs import Blobs
from doorward_firmware.store.journal import Journal
from doorward_firmware.store.state import State
from doorward_protocol import merkle

from small_flash import NEVER, Cut, Flash, Slice


class Clock:
    def now(self):
        return 1800000000000

    def state(self):
        return 0


class Salts:
    def __init__(self, flash):
        self._flash = flash

    def random(self, count):
        return bytes([self._flash.chance(256) for _ in range(count)])


def stores(flash):
    """Mount (state, journal, blobs) on a flash of 2 + 4 + 8 sectors."""
    state = State(Slice(flash, 0, 2))
    journal = Journal(Slice(flash, 2, 4), Clock(), Salts(flash), state)
    return state, journal, Blobs(Slice(flash, 6, 8))


def until_no_cut(history, check, step):
    """Play history(stores, promises), cut after 0, step, 2 * step … pieces; check what a mount finds."""
    cuts, left, whole = 0, 0, False
    while not whole:
        flash, promises = Flash(14, seed=left + 1), {}
        mounted = stores(flash)
        flash.left, whole = left, True
        try:
            history(mounted, promises)
        except Cut:
            whole = False
            cuts += 1
        flash.left = NEVER
        check(stores(flash), promises)
        left += step
    return cuts


def check_state_keeps_every_value():
    def history(mounted, promises):
        state = mounted[0]
        for number in range(60):
            name = "abc"[number % 3]
            promises["under way"] = (name, bytes([number]) * (number % 5 * 60))
            state.set(*promises["under way"])
            promises[name] = promises["under way"][1]

    def check(mounted, promises):
        name, value = promises.pop("under way", ("", b""))
        for known in promises:
            expected = (promises[known], value) if known == name else (promises[known],)
            assert mounted[0].get(known) in expected

    assert until_no_cut(history, check, 1) > 60


def check_journal_keeps_every_entry_and_its_root():
    def history(mounted, promises):
        journal = mounted[1]
        promises["entries"] = []
        for number in range(40):
            index = journal.append("left", task=number, nonce=bytes(8))
            assert index == len(promises["entries"]), "an index is used once"
            for new in range(index, journal.size):  # the record, and perhaps a warning that room is short
                promises["entries"].append(journal.entry(new))
            journal.append(
                "boxes",
                task=1,
                nonce=bytes(8),
                expected=[bytes(12)] * (number % 7 * 8),
                read=[],
                missing=[],
                foreign=[],
                attempt=1,
            )
            promises["entries"].append(journal.entry(journal.size - 1))
            if number % 10 == 9:
                promises["acknowledged"] = journal.size - 3
                journal.acknowledge(journal.size - 3)
            journal.idle_step()

    def check(mounted, promises):
        journal, entries = mounted[1], promises.get("entries", [])
        assert journal.epoch == 1
        assert len(entries) <= journal.size <= len(entries) + 2
        for index in range(promises.get("acknowledged", 0), len(entries)):
            assert journal.entry(index) == entries[index]
        leaves = entries + [journal.entry(index) for index in range(len(entries), journal.size)]
        assert journal.root() == merkle.root_of([merkle.leaf_hash(entry) for entry in leaves])

    assert until_no_cut(history, check, 3) > 20


def check_blobs_show_nothing_but_whole_content():
    contents = [bytes([number + 65]) * length for number, length in enumerate((10, 5000, 3840, 9000))]
    names = [hashlib.sha256(content).digest() for content in contents]

    def history(mounted, promises):
        blobs = mounted[2]
        for number in (0, 1, 2):
            blobs.put(contents[number], own=False)
            promises[number] = True
        promises.pop(1)
        blobs.keep_only([names[0], names[2]])
        blobs.put(contents[3], own=False)
        promises[3] = True

    def check(mounted, promises):
        blobs = mounted[2]
        for name in blobs.names():
            assert hashlib.sha256(b"".join(blobs.chunks(name))).digest() == name
        for number in promises:
            assert blobs.has(names[number])

    assert until_no_cut(history, check, 5) > 10
