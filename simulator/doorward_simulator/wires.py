"""The wires between a processor and its parts: speed, sharing, and a tap for faults in each direction."""

import errno
from collections.abc import Callable

from .devices.device import I2cDevice, Scheduler, SerialDevice, SpiDevice
from .faults import Tap

BITS_PER_BYTE = 10  # 8 data bits, start and stop


class SerialLine:
    """An asynchronous serial line from a UART to one part; bytes take as long as the baud rate says."""

    def __init__(
        self, scheduler: Scheduler, name: str, device: SerialDevice, receive: Callable[[bytes], None]
    ):
        """`receive` gets what the part sends."""
        self.up, self.down = Tap(scheduler, f"{name} up"), Tap(scheduler, f"{name} down")
        self._scheduler, self._device = scheduler, device
        self._baud = device.baud
        self._free_at = 0
        device.send = lambda data: self.down.carry(data, receive)

    def configure(self, baud: int, bits: int, parity: int, stop: int) -> None:
        if (bits, parity, stop) != (8, -1, 1):
            self._device.violation(f"line set to {bits} data bits, parity {parity}, {stop} stop bits")
        self._baud = baud

    def write(self, data: bytes) -> None:
        """Bytes from the processor."""
        now, baud = self._scheduler.now(), self._baud
        self._free_at = max(self._free_at, now) + -(-len(data) * BITS_PER_BYTE * 1000 // baud)
        deliver = lambda chunk: self._device.receive(chunk, baud)  # noqa: E731
        self._scheduler.call_later(self._free_at - now, lambda: self.up.carry(data, deliver))


class TappedSerial(SerialDevice):
    """A part behind a serial bridge, with taps on the bridge's line to it."""

    def __init__(self, scheduler: Scheduler, device: SerialDevice):
        super().__init__(scheduler, device.name, device.baud)
        self.up, self.down = Tap(scheduler, f"{device.name} up"), Tap(scheduler, f"{device.name} down")
        self._device = device
        device.send = lambda data: self.down.carry(data, lambda chunk: self.send(chunk))

    def power(self, on: bool) -> None:
        super().power(on)
        self._device.power(on)

    def receive(self, data: bytes, baud: int | None = None) -> None:
        self.up.carry(bytes(data), lambda chunk: self._device.receive(chunk, baud))


class I2cBus:
    """An I2C bus shared by parts at different addresses; open-drain interrupts join into one line."""

    def __init__(self, scheduler: Scheduler, name: str, interrupt: Callable[[bool], None]):
        """`interrupt` hears True when any part pulls the common line, False when all have let go."""
        self.taps: dict[int, tuple[Tap, Tap]] = {}
        self._scheduler, self._name, self._interrupt = scheduler, name, interrupt
        self._devices: dict[int, I2cDevice] = {}
        self._pulling: set[int] = set()

    def add(self, device: I2cDevice) -> None:
        address = device.address
        if address in self._devices:
            raise ValueError(f"two parts at I2C address 0x{address:02X}")
        self._devices[address] = device
        self.taps[address] = (
            Tap(self._scheduler, f"{device.name} up"),
            Tap(self._scheduler, f"{device.name} down"),
        )
        device.interrupt = lambda active: self._pull(address, active)

    def scan(self) -> list[int]:
        return sorted(self._devices)

    def write(self, address: int, data: bytes) -> int:
        """One write transaction; OSError(ENODEV) when nobody acknowledges. Returns the bytes written."""
        device = self._device(address)
        for chunk in self.taps[address][0].alter(data):
            if not device.write(chunk):
                raise OSError(errno.ENODEV, "not acknowledged")
        return len(data)

    def read(self, address: int, count: int) -> bytes:
        """One read transaction; OSError(ENODEV) when nobody acknowledges."""
        data = self._device(address).read(count)
        if not data and count:
            raise OSError(errno.ENODEV, "not acknowledged")
        chunks = self.taps[address][1].alter(data)
        return (chunks[0] if chunks else b"\xff" * count)[:count]

    def exchange(self, address: int, data: bytes, count: int) -> bytes:
        """Write, repeated start, read: how registers are read."""
        self.write(address, data)
        return self.read(address, count)

    def _device(self, address: int) -> I2cDevice:
        device = self._devices.get(address)
        if device is None or not device.powered or any(tap.cut for tap in self.taps[address]):
            raise OSError(errno.ENODEV, "not acknowledged")
        return device

    def _pull(self, address: int, active: bool) -> None:
        before = bool(self._pulling)
        (self._pulling.add if active else self._pulling.discard)(address)
        if bool(self._pulling) != before:
            self._interrupt(not before)


class SpiBus:
    """An SPI bus: what is sent reaches every part whose chip select is low, beside the data/command level."""

    def __init__(self, scheduler: Scheduler, name: str):
        self.up = Tap(scheduler, f"{name} up")
        self.dc = 1
        self._devices: list[SpiDevice] = []

    def add(self, device: SpiDevice) -> None:
        self._devices.append(device)

    def write(self, data: bytes) -> None:
        """Send; what comes back is not looked at."""
        self.transfer(data)

    def transfer(self, data: bytes) -> bytes:
        """Send and receive at once."""
        answer = b"\xff" * len(data)
        for chunk in self.up.alter(data):
            for device in self._devices:
                if device.selected:
                    answer = device.transfer(chunk, self.dc)
        return answer
