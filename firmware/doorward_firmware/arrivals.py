"""Vehicles at the gate: who stands there, what that means, and when they have left.

The reader reports a tag that stays again and again. Each vehicle's chip number is read once per visit; then
`logic.arrival` judges it. A refusal is reported once, and again only when the judgement changes: a van that
waits at the gate is admitted when its window opens, when the orders arrive or the clock is set.
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.errors import UNKNOWN_TAG
from doorward_protocol.records import CLOCK_SURE

from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.logic import arrival, events
from doorward_firmware.logic.task import from_order

_TID_TRIES = const(5)  # readings in a row without the chip's answer before the reader is reported


class Arrivals:
    """The gate reader's events as ARRIVED, TURNED_AWAY and GONE."""

    def __init__(self, app, reader, desired):
        self._app, self._reader, self._desired = app, reader, desired
        self._present = ()
        self._visits = {}  # epc -> [tid or None, judgement or None, failed readings of the tid]
        self._news = asyncio.Event()
        self._deaf = False

    def expect(self, epc):
        """A vehicle that was here before a restart counts as seen now."""
        self._present, _ = arrival.seen(self._present, epc, self._app.clock.ticks())

    def again(self):
        """The effect ARRIVE_AGAIN: judge whoever is here afresh, at the next reading."""
        for visit in self._visits.values():
            visit[1] = None

    def fault(self, failed):
        """A reader that fails sees nobody leave."""
        now = self._app.clock.ticks()
        if self._deaf and not failed:
            for epc, _ in self._present:
                self._present, _ = arrival.seen(self._present, epc, now)
        self._deaf = failed
        self._news.set()

    async def run(self):
        """Listen to the reader for ever."""
        self._reader.start()
        while True:
            epc = await self._reader.next_tag()
            self._present, _ = arrival.seen(self._present, epc, self._app.clock.ticks())
            self._news.set()
            task = self._app.unit.handover.task
            if task is None or task.epc != epc:
                await self._judge(epc)

    async def watch(self):
        """Notice who has left, for ever."""
        while True:
            after = self._app.settings["LEFT_AFTER_MS"]
            deadline = None if self._deaf else arrival.next_deadline(self._present, after)
            self._news.clear()
            if deadline is None:
                await self._news.wait()
                continue
            try:
                await asyncio.wait_for_ms(self._news.wait(), max(0, deadline - self._app.clock.ticks()))
            except asyncio.TimeoutError:
                self._present, left = arrival.gone(self._present, self._app.clock.ticks(), after)
                for epc in left:
                    self._visits.pop(epc, None)
                    self._app.handle(events.GONE, epc)

    async def _judge(self, epc):
        visit = self._visits.setdefault(epc, [None, None, 0])
        for other in list(self._visits):  # no more visits are kept than vehicles stand here
            if other != epc and not any(other == present for present, _ in self._present):
                del self._visits[other]
        if visit[0] is None and not await self._read_chip(epc, visit):
            return
        app, wall = self._app, self._app.clock.now()
        completed = app.unit.handover.completed
        reason, order = arrival.decide(
            epc, visit[0], self._desired.orders(), completed, self._conditions(wall)
        )
        judgement = (reason, None if order is None else order["task"])
        if judgement == visit[1] or (reason == UNKNOWN_TAG and arrival.is_box(epc, self._desired.orders())):
            return
        visit[1] = judgement
        if reason:
            app.handle(events.TURNED_AWAY, judgement[1], epc, visit[0], reason)
            return
        people, nonce = self._desired.roster(), app.suite.random(8)
        task = from_order(order, people, nonce, self._desired.version, app.link.last_contact or 0)
        app.handle(events.ARRIVED, task, wall)

    async def _read_chip(self, epc, visit):
        try:
            visit[0] = await self._reader.read_tid(epc)
        except DriverError as error:
            visit[2] += 1
            if visit[2] == _TID_TRIES:
                self._app.report(self._reader.name, error.reason, error.detail)
            return False
        if visit[2] >= _TID_TRIES:
            self._app.report(self._reader.name, 0)
        visit[2] = 0
        return True

    def _conditions(self, wall):
        app, desired = self._app, self._desired
        incomplete = tuple(desired.incomplete())
        return arrival.Conditions(wall, desired.fresh_until, tuple(desired.roster())).but(
            clock_sure=app.clock.state() == CLOCK_SURE,
            in_hand=app.unit.handover.task is not None,
            room=app.journal.room_for_task(),
            incomplete=incomplete,
            unread=any(desired.order(task) is None for task in incomplete),
        )
