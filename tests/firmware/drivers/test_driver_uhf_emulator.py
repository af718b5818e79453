"""The UHF driver against the emulated M100, directly and through the bridge, on good and bad lines."""

import asyncio

import pytest
from doorward_firmware.board import REFERENCE
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.drivers.interrupts import InterruptLine
from doorward_firmware.drivers.serial_port import SerialPort
from doorward_firmware.drivers.uart_bridge import Bridge
from doorward_firmware.drivers.uhf import UhfReader
from doorward_protocol.errors import READER_GARBAGE, READER_SILENT
from doorward_simulator.devices.m100 import UhfReader as Module
from doorward_simulator.devices.sc16is752 import SerialBridge
from doorward_simulator.devices.tags import Tag
from driver_bench import Faults, I2c, Line, OpenDrain, Scheduler, Uart, keep, run, wait


def tag(number, tid_bytes=12):
    return Tag(
        bytes.fromhex("3074257bf7194e4000") + number.to_bytes(3, "big"),
        bytes([0xE2, number] * (tid_bytes // 2)),
    )


def directly(scheduler, line=None):
    """(driver, module) on a wire."""
    module = Module(scheduler)
    reader = UhfReader(SerialPort(Uart(module, line)), "gate")
    return reader, module


def through_the_bridge(scheduler, _line=None):
    """(driver, module) with the SC16IS752 between them."""
    module = Module(scheduler)
    chip = SerialBridge(scheduler, **REFERENCE["bridge"])
    chip.connect(1, module)
    chip.power(True)
    bridge = Bridge(I2c(chip), chip.address, chip.crystal)
    reader = UhfReader(bridge.channel(1, module.baud), "area")
    interrupts = InterruptLine(OpenDrain(chip).pin)
    interrupts.add(bridge)
    keep(interrupts.run())
    for channel in bridge._channels:
        channel.reset()
    return reader, module


WAYS = {
    "directly": directly,
    "byte by byte": lambda scheduler: directly(scheduler, Line(pieces=1, delay_ms=1)),
    "bridge": through_the_bridge,
}


def with_reader(test, way="directly"):
    async def go():
        reader, module = WAYS[way](Scheduler(seed=4))
        module.power(True)
        reader.on_fault = Faults()
        await reader.open()
        await test(reader, module)
        await reader.stop()
        assert module.violations == []

    run(go())


async def collect(reader, milliseconds):
    """EPCs reported within a time, with how often."""
    found = {}

    async def listen():
        while True:
            epc = await reader.next_tag()
            found[epc] = found.get(epc, 0) + 1

    listener = asyncio.create_task(listen())
    await wait(milliseconds)
    listener.cancel()
    return found


@pytest.mark.parametrize("way", sorted(WAYS))
def test_a_dozen_boxes_are_read_together(way):
    async def test(reader, module):
        tags = [tag(number) for number in range(12)]
        for each in tags:
            module.enter(each)
        reader.start()
        found = await collect(reader, 3_000)
        assert set(found) == {each.epc for each in tags}
        assert max(found.values()) <= 8

    with_reader(test, way)


@pytest.mark.parametrize("way", sorted(WAYS))
def test_chip_numbers_are_read_in_between(way):
    async def test(reader, module):
        tags = [tag(1), tag(2), tag(3, tid_bytes=8)]
        for each in tags:
            module.enter(each)
        reader.start()
        await wait(500)
        for each in tags:
            assert await reader.read_tid(each.epc) == each.tid
        assert await collect(reader, 2_000)
        assert reader.on_fault == []

    with_reader(test, way)


def test_an_arrival_after_an_hour_is_noticed_within_a_second():
    async def test(reader, module):
        reader.start()
        await wait(3_000_000)
        van = tag(7)
        module.enter(van)
        assert van.epc in await collect(reader, 1_000)
        module.leave(van)
        await wait(2_000)
        reader._tags.clear()
        assert await collect(reader, 5_000) == {}

    with_reader(test)


def test_a_copied_tag_has_another_chip():
    async def test(reader, module):
        original, copy = tag(5), Tag(tag(5).epc, bytes(range(12)))
        module.enter(copy)
        assert await reader.read_tid(original.epc) == copy.tid

    with_reader(test)


def test_a_tag_that_has_gone_does_not_answer():
    async def test(reader, module):
        with pytest.raises(DriverError) as caught:
            await reader.read_tid(tag(9).epc)
        assert caught.value.reason == READER_SILENT

    with_reader(test)


def test_power_lost_and_returned():
    async def go():
        reader, module = directly(Scheduler())
        reader.on_fault = Faults()
        module.power(True)
        await reader.open()
        reader.start()
        await wait(1_000)
        module.power(False)
        await wait(10_000)
        assert reader.on_fault == [("gate", READER_SILENT)]
        module.power(True)
        module.enter(tag(1))
        assert tag(1).epc in await collect(reader, 9_000)
        assert reader.on_fault == [("gate", READER_SILENT), ("gate", 0)]
        assert (await reader.self_test()) == (True, "V2.3.5")

    run(go())


async def tid_or_reason(reader, epc):
    try:
        return await reader.read_tid(epc)
    except DriverError as error:
        return error.reason


@pytest.mark.parametrize("seed", range(4))
def test_a_bad_line_loses_readings_and_invents_none(seed):
    async def go():
        reader, module = directly(Scheduler(), Line(pieces=5, delay_ms=1, loss=0.01, damage=0.01, seed=seed))
        module.power(True)
        tags = [tag(number) for number in range(6)]
        for each in tags:
            module.enter(each)
        await reader.open()
        reader.start()
        found = await collect(reader, 30_000)
        true = {each.epc: each.tid for each in tags}
        assert set(true) <= set(found)
        # One checksum byte lets one damaged notice in some hundreds through; a number alone opens nothing.
        assert sum(count for epc, count in found.items() if epc not in true) <= 5
        answers = [(await tid_or_reason(reader, epc), tid) for epc, tid in true.items()]
        assert all(got in (tid, READER_SILENT, READER_GARBAGE) for got, tid in answers)
        assert sum(got == tid for got, tid in answers) >= 3

    run(go())
