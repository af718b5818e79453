"""A bench for drivers: an event loop in virtual time, and wires that may split, delay, lose and damage bytes.

`run(coroutine)` runs in virtual time and fails when nothing could ever happen any more. `Uart` looks like
`machine.UART` and ends in a `Script` (exact questions, prepared answers) or in an emulated part. `I2c`, `Pin`
and `Spi` look like their namesakes of `machine` and end in emulated parts.
"""

import asyncio
import random
import selectors
from collections import deque
from collections.abc import Callable

LIMIT_MS = 3_600_000


class _Selector(selectors.SelectSelector):
    def __init__(self):
        super().__init__()
        self.now = 0  # ms

    def select(self, timeout=None):
        if timeout is None:
            raise AssertionError("deadlock: everybody waits and nothing is planned")
        if timeout > 0:
            self.now += max(1, round(timeout * 1000 + 0.49))
            if self.now > LIMIT_MS:
                raise AssertionError("an hour has passed: the test hangs")
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio in virtual milliseconds."""

    def __init__(self):
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self._clock_resolution = 0.0005

    def time(self):
        return self._virtual.now / 1000


def run(coroutine):
    """Run a test's coroutine to its end; tasks that it left behind are cancelled."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)


async def wait(milliseconds):
    await asyncio.sleep(milliseconds / 1000)


class Scheduler:
    """The emulators' view of the running loop."""

    def __init__(self, seed=0):
        self._loop = asyncio.get_running_loop()
        self.random = random.Random(seed)

    def now(self):
        return round(self._loop.time() * 1000)

    def call_later(self, delay_ms, callback):
        return self._loop.call_later(delay_ms / 1000, callback)


class Line:
    """What happens to bytes on their way to the driver: split into `pieces` bytes, late, lost or damaged."""

    def __init__(self, pieces=64, delay_ms=0, loss=0.0, damage=0.0, seed=1):
        self.pieces, self.delay_ms, self.loss, self.damage = pieces, delay_ms, loss, damage
        self._random = random.Random(seed)
        self._under_way = deque()
        self._free_at = 0.0

    def carry(self, data, deliver):
        """Hand `data` to `deliver`, piece by piece and in order."""
        loop = asyncio.get_running_loop()
        data = bytes(self._spoil(byte) for byte in data if self._random.random() >= self.loss)
        for start in range(0, len(data), self.pieces):
            self._under_way.append((data[start : start + self.pieces], deliver))
            self._free_at = max(self._free_at, loop.time()) + self.delay_ms / 1000
            loop.call_at(self._free_at, self._arrive)

    def _arrive(self):
        piece, deliver = self._under_way.popleft()
        deliver(piece)

    def _spoil(self, byte):
        return byte ^ 1 << self._random.randrange(8) if self._random.random() < self.damage else byte


class Uart:
    """`machine.UART` whose other end is a part with `receive(bytes)` and `send`."""

    IRQ_RX = 1

    def __init__(self, part, line=None, up=None):
        self.part = part
        self.line, self.up = line or Line(), up or Line(pieces=4096)
        self.buffer = b""
        self._handler = None
        part.send = self.arrive

    def irq(self, handler=None, trigger=0):
        self._handler = handler if trigger & self.IRQ_RX else None

    def any(self):
        return len(self.buffer)

    def read(self, count):
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data or None

    def write(self, data):
        self.up.carry(bytes(data), self.part.receive)
        return len(data)

    def arrive(self, data):
        """Bytes from the other end, over the line."""
        self.line.carry(data, self._receive)

    def _receive(self, data):
        self.buffer += data
        if self._handler is not None:
            self._handler(self)


def _nowhere(_data: bytes) -> object:
    raise AssertionError("the script is not connected")


_kept = set()


def keep(coroutine):
    """Run a coroutine beside the test, until the test ends."""
    task = asyncio.create_task(coroutine)
    _kept.add(task)
    task.add_done_callback(_kept.discard)
    return task


class Script:
    """A part with exact questions and prepared answers: pairs (expected, answer); None is silence.

    `expected` may be None where the bytes do not matter. `close()` fails when something was left or wrong.
    """

    def __init__(self, *exchanges, answer_ms=5):
        self._exchanges = list(exchanges)
        self._answer_ms = answer_ms
        self._pending = b""
        self.errors = []
        self.send: Callable[[bytes], object] = _nowhere

    def receive(self, data):
        self._pending += data
        while self._pending and self._exchanges:
            expected, answer = self._exchanges[0]
            length = len(self._pending) if expected is None else len(expected)
            if len(self._pending) < length:
                return
            question, self._pending = self._pending[:length], self._pending[length:]
            self._exchanges.pop(0)
            if expected is not None and question != expected:
                self.errors.append(f"got {question.hex(' ')}, expected {expected.hex(' ')}")
            if answer:
                asyncio.get_running_loop().call_later(self._answer_ms / 1000, self.send, answer)
        if self._pending:
            self.errors.append(f"unexpected {self._pending.hex(' ')}")
            self._pending = b""

    def close(self):
        assert not self.errors, self.errors
        assert not self._exchanges, f"never asked: {self._exchanges}"


class I2c:
    """`machine.I2C` with emulated parts on it."""

    def __init__(self, *parts):
        self.parts = {part.address: part for part in parts}
        self.broken = False
        self.readings = 0

    def writeto(self, address, data):
        if self.broken or address not in self.parts or not self.parts[address].write(bytes(data)):
            raise OSError(19, "ENODEV")

    def readfrom(self, address, count):
        self.readings += 1
        data = b"" if self.broken or address not in self.parts else self.parts[address].read(count)
        if len(data) != count:
            raise OSError(19, "ENODEV")
        return data

    def writeto_mem(self, address, register, data):
        self.writeto(address, bytes([register]) + bytes(data))

    def readfrom_mem(self, address, register, count):
        self.writeto(address, bytes([register]))
        return self.readfrom(address, count)


class Pin:
    """`machine.Pin`: an input with an interrupt, or an output."""

    IRQ_FALLING = 2

    def __init__(self, level=1):
        self.level = level
        self._handler = None

    def __call__(self, level=None):
        if level is None:
            return self.level
        self.level = level
        return None

    value = __call__

    def irq(self, handler=None, trigger=0):
        self._handler = handler if trigger & self.IRQ_FALLING else None

    def drive(self, level):
        """The world's side."""
        before, self.level = self.level, level
        if before and not level and self._handler is not None:
            self._handler(self)


class OpenDrain:
    """The shared interrupt line: low while any part pulls it."""

    def __init__(self, *parts):
        self.pin = Pin()
        self._pulled = set()
        for part in parts:
            part.interrupt = lambda active, part=part: self.pull(part, active)

    def pull(self, part, active):
        (self._pulled.add if active else self._pulled.discard)(part)
        self.pin.drive(0 if self._pulled else 1)


class Faults(list):
    """Collects what a driver reports by `on_fault`, as (name, reason)."""

    def __call__(self, name, reason, detail):
        self.append((name, reason))
