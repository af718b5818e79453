"""Breadth-first search of everything that can be reached, and the shortest way to a state."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any


class Search:
    """`parents`: each state found, with (state before, move) or None; `transitions`: how many moves were
    tried; `depth`: how many moves the farthest state is away."""

    def __init__(self, begin: Iterable[Hashable], moves: Callable[[Any], Iterable[tuple[Any, Any]]]):
        self._moves = moves
        self.parents: dict[Any, tuple[Any, Any] | None] = dict.fromkeys(begin)
        self.transitions = 0
        self.depth = 0
        self._frontier = list(self.parents)

    def run(self, progress: Callable[[int], object] = str) -> None:
        """Find all; progress(states found so far) is called after each layer."""
        parents, moves = self.parents, self._moves
        while self._frontier:
            following = []
            for state in self._frontier:
                for move, after in moves(state):
                    self.transitions += 1
                    if after not in parents:
                        parents[after] = (state, move)
                        following.append(after)
            self.depth += bool(following)
            self._frontier = following
            progress(len(parents))

    def way_to(self, state: Any) -> list[Any]:
        """The moves of a shortest way from the beginning to a state that was found."""
        way, step = [], self.parents[state]
        while step is not None:
            way.append(step[1])
            step = self.parents[step[0]]
        return way[::-1]
