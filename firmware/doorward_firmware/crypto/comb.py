"""Multiples of the base point G by a comb of six teeth (Lim and Lee, with signs).

The scalar's 258 signs are written in six rows of 43. A column of six signs is one entry of `comb_table`, or
its negative, and the 43 columns take one doubling and one addition each. With 2 KB of flash that is 800
multiplications; seven teeth would cost 4 KB and save 110 of them, eight 8 KB and save 200.
"""

from doorward_protocol.compat import const
from doorward_protocol.suite import P256_P as P

from doorward_firmware.crypto.comb_table import TABLE
from doorward_firmware.crypto.p256 import add, double, randomised, to_affine
from doorward_firmware.crypto.recoding import entry, plus_minus

TEETH = const(6)
COLUMNS = const(43)

_PIECE = const(6)  # columns between two pauses: 114 multiplications


def columns(scalar):
    """Yield the 43 affine points, the highest first, whose sum with doublings in between is scalar·G."""
    signs, even = plus_minus(scalar, TEETH * COLUMNS)
    rows = [signs >> COLUMNS * row & ((1 << COLUMNS) - 1) for row in range(TEETH - 1, -1, -1)]
    for column in range(COLUMNS - 1, -1, -1):
        group = 0
        for row in rows:
            group = group << 1 | row >> column & 1
        index, negative = entry(group, TEETH - 1)
        at = index << 6
        y = int.from_bytes(TABLE[at + 32 : at + 64], "big")
        yield int.from_bytes(TABLE[at : at + 32], "big"), (y, P - y)[negative ^ even]


async def multiply_base(scalar, draw, pause):
    """Return scalar·G, affine, for 0 < scalar < N; draw(limit) -> a random number from 1 to limit - 1."""
    points = columns(scalar)
    result = randomised(next(points), draw(P))
    for done, point in enumerate(points, 1):
        result = add(double(result), point)
        if done % _PIECE == 0:
            await pause()
    return await to_affine(result, draw, pause)
