"""A site with its unit, and what people do there: drive up, touch, stand, push, carry boxes, press buttons.

Nothing here knows what the firmware makes of it. Consequences come as they do outside: a finger rests for a
while, a leaf opens only if its strike lets go, a tag is heard in some rounds and not in others.
"""

from collections.abc import Iterable

from .bank import Person
from .devices.pn532 import Card
from .devices.tags import Tag
from .unit import Unit
from .world import World

TOUCH_MS = 2600  # that a finger rests on the sensor
PAUSE_MS = 400  # before the next finger
WALK_MS = 20_000  # that people wait at a door, or for one to close
CARD_MS = 1500  # that a card is held to the reader
SENSORS = {"outer": "outer_fingerprint", "inner": "inner_fingerprint"}


class Site:
    """One site of the world."""

    def __init__(self, world: World, unit: Unit):
        self.unit = unit
        self._world = world
        self._random = world.randomness(f"site {unit.name}")
        self._vans: dict[str, Tag] = {}
        self._boxes: dict[str, Tag] = {}

    def van_arrives(self, name: str, tag: Tag) -> None:
        """A van stops at the gate; `name` only serves to find it again."""
        self._vans[name] = tag
        self.unit.parts.readers["gate_reader"].enter(tag)

    def van_leaves(self, name: str) -> None:
        self.unit.parts.readers["gate_reader"].leave(self._vans.pop(name))

    def stand(self, people: Iterable[Person]) -> None:
        """Exactly these people stand before the outer panel's camera, the first one nearest."""
        camera = self.unit.parts.camera
        for look in list(camera.people):
            camera.leave(look)
        for person in reversed(list(people)):
            camera.stand(person.look)

    def touch(self, person: Person, panel: str, finger: int, condition: str = "normal") -> None:
        """Lay a finger on a panel's sensor for TOUCH_MS; waits until the sensor is free. At the outer panel
        the person steps up to the camera."""
        module = self.unit.parts.fingerprints[SENSORS[panel]]
        self._world.run_until(lambda: module.finger is None, 10 * TOUCH_MS)
        if panel == "outer":
            self.unit.parts.camera.stand(person.look)
        module.press(person.fingers[finger].touch(self._random, condition))
        self._world.call_later(TOUCH_MS, module.lift)
        self._world.run_for(TOUCH_MS + PAUSE_MS)

    def push(self, door: str) -> bool:
        """Push a leaf and go through; False if it does not give way."""
        return self.unit.parts.doors[door].push()

    def walk(self, doors: Iterable[str]) -> str:
        """Go through these doors one after the other, each when its strike lets go and the one before is
        closed again; returns what stood in the way, or nothing."""
        for name in doors:
            door = self.unit.parts.doors[name]
            if not self._world.run_until(lambda door=door: door.released, WALK_MS):
                return f"the {name} door is not released"
            door.push()
            self._world.run_until(lambda door=door: door.open, WALK_MS)
            if not self._world.run_until(lambda door=door: not door.open, WALK_MS):
                return f"the {name} door does not close"
        return ""

    def put_boxes(self, tags: dict[str, Tag]) -> None:
        """Put boxes, by their numbers, into the handover area."""
        for number, tag in tags.items():
            self._boxes[number] = tag
            self.unit.parts.readers["area_reader"].enter(tag)

    def take_boxes(self, numbers: Iterable[str] | None = None) -> None:
        """Take boxes away; all of them if none is named."""
        for number in list(self._boxes if numbers is None else numbers):
            self.unit.parts.readers["area_reader"].leave(self._boxes.pop(number))

    def press(self, button: str, duration: int = 180) -> None:
        """Press a button, or break a loop, by its name in the board's table, for `duration` ms."""
        self.unit.parts.buttons[button].press(duration)

    def show_card(self, card: Card) -> None:
        """Hold a staff card to the inner panel's reader for CARD_MS."""
        reader = self.unit.parts.card_reader
        reader.place(card)
        self._world.call_later(CARD_MS, lambda: reader.remove(card))
