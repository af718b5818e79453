"""Expander, inputs, interrupt line and doors against the emulated MCP23017, wired as the board says."""

import asyncio
import random
from typing import Any

import pytest
from doorward_firmware.board import INPUTS, OUTPUTS, REFERENCE
from doorward_firmware.drivers.doors import Doors
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.drivers.expander import Expander
from doorward_firmware.drivers.inputs import Inputs
from doorward_firmware.drivers.interrupts import InterruptLine
from doorward_protocol.errors import SENSOR_GARBAGE, SENSOR_SILENT
from doorward_simulator.devices.inputs import Input as Contact
from doorward_simulator.devices.mcp23017 import PortExpander
from driver_bench import Faults, I2c, OpenDrain, Pin, Scheduler, run, wait

ADDRESS = REFERENCE["expander"]["address"]


class Bench:
    """Expander, inputs and the line, running; every contact at rest."""

    def __init__(self):
        self.scheduler = Scheduler()
        self.chip = PortExpander(self.scheduler, address=ADDRESS)
        for name, (bit, active) in INPUTS.items():
            self.chip.set_input(bit, not active)
            del name
        self.chip.power(True)
        self.line = OpenDrain(self.chip)
        self.i2c = I2c(self.chip)
        self.expander = Expander(self.i2c, ADDRESS, INPUTS, OUTPUTS)
        self.inputs = Inputs(self.expander, INPUTS)
        self.events = []
        self.inputs.listen(lambda name, active: self.events.append((name, active)))
        self.interrupts = InterruptLine(self.line.pin)
        self.interrupts.on_fault = Faults()
        self.interrupts.add(self.expander)

    async def start(self):
        await self.expander.open()
        await self.inputs.open()
        self.task = asyncio.create_task(self.interrupts.run())
        await wait(1)

    def set(self, name, active):
        bit, level = INPUTS[name]
        self.chip.set_input(bit, bool(level) == active)

    def close(self):
        assert self.chip.violations == []


def on_bench(test):
    async def go():
        bench = Bench()
        await bench.start()
        await test(bench)
        bench.close()

    run(go())


def test_outputs_rest_as_the_board_says():
    async def test(bench):
        for bit, level in OUTPUTS.values():
            assert bench.chip.output(bit) == bool(level)
        for bit, _ in INPUTS.values():
            assert bench.chip.output(bit) is None

    on_bench(test)


@pytest.mark.parametrize("name", sorted(INPUTS))
def test_each_input_is_its_own(name):
    async def test(bench):
        bench.set(name, True)
        await wait(1)
        assert bench.events == [(name, True)]
        assert bench.inputs[name].active
        bench.set(name, False)
        await wait(29)
        assert bench.inputs[name].active
        await wait(5)
        assert bench.events == [(name, True), (name, False)]

    on_bench(test)


def test_a_button_that_bounces_is_one_press():
    async def test(bench):
        button = Contact(bench.scheduler, "APPROVE")
        button.on_level = lambda level: bench.chip.set_input(INPUTS["APPROVE"][0], bool(level))
        for _ in range(3):
            button.press()
            await wait(500)
        assert bench.events == [("APPROVE", True), ("APPROVE", False)] * 3

    on_bench(test)


def test_a_tamper_loop_opened_for_an_instant_counts():
    async def test(bench):
        bench.set("TAMPER", True)
        bench.set("TAMPER", False)
        await wait(100)
        assert bench.events == [("TAMPER", True), ("TAMPER", False)]

    on_bench(test)


def test_a_release_shorter_than_a_bounce_is_none():
    async def test(bench):
        bench.set("OUTER_CONTACT", True)
        await wait(100)
        bench.set("OUTER_CONTACT", False)
        await wait(10)
        bench.set("OUTER_CONTACT", True)
        await wait(100)
        assert bench.events == [("OUTER_CONTACT", True)]

    on_bench(test)


def test_what_is_active_at_the_start_is_told():
    async def go():
        bench = Bench()
        bench.set("FIRE", True)
        await bench.start()
        assert bench.events == [("FIRE", True)]

    run(go())


