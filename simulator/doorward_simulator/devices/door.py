"""A door with its strike and contact: consequences come later, and only if somebody pushes.

The strike holds the leaf unless it is released. Energising the coil releases a strike that locks without
power (fail secure) and locks one that opens without power (fail safe). A pushed leaf opens if the strike lets
it; a closer pulls it shut after a while, and it latches. The contact is closed while the leaf is, and bounces
once, as reed contacts do. People can hold the leaf open, or force it.
"""

from collections.abc import Callable

from doorward_simulator.devices.device import Device, Handle, Scheduler

OPENING_MS, CLOSING_MS, BOUNCE_MS = 350, 3200, 8


class Door(Device):
    """One door. `energise` is the relay's side, `push`, `hold`, `let_go`, `force` are people's."""

    def __init__(self, scheduler: Scheduler, name: str, fail_secure: bool = True):
        super().__init__(scheduler, name)
        self.fail_secure = fail_secure
        self.energised = False
        self.open = False
        self.held = False
        self.broken = False  # forced: the strike holds no more until `repair`
        self.on_contact: Callable[[bool], None] = lambda _closed: None  # True: leaf closed
        self.history: list[tuple[int, str]] = []  # (ms, what happened), for scenarios
        self._closer: Handle | None = None

    @property
    def released(self) -> bool:
        """Whether the strike lets the leaf go."""
        return self.broken or self.energised == self.fail_secure

    @property
    def contact_closed(self) -> bool:
        """State of the contact."""
        return not self.open

    def energise(self, on: bool | None) -> None:
        """The relay's coil; None, a line that nobody drives, is off."""
        before = self.released
        self.energised = bool(on)
        if self.released != before:
            self._note("released" if self.released else "locked")

    def push(self) -> bool:
        """Somebody pushes the leaf and walks through; False when it does not give way."""
        if self.open:
            self._start_closing()
            return True
        if not self.released:
            self._note("pushed in vain")
            return False
        self.later(OPENING_MS, self._opens)
        return True

    def hold(self) -> None:
        """Somebody keeps the leaf open, or puts a wedge under it."""
        self.held = True
        if self._closer is not None:
            self._closer.cancel()
            self._closer = None

    def let_go(self) -> None:
        """The leaf is free again and closes by itself."""
        self.held = False
        if self.open:
            self._start_closing()

    def force(self) -> None:
        """The leaf is broken open."""
        self.broken = True
        self._note("forced")
        self.later(OPENING_MS, self._opens)

    def repair(self) -> None:
        """The strike holds again once the leaf is closed."""
        self.broken = False

    def _opens(self) -> None:
        if self.open:
            return
        self.open = True
        self._note("opened")
        self._bounce(False)
        if not self.held:
            self._start_closing()

    def _start_closing(self) -> None:
        if self.held or self.broken:
            return
        if self._closer is not None:
            self._closer.cancel()
        self._closer = self.later(CLOSING_MS, self._closes)

    def _closes(self) -> None:
        self._closer = None
        self.open = False
        self._note("closed")
        self._bounce(True)

    def _bounce(self, closed: bool) -> None:
        self.on_contact(closed)
        self.later(BOUNCE_MS // 2, lambda: self.on_contact(not closed))
        self.later(BOUNCE_MS, lambda: self.on_contact(not self.open))

    def _note(self, what: str) -> None:
        self.history.append((self.scheduler.now(), what))
