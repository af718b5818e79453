"""`esp32.Partition` of MicroPython's ESP32 port: raw flash that lives in the world."""
# ruff: noqa: A002, ARG004 - the names and signatures are MicroPython's

import simulated_bus  # pyright: ignore[reportMissingImports]


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
        memoryview(buffer)[:] = simulated_bus.bus.call(
            self._target, "read", block * 4096 + offset, len(buffer)
        )

    def writeblocks(self, block, buffer, offset=None):
        if offset is None:
            for sector in range(block, block + (len(buffer) + 4095) // 4096):
                simulated_bus.bus.call(self._target, "erase", sector)
        simulated_bus.bus.call(self._target, "program", block * 4096 + (offset or 0), bytes(buffer))

    def ioctl(self, command, argument=0):
        if command == 4:
            return self._size // 4096
        if command == 5:
            return 4096
        if command == 6:
            simulated_bus.bus.call(self._target, "erase", argument)
        return 0


def raw_temperature():
    """Degrees Fahrenheit, as the port gives them."""
    return 104
