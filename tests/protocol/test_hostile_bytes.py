"""A seeded sample of what `doorward bench parsers` and `doorward bench cbor` do by the million."""

from random import Random

import cbor2
import pytest
from doorward_firmware.sync.stream import Disconnected
from doorward_protocol import cbor
from doorward_tools import bench as commands
from doorward_tools.fuzzing import agreement, harness, subjects
from doorward_tools.fuzzing.mutation import LARGEST, MUTATORS, mutated, split
from doorward_tools.fuzzing.subject import BrokenPromise, Subject, Target, check_seeds
from typer.testing import CliRunner

NAMES = ["cbor", "cose", "edhoc", "channel", "ef01", "m100", "websocket", "cobs"]
SEED = 20260301


@pytest.fixture(scope="module")
def made():
    """Each subject once."""
    return {name: subjects.make(name, SEED) for name in NAMES}


def test_all_parsers_are_listed():
    assert list(subjects.SUBJECTS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_seeds_are_true(name, made):
    """What is mutated is accepted as it is; a WebSocket's frames end with the connection's end."""
    for target in made[name].targets:
        assert target.seeds
        if (name, target.name) == ("websocket", "frames"):
            for seed in target.seeds:
                with pytest.raises(Disconnected):
                    target.feed(seed, Random(1))
        else:
            check_seeds([target], Random(1))


@pytest.mark.parametrize("chunk", range(3))
@pytest.mark.parametrize("name", NAMES)
def test_values_and_refusals_only(name, chunk, made):
    """Anything else raises, and so does more memory than the input's length allows."""
    tally = harness.run_chunk(made[name], SEED, chunk)
    assert tally.inputs == harness.CHUNK
    assert tally.accepted > 0
    assert tally.weighed > 10
    if made[name].refusals:
        assert len(tally.refused) > 1, "mutations reach more than one check"


def test_mutations_repeat_themselves_and_stay_small():
    seeds = [b"a seed", bytes(300), b""]

    def some():
        rng = Random(5)
        return [mutated(rng, rng.choice(seeds), seeds) for _ in range(3000)]

    first = some()
    assert first == some()
    assert max(map(len, first)) <= LARGEST
    assert len(set(first)) > 2000
    for mutator in MUTATORS:
        assert isinstance(mutator(Random(1), b"", seeds), bytes)


def test_pieces_are_the_whole():
    rng = Random(2)
    for length in (0, 1, 50, 5000):
        data = rng.randbytes(length)
        for _ in range(20):
            assert b"".join(split(rng, data)) == data


# The harness itself finds what it should.


def subject_of(feed):
    return Subject("made up", (ValueError,), [Target("only", [b"seed"], feed)])


@pytest.mark.parametrize("error", [TypeError, RecursionError, BrokenPromise, KeyError])
def test_what_escapes_is_found(error):
    def feed(data, _rng):
        if len(data) % 7 == 3:
            raise error("wrong")
        raise ValueError("refused")

    with pytest.raises(harness.Escaped, match=rf"made up/only, seed 1, chunk 0, input \d+: {error.__name__}"):
        harness.run_chunk(subject_of(feed), 1, 0)


def test_memory_out_of_proportion_is_found():
    with pytest.raises(harness.Escaped, match=r"MemoryError: .* bytes of memory for an input of"):
        harness.run_chunk(subject_of(lambda _data, _rng: bytes(100_000_000)), 1, 0)


def test_refusals_are_counted():
    def feed(data, _rng):
        if data != b"seed":
            raise ValueError

    tally = harness.run_chunk(subject_of(feed), 1, 0)
    assert tally.accepted + tally.refused["valueerror"] == tally.inputs


# CBOR beside cbor2


@pytest.mark.parametrize("chunk", range(4))
def test_cbor2_agrees(chunk):
    """Items both ways; of spoiled bytes everything is explained, and every rule of the profile is met."""
    judged = agreement.run_chunk(SEED, chunk)
    assert judged.total() == agreement.CHUNK
    assert set(judged) - {"accepted"} <= set(agreement.RULES)


EXAMPLES = {
    "not well-formed": "1c",
    "text is not UTF-8": "61c3",
    "bytes after the item": "0000",
    "break without a beginning": "81ff",
    "integer or length not the shortest": "1817",
    "indefinite length": "9fff",
    "keys out of order": "a202000100",
    "key twice": "a201000100",
    "key neither integer nor text": "a1f500",
    "tag": "c000",
    "float or simple value": "f90000",
    "deeper than eight": "81" * 9 + "00",
}


@pytest.mark.parametrize("name", agreement.RULES)
def test_every_rule_has_an_example(name):
    assert agreement.check_bytes(bytes.fromhex(EXAMPLES[name])) == name


def test_a_difference_would_be_found(monkeypatch):
    monkeypatch.setattr(cbor2, "load", lambda stream: stream.read() and 2)
    with pytest.raises(BrokenPromise, match="same value"):
        agreement.check_bytes(cbor.encode(1))
    monkeypatch.setattr(cbor2, "load", lambda _stream: [])
    with pytest.raises(BrokenPromise, match="refuses it too"):
        agreement.check_bytes(b"\x1c")
    assert not agreement.same({1: 0}, {True: 0})
    assert not agreement.same([1], [True])


# The commands


@pytest.fixture
def bench():
    return lambda *arguments: CliRunner().invoke(commands.app, arguments)


def test_the_commands_print_figures(bench):
    import json

    result = bench("parsers", "m100", "cobs", "--count", "1200", "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)["parsers"]
    assert [(one["parser"], one["inputs"]) for one in figures] == [("m100", 1200), ("cobs", 1200)]
    assert figures[1]["refused"]["malformed"] > 0
    result = bench("cbor", "--count", "1200")
    assert result.exit_code == 0, result.output
    assert "1200 items" in result.stdout
    assert bench("parsers", "telex").exit_code == 2
