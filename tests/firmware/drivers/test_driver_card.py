"""The card reader against the emulated PN532, and against chips that answer nonsense or nothing."""

import asyncio

import pytest
from doorward_firmware.board import REFERENCE
from doorward_firmware.drivers import pn532_frames
from doorward_firmware.drivers.card import CardReader
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.drivers.interrupts import InterruptLine
from doorward_protocol.errors import READER_GARBAGE, READER_SILENT
from doorward_simulator.devices import pn532
from doorward_simulator.devices.device import I2cDevice
from driver_bench import Faults, I2c, OpenDrain, Scheduler, keep, run, wait

ADDRESS = REFERENCE["card_reader"]["address"]
UID = bytes.fromhex("04a1b2c3")


def bench(chip):
    """(driver, line, i2c) with interrupts served."""
    chip.power(True)
    line = OpenDrain(chip)
    i2c = I2c(chip)
    reader = CardReader(i2c, ADDRESS)
    reader.on_fault = Faults()
    interrupts = InterruptLine(line.pin)
    interrupts.add(reader)
    keep(interrupts.run())
    return reader, line, i2c


def with_reader(test):
    async def go():
        chip = pn532.CardReader(Scheduler())
        reader, _, i2c = bench(chip)
        await test(reader, chip, i2c)
        assert chip.violations == []

    run(go())


@pytest.mark.parametrize("uid", [UID, bytes(range(1, 8)), bytes(range(1, 11))])
def test_a_card_is_awaited_without_asking(uid):
    async def test(reader, chip, _i2c):
        await reader.open()
        waiting = asyncio.create_task(reader.next_card())
        await wait(60_000)
        assert not waiting.done()
        chip.place(pn532.Card(uid))
        assert await waiting == uid
        assert reader.on_fault == []

    with_reader(test)


def test_a_card_that_stays_is_reported_once():
    async def test(reader, chip, _i2c):
        await reader.open()
        chip.place(pn532.Card(UID))
        assert await reader.next_card() == UID
        waiting = asyncio.create_task(reader.next_card())
        await wait(20_000)
        assert not waiting.done()
        chip.remove(pn532.Card(UID))
        other = pn532.Card(bytes(range(7)))
        chip.place(other)
        assert await waiting == other.uid

    with_reader(test)


def test_waiting_can_be_given_up_and_begun_again():
    async def test(reader, chip, _i2c):
        await reader.open()
        waiting = asyncio.create_task(reader.next_card())
        await wait(1_000)
        assert await reader.self_test() == (True, "waiting for a card")
        waiting.cancel()
        await wait(1)
        ok, detail = await reader.self_test()
        assert (ok, detail) == (True, "PN532 0106")
        waiting = asyncio.create_task(reader.next_card())
        await wait(1_000)
        chip.place(pn532.Card(UID))
        assert await waiting == UID

    with_reader(test)


def test_a_reader_without_power_is_reported_and_recovers():
    async def test(reader, chip, _i2c):
        chip.power(False)
        with pytest.raises(DriverError) as caught:
            await reader.open()
        assert caught.value.reason == READER_SILENT
        waiting = asyncio.create_task(reader.next_card())
        await wait(12_000)
        assert reader.on_fault == [("card_reader", READER_SILENT)]
        assert not (await reader.self_test())[0]
        chip.power(True)
        chip.place(pn532.Card(UID))
        assert await waiting == UID
        assert reader.on_fault == [("card_reader", READER_SILENT), ("card_reader", 0)]

    with_reader(test)


class Nonsense(I2cDevice):
    """Acknowledges every command and then answers the same bytes."""

    def __init__(self, scheduler, *answers):
        super().__init__(scheduler, "nonsense", ADDRESS)
        self.answers = answers
        self.queue = []

    def write(self, data):
        if data != pn532_frames.ACK:
            self.queue = list(self.answers)
            self.set_interrupt(bool(self.queue))
        return True

    def read(self, count):
        if not self.queue:
            return bytes(count)
        if count == 1:
            return b"\x01"
        data = self.queue.pop(0)
        self.set_interrupt(bool(self.queue))
        return (b"\x01" + data).ljust(count, b"\0")[:count]


def frame(*content):
    body = bytes((0xD5, *content))
    return bytes((0, 0, 0xFF, len(body), -len(body) & 255)) + body + bytes((-sum(body) & 255, 0))


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ((), READER_SILENT),
        ((pn532_frames.ACK,), READER_SILENT),
        ((b"\xff" * 40,), READER_GARBAGE),
        ((pn532_frames.ACK, b"\xff" * 40), READER_GARBAGE),
        ((pn532_frames.ACK, frame(0x15)), READER_GARBAGE),
        ((pn532_frames.ACK, frame(0x03, 0x32)[:-3]), READER_GARBAGE),
    ],
)
def test_nonsense_is_named(answers, reason):
    async def go():
        reader, _, _ = bench(Nonsense(Scheduler(), *answers))
        with pytest.raises(DriverError) as caught:
            await reader.open()
        return caught.value.reason

    assert run(go()) == reason


@pytest.mark.parametrize(
    "target",
    [
        (0,),
        (1, 1, 0, 4, 8, 3, 1, 2, 3),
        (1, 1, 0, 4, 8, 7, 1, 2, 3),
        (1, 1, 0, 4, 8, 200),
        (2, 1, 0, 4, 8, 4),
    ],
)
def test_an_implausible_target_is_no_card(target):
    async def go():
        reader, _, _ = bench(Nonsense(Scheduler(), pn532_frames.ACK, frame(0x4B, *target)))
        reader._ready = True
        waiting = asyncio.create_task(reader.next_card())
        await wait(100)
        assert not waiting.done()
        assert reader.on_fault == [("card_reader", READER_GARBAGE)]

    run(go())
