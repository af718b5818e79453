"""What the chip's fuses protect: read once at every start, never written by us.

A fuse that cannot be read (another port, another chip) counts as not burnt: a unit is protected only
if it can show so.
"""


def burnt(table: dict) -> dict:
    """Return {name: whether the fuse protects}; table: {name: (register, lowest bit, width, values)}."""
    found = {}
    for name, (register, bit, width, values) in table.items():
        try:
            from machine import mem32

            found[name] = mem32[register] >> bit & ((1 << width) - 1) in values
        except (ImportError, OSError, ValueError):
            found[name] = False
    return found
