"""Vehicles at the gate: who stands there, what that means, and when they have left.

The reader reports a tag that stays again and again. Each vehicle's chip number is read once per visit; then
`logic.arrival` judges it. A refusal is reported once, and again only when the judgement changes: a van that
waits at the gate is admitted when its window opens, when the orders arrive or the clock is set.

Anybody can bring tags to a gate. Boxes are passed over, strangers have a bounded number of places, and a chip
that never answers is a stranger's, or the fault "gate_tag"; none of them makes the reader a faulty one.
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.records import CLOCK_SURE

from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.logic import arrival, events, flows
from doorward_firmware.logic.task import from_order

_TID_TRIES = const(5)  # readings in a row without the chip's answer before that is told
# Longer than a handover: a van that parks behind the gate passes it once more on its way out.
_OUT_OF_REACH_MS = const(600_000)
_GATE_TAG = "gate_tag"  # in records: an expected vehicle's chip does not answer


class Arrivals:
    """The gate reader's events as ARRIVED, TURNED_AWAY and GONE."""

    def __init__(self, app, reader, desired):
        self._app, self._reader, self._desired = app, reader, desired
        self._present = ()
        self._visits = {}  # epc -> [tid or None, judgement or None, failed readings of the tid]
        self._mute = set()  # tags of expected vehicles whose chips do not answer
        self._news = asyncio.Event()
        self._deaf = False

    def expect(self, epc, later=0):
        """A vehicle that was here before a restart counts as seen now, or so many ms later."""
        self._present = arrival.seen(self._present, epc, self._app.clock.ticks() + later, (epc,))

    def again(self):
        """The effect ARRIVE_AGAIN: judge whoever is here afresh, at the next reading."""
        for visit in self._visits.values():
            visit[1] = None

    def fault(self, failed):
        """A reader that fails sees nobody leave."""
        now = self._app.clock.ticks()
        if self._deaf and not failed:
            for epc, _ in self._present:
                self._present = arrival.seen(self._present, epc, now)
        self._deaf = failed
        self._news.set()

    async def run(self):
        """Listen to the reader for ever."""
        self._reader.start()
        while True:
            epc = await self._reader.next_tag()
            orders, task = self._desired.orders(), self._app.unit.handover.task
            expected = arrival.expected(orders, self._app.unit.handover.completed, task)
            if epc not in expected and arrival.is_box(epc, orders):
                continue
            self._present = arrival.seen(self._present, epc, self._app.clock.ticks(), expected)
            self._news.set()
            if arrival.is_here(self._present, epc) and (task is None or task.epc != epc):
                await self._judge(epc, epc in expected)

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
                self._forget_who_left()
                for epc in left:
                    work = self._app.unit.handover
                    if events.GONE in flows.ACCEPTS[work.state]:
                        self._app.handle(events.GONE, epc)
                    elif work.task.epc == epc:  # out of reach, it may stay for long or leave unheard
                        self.expect(epc, _OUT_OF_REACH_MS)

    async def _judge(self, epc, expected):
        self._forget_who_left()
        visit = self._visits.setdefault(epc, [None, None, 0])
        if visit[0] is None and not await self._read_chip(epc, visit, expected):
            return
        app, wall = self._app, self._app.clock.now()
        completed = app.unit.handover.completed
        reason, order = arrival.decide(
            epc, visit[0], self._desired.orders(), completed, self._conditions(wall)
        )
        judgement = (reason, None if order is None else order["task"])
        if judgement == visit[1]:
            return
        visit[1] = judgement
        if reason:
            app.handle(events.TURNED_AWAY, judgement[1], epc, visit[0], reason)
            return
        people, nonce = self._desired.roster(), app.suite.random(8)
        task = from_order(order, people, nonce, self._desired.version, app.link.last_contact or 0)
        app.handle(events.ARRIVED, task, wall)

    async def _read_chip(self, epc, visit, expected):
        """True if the tag can be judged: its chip has answered, or never does and nobody expects the tag."""
        if visit[2] >= _TID_TRIES and not expected:
            return True
        try:
            visit[0] = await self._reader.read_tid(epc)
        except DriverError as error:
            visit[2] += 1
            if visit[2] == _TID_TRIES and expected:
                self._mute.add(epc)
                self._app.report(_GATE_TAG, error.reason, error.detail)
            return False
        self._not_mute(epc)
        return True

    def _forget_who_left(self):
        """No more visits are kept than vehicles stand here."""
        for epc in list(self._visits):
            if not arrival.is_here(self._present, epc):
                del self._visits[epc]
                self._not_mute(epc)

    def _not_mute(self, epc):
        if epc in self._mute:
            self._mute.remove(epc)
            if not self._mute:
                self._app.report(_GATE_TAG, 0)

    def _conditions(self, wall):
        app, desired = self._app, self._desired
        incomplete = tuple(desired.incomplete())
        return arrival.Conditions(wall, desired.fresh_until, tuple(desired.roster())).but(
            clock_sure=app.clock.state() == CLOCK_SURE,
            in_hand=app.unit.handover.task is not None,
            room=app.journal.room_for_task() and app.pictures.room_for_task(),
            incomplete=incomplete,
            unread=any(desired.order(task) is None for task in incomplete),
        )
