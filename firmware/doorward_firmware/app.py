"""The application: drivers in, logic in the middle, drivers and journal out.

    inputs, doors, sensors, readers, camera, link
        -> handle(event) -> logic.unit.step -> effects -> Effects.carry_out
        -> journal, relays (through the guard), sensors, screens, speaker, link

`handle` never waits: records, small values and relays are done when it returns, everything else is left with
the task that it belongs to. Nothing that a task, a driver or the network does ends the others.
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.errors import MALFORMED, NAMES, ProtocolError
from doorward_protocol.records import PANEL_INNER, PANEL_OUTER

from doorward_firmware.arrivals import Arrivals
from doorward_firmware.boxes import BoxReader
from doorward_firmware.display import Display
from doorward_firmware.door_control import DoorControl
from doorward_firmware.effects import Effects
from doorward_firmware.logic import events, flows, prompts, settings, unit
from doorward_firmware.logic.task import from_order
from doorward_firmware.panels import Panel
from doorward_firmware.pictures import Pictures
from doorward_firmware.prompts import Prompts
from doorward_firmware.supervision import Faults, Supervisor, feed, reason_of
from doorward_firmware.templates import Templates

_LONGEST_SLEEP = const(3_600_000)  # ms; so the ticks are read often enough never to wrap


class App:
    """Everything that runs. `unit`: the logic's state; `settings`: its times; `faults`: what fails now."""

    def __init__(self, board, clock, suite, state, journal, blobs, desired, link):
        self.clock, self.suite, self.state = clock, suite, state
        self.journal, self.blobs, self.desired, self.link = journal, blobs, desired, link
        self.unit, self.settings = unit.Unit(), settings.defaults()
        self.faults = Faults(self._record_fault)
        self.supervisor = Supervisor(clock, self.report)
        self._board = board
        self._network, self._connected = None, False
        self._waiting, self._busy, self._ready = [], False, False
        self._news = asyncio.Event()
        self.displays = (
            Display(board.outer_screen, blobs, self.report),
            Display(board.inner_screen, blobs, self.report),
        )
        self.prompts = Prompts(board.speaker, *self.displays, blobs, desired, self.report)
        self.pictures = Pictures(self, board.camera, blobs)
        self.panels = {
            PANEL_OUTER: Panel(self, PANEL_OUTER, board.outer_fingerprint),
            PANEL_INNER: Panel(self, PANEL_INNER, board.inner_fingerprint),
        }
        self.templates = Templates(self, tuple(self.panels.values()), blobs, desired)
        self.arrivals = Arrivals(self, board.gate_reader, desired)
        self.boxes = BoxReader(self, board.area_reader)
        self.door_control = DoorControl(self, board.doors, board.inputs)
        self.effects = Effects(self)
        link.on_command = self.command
        link.on_desired = self.orders_changed
        link.health = self.health
        link.idle.busy = self.is_busy

    # Events in, effects out

    def handle(self, *event):
        """Take one event to the logic and carry out what it wants. Events that this causes follow in turn."""
        self._waiting.append(event)
        if self._busy or not self._ready:
            return
        self._busy = True
        try:
            while self._waiting:
                self._waiting = self._step(self._waiting.pop(0)) + self._waiting
        finally:
            self._busy = False
            self._news.set()

    def _step(self, event):
        """One event; what the logic cannot digest changes nothing and is recorded."""
        try:
            state, effects = unit.step(self.unit, event, self.clock.ticks(), self.settings)
        except Exception as error:
            self.trouble(event[0], error)
            return []
        self.unit = state
        return self.effects.carry_out(effects)

    def command(self, fields):
        """A verified command from the link."""
        self.handle(events.COMMAND, fields)

    def orders_changed(self):
        """Another manifest is in force, or more of it has come."""
        self.clock.raise_floor(self.desired.issued)
        configuration = self.desired.configuration()
        if configuration is not None:
            self.configure(configuration)
        renewed = self.prompts.renew()
        task = self.unit.handover.task
        if task is not None:
            order = self.desired.order(task.id)
            if order and self.desired.complete(task.id):
                now = from_order(order, self.desired.roster(), b"", 0, 0)
                if now.people != task.people:  # somebody was withdrawn, or has another permit
                    order = None
            self.handle(events.REVISED, task.id, order and order["version"])
        elif renewed and self._ready:
            self.effects.carry_out(prompts.rest())

    def configure(self, configuration):
        """Take times and site type from a configuration blob; what it names wrongly keeps its default."""
        self.settings, refused = settings.override(configuration["settings"])
        self.report("configuration", MALFORMED if refused else 0, ", ".join(refused))
        fail_secure = tuple(configuration["fail_secure"])
        if self._ready:
            self.handle(events.CONFIGURED, fail_secure)
        else:  # known before the first event: a fire may already burn
            self.unit = self.unit.but(doors=self.unit.doors.but(fail_secure=fail_secure))

    def restore(self, state, effects):
        """Take up what the last run left. Events that came before now follow, but for the doors': their
        contacts are part of the state."""
        self.unit = state
        self.orders_changed()
        early, self._waiting = self._waiting, self.effects.carry_out(effects)
        self._waiting += [event for event in early if event[0] != events.DOOR]
        self._ready = True
        self.handle(events.TICK)
        if self.unit.handover.state == flows.IDLE:
            self.effects.carry_out(prompts.rest())

    # Tasks

    def start(self, network):
        """Start all tasks. network: the interface, or None."""
        self._network = network
        for name, function in self._tasks():
            self.supervisor.start(name, function)

    def _tasks(self):
        yield "clock", self._keep_time
        yield "templates", self.templates.run
        yield "outer panel", self.panels[PANEL_OUTER].run
        yield "inner panel", self.panels[PANEL_INNER].run
        yield "pictures", self.pictures.run
        yield "arrivals", self.arrivals.run
        yield "departures", self.arrivals.watch
        yield "boxes", self.boxes.run
        yield "box reader", self.boxes.switch
        yield "buttons", self.door_control.watch_buttons
        yield "outer display", self.displays[0].run
        yield "inner display", self.displays[1].run
        yield "link", self.link.run

    async def run(self, watchdog):
        """Feed the watchdog and keep house, for ever."""
        await feed(watchdog, self.supervisor, self._keep_house)

    async def _keep_time(self):
        """Send a TICK whenever a deadline of the logic has come."""
        while True:
            deadline = unit.next_deadline(self.unit)
            self._news.clear()
            if deadline is None:
                rest = _LONGEST_SLEEP
            else:
                rest = min(max(0, deadline - self.clock.ticks()), _LONGEST_SLEEP)
            try:
                await asyncio.wait_for_ms(self._news.wait(), rest)
            except asyncio.TimeoutError:
                self.handle(events.TICK)

    def _keep_house(self):
        """Every two seconds: is the cable back, does the chip's clock still agree?"""
        connected = self._network is not None and self._network.isconnected()
        if connected and not self._connected:
            self.link.connect_now()
        self._connected = connected
        jumped = self.clock.check()
        if jumped is not None:
            self.record("clock_set", before=jumped[0], after=jumped[1])

    def is_busy(self):
        """True while somebody waits: flash is not erased ahead then."""
        return self.unit.handover.state not in (flows.IDLE, flows.LEAVE, flows.FROZEN)

    # What goes wrong

    def health(self):
        """What is wrong at the moment, one text each, for the status."""
        return ["%s: %s" % (name, NAMES[self.faults.present[name]]) for name in self.faults.present]

    def report(self, name, reason, detail=""):
        """A part failed, for a code of NAMES, or works again (0); recorded when that changes."""
        self.faults.report(name, reason, detail)
        if name == self._board.gate_reader.name:
            self.arrivals.fault(reason != 0)

    def trouble(self, what, error):
        """An event or an effect failed. If it was a record, this is only remembered: recording fails."""
        reason, detail = reason_of(error)
        if what in (events.RECORD, events.STORE):
            self.faults.present["journal"] = reason
        else:
            self.report("logic: %s" % what, reason, detail)

    def record(self, kind_name, **fields):
        """Record something that no step decided; a full journal must not stop whoever tells it."""
        try:
            self.journal.append(kind_name, **fields)
        except (ProtocolError, OSError) as error:
            self.trouble(events.RECORD, error)
        else:
            self.recorded()

    def recorded(self):
        """The journal takes records."""
        self.faults.present.pop("journal", None)
        self.link.wake()

    def _record_fault(self, name, reason, detail):
        self.record("sensor", name=name, reason=reason, detail=detail)
