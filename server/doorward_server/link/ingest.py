"""What units report goes to the database through here, in batches, in their order.

While one batch is being committed by the writer's thread, what arrives meanwhile makes the next: a quiet unit
waits for nobody, a backlog is stored hundreds of records at a time. `stored` goes out only after the
commit. A batch that fails is not acknowledged: its units are disconnected, and send everything again.
"""

import asyncio
import logging
from collections.abc import Callable

from doorward_server.link.batch import Item, store
from doorward_server.link.leaves import ProjectionError
from doorward_server.link.received import Outcome, ReceivedHead
from doorward_server.link.writer import Writer

log = logging.getLogger(__name__)

BATCH = 500  # what others who write may have to wait for: some 0.2 s
# Items that may wait before whoever brings more has to wait as well.
ROOM = 2000


class Ingest:
    """Takes items on the event loop, stores them on the writer's thread, hands outcomes back on the loop."""

    def __init__(
        self,
        writer: Writer,
        done: Callable[[Outcome], None],
        failed: Callable[[set[int]], None],
    ) -> None:
        """`done` is given what to do after each commit, `failed` the units whose items were lost."""
        self._writer = writer
        self._done = done
        self._failed = failed
        self._items: list[Item] = []
        self._heads: dict[int, ReceivedHead] = {}
        self._task: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, item: Item) -> None:
        """Take an item; waits only while too many are waiting."""
        await self._room.wait()
        self._items.append(item)
        if len(self._items) >= ROOM:
            self._room.clear()
        if self._task is None:
            self._task = asyncio.create_task(self._store_all())

    async def close(self) -> None:
        """Store what has been taken."""
        if self._task is not None:
            await self._task

    def waiting_head(self, unit_id: int) -> ReceivedHead | None:
        """The unit's newest head that is ahead of its leaves."""
        return self._heads.get(unit_id)

    def forget_head(self, unit_id: int) -> None:
        """Stop waiting for the leaves of a head."""
        self._heads.pop(unit_id, None)

    async def _store_all(self) -> None:
        while self._items:
            batch, self._items = self._items[:BATCH], self._items[BATCH:]
            if len(self._items) < ROOM:
                self._room.set()
            units = {item.unit_id for item in batch}
            # A head that waited for its leaves is tried again behind what its unit has sent since.
            batch += [self._heads.pop(unit) for unit in units if unit in self._heads]
            try:
                outcome = await self._store(batch)
            except Exception:
                log.exception("%d items could not be stored; their units will send them again", len(batch))
                self._items = [item for item in self._items if item.unit_id not in units]
                self._failed(units)
                continue
            for unit, (_, head) in outcome.waiting.items():
                self._heads[unit] = head
            self._done(outcome)
        self._task = None

    async def _store(self, batch: list[Item]) -> Outcome:
        broken: frozenset[tuple[int, int, int]] = frozenset()
        while True:
            try:
                return await self._writer.run(lambda session, broken=broken: store(session, batch, broken))
            except ProjectionError as problem:
                if problem.place in broken:
                    raise
                log.exception("a record is stored without being projected")
                broken |= {problem.place}
