"""Computes the firmware's table for multiples of the base point, by the textbook's affine formulas alone.

    .venv/bin/python tests/firmware/crypto/comb_table.py > firmware/doorward_firmware/crypto/comb_table.py

test_comb.py compares the result with the file.
"""

import sys

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
TEETH = 6
COLUMNS = 43

HEAD = '''"""The comb's table, made by tests/firmware/crypto/comb_table.py: x and y of 32 points.

Point i is 2**215·G with 2**(43·t)·G, for t from 0 to 4, added if bit t of i is set and subtracted if not; its
coordinates have 32 bytes each. One constant, so that a frozen module leaves it in flash, where one entry at a
time is read.
"""

# fmt: off
TABLE = (
'''


def add(first, second):
    """The sum of two affine points neither of which is infinity nor the other's negative."""
    (x1, y1), (x2, y2) = first, second
    rise, run = (3 * (x1 * x1 - 1), 2 * y1) if first == second else (y2 - y1, x2 - x1)
    slope = rise * pow(run, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def points():
    """The 32 points."""
    teeth: list[tuple[int, int]] = [G]
    for _ in range(TEETH - 1):
        point = teeth[-1]
        for _ in range(COLUMNS):
            point = add(point, point)
        teeth.append(point)
    for index in range(1 << (TEETH - 1)):
        total = teeth[-1]
        for tooth in range(TEETH - 1):
            x, y = teeth[tooth]
            total = add(total, (x, y) if index >> tooth & 1 else (x, P - y))
        yield total


def escaped(data):
    """Bytes as they stand in a literal, every one of them as \\x and two digits."""
    return "".join(f"\\x{byte:02x}" for byte in data)


def source():
    """The text of the module."""
    table = b"".join(value.to_bytes(32, "big") for point in points() for value in point)
    lines = [table[at : at + 16] for at in range(0, len(table), 16)]
    return HEAD + "".join(f'    b"{escaped(line)}"\n' for line in lines) + ")\n"


if __name__ == "__main__":
    sys.stdout.write(source())