def test_many_inputs_at_once():
    async def test(bench):
        for name in INPUTS:
            bench.set(name, True)
        await wait(2)
        assert sorted(bench.events) == sorted((name, True) for name in INPUTS)

    on_bench(test)


def test_a_waiter_gets_each_activation_once():
    async def test(bench):
        waiter = asyncio.create_task(bench.inputs["OUTER_TOUCH"].wait_active())
        await wait(5)
        bench.set("OUTER_TOUCH", True)
        await wait(5)
        assert waiter.done()
        again = asyncio.create_task(bench.inputs["OUTER_TOUCH"].wait_active())
        await wait(500)
        assert not again.done()
        bench.set("OUTER_TOUCH", False)
        await wait(50)
        bench.set("OUTER_TOUCH", True)
        await wait(5)
        assert again.done()

    on_bench(test)


def test_a_dead_expander_is_named_and_its_return_too():
    async def test(bench):
        bench.i2c.broken = True
        bench.set("EGRESS", True)
        await wait(50)
        assert bench.interrupts.on_fault[0] == ("expander", SENSOR_SILENT)
        with pytest.raises(DriverError) as caught:
            bench.expander.output("SCREEN_DC")(0)
        assert caught.value.reason == SENSOR_SILENT
        bench.i2c.broken = False
        await wait(2500)  # a first look sets the lost output again, the next one is believed
        assert bench.events == [("EGRESS", True)]
        assert bench.chip.output(OUTPUTS["SCREEN_DC"][0]) is False
        assert ("expander", 0) in bench.interrupts.on_fault

    on_bench(test)


def test_a_line_held_low_does_not_hold_the_loop():
    async def test(bench):
        bench.line.pull("a broken chip", True)
        readings = bench.i2c.readings
        await wait(30_000)
        assert bench.i2c.readings - readings < 100
        assert bench.interrupts.on_fault == [("interrupt", SENSOR_SILENT)]
        bench.set("FIRE", True)  # still served, if slowly
        await wait(1_100)
        assert ("FIRE", True) in bench.events
        bench.line.pull("a broken chip", False)
        await wait(1_100)
        assert bench.interrupts.on_fault[-1] == ("interrupt", 0)

    on_bench(test)


class Disturbed(I2c):
    """An I2C bus that flips a bit in some of the bytes read, or answers with something else altogether."""

    def __init__(self, part, seed, flips=0.0, garbage=0.0, stuck=None):
        super().__init__(part)
        self.flips, self.garbage, self.stuck = flips, garbage, stuck
        self._random = random.Random(seed)

    def readfrom(self, address, count):
        data = bytearray(super().readfrom(address, count))
        if self.stuck is not None:
            return bytes([self.stuck]) * count
        if self._random.random() < self.garbage:
            return self._random.randbytes(count)
        for position in range(count):
            if self._random.random() < self.flips:
                data[position] ^= 1 << self._random.randrange(8)
        return bytes(data)

    def calm(self):
        self.flips, self.garbage, self.stuck = 0.0, 0.0, None


DISTURBANCES = (
    {"flips": 0.01},
    {"flips": 0.05},
    {"flips": 0.2},
    {"flips": 1.0},
    {"garbage": 0.3},
    {"garbage": 1.0},
    {"stuck": 0x00},
    {"stuck": 0xFF},
    {"stuck": 0x44},
)


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=str)
@pytest.mark.parametrize("seed", range(8))
def test_a_disturbed_bus_makes_no_ghosts(seed, disturbance):
    """APPROVE is pressed a hundred times, and other chips pull the line all the while."""

    async def test(bench):
        bench.expander._i2c = Disturbed(bench.chip, seed, **disturbance)
        for _ in range(100):
            bench.set("APPROVE", True)
            await wait(40)
            bench.set("APPROVE", False)
            bench.line.pull("another chip", True)
            await wait(40)
            bench.line.pull("another chip", False)
        assert {name for name, _ in bench.events} <= {"APPROVE"}
        assert set(bench.interrupts.on_fault) <= {
            ("expander", SENSOR_GARBAGE),
            ("expander", SENSOR_SILENT),
            ("expander", 0),
            ("interrupt", SENSOR_SILENT),
            ("interrupt", 0),
        }
        bench.expander._i2c.calm()
        await wait(2100)
        bench.set("EGRESS", True)
        await wait(1)
        assert bench.events[-1] == ("EGRESS", True)
        assert bench.events[-2:-1] in ([], [("APPROVE", False)])

    on_bench(test)


