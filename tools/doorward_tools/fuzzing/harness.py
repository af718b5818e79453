"""Feeds a subject and watches it: what it answers, how long an input takes, how much memory.

Work is cut into chunks with a source of randomness each, so that they can run in any order and process, and
one of them can be repeated alone.
"""

import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from doorward_protocol.errors import NAMES

from doorward_tools.fuzzing.subject import Subject

CHUNK = 1000  # inputs
WEIGHED = 61  # each so-manieth input has its memory traced, which takes some ten times as long
# What an input may make a parser hold: a fixed sum, and so much for each byte of it. A list of empty strings
# takes eight bytes for one, a map of maps some hundred.
FIXED = 256 * 1024
PER_BYTE = 160


class Escaped(Exception):  # noqa: N818 - a finding, told by its name
    """Something else than a value or a declared refusal, with all that repeats it."""


@dataclass
class Tally:
    """What was seen of one subject. Times in ns, memory in bytes."""

    subject: str
    inputs: int = 0
    bytes: int = 0
    accepted: int = 0
    refused: Counter = field(default_factory=Counter)
    spent: int = 0
    slowest: int = 0
    slowest_input: str = ""
    peak: int = 0
    weighed: int = 0

    def add(self, other: "Tally") -> None:
        """Take in what another process has seen."""
        for name in ("inputs", "bytes", "accepted", "spent", "weighed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.refused += other.refused
        self.peak = max(self.peak, other.peak)
        if other.slowest > self.slowest:
            self.slowest, self.slowest_input = other.slowest, other.slowest_input

    def to_json(self) -> dict:
        """For `--json`."""
        return {
            "parser": self.subject,
            "inputs": self.inputs,
            "input_bytes": self.bytes,
            "accepted": self.accepted,
            "refused": dict(self.refused.most_common()),
            "microseconds_per_input": round(self.spent / max(1, self.inputs) / 1000, 2),
            "slowest_microseconds": self.slowest // 1000,
            "slowest_input": self.slowest_input,
            "peak_memory_bytes": self.peak,
            "memory_samples": self.weighed,
        }


def run_chunk(subject: Subject, seed: int, chunk: int, count: int = CHUNK) -> Tally:
    """Feed `count` inputs. Raises Escaped at the first that gives anything but a value or a refusal."""
    rng = Random(f"{seed}/{subject.name}/{chunk}")  # noqa: S311 - repeats itself on purpose
    tally = Tally(subject.name)
    for number in range(count):
        target = subject.target(rng)
        data = target.input(rng)
        try:
            _feed(tally, subject, target, data, rng, number % WEIGHED == WEIGHED - 1)
        except Exception as error:
            raise Escaped(
                f"{subject.name}/{target.name}, seed {seed}, chunk {chunk}, input {number}: "
                f"{type(error).__name__}: {error}; {len(data)} bytes: {data[:400].hex()}"
            ) from error
    return tally


def _feed(tally: Tally, subject: Subject, target, data: bytes, rng: Random, weigh: bool) -> None:
    tally.inputs += 1
    tally.bytes += len(data)
    peak = 0
    if weigh:
        tracemalloc.start()
    began = time.perf_counter_ns()
    try:
        target.feed(data, rng)
        tally.accepted += 1
    except subject.refusals as refusal:
        tally.refused[_name(refusal)] += 1
    finally:
        spent = time.perf_counter_ns() - began
        if weigh:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    if weigh:
        tally.weighed += 1
        tally.peak = max(tally.peak, peak)
        if peak > FIXED + PER_BYTE * len(data):
            raise MemoryError(f"{peak} bytes of memory for an input of {len(data)}")
        return
    tally.spent += spent
    if spent > tally.slowest:
        tally.slowest = spent
        tally.slowest_input = f"{target.name}, {len(data)} bytes: {data[:32].hex()}"


def _name(refusal: Exception) -> str:
    reason = getattr(refusal, "reason", None)
    return NAMES[reason] if reason in NAMES else type(refusal).__name__.lower()
