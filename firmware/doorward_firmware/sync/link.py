"""The unit's link to its server: connects, talks, connects again; it never ends and never stops the unit.

    link = Link(identity, suite, clock, journal, blobs, state, desired)
    link.on_command, link.on_desired = …          called for an accepted command, and when contents changed
    asyncio.create_task(link.run())
    journal.append(…); link.wake()                after every record, which then leaves at once
    link.head_now()                               at the end of a handover

Losing the network is nothing to record. Whatever is refused is recorded with its reason, each kind once per
connection, and the server is told.
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.errors import MALFORMED, ProtocolError

from doorward_firmware.drivers.errors import observed
from doorward_firmware.store.idle import IdleWork
from doorward_firmware.sync.commands import Commands
from doorward_firmware.sync.refusals import Refusals
from doorward_firmware.sync.session import open_session
from doorward_firmware.sync.stream import Disconnected
from doorward_firmware.sync.transfer import Transfer

FIRST_PAUSE_MS = const(1_000)
LONGEST_PAUSE_MS = const(15_000)
LASTING_MS = const(30_000)  # a connection that lasted so long was a good one
CONTACT_MS = const(600_000)  # how often the last contact is written down while connected

_CONTACT = "contact"  # name in State


class Link:
    """See above. `idle.busy` may be set to a function that says when flash should not be erased ahead."""

    def __init__(self, identity, suite, clock, journal, blobs, state, desired, firmware=""):
        self.identity, self.suite, self.clock = identity, suite, clock
        self.journal, self.blobs, self.state, self.desired = journal, blobs, state, desired
        self.firmware = firmware  # version, for `status`
        self.health = _nothing  # () -> list, for `status`
        self.on_command, self.on_desired = _no_command, _nothing
        self.commands = Commands(identity, suite, clock, state)
        self.refusals = Refusals(journal, clock)
        self.idle = IdleWork(journal, blobs, state)
        self.online = False
        self.last_contact = state.get(_CONTACT, 0)  # wall time in ms
        self.wakened = asyncio.Event()
        self._contact_at = None
        self._transfer = None
        self._again = asyncio.Event()

    async def run(self):
        """Stay connected for ever."""
        idle = asyncio.create_task(self.idle.run())
        pause = FIRST_PAUSE_MS
        try:
            while True:
                began = self.clock.ticks()
                await self._connect_once()
                if self.clock.ticks() - began >= LASTING_MS:
                    pause = FIRST_PAUSE_MS
                await self._wait_before_next(pause)
                pause = min(2 * pause, LONGEST_PAUSE_MS)
        finally:
            idle.cancel()
            await asyncio.gather(idle, return_exceptions=True)

    def wake(self):
        """Something was recorded: send it."""
        self.wakened.set()
        self.idle.wake()

    def head_now(self):
        """Let a signed head follow what was recorded at once."""
        if self._transfer:
            self._transfer.head_now()
        self.wake()

    def connect_now(self):
        """The network is back: do not wait any longer."""
        self._again.set()

    def heard(self):
        """A frame of the server has verified."""
        self.last_contact = self.clock.now()
        ticks = self.clock.ticks()
        if self._contact_at is None or ticks - self._contact_at >= CONTACT_MS:
            self._contact_at = ticks
            self.state.set(_CONTACT, self.last_contact)

    async def _connect_once(self):
        what = "handshake"
        try:
            session = await open_session(self.identity, self.suite)
            what = "frame"
            self.refusals.connected()
            await self._converse(session)
        except Disconnected:
            pass
        except ProtocolError as error:
            self.refusals.record_failure(what, error)
        except Exception as error:  # nothing that comes in may end the unit's loop
            self.refusals.record_failure(what, ProtocolError(MALFORMED, observed(error)))

    async def _converse(self, session):
        """Send and receive until one of both fails; raises what it failed with."""
        transfer = self._transfer = Transfer(self, session)
        failures, ended = [], asyncio.Event()
        loops = (transfer.sending, transfer.receiving)
        tasks = [asyncio.create_task(_until_failure(loop, failures, ended)) for loop in loops]
        self.online = True
        self.heard()
        try:
            await ended.wait()
        finally:
            self.online, self._transfer, self._contact_at = False, None, None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await session.close()
        raise failures[0]

    async def _wait_before_next(self, pause):
        """Half of the pause, and a random part of the other half: units do not come back all at once."""
        chance = int.from_bytes(self.suite.random(2), "big")
        self._again.clear()
        try:
            await asyncio.wait_for_ms(self._again.wait(), pause // 2 + pause * chance // 131072)
        except asyncio.TimeoutError:
            pass


async def _until_failure(loop, failures, ended):
    try:
        await loop()
    except Exception as failure:  # raised again by whoever waits for `ended`
        failures.append(failure)
    finally:
        ended.set()


def _nothing():
    return []


def _no_command(fields):
    pass
