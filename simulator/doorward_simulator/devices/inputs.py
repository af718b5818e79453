"""Push buttons and switches: contacts to ground that bounce.

An `Input` has two states. A button is `active` while pressed, the tamper loop while it is broken, the fire
input while the alarm centre holds it. Its wire is low while a normally open contact is active, and high while
a normally closed one is: fire and tamper are wired normally closed, so that a cut cable alarms as well.
"""

from collections.abc import Callable

from doorward_simulator.devices.device import Device, Scheduler

BOUNCE_MS = 6


class Input(Device):
    """One contact with its wire; `on_level` tells every change of the wire's level (1 is high)."""

    def __init__(self, scheduler: Scheduler, name: str, normally_closed: bool = False):
        super().__init__(scheduler, name)
        self.normally_closed = normally_closed
        self.active = False
        self.cut = False  # the cable is cut: nothing pulls the wire low any more
        self.on_level: Callable[[int], None] = lambda _level: None

    @property
    def level(self) -> int:
        """Level of the wire: 0 while the contact connects it to ground."""
        if self.cut:
            return 1
        return int(self.active) if self.normally_closed else int(not self.active)

    def set(self, active: bool) -> None:
        """Press or let go, with one bounce."""
        if active == self.active:
            return
        self.active = active
        self.on_level(self.level)
        self.scheduler.call_later(BOUNCE_MS // 2, lambda: self.on_level(1 - self.level))
        self.scheduler.call_later(BOUNCE_MS, lambda: self.on_level(self.level))

    def press(self, duration_ms: int = 180) -> None:
        """A person's press: down, and up again after a while."""
        self.set(True)
        self.scheduler.call_later(duration_ms, lambda: self.set(False))

    def cut_cable(self, cut: bool = True) -> None:
        """Cut the cable, or join it again."""
        before = self.level
        self.cut = cut
        if self.level != before:
            self.on_level(self.level)
