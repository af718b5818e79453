"""Multiples of any point by windows, and the sum of two products that verifies a signature.

Both begin with a table of the point's odd multiples. Its entries are made affine together, by one inversion.
"""

from doorward_protocol.compat import const
from doorward_protocol.suite import P256_P as P

from doorward_firmware.crypto.comb import COLUMNS, columns
from doorward_firmware.crypto.modular import inverse
from doorward_firmware.crypto.p256 import INFINITY, add, double, randomised, to_affine
from doorward_firmware.crypto.recoding import entry, plus_minus, sparse

_ODD = const(8)  # 1, 3, 5 … 15 times the point
_BITS = const(3)  # of an index into them

_DIGITS = const(64)  # of a secret scalar, four signs each
_PIECE = const(2)  # such digits between two pauses: 86 multiplications
_SUM_PIECE = const(6)  # doublings between two pauses in the sum: at most 136 multiplications


async def multiply_x(scalar, point, draw, pause):
    """Return x of scalar·point for 0 < scalar < N and an affine point of the curve.

    draw(limit) returns a random number from 1 to limit - 1; pause() is awaited between pieces of work.
    """
    table = await _odd_multiples(point, pause)
    signs, _ = plus_minus(scalar, 4 * _DIGITS)  # an even scalar's negative has the same x
    result = None
    for place in range(_DIGITS - 1, -1, -1):
        index, negative = entry(signs >> 4 * place & 15, _BITS)
        x, y = table[index]
        y = (y, P - y)[negative]
        if result is None:
            result = randomised((x, y), draw(P))
            continue
        result = add(double(double(double(double(result)))), (x, y))
        if place % _PIECE == 0:
            await pause()
    return (await to_affine(result, draw, pause))[0]


async def add_products(first, second, point, pause):
    """Return first·G + second·point, Jacobian, for scalars below N. Not for secrets."""
    table = await _odd_multiples(point, pause)
    digits = sparse(second, _BITS + 1)
    await pause()
    of_base = columns(first)
    result = INFINITY
    for place in range(max(len(digits), COLUMNS) - 1, -1, -1):
        result = double(result)
        digit = digits[place] if place < len(digits) else 0
        if digit > 0:
            result = add(result, table[digit >> 1])
        elif digit < 0:
            x, y = table[-digit >> 1]
            result = add(result, (x, P - y))
        if place < COLUMNS:  # the comb shares the last doublings
            result = add(result, next(of_base))
        if place % _SUM_PIECE == 0:
            await pause()
    return result


async def _odd_multiples(point, pause):
    """Return [1, 3, 5 … 15]·point, all affine. Nothing here depends on a scalar.

    Twice the point is added again and again, and is given the sum's Z each time, so that both have the same
    Z (co-Z addition: Meloni 2007; Goundar, Joye and others 2011). Each Z is the last one times a factor.
    """
    x, y = point
    yy = y * y % P
    step_x, step_y = x * yy * 4 % P, 8 * yy * yy % P  # first the point itself, with Z = 2y
    slope = 3 * (x * x - 1) % P
    sum_x = (slope * slope - 2 * step_x) % P
    sum_y = (slope * (step_x - sum_x) - step_y) % P
    # Now `sum` is twice the point: exchange them.
    step_x, step_y, sum_x, sum_y = sum_x, sum_y, step_x, step_y
    z = 2 * y
    found = [point]
    factors = []
    for _ in range(_ODD - 1):
        factor = (step_x - sum_x) % P
        factors.append(factor)
        z = z * factor % P
        square = factor * factor % P
        wide, narrow = step_x * square % P, sum_x * square % P
        rise = step_y - sum_y
        step_y = step_y * (wide - narrow) % P
        sum_x = (rise * rise - wide - narrow) % P
        sum_y = (rise * (wide - sum_x) - step_y) % P
        step_x = wide
        found.append((sum_x, sum_y))
    await pause()
    inverted = await inverse(z, P, pause)
    for place in range(_ODD - 1, 0, -1):
        square = inverted * inverted % P
        x, y = found[place]
        found[place] = (x * square % P, y * square % P * inverted % P)
        inverted = inverted * factors[place - 1] % P
    await pause()
    return found
