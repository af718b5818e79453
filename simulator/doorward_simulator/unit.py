"""One simulated unit: flash that outlives its processor, the processor's process, and the parts around it.

Power on boots a process after the time that a chip needs to start; power off kills it in the middle of
whatever it does. A cut "during flash" tears the next flash operation. What the firmware printed goes to
`console.txt` in the unit's folder.
"""

from pathlib import Path

from doorward_firmware.board import REFERENCE

from .chip import HARD_RESET, PWRON_RESET, Chip
from .flash import SECTOR, NorFlash
from .journal_view import JournalView
from .network import Cable, Network
from .participant import Participant
from .parts import Parts
from .process import CPYTHON, Runtime, firmware_command, spawn
from .rtc import Rtc
from .world import World

BOOT_MS = 600  # from power or reset to the first line of the program
RAW_PARTITIONS = tuple(
    label for label, kind, subtype, _, _ in REFERENCE["partitions"] if subtype.startswith("0x")
)


def blank_flash(unit: str, seed: int = 0, sectors: dict[str, int] | None = None) -> dict[str, NorFlash]:
    """The raw partitions of a new board, by label; `sectors` makes some of them smaller."""
    sizes = {label: size for label, _, _, _, size in REFERENCE["partitions"]}
    sizes |= {label: SECTOR * count for label, count in (sectors or {}).items()}
    return {label: NorFlash(sizes[label], label, seed=hash_free(unit, seed)) for label in RAW_PARTITIONS}


def load_flash(
    folder: Path, unit: str, seed: int = 0, sectors: dict[str, int] | None = None
) -> dict[str, NorFlash]:
    """Partition images `LABEL.bin` of a folder; a partition without image is blank."""
    flash = blank_flash(unit, seed, sectors)
    for label, memory in flash.items():
        path = folder / f"{label}.bin"
        if path.exists():
            content = path.read_bytes()
            if len(content) > memory.size:
                raise ValueError(f"{path}: {len(content)} B do not fit the partition of {memory.size} B")
            memory.image[: len(content)] = content
    return flash


def save_flash(flash: dict[str, NorFlash], folder: Path) -> None:
    """Write images without their erased ends."""
    folder.mkdir(parents=True, exist_ok=True)
    for label, memory in flash.items():
        (folder / f"{label}.bin").write_bytes(memory.image.rstrip(b"\xff"))


def hash_free(text: str, seed: int) -> int:
    """A number from a text that no interpreter's hash seed changes."""
    return int.from_bytes(text.encode(), "big") ^ seed


class Unit:
    """A unit at a site, by the site's code. `console` holds what the firmware printed."""

    def __init__(
        self,
        world: World,
        network: Network,
        name: str,
        folder: Path,
        flash: dict[str, NorFlash],
        drift: int = 0,
        program: Path | None = None,
        runtime: Runtime = CPYTHON,
    ):
        """`drift` of its clock in parts per million; `program` runs in place of the firmware.
        `runtime`: the interpreter. Raises RuntimeMissingError."""
        folder.mkdir(parents=True, exist_ok=True)
        self.name, self.flash = name, flash
        self.console = folder / "console.txt"
        self.cable = Cable(world, name)
        self.rtc = Rtc(world.clock, drift)
        self.chip = Chip(world, name, flash, self.rtc, network, self.cable, self.reset)
        self.parts = Parts(world, name, self.chip, REFERENCE)
        self.journal = JournalView(flash["journal"])
        self.powered = False
        self.boots = 0
        self.environment: dict[str, str] = {}  # of the firmware's process
        self._world = world
        self._command = firmware_command(program, runtime, folder)
        self._boot = None
        for memory in flash.values():
            memory.power_off()
            memory.on_cut = self.power_off

    @property
    def running(self) -> bool:
        """Whether the firmware's process is there."""
        return self.chip.participant is not None and self.chip.participant.alive

    def power_on(self, cause: int = PWRON_RESET) -> None:
        """Supply all parts; the processor's program starts after BOOT_MS."""
        if self.powered:
            return
        self.powered = True
        for memory in self.flash.values():
            memory.power_on()
        self.parts.power(True)
        self._start(cause)

    def power_off(self) -> None:
        """Cut the supply: nothing finishes what it was doing."""
        if not self.powered:
            return
        self.powered = False
        self._stop()
        for memory in self.flash.values():
            memory.power_off()
        self.parts.power(False)

    def cut_during_flash(self, pieces: int = 0) -> None:
        """Let `pieces` page programs and erases succeed, then lose power in the middle of the next one."""
        for memory in self.flash.values():
            memory.cut_after(pieces)

    def reset(self, cause: int = HARD_RESET) -> None:
        """Reset the processor alone: the parts keep their power, relays fall."""
        if self.powered:
            self._stop()
            self._start(cause)

    def violations(self) -> list[str]:
        """What the firmware did to parts that no real part would accept."""
        return self.parts.violations()

    def _start(self, cause: int) -> None:
        self.chip.reset_cause = cause
        self._boot = self._world.call_later(BOOT_MS, self._run)

    def _run(self) -> None:
        process, endpoint = spawn(self._command, self.console, self.environment)
        participant = Participant(self.name, endpoint, self.chip, process, self.console)
        self.chip.participant = participant
        self.boots += 1
        self._world.join(participant)

    def _stop(self) -> None:
        if self._boot is not None:
            self._boot.cancel()
        participant, self.chip.participant = self.chip.participant, None
        if participant is not None:
            self._world.leave(participant)
        self.chip.power_off()
