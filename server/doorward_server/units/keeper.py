"""Keeps manifests right as time passes: one timer to the next moment at which some manifest has to change.

Orders come into a manifest 12 h before their window and leave it 2 h after their end, and a manifest is
renewed before it goes stale. Nothing is polled: `wake` says that a plan has changed, and with it perhaps the
next moment. All units are looked at a few at a time: each step is a short transaction, and whoever else
has something to write comes in between.
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
STEP = 10  # units in one transaction: some 50 ms
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
        """Look at all manifests now, and again at every boundary, until cancelled."""
        while True:
            self._changed.clear()
            units, self._units = self._units, set()
            try:
                delay = await self._loop.run_in_executor(None, self._step, units)
            except Exception:
                log.exception("manifests could not be looked at; trying again in %d s", RETRY_SECONDS)
                delay = RETRY_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):  # wait_for of Python 3.11 may swallow a cancellation
                    await self._changed.wait()

    def _step(self, units: set[int]) -> float | None:
        """Refresh these units, or all if a boundary was passed; returns the seconds until the next one."""
        now = self._services.clock.milliseconds()
        passed = self._boundary is not None and now >= self._boundary
        if units or passed:
            self._refresh(None if passed else units)
        with self._services.database.reading() as session:
            moment = manifests.next_boundary(session)
        self._boundary = None if moment is None else to_milliseconds(moment)
        if self._boundary is None:
            return None
        return min(max((self._boundary - now) / 1000, LEAST_SECONDS), LONGEST_SECONDS)

    def _refresh(self, only: set[int] | None) -> None:
        """Refresh these units, or all for None. After a failure the next try looks at all of them again."""
        with self._services.database.reading() as session:
            everybody = session.exec(select(Unit.id).order_by(col(Unit.id))).all()
        ids = [unit_id for unit_id in everybody if only is None or unit_id in only]
        for at in range(0, len(ids), STEP):
            with self._services.database.writing() as session:
                query = select(Unit).where(col(Unit.id).in_(ids[at : at + STEP])).order_by(col(Unit.id))
                for unit in session.exec(query).all():
                    service.refresh(session, unit)


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
