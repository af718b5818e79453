"""Building the unit from the bottom up, in the order in which things depend on each other.

    flash -> identity -> board (relays at rest first) -> clock -> journal, blobs -> manifest -> link -> app

`run` is called by the flash root's `main.py` and by the simulator's runtime alike; `main` is the same for
whoever has a loop already. A unit that was never provisioned says so and ends: its doors stay as the hardware
leaves them, which is locked from outside and free by the egress button from inside.
"""

import asyncio

from doorward_protocol import records

from doorward_firmware.app import App
from doorward_firmware.board import open_board
from doorward_firmware.clock import Clock
from doorward_firmware.starting import start
from doorward_firmware.store import identity as identities
from doorward_firmware.store.blobs import Blobs
from doorward_firmware.store.journal import Journal
from doorward_firmware.store.state import State
from doorward_firmware.supervision import WATCHDOG_MS
from doorward_firmware.sync.link import Link
from doorward_firmware.sync.manifest import Desired

VERSION = "0.1.0"

_LOOK_BACK = 64  # records, in search of one whose clock was sure


def run(suite=None):
    """Run the unit for ever. suite: cryptography; by default the device's own."""
    asyncio.run(main(suite))


async def main(suite=None):
    """Build everything and run it."""
    import machine

    app, board = build(suite or _device_suite(), machine.RTC())
    await start(app, board, machine.reset_cause(), VERSION)
    await app.run(machine.WDT(timeout=WATCHDOG_MS))


def build(suite, rtc):
    """Return (App, Board), nothing of them running yet. Raises BAD_KEY if the unit has no identity."""
    state = State(partition("state"))
    identity = identities.read(state)
    passwords = {name: number.to_bytes(4, "big") for name, number in identity.passwords.items()}
    board = open_board(passwords, suite.random, lambda *fault: app.report(*fault))
    state.set("boot", state.get("boot", 0) + 1)
    clock = Clock(rtc)
    journal = Journal(partition("journal"), clock, suite, state)
    blobs = Blobs(partition("blobs"))
    desired = Desired(identity, suite, clock, journal, blobs, state)
    clock.begin(max(last_sure_time(journal), desired.issued))
    link = Link(identity, suite, clock, journal, blobs, state, desired, VERSION)
    app = App(board, clock, suite, state, journal, blobs, desired, link)
    return app, board


def partition(label):
    """Return a raw partition of the board's table. Raises OSError if the flash has none of that name."""
    from esp32 import Partition

    found = Partition.find(Partition.TYPE_DATA, label=label)
    if not found:
        raise OSError("flash has no partition %s: flash the board again" % label)
    return found[0]


def last_sure_time(journal):
    """Return the time (ms since 1970 UTC) of the last record whose clock was sure, or 0."""
    for index in range(journal.size - 1, max(-1, journal.size - 1 - _LOOK_BACK), -1):
        entry = journal.entry(index)
        if entry is not None:
            record = records.decode(entry)
            if record.clock == records.CLOCK_SURE:
                return record.time
    return 0


def _device_suite():
    from doorward_firmware.crypto.suite import DeviceSuite

    return DeviceSuite()
