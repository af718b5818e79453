"""What people who mean harm do, and supplies that fail at the worst moment: more functions behind `do: NAME`
and `fault: NAME`.

Whoever sits in the middle of a unit's network sees whole chunks as the server sends them, and passes on what
they like until `fault: clear, wire: network`. They have no keys.
"""

from doorward_firmware.board import FUSES
from doorward_firmware.store.journal import Journal
from doorward_firmware.store.leaves import MAX_ENTRY
from doorward_firmware.store.state import State
from doorward_protocol import records
from doorward_protocol.errors import ProtocolError
from doorward_protocol.suite_openssl import OpenSSLSuite

from .chip import PWRON_RESET
from .devices.tags import Tag
from .faults import Fault
from .flash import PAGE, Partition
from .scenario_actions import DO
from .scenario_faults import FAULT
from .scenario_loader import ScenarioError
from .stage import Stage

LEFT_FREE = 600  # bytes, for one start more
UPGRADED = b"HTTP/1.1 101"  # how a new connection begins
ODD_LENGTHS = (
    12,
    16,
    2,
    30,
    62,
    8,
)  # bytes of an EPC: usual ones, and the shortest and longest a tag can have


@DO
def strangers_arrive(stage: Stage, count: int, unit: str | None = None) -> None:
    """A heap of tags that nobody knows comes to the gate, of all lengths that tags can have."""
    chance = stage.world.randomness("strangers")
    for number in range(count):
        epc = b"\x34" + chance.randbytes(ODD_LENGTHS[number % len(ODD_LENGTHS)] - 1)
        stage.site(unit).van_arrives(f"stranger {number + 1}", Tag(epc, chance.randbytes(12)))


@DO
def strangers_leave(stage: Stage, count: int, unit: str | None = None) -> None:
    """They go again."""
    for number in range(count):
        stage.site(unit).van_leaves(f"stranger {number + 1}")


@DO
def put_copies(stage: Stage, boxes: list, unit: str | None = None) -> None:
    """Put things into the handover area that bear copies of boxes' tags: the same EPC in another chip."""
    for number, tag in stage.box_tags(boxes).items():
        copy = Tag(tag.epc, tag.tid[:-1] + bytes([tag.tid[-1] ^ 1]), tag.signal)
        stage.site(unit).put_boxes({f"copy of {number}": copy})


@FAULT
def babble(stage: Stage, wire: str, unit: str | None = None) -> None:
    """A part understands what it is asked and answers nonsense, as long as the answer should be."""
    parts = stage.unit(unit).parts
    if wire not in parts.taps:
        raise ScenarioError(f"there is no wire {wire!r}: use {', '.join(parts.taps)}")
    parts.taps[wire][-1].set(Fault("garbage"))


@FAULT
def cut_power_in_record(stage: Stage, kind: str, whole: bool = False, unit: str | None = None) -> None:
    """The supply fails while the next record of a kind is written; `whole`: in the write after it."""
    if kind not in records.RECORDS:
        raise ScenarioError(f"there is no record {kind!r}: use one of {', '.join(records.RECORDS)}")
    flash = stage.unit(unit).flash
    journal = flash["journal"]

    def programmed(offset: int, data: bytes) -> None:
        if not _is_record(data, kind):
            return
        journal.on_program = None
        stage.disturbed.add(stage.unit(unit).name)
        for memory in flash.values():
            memory.cut_after(0)
        if whole:
            journal.cut_after(-(-(offset % PAGE + len(data)) // PAGE))

    journal.on_program = programmed


@FAULT
def fill_journal(stage: Stage, unit: str | None = None) -> None:
    """A unit that is switched off gets a long history: it was started so often, without the network, that one
    more task may just begin."""
    found = stage.unit(unit)
    if found.powered:
        raise ScenarioError("switch the unit off first")
    for memory in found.flash.values():
        memory.power_on()
    chance = stage.world.randomness("history")
    state = State(Partition(found.flash["state"]))
    clock = _Standing(stage.world.clock.wall())
    journal = Journal(Partition(found.flash["journal"]), clock, OpenSSLSuite(chance.randbytes), state)
    fuses = [name for name, *_ in FUSES]
    tests = [[name, True] for name in [*found.parts.taps, *fuses]]
    while journal.room() > (journal.reserve + 1) * MAX_ENTRY + LEFT_FREE:
        journal.append("boot", reason=PWRON_RESET, firmware="before", tests=tests, manifest=0)
    for memory in found.flash.values():
        memory.power_off()


@FAULT
def forge(stage: Stage, count: int = 1, unit: str | None = None) -> None:
    """The next chunks from the server come with their last byte changed."""
    _sit_between(stage, unit, _Few(count, lambda data: [data[:-1] + bytes([data[-1] ^ 1])]))


@FAULT
def repeat(stage: Stage, count: int = 1, unit: str | None = None) -> None:
    """The next chunks from the server come twice."""
    _sit_between(stage, unit, _Few(count, lambda data: [data, data]))


@FAULT
def eavesdrop(stage: Stage, unit: str | None = None) -> None:
    """Somebody keeps all that the server sends from now on."""
    _sit_between(stage, unit, _Eavesdropper())


@FAULT
def play_back(stage: Stage, unit: str | None = None) -> None:
    """New connections reach the eavesdropper in the server's place, who answers with what was kept."""
    cable = stage.unit(unit).cable
    if not isinstance(cable.down.middle, _Eavesdropper):
        raise ScenarioError("nobody has listened: put an `eavesdrop` before")
    _sit_between(stage, unit, _Impostor(cable.down.middle.tape))
    cable.reset()


def _sit_between(stage: Stage, unit: str | None, somebody) -> None:
    stage.disturbed.add(stage.unit(unit).name)
    stage.unit(unit).cable.down.middle = somebody


class _Standing:
    """A unit's clock that is sure and does not move."""

    def __init__(self, wall: int):
        self._wall = wall

    def now(self) -> int:
        return self._wall

    def state(self) -> int:
        return records.CLOCK_SURE


def _is_record(data: bytes, kind: str) -> bool:
    """Whether a frame of the journal (length u16, kind, 0, CRC u32, entry) holds such a record."""
    entry = data[8 : 8 + int.from_bytes(data[:2], "big")]
    try:
        return records.decode(entry).name == kind
    except ProtocolError:
        return False  # the header of a sector


class _Few:
    """Does something to the next few chunks."""

    def __init__(self, count: int, alter):
        self._left, self._alter = count, alter

    def __call__(self, data: bytes) -> list[bytes]:
        if not self._left:
            return [data]
        self._left -= 1
        return self._alter(data)


class _Eavesdropper:
    """Keeps chunks and passes them on."""

    def __init__(self):
        self.tape: list[bytes] = []

    def __call__(self, data: bytes) -> list[bytes]:
        self.tape.append(data)
        return [data]


class _Impostor:
    """Lets the WebSocket begin, which has no secrets, and then says what the server once said."""

    def __init__(self, tape: list[bytes]):
        self._said = [chunk for chunk in tape if not chunk.startswith(UPGRADED)]
        self._next = 0

    def __call__(self, data: bytes) -> list[bytes]:
        if data.startswith(UPGRADED):
            self._next = 0
            return [data]
        chunk = self._said[self._next : self._next + 1]
        self._next += 1
        return chunk
