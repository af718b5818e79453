"""A small world with one bare processor that runs a program of the test's own."""

import textwrap

import pytest
from doorward_simulator.chip import Chip
from doorward_simulator.clock import Clock
from doorward_simulator.flash import NorFlash
from doorward_simulator.network import Cable, Network
from doorward_simulator.participant import Participant
from doorward_simulator.process import CPYTHON, Runtime, firmware_command, spawn
from doorward_simulator.rtc import Rtc
from doorward_simulator.world import World

EPOCH = 1_772_415_000_000  # 2026-03-02 01:30 UTC


class Bench:
    """A world, its network, and a processor called "bench" that `start` boots with a program's text."""

    def __init__(self, folder, runtime: Runtime = CPYTHON):
        self.folder, self.runtime = folder, runtime
        self.world = World(Clock(EPOCH), seed=1)
        self.network = Network(self.world)
        self.cable = Cable(self.world, "bench")
        self.rtc = Rtc(self.world.clock)
        self.resets = []
        self.flash = {"state": NorFlash(4096 * 2, "state")}
        self.chip = Chip(
            self.world, "bench", self.flash, self.rtc, self.network, self.cable, self.resets.append
        )
        self.participant = None

    @property
    def said(self):
        """What the program printed, line by line."""
        return (self.folder / "console.txt").read_text().splitlines()

    def start(self, program, environment=None):
        path = self.folder / "program.py"
        path.write_text(textwrap.dedent(program))
        command = firmware_command(path, self.runtime, self.folder)
        environment = {"PYTHONUNBUFFERED": "1", **(environment or {})}
        process, endpoint = spawn(command, self.folder / "console.txt", environment)
        self.participant = Participant("bench", endpoint, self.chip, process, self.folder / "console.txt")
        self.chip.participant = self.participant
        self.world.join(self.participant)


@pytest.fixture
def bench(tmp_path, request):
    """Under CPython; `indirect` parametrization with a runtime's name chooses."""
    bench = Bench(tmp_path, Runtime(getattr(request, "param", "cpython")))
    yield bench
    bench.world.close()
