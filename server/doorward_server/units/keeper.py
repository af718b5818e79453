"""Keeps manifests right as time passes: one timer to the next moment at which some manifest has to change.

Orders come into a manifest 12 h before their window and leave it 2 h after their end, and a manifest is
renewed before it goes stale. Nothing is polled: `wake` says that a plan has changed, and with it perhaps the
next moment. At such a moment only those units are looked at whose manifest time has made old.

Once after each start everybody is looked at, because another release or other settings may make other
contents. That is never urgent, and a start is when all units come back: it goes a few units at a time, with
pauses. Each step is a short transaction, and whoever else has something to write comes in between.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlmodel import col, select

from doorward_server.clock import to_milliseconds
from doorward_server.services import Services
from doorward_server.units import manifests, service
from doorward_server.units.models import Unit

log = logging.getLogger(__name__)

RETRY_SECONDS = 60  # after a failure that is not the plan's: a full disk, a lost database
LEAST_SECONDS = 0.001
STEP = 5  # units in one transaction: some 50 ms
# Between the steps of the look at everybody: a tenth of a processor, and minutes for a thousand units.
PAUSE_SECONDS = 0.5
LONGEST_SECONDS = 3600  # a wall clock may be set while the timer runs


class Keeper:
    """The timer. Made on the event loop that runs it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        # In ms since 1970 UTC; in the past at first, so that everything is looked at once.
        self._boundary: int | None = 0
        self._units: set[int] = set()
        # Whom the look at everybody has not reached yet (None: it has not begun), and when it goes on.
        self._unseen: list[int] | None = None
        self._goes_on = self._loop.time()

    def wake(self, unit_id: int | None = None) -> None:
        """Something has changed, and with it perhaps the next moment; `unit_id`: look at this unit now.

        From any thread.
        """
        self._loop.call_soon_threadsafe(self._note, unit_id)

    def _note(self, unit_id: int | None) -> None:
        if unit_id is not None:
            self._units.add(unit_id)
        self._changed.set()

    async def run(self) -> None:
        """Look at what time has made old now and at every boundary, until cancelled."""
        while True:
            self._changed.clear()
            units, self._units = self._units, set()
            try:
                delay = await self._loop.run_in_executor(None, self._step, units)
            except Exception:
                log.exception("manifests could not be looked at; trying again in %d s", RETRY_SECONDS)
                self._units |= units
                delay = RETRY_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):  # wait_for of Python 3.11 may swallow a cancellation
                    await self._changed.wait()

    def _step(self, units: set[int]) -> float | None:
        """Refresh these units, and those that time has made old; returns the seconds until the next step."""
        now = self._services.clock.milliseconds()
        if self._boundary is not None and now >= self._boundary:
            with self._services.database.reading() as session:
                units = units.union(manifests.due(session))
        try:
            self._refresh(sorted(units))
        finally:
            self._look_further()
        with self._services.database.reading() as session:
            moment = manifests.next_boundary(session)
        self._boundary = None if moment is None else to_milliseconds(moment)
        delays = [self._goes_on - self._loop.time()] if self._unseen else []
        if self._boundary is not None:
            delays.append(min((self._boundary - now) / 1000, LONGEST_SECONDS))
        return max(min(delays), LEAST_SECONDS) if delays else None

    def _look_further(self) -> None:
        """Go on with the look at everybody, if it is time. What fails is tried again."""
        if self._unseen is None:
            with self._services.database.reading() as session:
                self._unseen = list(session.exec(select(Unit.id).order_by(col(Unit.id))))
        if self._unseen and self._loop.time() >= self._goes_on:
            now, self._unseen = self._unseen[:STEP], self._unseen[STEP:]
            try:
                self._refresh(now)
            except Exception:
                self._unseen += now  # behind all others
                raise
            self._goes_on = self._loop.time() + PAUSE_SECONDS

    def _refresh(self, ids: list[int]) -> None:
        """Renew what these units should hold. One that fails holds up nobody else; its failure comes last."""
        failure = None
        groups = [ids[at : at + STEP] for at in range(0, len(ids), STEP)]
        while groups:
            group = groups.pop(0)
            try:
                self._renew(group)
            except Exception as problem:
                if len(group) > 1:
                    groups[:0] = [[one] for one in group]
                else:
                    log.warning("the manifest of unit %d cannot be made: %s", group[0], problem)
                    failure = problem
        if failure is not None:
            raise failure

    def _renew(self, ids: list[int]) -> None:
        with self._services.database.writing() as session:
            for unit in session.exec(select(Unit).where(col(Unit.id).in_(ids)).order_by(col(Unit.id))).all():
                service.renew(session, unit)


@asynccontextmanager
async def keeping_manifests(services: Services) -> AsyncIterator[None]:
    """Runs the keeper beside the server."""
    keeper = Keeper(services)
    services.parts["manifests"] = keeper
    task = asyncio.create_task(keeper.run())
    try:
        yield
    finally:
        del services.parts["manifests"]
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
