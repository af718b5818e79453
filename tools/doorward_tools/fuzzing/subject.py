"""What is fuzzed: a subject is a parser, its targets are the ways into it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from doorward_tools.fuzzing.mutation import mutated

Own = Callable[[Random, bytes], bytes]


class BrokenPromise(AssertionError):  # noqa: N818 - a finding, told by its name
    """The parser did what it promises not to do."""


def require(condition: bool, promise: str) -> None:
    """Raise unless the promise is kept."""
    if not condition:
        raise BrokenPromise(promise)


@dataclass
class Target:
    """One way in. `feed(data, rng)` returns a value or raises what the subject declares.

    `seeds` are true inputs; `own` are mutations that keep what would stop all others at the first check.
    """

    name: str
    seeds: list[bytes]
    feed: Callable[[bytes, Random], object]
    own: list[Own] = field(default_factory=list)

    def input(self, rng: Random) -> bytes:
        """The next input: now and then a true one, or noise; mostly a spoiled one."""
        seed, roll = rng.choice(self.seeds), rng.random()
        if roll < 0.02:
            return seed
        if roll < 0.04:
            return rng.randbytes(rng.randrange(300))
        if self.own and roll < 0.40:
            data = rng.choice(self.own)(rng, seed)
            return data if roll < 0.33 else mutated(rng, data, self.seeds)
        return mutated(rng, seed, self.seeds)


@dataclass
class Subject:
    """A parser: its name, the exceptions that are refusals, its targets."""

    name: str
    refusals: tuple[type[Exception], ...]
    targets: list[Target]

    def target(self, rng: Random) -> Target:
        """Where the next input goes."""
        return rng.choice(self.targets)


def check_seeds(targets: Iterable[Target], rng: Random) -> None:
    """Every seed is accepted: what is mutated was true."""
    for target in targets:
        for seed in target.seeds:
            target.feed(seed, rng)
