"""The whole board, opened by its own table in a simulated unit; a broken part stops nobody else."""

import json
import textwrap

import pytest
from doorward_protocol.errors import (
    CAMERA_FAILED,
    READER_SILENT,
    SCREEN_FAILED,
    SENSOR_SILENT,
    SENSOR_TAMPERED,
)
from doorward_simulator.clock import Clock
from doorward_simulator.devices.tags import Tag
from doorward_simulator.network import Network
from doorward_simulator.unit import Unit, blank_flash
from doorward_simulator.world import World

EPOCH = 1_772_415_000_000
PARTS = "expander inputs doors bridge card_reader camera speaker gate_reader area_reader"
PANELS = "outer_fingerprint inner_fingerprint outer_screen inner_screen"
NAMES = [*PARTS.split(), *PANELS.split()]
PROGRAM = """
    import asyncio, json, os
    from doorward_firmware.board import open_board

    def say(*words):
        print(json.dumps(words), flush=True)

    async def main():
        passwords = {"outer_fingerprint": bytes(4), "inner_fingerprint": bytes(4)}
        board = open_board(passwords, os.urandom, lambda name, reason, detail: say("fault", name, reason))
        board.inputs.listen(lambda name, active: say("input", name, active))
        for name, reason, detail in await board.start():
            say("opened", name, reason)
        for name, ok, detail in await board.self_tests():
            say("tested", name, ok, detail)
        say("network", type(board.network()).__name__)
        board.gate_reader.start()
        while True:
            say("tag", (await board.gate_reader.next_tag()).hex())

    asyncio.run(main())
"""


class Board:
    def __init__(self, folder):
        self.world = World(Clock(EPOCH), seed=2)
        program = folder / "program.py"
        program.write_text(textwrap.dedent(PROGRAM))
        self.unit = Unit(
            self.world, Network(self.world), "B01", folder / "B01", blank_flash("B01"), program=program
        )

    def run(self, milliseconds):
        self.unit.power_on()
        self.world.run_for(milliseconds)

    def said(self, kind):
        lines = [json.loads(line) for line in self.unit.console.read_text().splitlines()]
        return [line[1:] for line in lines if line[0] == kind]


@pytest.fixture
def board(tmp_path):
    board = Board(tmp_path)
    yield board
    board.world.close()


def test_everything_opens_and_passes_its_test(board):
    board.run(12_000)
    assert sorted(board.said("opened")) == sorted([name, 0] for name in NAMES)
    assert sorted(name for name, ok, _ in board.said("tested") if ok) == sorted(NAMES)
    assert board.said("network") == [["LAN"]]
    assert board.said("fault") == []
    assert board.unit.violations() == []


def test_parts_work_together(board):
    board.run(12_000)
    board.unit.parts.buttons["APPROVE"].press()
    board.world.run_for(1_000)
    assert board.said("input") == [["APPROVE", True], ["APPROVE", False]]


# A part without power: who is then reported at the start, and why.
READERS = {"gate_reader": READER_SILENT, "area_reader": READER_SILENT}
SCREENS = {"outer_screen": SCREEN_FAILED, "inner_screen": SCREEN_FAILED}
BROKEN = {
    "camera": {"camera": CAMERA_FAILED},
    "outer_fingerprint": {"outer_fingerprint": SENSOR_SILENT},
    "gate_reader": {"gate_reader": READER_SILENT},
    "card_reader": {"card_reader": READER_SILENT},
    "bridge": {"bridge": READER_SILENT, **READERS},
    "expander": {"expander": SENSOR_SILENT, "inputs": SENSOR_SILENT, **SCREENS},
}


@pytest.mark.parametrize("part", sorted(BROKEN))
def test_a_broken_part_stops_nobody_else(board, part):
    board.unit.power_on()
    board.unit.parts.devices[part].power(False)
    if part != "gate_reader":
        board.unit.parts.devices["gate_reader"].enter(Tag(bytes(range(12)), bytes(12)))
    board.world.run_for(30_000)
    expected = {name: BROKEN[part].get(name, 0) for name in NAMES}
    assert dict(board.said("opened")) == expected
    failed = {name for name, ok, _ in board.said("tested") if not ok}
    assert failed == set(BROKEN[part]) - {"inputs"}
    if not {"gate_reader", "bridge"} & {part}:
        assert ["000102030405060708090a0b"] in board.said("tag")


def test_a_wrong_password_is_a_tampered_sensor(board):
    board.unit.parts.devices["inner_fingerprint"].settings.password = 99
    board.run(12_000)
    assert dict(board.said("opened")) == {**dict.fromkeys(NAMES, 0), "inner_fingerprint": SENSOR_TAMPERED}
