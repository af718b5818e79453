"""Shared by the emulators' tests: stepped time, and a wire that collects what a part sends."""

import pytest
from doorward_simulator.devices.device import SerialDevice, SteppedScheduler
from doorward_simulator.devices.ef01 import FingerprintModule
from doorward_simulator.devices.ef01_profiles import R503
from ef01_host import Host


class Wire:
    """The host's end of a serial line."""

    def __init__(self, scheduler: SteppedScheduler, device: SerialDevice):
        self.scheduler, self.device = scheduler, device
        self.received = bytearray()
        device.send = self.received.extend

    def ask(self, data: bytes | str, wait_ms: int = 1000) -> bytes:
        """Send bytes (or hexadecimal), let time pass, return what came back."""
        self.received.clear()
        self.device.receive(bytes.fromhex(data) if isinstance(data, str) else data)
        self.scheduler.advance(wait_ms)
        return bytes(self.received)


@pytest.fixture
def scheduler() -> SteppedScheduler:
    return SteppedScheduler(seed=7)


@pytest.fixture
def wire(scheduler):
    def connect(device: SerialDevice) -> Wire:
        connected = Wire(scheduler, device)
        device.power(True)
        scheduler.advance(500)
        connected.received.clear()
        return connected

    return connect


@pytest.fixture
def host(scheduler, wire):
    """A host at a running fingerprint module of a profile."""
    return lambda profile=R503: Host(wire, FingerprintModule(scheduler, "finger", profile))
