"""The device's own arithmetic: corners of the curve, yielding, and computing faults.

Its vectors are the portable checks, see tests/protocol and tests/micropython.
"""

import asyncio
import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "micropython" / "cpython_stubs"))

from doorward_firmware.crypto import ccm, p256
from doorward_firmware.crypto.suite import DeviceSuite, yield_to_loop
from doorward_protocol import errors
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite

G = (*p256.G, 1)


async def never_waits():
    """A pause for a suite that has nobody to make room for."""


def times_g(scalar, randomiser=1):
    return run(p256.multiply(scalar, p256.G, randomiser, never_waits))


@pytest.fixture
def suite():
    return DeviceSuite(random.Random(11).randbytes, pause=never_waits)


def test_group_law():
    twice = p256.double(G)
    minus = (G[0], p256.P - G[1], 1)
    assert p256.to_affine(p256.add(G, G)) == p256.to_affine(twice)
    assert p256.add(G, minus)[2] == 0
    assert p256.to_affine(p256.INFINITY) is None
    assert p256.add(p256.INFINITY, G) == G
    assert p256.add(G, p256.INFINITY) == G
    assert p256.double(p256.INFINITY)[2] == 0
    assert p256.to_affine(p256.add(twice, minus)) == p256.G
    other = (G[0] * 49 % p256.P, G[1] * 343 % p256.P, 7)  # the same point with another Z
    assert p256.to_affine(p256.add(other, G)) == p256.to_affine(twice)


def test_small_and_last_scalars_by_repeated_addition():
    point = G
    for scalar in range(1, 70):
        assert times_g(scalar) == p256.to_affine(point)
        x, y = times_g(p256.N - scalar)
        assert (x, p256.P - y) == p256.to_affine(point)
        point = p256.add(point, G)


@pytest.mark.parametrize("seed", range(5))
def test_sum_of_two_products(seed):
    generator = random.Random(seed)
    point = times_g(generator.randrange(1, p256.N))
    for first, second in (
        (0, 0),
        (0, 5),
        (6, 0),
        (1, 2),
        (generator.randrange(p256.N), generator.randrange(p256.N)),
    ):
        expected = p256.INFINITY
        for scalar, base in ((first, p256.G), (second, point)):
            if scalar:
                expected = p256.add(expected, (*run(p256.multiply(scalar, base, 1, never_waits)), 1))
        found = run(p256.multiply_both(first, p256.G, second, point, never_waits))
        assert found == p256.to_affine(expected)
    assert run(p256.multiply_both(5, p256.G, p256.N - 5, p256.G, never_waits)) is None


def test_random_coordinates_change_the_numbers_and_not_the_result():
    assert times_g(12345, 1) == times_g(12345, p256.P - 2) == times_g(12345, 99)
    assert p256._odd_multiples(p256.G, 2)[3] != p256._odd_multiples(p256.G, 3)[3]


def test_every_scalar_takes_the_same_steps():
    """64 odd digits whatever the scalar, so nothing depends on zeros in it."""
    for scalar in (1, 3, 0xFFFF, p256.N - 2, (1 << 255) + 1, (1 << 256) - 1):
        digits = p256._digits(scalar)
        assert len(digits) == 64
        assert all(digit % 2 == 1 and -15 <= digit <= 15 for digit in digits)
        assert sum(digit << 4 * place for place, digit in enumerate(digits)) == scalar


def test_it_yields_between_digits():
    pauses = 0

    async def pause():
        nonlocal pauses
        pauses += 1

    suite = DeviceSuite(random.Random(1).randbytes, pause=pause)
    private, public = run(suite.new_key())
    assert pauses == 64
    run(suite.shared_secret(private, public))
    assert pauses == 128
    assert run(suite.verify(public, b"m", run(OpenSSLSuite().sign(private, b"m"))))
    assert pauses == 128 + 65


