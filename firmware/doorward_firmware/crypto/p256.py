"""The group of P-256 (SP 800-186 §3.2.1.3) for a device without a library for it.

    modular      inverses and roots
    p256         points: doubling, addition, validity                      (this file)
    recoding     a scalar's digits
    comb         multiples of the base point, with `comb_table` from flash
    windows      multiples of any point, and the sum that verifies a signature
    ecdsa        signatures

Running points are Jacobian, (X, Y, Z) with x = X/Z², y = Y/Z³ and Z = 0 for infinity. What is added to them
is always affine, (x, y), which saves a third of an addition.

The arithmetic is MicroPython's own long integers with `% P` after each product. The prime's special form was
measured against that in the 32-bit interpreter, one product and its reduction each: `% P` 3.9 µs; by words
(SP 800-186 §G.1.2) 39.8 µs; folding 2**256 = 2**224 - 2**192 - 2**96 + 1, by shifts 40.4 µs, by a product
25.0 µs; Montgomery's form, whose factor is 1 for this prime, 15.3 µs; Barrett's two products 5.0 µs. One
division in C costs less than two calls from bytecode, so what the form does serve is the square root.

Secret scalars take the same doublings and additions whatever they are, from a point whose Z is fresh and
random, so that no two runs compute with the same numbers. Long integers still take a time that depends on
their value; that is the limit of this package, and why a secure element can take the suite's place.
"""

from doorward_protocol.errors import BAD_KEY, ProtocolError
from doorward_protocol.suite import P256_P as P

from doorward_firmware.crypto.modular import blinded_inverse, square_root

B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
INFINITY = (1, 1, 0)


def is_on_curve(x, y):
    """True if (x, y) is a point of the curve, coordinates reduced (NIST SP 800-56A §5.6.2.3.3)."""
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x - 3) * x - B) % P == 0


async def lift_x(x, pause):
    """Return one of the two points with this x, or None; they differ in sign, their multiples have one x."""
    if not 0 <= x < P:
        return None
    y = await square_root(((x * x - 3) * x + B) % P, pause)
    return (x, y) if is_on_curve(x, y) else None


def double(point):
    """Return 2·point (for a = -3; infinity included)."""
    x, y, z = point
    delta = z * z % P
    gamma = y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P, 2 * y * z % P


def add(point, affine):
    """Return point + affine, whatever they are (madd of the explicit-formulas database)."""
    x1, y1, z1 = point
    x2, y2 = affine
    if z1 == 0:
        return x2, y2, 1
    square = z1 * z1 % P
    h = (x2 * square - x1) % P
    r = (y2 * z1 % P * square - y1) % P
    if h == 0:
        return double(point) if r == 0 else INFINITY
    hh = h * h % P
    hhh = h * hh % P
    v = x1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - y1 * hhh) % P, z1 * h % P


def randomised(affine, factor):
    """Return the same point with Z = factor, a number from 1 to P - 1."""
    x, y = affine
    square = factor * factor % P
    return x * square % P, y * square % P * factor % P, factor


async def to_affine(point, draw, pause):
    """Return (x, y). Raises BAD_KEY for infinity, to which only a point off the curve or a fault leads."""
    x, y, z = point
    if z == 0:
        raise ProtocolError(BAD_KEY)
    inverse = await blinded_inverse(z, P, draw, pause)
    square = inverse * inverse % P
    return x * square % P, y * square % P * inverse % P
