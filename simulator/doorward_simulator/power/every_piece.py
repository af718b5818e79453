"""At every piece of a recording: what the stores recover if power fails in it, torn in several ways.

The images grow piece by piece. At each, nothing of the next piece is done, or a part of it, twice at random;
the firmware's stores mount what is left, twice, and every promise that had been given by then is asked for.
"""

import random
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from doorward_firmware.store.blobs import Blobs

from doorward_simulator.flash import NorFlash, Piece, PowerCut

from .promises import Leaves, broken
from .recording import Departure
from .recovery import Recovered

TEARS = 2  # ways in which each piece is torn, besides "nothing of it was done"


@dataclass
class Recording:
    """A delivery as it was: see `recording`. `heard`: the server's copy of what the frames carried."""

    initial: Mapping[str, bytes]
    pieces: list[tuple[str, Piece]]
    departures: list[Departure]
    leaves: Leaves
    heard: list[bytes]
    places: list[str]  # for each piece, where in the code it was asked for
    wall: int  # ms since 1970 at the end


class EveryPiece:
    """Walks through a recording. `mounts` counts the recoveries."""

    def __init__(self, recording: Recording, seed: int):
        self._recording, self._seed = recording, seed
        self._flash = {label: _chip(label, image) for label, image in recording.initial.items()}
        self._scratch = {label: _chip(label, image) for label, image in recording.initial.items()}
        self._stale: set[str] = set()
        self._blobs: Blobs | None = None
        self.mounts = 0

    def problems(
        self, chosen: Collection[int] | None = None, told: Callable[[int], None] = lambda _number: None
    ) -> list[str]:
        """What is wrong at the chosen pieces, by default all, in sentences."""
        problems, departed = [], []
        waiting = iter(self._recording.departures)
        following = next(waiting, None)
        for number, (label, piece) in enumerate(self._recording.pieces):
            while following is not None and following.after <= number:
                departed.append(following)
                following = next(waiting, None)
            if chosen is None or number in chosen:
                for how, found in self._torn(number, label, piece, departed):
                    problems += [f"{self._name(number)}, {how}: {text}" for text in found]
            self._flash[label].carry_out(piece)
            self._stale.add(label)
            if label == "blobs":
                self._blobs = None
            told(number)
        return problems

    def _torn(
        self, number: int, label: str, piece: Piece, departed: list[Departure]
    ) -> Iterator[tuple[str, list[str]]]:
        ways = [("nothing of it done", None)]
        ways += [(f"torn ({tear})", f"{self._seed}:{number}:{tear}") for tear in range(1, TEARS + 1)]
        for how, seed in ways:
            self._renew()
            if seed is not None:
                _tear(self._scratch[label], piece, seed)
                self._stale.add(label)
            untouched = label != "blobs" or seed is None
            yield how, self._recover(departed, untouched)

    def _recover(self, departed: list[Departure], blobs_untouched: bool) -> list[str]:
        recording = self._recording
        try:
            first = Recovered(self._scratch, recording.wall, self._blobs if blobs_untouched else None)
            if blobs_untouched:
                self._blobs = first.blobs
            essence, found = first.essence(), broken(first, departed, recording.leaves, recording.heard)
            again = Recovered(self._scratch, recording.wall, first.blobs if blobs_untouched else None)
        except Exception as error:  # whatever a mount raises is what we look for
            self._stale.update(self._scratch)
            return [f"the stores cannot be mounted: {error!r}"]
        finally:
            self.mounts += 1
            self._stale |= {label for label, chip in self._scratch.items() if chip.pieces}
            if self._scratch["blobs"].pieces:  # a mount has written: what it knows is of this image only
                self._blobs = None
        return found if again.essence() == essence else [*found, "a second mount finds something else"]

    def _renew(self) -> None:
        """Let the scratch chips be what the true ones are."""
        for label in self._stale:
            chip = self._scratch[label]
            chip.image[:] = self._flash[label].image
            chip.programs = chip.erases = 0
        self._stale.clear()

    def _name(self, number: int) -> str:
        label, piece = self._recording.pieces[number]
        return f"piece {number} ({label} {piece.kind} at {piece.offset}, {self._recording.places[number]})"


def spread(count: int, total: int, seed: int) -> list[int]:
    """`count` numbers below `total`, one at random in each of as many equal parts."""
    choice = random.Random(f"spread {seed}")  # noqa: S311 - reproducible
    bounds = [total * part // count for part in range(count + 1)]
    return [choice.randrange(low, high) for low, high in pairwise(bounds) if low < high]


def _chip(label: str, image: bytes) -> NorFlash:
    chip = NorFlash(len(image), label)
    chip.image[:] = image
    return chip


def _tear(chip: NorFlash, piece: Piece, seed: str) -> None:
    chip.cut_after(0, seed)
    try:
        chip.carry_out(piece)
    except PowerCut:
        chip.power_on()
