"""Where in the firmware's code each flash operation was asked for, written down beside the simulator's bus.

With `DOORWARD_WRITE_PLACES=FILE` in its environment a CPython runtime appends one line per operation, in the
order in which the world carries them out:

    state program store/state.py:66 set < effects.py:55 carry_out

A place is the line of the store that writes, and the line outside of the stores for which it does: that pair,
not the line deep down that all writes share, is what may stand in the wrong order.
"""

import sys
from pathlib import Path
from types import FrameType

VARIABLE = "DOORWARD_WRITE_PLACES"

_PACKAGE = "doorward_firmware"
_SHARED = "store/flash.py"  # through which every store writes


def install(partition: type, path: str) -> None:
    """Let the class that stands for esp32.Partition write down who calls it."""
    write, control = partition.writeblocks, partition.ioctl
    lines = Path(path).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - open as long as the process

    def noting_write(self, block, buffer, offset=None):
        lines.write(f"{self.info()[4]} program {place(sys._getframe(1))}\n")
        write(self, block, buffer, offset)

    def noting_control(self, command, argument=0):
        if command == 6:
            lines.write(f"{self.info()[4]} erase {place(sys._getframe(1))}\n")
        return control(self, command, argument)

    partition.writeblocks, partition.ioctl = noting_write, noting_control


def place(frame: FrameType | None) -> str:
    """The line of a store and the first line outside of the stores, from the innermost frame outwards."""
    inside = ""
    while frame is not None:
        _, found, name = frame.f_code.co_filename.replace("\\", "/").rpartition(f"/{_PACKAGE}/")
        if found and name != _SHARED:
            here = f"{name}:{frame.f_lineno} {frame.f_code.co_name}"
            if not name.startswith("store/"):
                return f"{inside} < {here}" if inside else here
            inside = inside or here
        frame = frame.f_back
    return inside
