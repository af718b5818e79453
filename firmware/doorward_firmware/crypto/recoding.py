"""How a scalar is cut into digits.

A secret scalar gets digits that are never zero: an odd number below 2**bits is a sum of all powers of two
below that, each added or subtracted, so every scalar takes the same steps. A public one gets as many zeros as
possible.
"""

from doorward_protocol.suite import P256_N as N


def plus_minus(scalar, bits):
    """Return (signs, even). Bit i of signs says whether 2**i is added or subtracted, in a sum over `bits`
    places that is scalar, or if scalar is even N - scalar. 0 <= scalar < N."""
    even = 1 - (scalar & 1)
    return ((scalar, N - scalar)[even] + (1 << bits) - 1) >> 1, even


def entry(signs, bits):
    """Return (index, negative) for a group of bits + 1 signs: a table holds only the groups that begin with
    a plus, and the others are their negatives."""
    negative = signs >> bits ^ 1
    return (signs ^ -negative) & ((1 << bits) - 1), negative


def sparse(scalar, bits):
    """Return scalar's digits, least first: zero, or odd and within ±2**bits with `bits` zeros after it
    (width-(bits + 1) non-adjacent form)."""
    digits = []
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar & ((2 << bits) - 1)
            if digit >> bits:
                digit -= 2 << bits
            scalar -= digit
        digits.append(digit)
        scalar >>= 1
    return digits
