"""Two door strikes and their contacts.

A relay that is energised releases its door, at every site: whether a door without power is locked (fail
secure) or free (fail safe) is decided by the lock and by which relay contact feeds it, not here (see
`docs/hardware.md`). So a processor that is reset, hung or unpowered releases nothing, and people leave by
the egress button, which is wired in series with the strike's supply. Whether a door may be released is
decided by `logic/guard.py` alone.
"""

from .inputs import Inputs


class Doors:
    """Doors by the protocol's numbers. `pins` maps a door to its relay's output pin, already at rest.

    `on_change(door, is_open)` is called when a contact changes.
    """

    name = "doors"

    def __init__(self, pins: dict, contacts: dict, inputs: Inputs):
        self._pins = pins
        self._contacts = contacts
        self._inputs = inputs
        self._released = set()
        self.on_change = None
        inputs.listen(self._on_input)

    def release(self, door: int) -> None:
        """Energise the relay of a door."""
        self._released.add(door)
        self._pins[door](1)

    def lock(self, door: int) -> None:
        """Let the relay of a door fall."""
        self._released.discard(door)
        self._pins[door](0)

    def is_released(self, door: int) -> bool:
        return door in self._released

    def is_open(self, door: int) -> bool:
        """True while the door's contact says that the leaf is not closed, or its wire is cut."""
        return self._inputs[self._contacts[door]].active

    async def open(self) -> None:
        """Nothing to prepare: the relays were put to rest before anything else on the board."""

    async def self_test(self) -> tuple:
        """(ok, detail): both relays are where they should be; the leaves are only reported."""
        for door, pin in self._pins.items():
            if pin.value() != (1 if door in self._released else 0):
                return False, "relay %d does not follow" % door
        return True, "open: %s" % ([door for door in self._contacts if self.is_open(door)] or "none")

    def _on_input(self, name, active):
        for door, contact in self._contacts.items():
            if contact == name and self.on_change is not None:
                self.on_change(door, active)
