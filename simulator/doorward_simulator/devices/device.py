"""What every emulated part has in common: a wire, power, time, and a list of what was done to it wrongly.

Three kinds of wire exist. A `SerialDevice` is given bytes with `receive` and answers through `send`, late and
as slowly as its baud rate. An `I2cDevice` sees one `write` or `read` per bus transaction and may pull an
interrupt line. A `SpiDevice` sees chip select and full-duplex transfers beside a data/command line.

Time and randomness come from a `Scheduler`, so that the world owns both; `SteppedScheduler` is the smallest
one, for tests and for enrolling the demo bank. Devices keep time in integer milliseconds.

An emulator never repairs what the other side does wrongly. It answers as the data sheet says and, where
no real part would accept the bytes, also records a `Violation`: tests and scenarios fail when any are left.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Handle(Protocol):
    """A call that was planned and can still be taken back."""

    def cancel(self) -> None: ...


class Scheduler(Protocol):
    """Source of time (ms), of later calls and of all randomness a device uses."""

    random: random.Random

    def now(self) -> int: ...

    def call_later(self, delay_ms: int, callback: Callable[[], None]) -> Handle: ...


@dataclass(frozen=True)
class Violation:
    """Something that no real part would accept: when (ms), where, what, and the bytes."""

    time: int
    device: str
    text: str
    data: bytes = b""

    def __str__(self) -> str:
        shown = f" [{self.data[:24].hex(' ')}]" if self.data else ""
        return f"{self.time} ms {self.device}: {self.text}{shown}"


class Device:
    """A part with power. Subclasses put their start-up state into `reset`."""

    def __init__(self, scheduler: Scheduler, name: str):
        self.scheduler = scheduler
        self.name = name
        self.violations: list[Violation] = []
        self.powered = False
        self._pending: set[_Planned] = set()

    def power(self, on: bool) -> None:
        """Switch the supply. Off forgets everything volatile and cancels what was under way."""
        if on == self.powered:
            return
        self.powered = on
        for planned in list(self._pending):
            planned.cancel()
        self.reset()

    def reset(self) -> None:
        """Volatile state as after power-up; called at both edges of the supply."""

    def violation(self, text: str, data: bytes = b"") -> None:
        """Record a protocol violation by whoever drives this device."""
        self.violations.append(Violation(self.scheduler.now(), self.name, text, bytes(data)))

    def later(self, delay_ms: int, callback: Callable[[], None]) -> Handle:
        """Call back after `delay_ms`, unless the power goes first."""
        return _Planned(self, delay_ms, callback)


class _Planned:
    """A device's planned call; forgets itself when it has run or was cancelled."""

    def __init__(self, device: Device, delay_ms: int, callback: Callable[[], None]):
        self._device = device
        self._callback = callback
        device._pending.add(self)
        self._handle = device.scheduler.call_later(delay_ms, self._run)

    def _run(self) -> None:
        self._device._pending.discard(self)
        self._callback()

    def cancel(self) -> None:
        self._device._pending.discard(self)
        self._handle.cancel()


