"""The UART bridge against the emulated SC16IS752: both channels, full buffers, loss of power."""

import asyncio

import pytest
from doorward_firmware.board import REFERENCE
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.drivers.interrupts import InterruptLine
from doorward_firmware.drivers.uart_bridge import Bridge
from doorward_protocol.errors import READER_SILENT
from doorward_simulator.devices.device import SerialDevice
from doorward_simulator.devices.sc16is752 import SerialBridge
from driver_bench import Faults, I2c, OpenDrain, Scheduler, run, wait

ADDRESS = REFERENCE["bridge"]["address"]


class Far(SerialDevice):
    """Something on the serial line that keeps what it gets."""

    def __init__(self, scheduler, name):
        super().__init__(scheduler, name, 115_200)
        self.chunk = 16  # bytes that travel together: less than the chip's FIFO
        self.got = b""

    def handle(self, data):
        self.got += data


class Bench:
    def __init__(self):
        scheduler = Scheduler()
        self.chip = SerialBridge(scheduler, **REFERENCE["bridge"])
        self.far = [Far(scheduler, "a"), Far(scheduler, "b")]
        for number, far in enumerate(self.far):
            self.chip.connect(number, far)
            far.power(True)
        self.chip.power(True)
        self.line = OpenDrain(self.chip)
        self.i2c = I2c(self.chip)
        self.bridge = Bridge(self.i2c, ADDRESS, REFERENCE["bridge"]["crystal"])
        self.near = [self.bridge.channel(0, 115_200), self.bridge.channel(1, 115_200)]
        self.interrupts = InterruptLine(self.line.pin)
        self.interrupts.on_fault = Faults()
        self.interrupts.add(self.bridge)

    async def start(self):
        await self.bridge.open()
        self.task = asyncio.create_task(self.interrupts.run())


def on_bench(test):
    async def go():
        bench = Bench()
        await bench.start()
        await test(bench)
        assert bench.chip.violations == []
        assert [far.violations for far in bench.far] == [[], []]

    run(go())


async def read(stream, count):
    data = b""
    while len(data) < count:
        data += await stream.read(count - len(data))
    return data


def test_both_channels_carry_both_ways():
    async def test(bench):
        for number in (0, 1):
            bench.near[number].write(b"question %d" % number)
            bench.far[number].transmit(b"answer %d" % number)
        await wait(20)
        assert [far.got for far in bench.far] == [b"question 0", b"question 1"]
        assert await bench.near[0].read(64) == b"answer 0"
        assert await bench.near[1].read(3) == b"ans"
        assert await bench.near[1].read(64) == b"wer 1"

    on_bench(test)


def test_more_than_the_fifo_goes_out_in_order():
    async def test(bench):
        data = bytes(range(256)) * 3
        bench.near[0].write(data[:300])
        bench.near[0].write(data[300:])
        await wait(200)
        assert bench.far[0].got == data

    on_bench(test)


def test_a_long_stream_comes_in_whole():
    async def test(bench):
        data = bytes(number & 255 for number in range(3000))
        bench.far[1].transmit(data)
        assert await read(bench.near[1], len(data)) == data

    on_bench(test)


def test_a_loop_that_was_held_loses_bytes_and_counts_them():
    async def test(bench):
        bench.task.cancel()
        await wait(1)
        bench.far[0].transmit(bytes(200))
        await wait(50)
        bench.task = asyncio.create_task(bench.interrupts.run())
        await wait(5)
        assert len(await bench.near[0].read(1024)) == 64
        assert bench.near[0].lost == 1
        bench.far[0].transmit(b"and on")
        await wait(5)
        assert await bench.near[0].read(64) == b"and on"

    on_bench(test)


def test_what_nobody_reads_is_bounded():
    async def test(bench):
        bench.far[0].transmit(bytes(5000))
        await wait(1000)
        assert len(bench.near[0]._received) == 1024
        assert bench.near[0].lost >= 5000 - 1024

    on_bench(test)


def test_writing_without_end_is_refused():
    async def test(bench):
        bench.near[0].write(bytes(1024))
        with pytest.raises(DriverError) as caught:
            bench.near[0].write(bytes(65))
        assert caught.value.reason == READER_SILENT

    on_bench(test)


def test_reset_sets_up_a_chip_that_lost_its_power():
    async def test(bench):
        bench.chip.power(False)
        with pytest.raises(DriverError) as caught:
            bench.near[0].reset()
        assert caught.value.reason == READER_SILENT
        bench.chip.power(True)
        assert not (await bench.bridge.self_test())[0]
        for stream in bench.near:
            stream.reset()
        assert (await bench.bridge.self_test())[0]
        bench.near[1].write(b"back")
        bench.far[1].transmit(b"again")
        await wait(20)
        assert bench.far[1].got == b"back"
        assert await bench.near[1].read(64) == b"again"

    on_bench(test)


def test_reset_forgets_what_was_received():
    async def test(bench):
        bench.far[0].transmit(b"old")
        await wait(5)
        bench.near[0].reset()
        bench.far[0].transmit(b"new")
        assert await bench.near[0].read(64) == b"new"

    on_bench(test)


def test_a_dead_bridge_is_named():
    async def test(bench):
        bench.i2c.broken = True
        assert not (await bench.bridge.self_test())[0]
        bench.line.pull(bench.chip, True)
        await wait(10)
        assert bench.interrupts.on_fault[0] == ("bridge", READER_SILENT)

    on_bench(test)
