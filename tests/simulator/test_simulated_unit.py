"""A whole unit: the firmware's drivers against the emulators, over the runtime, the bus and the wires."""

import textwrap

import pytest
from doorward_simulator.clock import Clock
from doorward_simulator.faults import Fault
from doorward_simulator.fingers import make_finger
from doorward_simulator.network import Network
from doorward_simulator.unit import BOOT_MS, Unit, blank_flash, load_flash, save_flash
from doorward_simulator.world import World

BOARD = """
    import asyncio, os
    from doorward_firmware import board

    passwords = {"outer_fingerprint": bytes(4), "inner_fingerprint": bytes(4)}

    def fault(*words):
        print("fault", *words, flush=True)

    async def main():
        parts = board.open_board(passwords, os.urandom, fault)
        for name, reason, detail in await parts.start():
            if reason:
                fault(name, reason, detail)
    """


@pytest.fixture
def make(tmp_path):
    """Makes a unit that runs `BOARD` and then the given lines of its `main`."""
    world = World(Clock(1_772_415_000_000), seed=1)
    yield Maker(world, tmp_path)
    world.close()


class Maker:
    """Call it with the program's lines; `world` is where the unit then lives."""

    def __init__(self, world, folder):
        self.world, self._folder, self._network = world, folder, Network(world)

    def __call__(self, lines):
        program = self._folder / "program.py"
        body = textwrap.indent(textwrap.dedent(lines), "    ")
        program.write_text(textwrap.dedent(BOARD) + body + "\n\nasyncio.run(main())\n")
        flash = blank_flash("bench")
        unit = Unit(self.world, self._network, "bench", self._folder / "unit", flash, program=program)
        unit.power_on()
        return unit


def said(unit):
    return unit.console.read_text().splitlines() if unit.console.exists() else []


def test_every_part_opens_and_passes_its_self_test(make):
    unit = make(
        """
        for name, ok, detail in await parts.self_tests():
            print(name, ok, detail, flush=True)
        await asyncio.sleep_ms(1_000_000)
        """
    )
    make.world.run_for(5000)
    lines = said(unit)
    assert len(lines) == 13
    assert [line for line in lines if " True " not in line] == []
    assert unit.violations() == []


@pytest.mark.parametrize("part", ["outer_fingerprint", "card_reader", "gate_reader"])
def test_a_cut_wire_is_found_and_stops_nobody_else(make, part):
    unit = make(
        """
        for name, ok, detail in await parts.self_tests():
            if not ok:
                print("bad", name, flush=True)
        await asyncio.sleep_ms(1_000_000)
        """
    )
    for tap in unit.parts.taps[part]:
        tap.set(Fault("cut"))
    make.world.run_for(30_000)
    bad = [line.removeprefix("bad ") for line in said(unit) if line.startswith("bad")]
    assert bad == [part]


def test_a_touch_is_noticed_and_a_door_follows_its_relay(make):
    unit = make(
        """
        parts.doors.on_change = lambda door, is_open: print("door", door, is_open, flush=True)
        print("waiting", flush=True)
        await parts.outer_fingerprint.wait_touch()
        print("touched", flush=True)
        parts.doors.release(1)
        await asyncio.sleep_ms(1_000_000)
        """
    )
    world, door = make.world, unit.parts.doors["outer"]
    assert world.run_until(lambda: "waiting" in said(unit), 5000)
    assert not door.push()
    unit.parts.devices["outer_fingerprint"].press(make_finger("a", 1).touch(world.randomness("a")))
    assert world.run_until(lambda: door.released, 1000)
    assert door.push()
    world.run_for(10_000)
    assert said(unit)[-2:] == ["door 1 True", "door 1 False"]
    unit.power_off()
    assert not door.released


def test_power_kills_the_process_and_brings_it_back(make):
    unit = make(
        """
        print("up", flush=True)
        await asyncio.sleep_ms(1_000_000)
        """
    )
    world = make.world
    world.run_for(BOOT_MS - 1)
    assert not unit.running
    world.run_for(2000)
    assert unit.running
    unit.power_off()
    assert not unit.running
    unit.power_on()
    world.run_for(3000)
    assert said(unit) == ["up", "up"]
    assert unit.boots == 2


def test_a_reset_asked_for_by_the_firmware_tells_its_cause(make):
    unit = make(
        """
        import machine
        print("cause", machine.reset_cause(), flush=True)
        if machine.reset_cause() == machine.PWRON_RESET:
            machine.reset()
        await asyncio.sleep_ms(1_000_000)
        """
    )
    make.world.run_for(3000)
    assert said(unit) == ["cause 1", "cause 2"]


def test_flash_images_keep_their_content_without_their_erased_end(tmp_path):
    flash = blank_flash("a")
    flash["state"].program(100, b"identity")
    save_flash(flash, tmp_path)
    assert (tmp_path / "state.bin").stat().st_size == 108
    assert load_flash(tmp_path, "a")["state"].image == flash["state"].image
    (tmp_path / "journal.bin").write_bytes(bytes(0x200001))
    with pytest.raises(ValueError, match="do not fit"):
        load_flash(tmp_path, "a")