def test_its_pause_is_a_sleep_of_no_time(monkeypatch):
    slept = []

    async def sleep_ms(milliseconds):
        slept.append(milliseconds)

    monkeypatch.setattr(asyncio, "sleep_ms", sleep_ms, raising=False)
    run(yield_to_loop())
    assert slept == [0]
    assert DeviceSuite()._pause is yield_to_loop


def test_a_wrong_computation_gives_no_signature(suite, monkeypatch):
    """A fault in one multiplication is found before the signature leaves; it would give the key away."""
    private, _ = run(suite.new_key())
    right = p256.multiply
    calls = 0

    async def faulty(*arguments):
        nonlocal calls
        calls += 1
        x, y = await right(*arguments)
        return (x ^ 1, y) if calls == 1 else (x, y)

    monkeypatch.setattr(p256, "multiply", faulty)
    with pytest.raises(errors.ProtocolError, match="computed wrongly"):
        run(suite.sign(private, b"message"))


def test_a_point_off_the_curve_gives_a_named_refusal(monkeypatch):
    monkeypatch.setattr(p256, "to_affine", lambda _: None)
    with pytest.raises(errors.ProtocolError, match="bad_key"):
        times_g(5)


def test_random_numbers_out_of_range_are_drawn_again():
    draws = iter([bytes(32), p256.N.to_bytes(32, "big"), bytes(31) + b"\x02"])
    assert DeviceSuite(blinding=lambda _: next(draws))._below(p256.N) == 2


class Tape:
    """Randomness that writes down how much was drawn."""

    def __init__(self, seed):
        self._draw = random.Random(seed).randbytes
        self.drawn = []

    def __call__(self, count):
        data = self._draw(count)
        if len(self.drawn) == 1:  # the second draw is no private key
            data = p256.N.to_bytes(32, "big")
        self.drawn.append(data)
        return data


def test_it_draws_what_the_hosts_suite_draws():
    """Journals of both interpreters are equal only if both suites take the same random bytes, in order."""
    tapes, results = [], []
    for build in (OpenSSLSuite, lambda tape: DeviceSuite(tape, pause=never_waits)):
        tape = Tape(7)
        suite = build(tape)
        first, _ = run(suite.new_key())
        second, public = run(suite.new_key())
        salt = suite.random(16)
        results.append((first, second, public, salt, run(suite.shared_secret(first, public))))
        run(suite.verify(public, salt, run(suite.sign(second, salt))))
        tapes.append(tape.drawn)
    assert results[0] == results[1]
    assert tapes[0] == tapes[1]
    assert [len(data) for data in tapes[0]] == [32, 32, 32, 16]


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_openssl(seed, suite):
    openssl = OpenSSLSuite(random.Random(seed).randbytes)
    private, public = run(openssl.new_key())
    _, peer = run(openssl.new_key())
    message = openssl.random(seed * 7)
    assert run(suite.public_key(private)) == public
    assert run(suite.shared_secret(private, peer)) == run(openssl.shared_secret(private, peer))
    signature = run(suite.sign(private, message))
    assert signature == run(openssl.sign(private, message))
    assert run(suite.verify(public, message, signature))
    key, nonce, aad = openssl.random(16), openssl.random(13), openssl.random(seed)
    assert suite.seal(key, nonce, aad, message) == openssl.seal(key, nonce, aad, message)


def test_ccm_limits():
    with pytest.raises(errors.ProtocolError, match="too_large"):
        ccm.seal(bytes(16), bytes(13), b"", bytes(65536))
    with pytest.raises(errors.ProtocolError, match="too_large"):
        ccm.seal(bytes(16), bytes(13), bytes(0xFF00), b"")
    with pytest.raises(errors.ProtocolError, match="bad_ciphertext"):
        ccm.open_sealed(bytes(16), bytes(13), b"", bytes(65536 + 8))
    assert ccm.open_sealed(bytes(16), bytes(13), b"a", ccm.seal(bytes(16), bytes(13), b"a", bytes(65535)))
