"""What the chip's fuses protect: read once at every start, never written by us."""


def burnt(table: tuple) -> list:
    """Return [[name, whether the fuse protects]] in the order of the table.

    table: ((name, register, lowest bit, mask, values) …); bit v of `values` is set if the value v protects.
    """
    from machine import mem32

    return [
        [name, values >> (mem32[register] >> bit & mask) & 1 == 1]
        for name, register, bit, mask, values in table
    ]
