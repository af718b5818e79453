"""P-256 on the device: the group law, and the scalars at which the formulas for addition have exceptions.

The expected values come from the textbook's affine formulas in comb_table.py and from OpenSSL.
"""

import random
from pathlib import Path

import comb_table
import pytest
from doorward_firmware.crypto import comb, modular, p256, recoding, windows
from doorward_protocol import errors
from doorward_protocol.suite import P256_N as N
from doorward_protocol.suite import P256_P as P
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite

G = comb_table.G
generator = random.Random(20251125)


async def never_waits():
    """A pause for arithmetic that has nobody to make room for."""


def draw(limit):
    return generator.randrange(1, limit)


def affine(point):
    return run(p256.to_affine(point, draw, never_waits))


def times_g(scalar):
    """scalar·G by OpenSSL."""
    public = run(OpenSSLSuite().public_key((scalar % N).to_bytes(32, "big")))
    return int.from_bytes(public[:32], "big"), int.from_bytes(public[32:], "big")


def base(scalar):
    return run(comb.multiply_base(scalar, draw, never_waits))


def window(scalar, point=G):
    return run(windows.multiply_x(scalar, point, draw, never_waits))


def test_the_table_in_flash_is_the_computed_one():
    assert Path(comb.__file__).with_name("comb_table.py").read_text() == comb_table.source()


def test_group_law():
    twice = p256.double((*G, 1))
    minus = (G[0], P - G[1])
    assert affine(twice) == affine(p256.add((*G, 1), G)) == comb_table.add(G, G)
    assert p256.add((*G, 1), minus)[2] == 0
    assert affine(p256.add(p256.INFINITY, G)) == G
    assert p256.double(p256.INFINITY)[2] == 0
    assert affine(p256.add(twice, minus)) == G
    other = p256.randomised(G, 7)  # the same point with another Z
    assert other[2] == 7
    assert affine(other) == G
    assert affine(p256.add(other, G)) == comb_table.add(G, G)
    assert p256.add(other, minus)[2] == 0
    with pytest.raises(errors.ProtocolError, match="bad_key"):
        affine(p256.INFINITY)


def test_small_and_last_scalars_by_repeated_addition():
    x, y = G
    for scalar in range(1, 70):
        assert base(scalar) == (x, y)
        assert base(N - scalar) == (x, P - y)
        assert window(scalar) == window(N - scalar) == x
        x, y = comb_table.add((x, y), G)


def test_scalars_whose_last_addition_is_a_doubling(monkeypatch):
    """With s = 2·(last digit) mod N the last addition would add a point to itself. All such scalars, of both
    kinds of multiplication; where the formula meets its exception, it is handled."""
    doublings = []
    right = p256.double
    monkeypatch.setattr(p256, "double", lambda point: doublings.append(point) or right(point))
    lasts = [sum(sign << 43 * tooth for tooth, sign in enumerate(signs)) for signs in _signs(6)]
    for last in lasts:
        assert base(2 * last % N) == times_g(2 * last)
    for last in range(-15, 16, 2):
        assert window(2 * last % N) == times_g(2 * last)[0]
    assert doublings  # `add` called it, for only there it is looked up in its own module


def _signs(count):
    return [[1 if number >> at & 1 else -1 for at in range(count)] for number in range(1 << count)]


def test_odd_multiples():
    point = times_g(draw(N))
    twice = comb_table.add(point, point)
    for found in run(windows._odd_multiples(point, never_waits)):
        assert found == point
        point = comb_table.add(point, twice)


def test_sum_of_two_products():
    secret = draw(N)
    point = times_g(secret)
    pairs = [(0, 0), (0, 5), (6, 0), (1, 2), (N - 1, N - 1), (draw(N), draw(N)), (draw(N), draw(N))]
    pairs += [(second * secret % N, second) for second in (1, draw(N))]  # equal summands
    pairs += [(-second * secret % N, second) for second in (1, 1 << 43, draw(N))]  # opposite ones
    for first, second in pairs:
        found = run(windows.add_products(first, second, point, never_waits))
        total = (first + second * secret) % N
        assert affine(found) == times_g(total) if total else found[2] == 0


def test_random_coordinates_change_the_numbers_and_not_the_result():
    draws = iter([5, 6, 7, 8, 5, 6, 7, 8])
    results = [run(comb.multiply_base(12345, lambda _: next(draws), never_waits)) for _ in range(2)]
    results += [(run(windows.multiply_x(12345, G, lambda _: next(draws), never_waits)),) for _ in range(2)]
    assert {result[0] for result in results} == {times_g(12345)[0]}
    assert p256.randomised(G, 2) != p256.randomised(G, 3)


def test_digits_of_secrets_are_never_zero():
    for scalar in (1, 2, 3, 0xFFFF, N - 1, N - 2, draw(N)):
        signs, even = recoding.plus_minus(scalar, 258)
        value = sum((1 if signs >> place & 1 else -1) << place for place in range(258))
        assert value == (N - scalar if even else scalar)
    for group in range(16):
        index, negative = recoding.entry(group, 3)
        assert 2 * group - 15 == (2 * index + 1) * (-1 if negative else 1)


def test_digits_of_public_scalars_are_sparse():
    for scalar in (0, 1, 15, 16, 17, N - 1, draw(N)):
        digits = recoding.sparse(scalar, 4)
        assert sum(digit << place for place, digit in enumerate(digits)) == scalar
        for place, digit in enumerate(digits):
            if digit:
                assert digit % 2 == 1
                assert abs(digit) < 16
                assert not any(digits[place + 1 : place + 5])


@pytest.mark.parametrize("modulus", [P, N])
def test_inverses(modulus):
    for value in (1, 2, modulus - 1, draw(modulus)):
        plain = run(modular.inverse(value, modulus, never_waits))
        assert (
            plain
            == run(modular.blinded_inverse(value, modulus, draw, never_waits))
            == pow(value, -1, modulus)
        )
    assert run(modular.inverse(0, modulus, never_waits)) == 0


def test_square_root():
    value = draw(P)
    assert run(modular.square_root(value, never_waits)) == pow(value, (P + 1) // 4, P)
    assert run(p256.lift_x(G[0], never_waits)) in (G, (G[0], P - G[1]))
    assert run(p256.lift_x(P + 5, never_waits)) is None
