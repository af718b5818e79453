"""The delivery again, with the plug pulled in the middle of one flash piece, and put back some seconds later.

People go on by what they see. In the end everything is as after a day without trouble, but for the attempts
that the cut ended: one closed handover, one journal at both ends, every door explained, every finger counted.
"""

from doorward_simulator.flash import Piece
from doorward_simulator.stage import Stage
from doorward_simulator.unit import Unit

from .promises import broken, recorded_first
from .recording import Recorder
from .recovery import Recovered, copies

OUTAGE_MS = 5_000
EXPECTED = {"restarted"}  # alarms that a power cut may cause


class Cut:
    """One cut of one unit: in the piece with this number. Judges the flash as the cut leaves it."""

    def __init__(self, stage: Stage, number: int, expected: tuple[str, Piece]):
        """`expected`: label and piece of the recording that has to come again."""
        self._stage, self._number, self._expected = stage, number, expected
        self._unit: Unit = stage.unit(None)
        self.problems: list[str] = []
        self.happened = False
        self.recorder = Recorder(self._unit, self._before)
        stage.disturbed.add(self._unit.name)
        stage.expected_alarms |= EXPECTED

    def judge(self) -> list[str]:
        """What is wrong with the whole day, in sentences; after its last step."""
        if not self.happened:
            return ["power never failed"]
        entries = self._unit.journal.entries()
        problems = self.problems + self._promises() + recorded_first(self.recorder.departures, self._leaves())
        if any(entry.epoch != 1 for entry in entries):
            problems.append("a new epoch began: the journal was forked")
        ends = [(e.record.name, e.record.fields["nonce"]) for e in entries if e.record.name in _ONCE]
        problems += [f"{name} is recorded twice for one attempt" for name in _doubled(ends)]
        if sum(name == "closed" for name, _ in ends) != 1:
            problems.append("the handover was not closed exactly once")
        boots = [entry.record.boot for entry in entries if entry.record.name == "boot"]
        if len(set(boots)) != len(boots):
            problems.append("two starts have one number")
        closed = [row for row in self._stage.handovers(None) if row["state"] in ("closed", "left")]
        if len(closed) != 1:
            problems.append(f"the centre has {len(closed)} closed handovers")
        return problems

    def _before(self, number: int) -> None:
        if number != self._number or self.happened:
            return
        self.happened = True
        label, piece = self.recorder.pieces[number]
        if (label, piece) != self._expected:
            self.problems.append(f"piece {number} is another one than in the recording")
        self._unit.flash[label].cut_after(0, f"{self._stage.scenario.seed}:{number}")
        world = self._stage.world
        world.call_later(0, lambda: self.problems.extend(self._promises()))
        world.call_later(OUTAGE_MS, self._unit.power_on)

    def _promises(self) -> list[str]:
        """What the flash as it is now has forgotten."""
        try:
            recovered = Recovered(copies(self._unit.flash), self._stage.world.clock.epoch)
        except Exception as error:  # whatever a mount raises is what we look for
            return [f"the stores cannot be mounted: {error!r}"]
        return broken(recovered, self.recorder.departures, self._leaves(recovered))

    def _leaves(self, recovered: Recovered | None = None) -> dict[tuple[int, int], bytes]:
        seen = {(entry.epoch, entry.index): entry.content for entry in self._unit.journal.entries()}
        return {**(recovered.leaves if recovered else {}), **seen}


_ONCE = ("vehicle", "crew", "boxes", "closed", "restarted", "left")


def _doubled(ends: list[tuple[str, bytes]]) -> list[str]:
    return sorted({name for name, nonce in ends if ends.count((name, nonce)) > 1})
