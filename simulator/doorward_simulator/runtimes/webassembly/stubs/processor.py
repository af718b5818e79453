"""A simulated board's interpreter: the bus, the names that the port lacks, then the firmware's own main.

The host (processor.mjs) imports this, calls `begin` once, and from then on `step` while it says True, then
`idle`.
"""
# pyright: reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false
# The names are those of MicroPython's webassembly port.

import asyncio
import gc
import os
import random
import sys
import time

import simulated_bus  # pyright: ignore[reportMissingImports]
import simulated_net  # pyright: ignore[reportMissingImports]
import world_loop  # pyright: ignore[reportMissingImports]


class DeviceTransport:
    """Frames over the host's character device."""

    def __init__(self):
        self._file = open("/dev/bus", "r+b")  # noqa: PTH123, SIM115 - open as long as the process lives

    def send(self, frame):
        self._file.write(len(frame).to_bytes(4, "big") + frame)

    def receive(self):
        return self._file.read(int.from_bytes(self._file.read(4), "big"))


bus = simulated_bus.connect(DeviceTransport())
loop = world_loop.WorldLoop(bus)
step, idle = loop.step, loop.idle
gc.threshold(128 * 1024)  # bytes between collections; with the port's 16 KB they were half of all work
collect, allocated = gc.collect, gc.mem_alloc


def loaded():
    """The names of all modules so far."""
    return " ".join(sys.modules)


def _draw(stream):
    return lambda count: bus.call("random", stream, count)


def _refuse_to_sleep(_time):
    raise RuntimeError("time.sleep stops the whole device: await asyncio.sleep_ms instead")


def _prepare():
    asyncio.run = loop.run
    asyncio.ThreadSafeFlag = world_loop.ThreadSafeFlag
    asyncio.open_connection = simulated_net.open_connection
    os.urandom = _draw("bytes")
    random.seed(int.from_bytes(os.urandom(16), "big") & 0xFFFFFFFF)
    time.time = lambda: bus.call("rtc", "seconds")
    time.sleep = time.sleep_ms = time.sleep_us = _refuse_to_sleep


def begin(program):
    """Start the firmware, or the file that stands in its place."""
    _prepare()
    try:
        if program:
            __import__("program")
        else:
            from doorward_firmware import main
            from doorward_firmware.crypto.suite import DeviceSuite

            main.run(DeviceSuite(random=_draw("bytes"), blinding=_draw("blinding")))
    except Exception as error:
        world_loop.end(error)
