"""Building the unit: its version, and the floor that its clock gets from the journal."""

import tomllib
from pathlib import Path

from doorward_firmware import main
from doorward_protocol import records
from doorward_protocol.records import CLOCK_SURE, CLOCK_UNSURE

ROOT = Path(__file__).parents[3]


class Journal:
    """Entries by index; None where one is no longer kept."""

    def __init__(self, *clocks):
        self.entries = [
            None
            if clock is None
            else records.encode("left", 1000 + at, clock, 1, bytes(16), task=1, nonce=bytes(8))
            for at, clock in enumerate(clocks)
        ]
        self.size = len(clocks)

    def entry(self, index):
        return self.entries[index]


def test_the_version_is_the_distributions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == main.VERSION


def test_the_floor_is_the_last_record_whose_clock_was_sure():
    assert main.last_sure_time(Journal()) == 0
    assert main.last_sure_time(Journal(CLOCK_SURE, CLOCK_SURE)) == 1001
    assert main.last_sure_time(Journal(CLOCK_SURE, CLOCK_UNSURE, None)) == 1000
    assert main.last_sure_time(Journal(CLOCK_UNSURE)) == 0


def test_not_every_journal_is_read_to_its_beginning():
    unsure = [CLOCK_UNSURE] * 1000
    assert main.last_sure_time(Journal(CLOCK_SURE, *unsure)) == 0
