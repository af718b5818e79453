"""Buttons, contacts, loops and touch outputs on the expander, as events.

An input becomes active the moment it is first seen so, even if it was so only for the instant that the
expander captured: a tamper loop opened for a millisecond counts. It becomes inactive after it has been so
for 30 ms: contacts bounce, and a bounce must not look like a second press.
"""

import asyncio
import time

from doorward_protocol.compat import const

_SETTLE = const(30)  # ms


class Input:
    """One input: `active`, and the activations as something to wait for."""

    def __init__(self, name: str, bit: int, active_level: int):
        self.name = name
        self.active = False
        self.mask = 1 << bit
        self.inverted = not active_level
        self.settling = False
        self.quiet_since = 0
        self._news = asyncio.Event()

    def activate(self) -> None:
        self.active = True
        self._news.set()

    def release(self) -> None:
        self.active = False
        self._news.clear()

    async def wait_active(self) -> None:
        """Wait for an activation. One that was not waited for counts as long as it lasts."""
        await self._news.wait()
        self._news.clear()


class Inputs:
    """All inputs of the board's table, fed by the expander; `inputs["EGRESS"].active` is a present state."""

    name = "inputs"

    def __init__(self, expander, table: dict):
        self._expander = expander
        self._inputs = {}
        for name, (bit, active_level) in table.items():
            self._inputs[name] = Input(name, bit, active_level)
        self._listeners = []
        expander.on_levels = self._on_levels

    def __getitem__(self, name: str) -> Input:
        return self._inputs[name]

    def listen(self, listener) -> None:
        """Call `listener(name, active)` at every change, and at the start for what is active then."""
        self._listeners.append(listener)

    async def open(self) -> None:
        """Report what is active at the start."""
        levels = self._expander.levels()
        self._on_levels(0, levels, levels)

    async def self_test(self) -> tuple:
        """(ok, detail): what is active; that the chip works is the expander's test."""
        active = [name for name in self._inputs if self._inputs[name].active]
        return True, "active: %s" % (", ".join(active) or "none")

    def _on_levels(self, flags, captured, now):
        for entry in self._inputs.values():
            is_active = bool(now & entry.mask) != entry.inverted
            was_active = flags & entry.mask and bool(captured & entry.mask) != entry.inverted
            if (is_active or was_active) and not entry.active:
                entry.activate()
                self._tell(entry)
            if is_active:
                entry.quiet_since = None
            elif entry.active:
                entry.quiet_since = time.ticks_ms()
                if not entry.settling:
                    entry.settling = True
                    asyncio.create_task(self._settle(entry))  # noqa: RUF006 - ends by itself within 30 ms of quiet

    async def _settle(self, entry):
        rest = _SETTLE
        while entry.quiet_since is not None and rest > 0:
            await asyncio.sleep_ms(rest)
            if entry.quiet_since is not None:
                rest = _SETTLE - time.ticks_diff(time.ticks_ms(), entry.quiet_since)
        entry.settling = False
        if entry.quiet_since is not None:
            entry.release()
            self._tell(entry)

    def _tell(self, entry):
        for listener in self._listeners:
            listener(entry.name, entry.active)
