"""`esp32.Partition` of MicroPython's ESP32 port: raw flash that lives in the world.

A mount looks at every sector, and on a young board nearly all are blank: a thousand questions for nothing. So
the first read of a partition asks which sectors are blank, and those are not asked for again until this
processor, the only one who writes to its flash while it runs, has written there.
"""
# ruff: noqa: A002, ARG004 - the names and signatures are MicroPython's

import simulated_bus  # pyright: ignore[reportMissingImports]

_blank = {}  # label -> a bit for each sector that is blank (NorFlash.blank), of partitions that were read


def _mark(label, sector, is_blank):
    bits = _blank.get(label)
    if bits is not None and sector >> 3 < len(bits):
        bit = 1 << (sector & 7)
        bits[sector >> 3] = bits[sector >> 3] | bit if is_blank else bits[sector >> 3] & ~bit


class Partition:
    """A data partition, found by its label."""

    BOOT, RUNNING = 0, 1
    TYPE_APP, TYPE_DATA = 0, 1

    def __init__(self, id, block_size=4096):
        if block_size != 4096:
            raise ValueError("only whole sectors of 4096 bytes here")
        self._target = "flash:" + id
        self._label = id
        self._size = simulated_bus.bus.call(self._target, "size")

    @staticmethod
    def find(type=TYPE_APP, subtype=0xFF, label=None, block_size=4096):
        labels = simulated_bus.bus.call("system", "partitions") if type == Partition.TYPE_DATA else []
        return [Partition(name, block_size) for name in labels if label is None or name == label]

    def info(self):
        return (Partition.TYPE_DATA, 0x40, 0, self._size, self._label, False)

    def readblocks(self, block, buffer, offset=0):
        if self._label not in _blank:
            _blank[self._label] = bytearray(simulated_bus.bus.call(self._target, "blank"))
        bits = _blank[self._label]
        sector = block + offset // 4096
        if (
            offset % 4096 + len(buffer) <= 4096
            and 0 <= sector >> 3 < len(bits)
            and bits[sector >> 3] & (1 << (sector & 7))
        ):
            memoryview(buffer)[:] = b"\xff" * len(buffer)
            return
        memoryview(buffer)[:] = simulated_bus.bus.call(
            self._target, "read", block * 4096 + offset, len(buffer)
        )

    def writeblocks(self, block, buffer, offset=None):
        if offset is None:
            for sector in range(block, block + (len(buffer) + 4095) // 4096):
                self.ioctl(6, sector)
        start = block * 4096 + (offset or 0)
        for sector in range(start // 4096, (start + len(buffer) + 4095) // 4096):
            _mark(self._label, sector, False)
        simulated_bus.bus.call(self._target, "program", start, bytes(buffer))

    def ioctl(self, command, argument=0):
        if command == 4:
            return self._size // 4096
        if command == 5:
            return 4096
        if command == 6:
            simulated_bus.bus.call(self._target, "erase", argument)
            _mark(self._label, argument, True)
        return 0


def raw_temperature():
    """Degrees Fahrenheit, as the port gives them."""
    return 104
