"""The link's one writing thread. Small changes that wait for it share a transaction, and with it one flush.

A thousand units that come back at once say three small things each: with a transaction for each, the disk
would be asked three thousand times. If one of those that share fails, each is done again by itself, and only
the one that fails is told so.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from sqlmodel import Session, col, select

from doorward_server.alarms import service as alarms
from doorward_server.link import journal
from doorward_server.services import Services
from doorward_server.units.models import Unit

TOGETHER = 50  # changes in one transaction: some 0.1 s

Result = TypeVar("Result")


class _Change(NamedTuple):
    """Something to do in a transaction, whose unit it is about, and where its result goes."""

    unit_id: int
    action: Callable[[Session], Any]
    future: asyncio.Future[Any]


class Writer:
    """Runs transactions on its thread, one after the other. Used on the event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="link-writer")
        self._journals: journal.Journals = {}  # for the thread alone
        self._waiting: list[_Change] = []
        self._task: asyncio.Task[None] | None = None

    async def run(self, action: Callable[[Session], Result]) -> Result:
        """Do something in a transaction of its own, after what is in work."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._alone, action)

    async def share(self, unit_id: int, action: Callable[[Session], Result]) -> Result:
        """Do something small about a unit, in a transaction with whatever waits; returns after its commit."""
        change = _Change(unit_id, action, asyncio.get_running_loop().create_future())
        self._waiting.append(change)
        if self._task is None:
            self._task = asyncio.create_task(self._write_all())
        return await change.future

    async def close(self) -> None:
        """Do what waits, then stop."""
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    async def _write_all(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
            changes = [change for change in taken if not change.future.cancelled()]
            try:
                results = await self.run(lambda session, changes=changes: _do_all(session, changes))
            except Exception:  # it may be one of them alone
                for change in changes:
                    await self._do_alone(change)
            else:
                for change, result in zip(changes, results, strict=True):
                    if not change.future.cancelled():
                        change.future.set_result(result)
        self._task = None

    async def _do_alone(self, change: _Change) -> None:
        try:
            result = await self.run(change.action)
        except Exception as problem:
            if not change.future.cancelled():
                change.future.set_exception(problem)
        else:
            if not change.future.cancelled():
                change.future.set_result(result)

    def _alone(self, action: Callable[[Session], Any]) -> Any:
        try:
            with self._services.database.writing() as session:
                journal.use(session, self._journals)
                return action(session)
        except BaseException:
            self._journals.clear()  # they may be ahead of what was rolled back
            raise


def _do_all(session: Session, changes: list[_Change]) -> list[Any]:
    """Look up together what most of them need, then do them in their order."""
    ids = {change.unit_id for change in changes}
    units = session.exec(select(Unit).where(col(Unit.id).in_(ids))).all()  # held: the session would drop them
    alarms.prepare(session, (unit.id for unit in units))
    return [change.action(session) for change in changes]
