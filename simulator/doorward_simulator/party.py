"""People who do what the screens say, until their handover is over: whatever happens, in whatever order.

A fixed list of steps ends where a power cut throws it back. These people look, as real ones do: at the
panels' screens, at the host screen, at the strikes. Who is outside and asked for a finger gives one; who is
let in walks; who is inside while the panel outside begins afresh presses the egress button and comes out
again. They know nothing of the unit's state, and wait when the screens are dark.
"""

from dataclasses import dataclass, field

from .bank import Person
from .desk import Desk, DeskError
from .devices.tags import Tag
from .site import Site
from .stage import Stage

GLANCE_MS = 500  # between two looks at the screens
PATIENCE_MS = 15_000  # before somebody does again what had no effect

OUTSIDE, CHAMBER, INSIDE = "outside", "in the chamber", "inside"

# Screens of the outer panel that ask the crew for a finger, and those by which it begins afresh.
_ASKS = ("touch_finger", "finger_accepted", "finger_refused_retry", "look_at_camera")
_BEGINS = ("welcome_idle", "vehicle_arrived", "touch_finger", "task_restarted")
_SIGNS = ("officer_finger", "crew_finger", "finger_refused_retry")


@dataclass
class Party:
    """Those who take part in one handover. `stranger` tries a finger once, before the crew."""

    stage: Stage
    unit: str | None
    vehicle: str
    crew: list[Person]
    officer: Person
    desk: Desk
    boxes: dict[str, Tag]
    stranger: Person | None = None
    where: str = OUTSIDE
    told: str = ""  # what the host screen answered last
    _leaving: bool = False
    _boxes_here: bool = False
    _van_here: bool = True
    _next: int = 0
    _done_at: dict[str, int] = field(default_factory=dict)

    def carry_out(self, limit: int) -> str:
        """Act until the vehicle has left and the panels are at rest; what stood in the way, or nothing."""
        world = self.stage.world
        end = world.now() + limit
        while self._van_here or self._shown("outer") != "welcome_idle":
            if world.now() >= end:
                screens = f"outer {self._shown('outer')}, inner {self._shown('inner')}"
                return f"the handover does not end: the crew is {self.where}, {screens} {self.told}"
            if self.stage.unit(self.unit).running:
                self._act()
            world.run_for(GLANCE_MS)
        return ""

    @property
    def _site(self) -> Site:
        return self.stage.site(self.unit)

    def _act(self) -> None:
        outer, inner = self._shown("outer"), self._shown("inner")
        if self._goes_through_a_door():
            return
        if self.where == OUTSIDE:
            self._outside(outer, inner)
        elif not self._leaving and outer in _BEGINS:
            self._get_out()
        elif self.where == CHAMBER:
            if self._patience_is_over("chamber"):
                self._get_out()
        else:
            self._inside(inner)

    def _outside(self, outer: str, inner: str) -> None:
        self._leaving = False
        if outer in _ASKS and self._van_here:
            self._touch_next(outer)
        elif outer == "crew_complete_wait" and self._may("decide"):
            self._decide()
        elif inner == "leave_through_door" and self._van_here:
            self._site.van_leaves(self.vehicle)
            self._van_here = False

    def _inside(self, inner: str) -> None:
        if inner == "reading_boxes" and not self._boxes_here:
            self._site.put_boxes(self.boxes)
            self._boxes_here = True
        elif inner == "box_missing" and self._may("approve"):
            self._site.press("APPROVE")
        elif inner in _SIGNS:
            signs = self.crew[0] if inner == "crew_finger" else self.officer
            self._site.touch(signs, "inner", 2)
        elif inner == "leave_through_door" and self._may("approve"):
            self._leaving = True
            self._site.press("APPROVE")

    def _touch_next(self, outer: str) -> None:
        if self.stranger is not None and outer == "touch_finger":
            self._site.touch(self.stranger, "outer", 2)
            self.stranger = None
            return
        self._site.touch(self.crew[self._next % len(self.crew)], "outer", 2)
        self._next += 1

    def _decide(self) -> None:
        """The officer at the host screen compares, counts and approves what waits there."""
        waiting = [row for row in self.stage.handovers(self.unit) if row["state"] == "crew"]
        if not waiting:
            return
        decision = {"approve": True, "head_count": len(self.crew), "reason": None}
        try:
            picture = waiting[-1]["crew_picture"] or ""
            self.desk.post(f"/api/handovers/{waiting[-1]['id']}/decide", {**decision, "picture": picture})
        except DeskError as error:
            self.told = f"({error})"

    def _get_out(self) -> None:
        """Nobody is trapped: the egress button lets people out whatever the unit thinks."""
        if self._may("egress"):
            self._leaving = True
            self._site.press("EGRESS")

    def _goes_through_a_door(self) -> bool:
        inwards = {OUTSIDE: ("outer", CHAMBER), CHAMBER: ("inner", INSIDE)}
        outwards = {INSIDE: ("inner", CHAMBER), CHAMBER: ("outer", OUTSIDE)}
        name, beyond = (outwards if self._leaving else inwards).get(self.where, ("", ""))
        doors = self.stage.unit(self.unit).parts.doors
        if not name or not doors[name].released or any(door.open for door in doors.values()):
            return False
        door, world = doors[name], self.stage.world
        door.push()
        if world.run_until(lambda: door.open, PATIENCE_MS):
            self.where = beyond
            self._done_at["chamber"] = world.now()
            world.run_until(lambda: not door.open, PATIENCE_MS)
        if self.where == OUTSIDE and self._leaving and self._boxes_here:
            self._site.take_boxes()
            self._boxes_here = False
        return True

    def _patience_is_over(self, what: str) -> bool:
        return self.stage.world.now() >= self._done_at.get(what, 0) + PATIENCE_MS

    def _may(self, what: str) -> bool:
        """Whether it is time to do something, again if need be."""
        if what in self._done_at and not self._patience_is_over(what):
            return False
        self._done_at[what] = self.stage.world.now()
        return True

    def _shown(self, panel: str) -> str:
        """The name of the prompt on a screen, or nothing."""
        pixels = self.stage.unit(self.unit).parts.screens[f"{panel}_screen"].pixels
        for name, prompt in self.stage.preparation.prompts.items():
            if pixels[: len(prompt.rows)] == prompt.rows:
                return name
        return ""
