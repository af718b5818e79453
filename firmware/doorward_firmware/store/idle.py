"""Erasing ahead while nothing else is to be done: one sector at a time, with pauses for everybody else.

An erase stops the chip for up to 80 ms, so the stores never need one while somebody waits, if this runs.
"""

import asyncio

from doorward_protocol.compat import const

PAUSE_MS = const(200)  # after each step


class IdleWork:
    """Does idle steps of stores, `idle_step() -> more`; while `busy()` is true they wait for a later wake."""

    def __init__(self, *stores):
        self._stores = stores
        self.busy = _never
        self._wakened = asyncio.Event()
        self._wakened.set()

    def wake(self):
        """Something was written or given up; there may be work."""
        self._wakened.set()

    async def run(self):
        """Work for ever."""
        while True:
            await self._wakened.wait()
            self._wakened.clear()
            for store in self._stores:
                try:
                    while not self.busy() and store.idle_step():
                        await asyncio.sleep_ms(PAUSE_MS)
                except OSError:  # told when that sector is needed; the others are erased even so
                    pass
            await asyncio.sleep_ms(PAUSE_MS)


def _never():
    return False
