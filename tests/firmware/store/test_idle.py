"""Erasing ahead goes on whatever flash does: what a manifest no longer lists is not to stay for ever."""

import asyncio

from doorward_firmware.store import idle
from doorward_firmware.store.idle import IdleWork
from doorward_simulator.runtimes import compat

compat.install()


class Store:
    """Has so many sectors to erase; the first attempt fails if it is broken."""

    def __init__(self, left, broken=False):
        self.left, self.broken = left, broken

    def idle_step(self):
        if self.broken:
            self.broken = False
            raise OSError("erase")
        self.left = max(0, self.left - 1)
        return self.left > 0


def test_an_erase_that_fails_ends_neither_the_others_nor_later_ones(monkeypatch):
    monkeypatch.setattr(idle, "PAUSE_MS", 0)
    stores = Store(3, broken=True), Store(3)

    async def main():
        work = IdleWork(*stores)
        task = asyncio.create_task(work.run())
        for left in (3, 0):
            await asyncio.sleep(0.05)
            assert [store.left for store in stores] == [left, 0]
            work.wake()
        task.cancel()

    asyncio.run(main())
