"""Scalar multiplication on P-256 for a device without a library for it.

Points are Jacobian, (X, Y, Z) with x = X/Z², y = Y/Z³ and Z = 0 for infinity. The arithmetic is MicroPython's
own long integers, with `% P` after each product: under MicroPython one division in C is four times as fast as
the prime's special form (NIST SP 800-186 §G.1) put together from a dozen interpreted shifts and masks.

A secret scalar is recoded into 64 odd digits of four bits, so that every scalar takes the same sequence of
doublings and additions, and the point gets a fresh random Z first, so that no two runs compute with the same
numbers. Long integers still take a time that depends on their value; that is the limit of this file, and why
a secure element can take the suite's place.

Multiplications are `async`: they call pause() after each digit, some milliseconds of work on the device.
"""

from doorward_protocol.compat import const
from doorward_protocol.errors import BAD_KEY, ProtocolError
from doorward_protocol.suite import P256_N as N
from doorward_protocol.suite import P256_P as P

B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
INFINITY = (1, 1, 0)

_WINDOW = const(4)  # bits of a digit
_DIGITS = const(64)


def is_on_curve(x, y):
    """True if (x, y) is a point of the curve, coordinates reduced (NIST SP 800-56A §5.6.2.3.3)."""
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x - 3) * x - B) % P == 0


def lift_x(x):
    """Return one of the two points with this x, or None; they differ in sign, their multiples have one x."""
    if not 0 <= x < P:
        return None
    y = pow((x * x - 3) * x + B, (P + 1) // 4, P)
    return (x, y) if is_on_curve(x, y) else None


def double(point):
    """Return 2·point (dbl-2001-b of the explicit-formulas database, for a = -3)."""
    x, y, z = point
    delta = z * z % P
    gamma = y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    z3 = ((y + z) * (y + z) - gamma - delta) % P
    y3 = (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P
    return x3, y3, z3


def add(first, second):
    """Return first + second, whatever they are (add-1998-cmo-2, with the exceptional cases)."""
    x1, y1, z1 = first
    x2, y2, z2 = second
    if z1 == 0:
        return second
    if z2 == 0:
        return first
    z1z1 = z1 * z1 % P
    z2z2 = z2 * z2 % P
    u1 = x1 * z2z2 % P
    s1 = y1 * z2 * z2z2 % P
    h = (x2 * z1z1 - u1) % P
    r = (y2 * z1 * z1z1 - s1) % P
    if h == 0:
        return double(first) if r == 0 else INFINITY
    hh = h * h % P
    hhh = h * hh % P
    v = u1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - s1 * hhh) % P, z1 * z2 * h % P


def to_affine(point):
    """Return (x, y), or None for infinity."""
    x, y, z = point
    if z == 0:
        return None
    inverse = pow(z, P - 2, P)
    square = inverse * inverse % P
    return x * square % P, y * square * inverse % P


def _odd_multiples(point, randomiser):
    """1, 3, 5 … 15 times the affine point, beginning with Z = randomiser."""
    x, y = point
    square = randomiser * randomiser % P
    first = (x * square % P, y * square * randomiser % P, randomiser)
    twice = double(first)
    table = [first]
    while len(table) < 1 << (_WINDOW - 1):
        table.append(add(table[-1], twice))
    return table


def _digits(scalar):
    """The 64 odd digits, each within ±15, of an odd scalar below 2**256, least first."""
    digits = []
    for _ in range(_DIGITS - 1):
        digit = (scalar & 31) - 16
        digits.append(digit)
        scalar = (scalar - digit) >> _WINDOW
    digits.append(scalar)
    return digits


def _pick(table, digit):
    if digit > 0:
        return table[digit >> 1]
    x, y, z = table[-digit >> 1]
    return x, P - y, z


async def multiply(scalar, point, randomiser, pause):
    """Return scalar·point, affine, for 0 < scalar < N and an affine point of the curve.

    randomiser is a random number from 1 to P - 1; pause() is awaited between pieces of work.
    """
    negative = not scalar & 1
    digits = _digits(N - scalar if negative else scalar)
    table = _odd_multiples(point, randomiser)
    await pause()
    result = _pick(table, digits[-1])
    for place in range(_DIGITS - 2, -1, -1):
        result = double(double(double(double(result))))
        result = add(result, _pick(table, digits[place]))
        await pause()
    affine = to_affine(result)
    if affine is None:  # the order is prime, so only a computing fault or a point off the curve leads here
        raise ProtocolError(BAD_KEY)
    return affine[0], P - affine[1] if negative else affine[1]


async def multiply_both(first, first_point, second, second_point, pause):
    """Return first·first_point + second·second_point, affine, None for infinity. Not for secrets."""
    first_table = _odd_multiples(first_point, 1)
    second_table = _odd_multiples(second_point, 1)
    await pause()
    # An even scalar is made odd, and the point once too many is taken away at the end.
    first_digits = _digits(first | 1)
    second_digits = _digits(second | 1)
    result = INFINITY
    for place in range(_DIGITS - 1, -1, -1):
        result = double(double(double(double(result))))
        result = add(result, _pick(first_table, first_digits[place]))
        result = add(result, _pick(second_table, second_digits[place]))
        await pause()
    for scalar, table in ((first, first_table), (second, second_table)):
        if not scalar & 1:
            result = add(result, _pick(table, -1))
    return to_affine(result)