@pytest.mark.parametrize("disturbance", DISTURBANCES[4:], ids=str)
def test_a_bus_that_contradicts_itself_is_a_fault_and_then_recovers(disturbance):
    async def test(bench):
        bench.expander._i2c = Disturbed(bench.chip, 7, **disturbance)
        bench.expander._i2c.garbage = min(1, 3 * bench.expander._i2c.garbage)
        bench.set("EGRESS", True)
        await wait(500)
        assert bench.events == []
        [(name, reason)] = bench.interrupts.on_fault
        assert name == "expander"
        assert reason in (SENSOR_GARBAGE, SENSOR_SILENT)
        bench.expander._i2c.calm()
        await wait(2100)
        assert bench.events == [("EGRESS", True)]
        assert bench.interrupts.on_fault[1:] == [("expander", 0)]

    on_bench(test)


@pytest.mark.parametrize("seed", range(20))
def test_a_short_press_among_bad_readings_is_not_lost(seed):
    async def test(bench):
        bench.expander._i2c = Disturbed(bench.chip, seed, flips=0.03)
        for _ in range(20):
            bench.set("APPROVE", True)
            bench.set("APPROVE", False)
            await wait(200)
        assert bench.events == [("APPROVE", True), ("APPROVE", False)] * 20
        assert bench.interrupts.on_fault == []

    on_bench(test)


def test_a_chip_that_lost_its_setting_is_noticed_at_the_next_edge_and_set_again():
    async def test(bench):
        bench.chip.power(False)
        bench.chip.power(True)
        bench.line.pull("another chip", True)
        await wait(10)
        bench.line.pull("another chip", False)
        await wait(10)
        assert bench.interrupts.on_fault == [("expander", SENSOR_SILENT), ("expander", 0)]
        bench.set("FIRE", True)
        await wait(1)
        assert bench.events == [("FIRE", True)]

    on_bench(test)


def test_self_test_restores_a_chip_that_lost_its_setting():
    async def test(bench):
        assert await bench.expander.self_test() == (True, "MCP23017")
        bench.chip.power(False)
        bench.chip.power(True)
        ok, detail = await bench.expander.self_test()
        assert not ok
        assert "lost" in detail
        assert (await bench.expander.self_test())[0]
        assert bench.chip.output(OUTPUTS["OUTER_SCREEN_CS"][0]) is True

    on_bench(test)


def test_doors_follow_their_contacts_and_relays():
    async def test(bench):
        relays = {1: Pin(0), 2: Pin(0)}
        doors: Any = Doors(relays, {1: "OUTER_CONTACT", 2: "INNER_CONTACT"}, bench.inputs)
        changes = []
        doors.on_change = lambda door, is_open: changes.append((door, is_open))
        assert [relay.level for relay in relays.values()] == [0, 0]
        doors.release(1)
        assert (relays[1].level, relays[2].level, doors.is_released(1)) == (1, 0, True)
        bench.set("OUTER_CONTACT", True)
        await wait(1)
        assert doors.is_open(1)
        assert not doors.is_open(2)
        doors.lock(1)
        assert (relays[1].level, doors.is_released(1)) == (0, False)
        bench.set("OUTER_CONTACT", False)
        await wait(50)
        assert changes == [(1, True), (1, False)]
        assert await doors.self_test() == (True, "open: none")
        relays[2].level = 1  # a relay driver that sticks
        assert not (await doors.self_test())[0]

    on_bench(test)
