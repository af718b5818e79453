"""A unit's processor as the world sees it: pins, clock, watchdog, flash, randomness, and its buses' far ends.

The firmware's process asks through the bus (`runtimes/stubs/`); every question stands in one table with the
types of its arguments, and whatever is not in it is refused. Parts are attached by `unit.py`, from the
board's table.
"""

from collections.abc import Callable
from typing import Any

from .flash import SECTOR, NorFlash
from .network import Cable, Connection, Network
from .participant import Participant, RefusedCall
from .rtc import Rtc
from .world import World

PWRON_RESET, HARD_RESET, WDT_RESET, SOFT_RESET = 1, 2, 3, 5
MAX_CONNECTIONS = 8  # sockets that the chip's network stack has for us
MAX_READ = 1 << 16


class Chip:
    """Answers one processor's bus. `reset(cause)` is called when the firmware or the watchdog asks for it."""

    def __init__(
        self,
        world: World,
        name: str,
        flash: dict[str, NorFlash],
        rtc: Rtc,
        network: Network,
        cable: Cable,
        reset: Callable[[int], None],
    ):
        self.participant: Participant | None = None
        self.reset_cause = PWRON_RESET
        # As after `espefuse burn`, so that a simulated unit is a production board; a test clears them.
        self.fuses = {0x60007034: 1 << 18, 0x60007038: 1 << 20, 0x6000703C: 3 << 6}
        self.outputs: dict[int, int] = {}
        self.on_output: Callable[[int, int], None] = _unconnected
        self.on_write: Callable[[str, bytes], None] = _unheard  # hears of all that is written, before it is
        self._world, self._name, self._flash, self._network, self._cable = world, name, flash, network, cable
        self._random = world.randomness(f"chip {name}")
        self._blinding = world.randomness(f"chip {name} blinding")
        self._identity = world.randomness(f"chip number {name}").randbytes(6)
        self._inputs: dict[int, int] = {}
        self._watched: set[int] = set()
        self._connections: dict[int, Connection] = {}
        self._watchdog = Watchdog(world, lambda: reset(WDT_RESET))
        self._writes: dict[str, Callable[[bytes], None]] = {"pin": self._set_pin, "wdt": self._watchdog.feed}
        self._calls: dict[tuple[str, str], tuple[Callable[..., Any], tuple]] = {
            ("system", "now"): (world.now, ()),
            ("system", "unique_id"): (lambda: self._identity, ()),
            ("system", "reset_cause"): (lambda: self.reset_cause, ()),
            ("system", "reset"): (reset, (int,)),
            ("system", "register"): (self._register, (int,)),
            ("system", "partitions"): (lambda: sorted(flash), ()),
            ("random", "bytes"): (lambda count: self._random.randbytes(_bounded(count)), (int,)),
            # A stream apart: of what only hides arithmetic, each suite draws as much as it likes.
            ("random", "blinding"): (lambda count: self._blinding.randbytes(_bounded(count)), (int,)),
            ("rtc", "read"): (rtc.read, ()),
            ("rtc", "seconds"): (lambda: rtc.milliseconds() // 1000, ()),
            ("rtc", "set"): (rtc.set, (int,) * 8),
            ("wdt", "start"): (self._watchdog.start, (int,)),
            ("pin", "level"): (self._level, (int,)),
            ("pin", "watch"): (self._watch, (int, bool)),
            ("pin", "output"): (self._make_output, (int, int)),
            ("net", "link"): (lambda: cable.plugged, ()),
            ("net", "connect"): (self._connect, (str, int)),
        }
        for label, memory in flash.items():
            self._attach_flash(f"flash:{label}", memory)

    def attach(
        self, target: str, calls: dict[str, tuple], write: Callable[[bytes], None] | None = None
    ) -> None:
        """Connect a peripheral: {method: (function, argument types)}, and where writes go."""
        for method, entry in calls.items():
            self._calls[target, method] = entry
        if write is not None:
            self._writes[target] = write

    def call(self, target: str, method: str, arguments: list) -> Any:
        function, types = self._calls.get((target, method), (None, ()))
        if function is None:
            raise RefusedCall(f"{target} has no {method}")
        if len(arguments) != len(types) or not all(map(_fits, arguments, types)):
            raise RefusedCall(f"{target}.{method}: wrong arguments {arguments!r:.80}")
        return function(*arguments)

    def write(self, channel: str, data: bytes) -> None:
        self.on_write(channel, data)
        if channel.startswith("net:"):
            connection = self._connections.get(int(channel[4:])) if channel[4:].isdigit() else None
            if connection is not None:
                connection.send(data)
            return
        function = self._writes.get(channel)
        if function is None:
            raise RefusedCall(f"nothing is connected to {channel}")
        function(data)

    def post(self, channel: str, payload: object) -> None:
        """Something for the firmware to notice."""
        self._world.post(self.participant, channel, payload)

    def set_input(self, number: int, level: int) -> None:
        """Drive an input pin; a watched pin interrupts."""
        if self._inputs.get(number) != level:
            self._inputs[number] = level
            if number in self._watched:
                self.post("pin", bytes((number, level)))

    def _register(self, address: int) -> int:
        if address not in self.fuses:
            raise RefusedCall(f"no register at {address:#x}")
        return self.fuses[address]

    def power_off(self) -> None:
        """Forget everything volatile: outputs float, connections end, the watchdog stops."""
        self._watchdog.stop()
        self._watched.clear()
        for connection in list(self._connections.values()):
            connection.vanish()
        self._connections.clear()
        for number in list(self.outputs):
            del self.outputs[number]
            self.on_output(number, 0)

    def _level(self, number: int) -> int:
        return self.outputs.get(number, self._inputs.get(number, 1))

    def _watch(self, number: int, on: bool) -> None:
        (self._watched.add if on else self._watched.discard)(number)

    def _make_output(self, number: int, level: int) -> None:
        if number not in self.outputs or level >= 0:
            self._drive(number, max(level, 0))

    def _set_pin(self, data: bytes) -> None:
        if len(data) != 2 or data[1] > 1:
            raise RefusedCall("a pin write is its number and its level")
        if data[0] in self.outputs:  # writing to an input only sets its output latch
            self._drive(data[0], data[1])

    def _drive(self, number: int, level: int) -> None:
        if self.outputs.get(number) != level:
            self.outputs[number] = level
            self.on_output(number, level)

    def _connect(self, host: str, port: int) -> int:
        if len(self._connections) >= MAX_CONNECTIONS:
            raise OSError(23, "no free sockets")
        connection = self._network.connect(self._cable, host, port, _Socket(self))
        self._connections[connection.number] = connection
        return connection.number

    def _attach_flash(self, target: str, memory: NorFlash) -> None:
        self.attach(
            target,
            {
                "size": (lambda: memory.size, ()),
                "blank": (memory.blank, ()),
                "read": (lambda offset, count: memory.read(offset, _bounded(count)), (int, int)),
                "program": (memory.program, (int, bytes)),
                "erase": (lambda sector: memory.erase(_sector(memory, sector)), (int,)),
            },
        )

    def forget(self, connection: Connection) -> None:
        self._connections.pop(connection.number, None)


class _Socket:
    """The near end of a connection: the firmware's channel `net:NUMBER`."""

    def __init__(self, chip: Chip):
        self._chip = chip

    def opened(self, connection: Connection) -> None:
        self._chip.post(f"net:{connection.number}", True)

    def refused(self, connection: Connection, number: int) -> None:
        self._chip.forget(connection)
        self._chip.post(f"net:{connection.number}", number)

    def received(self, connection: Connection, data: bytes) -> None:
        self._chip.post(f"net:{connection.number}", data)

    def closed(self, connection: Connection) -> None:
        self._chip.forget(connection)
        self._chip.post(f"net:{connection.number}", b"")


class Watchdog:
    """Bites once when nobody feeds it for its time-out; cannot be stopped but by power or reset."""

    def __init__(self, world: World, bite: Callable[[], None]):
        self._world, self._bite = world, bite
        self._timeout = self._fed_at = 0
        self._planned = None

    def start(self, timeout: int) -> None:
        self.stop()
        self._timeout = timeout
        self.feed(b"")
        self._planned = self._world.call_later(timeout, self._check)

    def stop(self) -> None:
        if self._planned is not None:
            self._planned.cancel()
        self._planned = None

    def feed(self, _data: bytes) -> None:
        self._fed_at = self._world.now()

    def _check(self) -> None:
        left = self._fed_at + self._timeout - self._world.now()
        if left > 0:
            self._planned = self._world.call_later(left, self._check)
        else:
            self._planned = None
            self._bite()


def _unconnected(_number: int, _level: int) -> None:
    """An output that goes nowhere."""


def _unheard(_channel: str, _data: bytes) -> None:
    """Nobody listens to what the processor writes."""


def _fits(argument: object, kind: type) -> bool:
    return isinstance(argument, kind) and (kind is bool or not isinstance(argument, bool))


def _bounded(count: int) -> int:
    if not 0 <= count <= MAX_READ:
        raise RefusedCall(f"{count} bytes at once: at most {MAX_READ}")
    return count


def _sector(memory: NorFlash, sector: int) -> int:
    if not 0 <= sector < memory.size // SECTOR:
        raise OSError(22, f"{memory.label} has no sector {sector}")
    return sector
