"""The world: who acts when. It owns time, everything planned, all randomness, and the participants' turns.

One step gives one cause to one party. Order, so that two runs are equal: participants whose deadline has come
(in the order in which they joined), then inputs in the order in which they arose, then the planned calls by
(time, sequence). A timer goes before an input of the same millisecond, so a participant never has both in one
turn. Everybody computes in zero time; only waiting takes time.
"""

import heapq
import random
import selectors
from collections import deque
from collections.abc import Callable

from .clock import Clock
from .participant import Participant, ParticipantGone

SPIN_LIMIT = 10_000  # turns of one participant within one millisecond


class Planned:
    """A planned call; `cancel()` takes it back."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], None]):
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Corner:
    """One party's view of the world as a `devices.device.Scheduler`: common time, randomness of its own."""

    def __init__(self, world: "World", name: str):
        self._world = world
        self.random = world.randomness(name)

    def now(self) -> int:
        return self._world.clock.now

    def call_later(self, delay_ms: int, callback: Callable[[], None]) -> Planned:
        return self._world.call_later(delay_ms, callback)


class World:
    """Time, planned calls and participants. `seed` decides everything that is random in it."""

    def __init__(self, clock: Clock, seed: int):
        self.clock, self.seed = clock, seed
        self.selector = (
            selectors.DefaultSelector()
        )  # the network's sockets; data = function to call when ready
        self.after_network: Callable[[], None] = lambda: None  # set by the network
        self.participants: list[Participant] = []
        self.steps = 0
        self._planned: list[tuple[int, int, Planned]] = []
        self._sequence = 0
        self._inputs: deque[tuple[Participant, str, object]] = deque()
        self._spinner: Participant | None = None
        self._spins = (0, 0)  # (time, turns) of the spinner

    def now(self) -> int:
        return self.clock.now

    def randomness(self, name: str) -> random.Random:
        """A stream of its own for each name, so that one party's use does not disturb another's."""
        return random.Random(f"{self.seed}:{name}")  # noqa: S311 - reproducible on purpose

    def corner(self, name: str) -> Corner:
        """The scheduler to give to emulated devices."""
        return Corner(self, name)

    def call_later(self, delay_ms: int, callback: Callable[[], None]) -> Planned:
        """Plan a call `delay_ms` from now; equal times run in the order they were planned."""
        planned = Planned(callback)
        self._sequence += 1
        heapq.heappush(self._planned, (self.clock.now + max(0, int(delay_ms)), self._sequence, planned))
        return planned

    def join(self, participant: Participant) -> None:
        """Let a participant's process start up and run until it is first idle."""
        self.participants.append(participant)
        self._turn(participant, None)

    def leave(self, participant: Participant) -> None:
        """Kill the process and forget what it was still to be told."""
        participant.kill()
        if participant in self.participants:
            self.participants.remove(participant)
        self._inputs = deque(entry for entry in self._inputs if entry[0] is not participant)

    def post(self, participant: Participant | None, channel: str, payload: object) -> None:
        """Something for a participant to notice, at this moment and in its own turn."""
        if participant is not None and participant.alive:
            self._inputs.append((participant, channel, payload))

    def step(self, until: int | None = None) -> bool:
        """Give one cause; False if nothing is due up to `until` (world time in ms), which is then reached."""
        if not self._act_now():
            moment = self._next_moment()
            if moment is None or (until is not None and moment > until):
                if self._wait(until):
                    return True
                if until is not None:
                    self.clock.reach(until)
                return False
            if self._wait(moment):
                return True
            self.clock.reach(moment)
            if not self._act_now():
                self._call_planned()
        self.steps += 1
        return True

    def run_until(self, condition: Callable[[], bool], limit_ms: int) -> bool:
        """Step until the condition holds; False if it does not within `limit_ms` of world time."""
        end = self.clock.now + limit_ms
        while not condition():
            if not self.step(end):
                return condition()
        return True

    def run_for(self, duration_ms: int) -> None:
        """Let `duration_ms` pass."""
        end = self.clock.now + duration_ms
        while self.step(end):
            pass

    def leap(self, duration_ms: int) -> None:
        """Let `duration_ms` pass in one leap, as if all processors stood still for it: what falls due in it
        comes afterwards, in its order. Only for virtual time."""
        self.clock.reach(self.clock.now + duration_ms)

    def close(self) -> None:
        """End every process."""
        for participant in list(self.participants):
            self.leave(participant)
        self.selector.close()

    def _act_now(self) -> bool:
        """A participant's turn that is due at this very moment, if there is one."""
        participant = next((p for p in self.participants if _due(p, self.clock.now)), None)
        if participant is not None:
            self._turn(participant, ["timer", self.clock.now])
        elif self._inputs:
            participant, channel, payload = self._inputs.popleft()
            self._turn(participant, ["input", self.clock.now, channel, payload])
        return participant is not None

    def _next_moment(self) -> int | None:
        while self._planned and self._planned[0][2].callback is None:
            heapq.heappop(self._planned)
        moments = [p.deadline for p in self.participants if p.deadline is not None]
        if self._planned:
            moments.append(self._planned[0][0])
        return min(moments, default=None)

    def _call_planned(self) -> None:
        _, _, planned = heapq.heappop(self._planned)
        callback, planned.callback = planned.callback, None
        if callback is not None:
            callback()

    def _wait(self, moment: int | None) -> bool:
        """In real time: wait for `moment` or the network; True if the network had something.

        A world that lags behind the PC stays in order: the network's news never jumps over what is due.
        """
        if not self.clock.realtime:
            return False
        ready = self.selector.select(self.clock.wait(moment))
        if ready:
            elapsed = self.clock.elapsed()
            self.clock.reach(elapsed if moment is None else min(moment, elapsed))
        for key, _ in ready:
            key.data()
        self.after_network()
        return bool(ready)

    def _turn(self, participant: Participant, cause: list | None) -> None:
        if not participant.alive:
            return
        self._watch_for_spinning(participant)
        participant.run(cause)

    def _watch_for_spinning(self, participant: Participant) -> None:
        moment, turns = self._spins
        if participant is not self._spinner or moment != self.clock.now:
            self._spinner, turns = participant, 0
        self._spins = (self.clock.now, turns + 1)
        if turns > SPIN_LIMIT:
            self.leave(participant)
            raise ParticipantGone(f"{participant.name}: asks for ever more turns at {self.clock.now} ms")


def _due(participant: Participant, now: int) -> bool:
    return participant.alive and participant.deadline is not None and participant.deadline <= now