class SerialDevice(Device):
    """A part on an asynchronous serial line (8 data bits, no parity, 1 stop bit).

    `send` is set by whoever owns the other end; it receives bytes when their last bit has crossed the line,
    `chunk` bytes at most together (None: as much as was transmitted at once).
    """

    def __init__(self, scheduler: Scheduler, name: str, baud: int):
        super().__init__(scheduler, name)
        self.baud = baud
        self.send: Callable[[bytes], None] = _nowhere
        self.chunk: int | None = None
        self._line_free_at = 0

    def power(self, on: bool) -> None:
        self._line_free_at = self.scheduler.now()
        super().power(on)

    def receive(self, data: bytes, baud: int | None = None) -> None:
        """Bytes from the other end. `baud` is the sender's rate, if known: over 3 % off is only noise."""
        if not self.powered or not data:
            return
        if baud is not None and abs(baud - self.baud) > self.baud * 3 // 100:
            self.violation(f"framing errors: sent at {baud} baud, this part listens at {self.baud}", data)
            return
        self.handle(bytes(data))

    def handle(self, data: bytes) -> None:
        """Understand bytes that arrived whole; any split or merge is possible."""
        raise NotImplementedError

    def transmit(self, data: bytes) -> None:
        """Put bytes on the line after what is already on it; they arrive as fast as the baud rate allows."""
        now = self.scheduler.now()
        start = max(self._line_free_at, now)
        size = self.chunk or len(data)
        for cut in range(0, len(data), size):
            part = bytes(data[cut : cut + size])
            self._line_free_at = start + -(-(cut + len(part)) * 10_000 // self.baud)
            self.later(self._line_free_at - now, lambda part=part: self.send(part))


class I2cDevice(Device):
    """A part on an I2C bus at a 7-bit `address`, with an optional open-drain interrupt line.

    `interrupt` is called with True when the part pulls its line (to low) and with False on release.
    """

    def __init__(self, scheduler: Scheduler, name: str, address: int):
        super().__init__(scheduler, name)
        self.address = address
        self.interrupt: Callable[[bool], None] = _nowhere
        self.interrupt_active = False

    def write(self, data: bytes) -> bool:
        """One write transaction (address byte not included); False: not acknowledged."""
        raise NotImplementedError

    def read(self, count: int) -> bytes:
        """One read transaction of `count` bytes; b"" means the address was not acknowledged."""
        raise NotImplementedError

    def set_interrupt(self, active: bool) -> None:
        """Drive the interrupt line; tells the listener about changes only."""
        if active != self.interrupt_active:
            self.interrupt_active = active
            self.interrupt(active)


class SpiDevice(Device):
    """A part on an SPI bus with chip select and, for displays, a data/command line."""

    def __init__(self, scheduler: Scheduler, name: str):
        super().__init__(scheduler, name)
        self.selected = False

    def select(self, active: bool) -> None:
        """Chip select: True while the line is low."""
        self.selected = active

    def transfer(self, data: bytes, dc: int | None = None) -> bytes:
        """Full-duplex transfer, `dc` being the data/command level; returns as many bytes as were sent."""
        raise NotImplementedError


def _nowhere(_value: object) -> None:
    """A wire that nobody is connected to."""


class SteppedScheduler:
    """A scheduler whose time moves only when told to; equal times run in the order they were planned."""

    def __init__(self, seed: int = 0, start: int = 0):
        self.random = random.Random(seed)  # noqa: S311 - reproducible on purpose
        self._now = start
        self._queue: list[tuple[int, int, _Call]] = []
        self._count = 0

    def now(self) -> int:
        return self._now

    def call_later(self, delay_ms: int, callback: Callable[[], None]) -> Handle:
        self._count += 1
        call = _Call(callback)
        heapq.heappush(self._queue, (self._now + max(0, int(delay_ms)), self._count, call))
        return call

    def advance(self, duration_ms: int) -> None:
        """Let time pass and run everything that becomes due, in order."""
        end = self._now + duration_ms
        while self._queue and self._queue[0][0] <= end:
            self._now, _, call = heapq.heappop(self._queue)
            call.run()
        self._now = end

    def run_until(self, condition: Callable[[], bool], limit_ms: int = 60_000) -> bool:
        """Jump from event to event until the condition holds; False if it does not within the limit."""
        end = self._now + limit_ms
        while not condition():
            if not self._queue or self._queue[0][0] > end:
                self._now = end
                return False
            self._now, _, call = heapq.heappop(self._queue)
            call.run()
        return True


class _Call:
    """One planned call of a `SteppedScheduler`."""

    __slots__ = ("_callback",)

    def __init__(self, callback: Callable[[], None]):
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self._callback = None

    def run(self) -> None:
        if self._callback is not None:
            self._callback()
