"""The device's suite: against OpenSSL, its randomness, and computing faults.

Its vectors are the portable checks, see tests/protocol and tests/micropython.
"""

import asyncio
import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "micropython" / "cpython_stubs"))

from doorward_firmware.crypto import ccm, comb
from doorward_firmware.crypto.suite import DeviceSuite, yield_to_loop
from doorward_protocol import errors
from doorward_protocol.suite import P256_N, run
from doorward_protocol.suite_openssl import OpenSSLSuite


async def never_waits():
    """A pause for a suite that has nobody to make room for."""


@pytest.fixture
def suite():
    return DeviceSuite(random.Random(11).randbytes, pause=never_waits)


def test_its_pause_is_a_sleep_of_no_time(monkeypatch):
    slept = []

    async def sleep_ms(milliseconds):
        slept.append(milliseconds)

    monkeypatch.setattr(asyncio, "sleep_ms", sleep_ms, raising=False)
    run(yield_to_loop())
    assert slept == [0]
    assert DeviceSuite()._pause is yield_to_loop


@pytest.mark.parametrize("faulty_call", [1, 2])
def test_a_wrong_computation_gives_no_signature(suite, monkeypatch, faulty_call):
    """A fault in one multiplication is found before the signature leaves; it would give the key away. One in
    the public key, with which it is looked for, is gone with the next attempt."""
    private, _ = run(suite.new_key())
    right = comb.multiply_base
    calls = 0

    async def faulty(*arguments):
        nonlocal calls
        calls += 1
        x, y = await right(*arguments)
        return (x ^ 1, y) if calls == faulty_call else (x, y)

    monkeypatch.setattr("doorward_firmware.crypto.ecdsa.multiply_base", faulty)
    monkeypatch.setattr(comb, "multiply_base", faulty)
    with pytest.raises(errors.ProtocolError):
        run(suite.sign(private, b"message"))
    assert run(suite.sign(private, b"message")) == run(OpenSSLSuite().sign(private, b"message"))


def test_a_key_that_signs_again_keeps_its_public_key(suite, monkeypatch):
    """The public key of the last signer is computed once; another signer gets its own."""
    keys = [run(suite.new_key()) for _ in range(2)]
    asked = []
    right = suite.public_key
    monkeypatch.setattr(suite, "public_key", lambda private: asked.append(private) or right(private))
    for number in (0, 0, 1, 0):
        private, public = keys[number]
        assert run(suite.verify(public, b"m", run(suite.sign(private, b"m"))))
    assert asked == [keys[0][0], keys[1][0], keys[0][0]]


def test_random_numbers_out_of_range_are_drawn_again():
    draws = iter([bytes(32), P256_N.to_bytes(32, "big"), bytes(31) + b"\x02"])
    assert DeviceSuite(blinding=lambda _: next(draws))._below(P256_N) == 2


class Tape:
    """Randomness that writes down how much was drawn."""

    def __init__(self, seed):
        self._draw = random.Random(seed).randbytes
        self.drawn = []

    def __call__(self, count):
        data = self._draw(count)
        if len(self.drawn) == 1:  # the second draw is no private key
            data = P256_N.to_bytes(32, "big")
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


@pytest.mark.shows("D20")
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
