"""The device's cryptography stays within its budgets, by count and never by time."""

import ast
import importlib
import json
import random

import pytest
from doorward_protocol.suite import P256_N, P256_P, run
from doorward_tools import bench_crypto, counted_crypto
from doorward_tools.main import app
from doorward_tools.size import MOST_BETWEEN_YIELDS
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def counts():
    return bench_crypto.count(3)


@pytest.mark.parametrize("name", bench_crypto.BUDGETS)
def test_multiplications_are_within_the_budget(counts, name):
    assert bench_crypto.BUDGETS[name] * 0.5 < counts[name].multiplications < bench_crypto.BUDGETS[name]


def test_nothing_holds_the_loop(counts):
    for name, found in counts.items():
        assert 0 < found.between_pauses <= MOST_BETWEEN_YIELDS, name


def test_a_verification_stays_within_it_in_the_worst_case():
    """A signer can choose the scalars: 51 digits that are no zeros, where 43 are usual."""
    windows = importlib.import_module("counted_crypto.windows")
    scalar = sum(1 << place for place in range(0, 255, 5))
    assert sum(map(bool, windows.sparse(scalar, 4))) == 51
    counted_crypto.counter.begin()
    peer = bench_crypto.prepare()["peer"]
    point = int.from_bytes(peer[:32], "big"), int.from_bytes(peer[32:], "big")
    run(windows.add_products(P256_N - 2, scalar, point, counted_crypto.counter.pause))
    found = counted_crypto.counter.finish()
    rest = 3 + 2  # the key's validity, the two scalars
    assert found.multiplications + rest < bench_crypto.BUDGETS["verify"]
    assert found.between_pauses <= MOST_BETWEEN_YIELDS


def test_every_secret_takes_as_many_multiplications():
    suite = counted_crypto.load().DeviceSuite(pause=counted_crypto.counter.pause)
    generator = random.Random(3)
    found = set()
    peer = bench_crypto.prepare()["peer"]
    for scalar in (1, 3, 1 << 255, P256_N - 1, generator.randrange(P256_N), generator.randrange(P256_N)):
        counted_crypto.counter.begin()
        run(suite.public_key(scalar.to_bytes(32, "big")))
        run(suite.shared_secret(scalar.to_bytes(32, "big"), peer))
        found.add(counted_crypto.counter.finish().multiplications)
    assert len(found) == 1


def test_the_counter_counts():
    counter = counted_crypto.counter
    counter.begin()
    big = 1 << 200
    assert counter.modulo(counter.times(big, big) + counter.times(big, big), P256_P) == 2 * big * big % P256_P
    assert counter.times(big, 3) == 3 * big
    counter.modulo(counter.times(big, big), P256_N)
    assert (counter.counts.modulo_p, counter.counts.modulo_n, counter.counts.between_pauses) == (2, 1, 3)
    counter.times(big, big)
    with pytest.raises(RuntimeError, match="never reduced"):
        counter.finish()
    for source in ("pow(a, b, c)", "a *= b"):
        with pytest.raises(NotImplementedError):
            counted_crypto._Operators().visit(ast.parse(source))


def test_help_has_an_example():
    for arguments in (["bench", "--help"], ["bench", "crypto", "--help"]):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0
        assert "doorward bench crypto" in result.output


def test_it_prints_counts_and_times():
    result = CliRunner().invoke(app, ["bench", "crypto", "--json"])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.output)["operations"]
    assert set(rows) == set(bench_crypto.TITLES)
    for row in rows.values():
        assert row["micropython_ms"] > 0
        assert row["cpython_ms"] > 0
