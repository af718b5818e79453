"""What a simulated day starts from, and all that the world may know of the server: names, numbers, files.

It is made by `doorward_tools.prepare` with the real services of the server (the simulator does not know
them): the bank imported, users with passwords, units provisioned and registered, the day planned and
released by two people.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .bank import Bank

HOST, PORT = "centre.doorward.example", 8000  # the server's name in the world's network


@dataclass(frozen=True)
class UnitPlace:
    """A provisioned unit: its number, folder of flash images, and {fingerprint sensor: password}."""

    site: str
    kid: bytes
    flash: Path
    passwords: dict[str, int]


@dataclass(frozen=True)
class Prompt:
    """One prompt of the units' pack: PCM16 at 16 kHz, and a bitmap of RGB565 rows."""

    clip: bytes
    width: int
    rows: bytes


@dataclass
class Preparation:
    """`epoch`: ms since 1970 at which the world begins. Numbers are the server's, by the bank's names."""

    folder: Path
    data: Path
    bank: Bank
    epoch: int
    units: dict[str, UnitPlace]
    passwords: dict[str, str]  # by login
    people: dict[str, int]  # by staff number
    vehicles: dict[str, int]  # by plate
    boxes: dict[str, int]  # by number
    sites: dict[str, int]  # by code
    tasks: dict[str, list[int]]  # by site's code, in the order of the plan
    runs: list[int] = field(default_factory=list)
    printers: dict[str, Path] = field(default_factory=dict)  # folder that a site's printer writes to
    prompts: dict[str, Prompt] = field(default_factory=dict)  # by name
    # The server's copy of a unit's journal by its kid, from storage: (epoch, index, entry, when received).
    stored_leaves: Callable[[bytes], list[tuple[int, int, bytes, int]]] = lambda _kid: []
