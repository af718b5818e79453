"""The UHF driver against frames of the M100 manual: pace, tags, chip numbers, silence and nonsense."""

import asyncio

import pytest
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.drivers.m100_frames import ANSWER, encode
from doorward_firmware.drivers.serial_port import SerialPort
from doorward_firmware.drivers.uhf import UhfReader
from doorward_protocol.errors import READER_GARBAGE, READER_SILENT
from driver_bench import Faults, Line, Script, Uart, run, wait

EPC = bytes.fromhex("30751feb705c5904e3d50d70")
TID = bytes.fromhex("e28011052000779ccd2e0a86")
# M100 firmware manual 2.2.2, 2.2.3, 2.3.2, 2.4.
NOTICE = bytes.fromhex("bb02220011c9340030751feb705c5904e3d50d703a76ef7e")
NO_TAG = bytes.fromhex("bb01ff000115167e")
STOP = bytes.fromhex("bb00280000287e")
STOPPED = bytes.fromhex("bb01280001002a7e")
SELECT = bytes.fromhex("bb000c0013010000002060 0030751feb705c5904e3d50d70ad7e".replace(" ", ""))
SELECTED = bytes.fromhex("bb010c0001000e7e")
ENDLESS = encode(0x27, b"\x22\xff\xff")
GLANCE = encode(0x27, b"\x22\x00\x02")


def reply(command, parameters=b"\0"):
    body = bytes((ANSWER, command, 0, len(parameters))) + parameters
    return b"\xbb" + body + bytes((sum(body) & 255, 0x7E))


def notice(epc):
    body = bytes((2, 0x22, 0, len(epc) + 5, 0xC9, len(epc) // 2 << 3, 0)) + epc + b"\x3a\x76"
    return b"\xbb" + body + bytes((sum(body) & 255, 0x7E))


SETUP = ((STOP, STOPPED), (encode(0x07, b"\x01"), reply(0x07)), (encode(0xB6, b"\x0a\x28"), reply(0xB6)))
READ_SIX = encode(0x39, b"\0\0\0\0\x02\0\0\0\x06")
READ_FOUR = encode(0x39, b"\0\0\0\0\x02\0\0\0\x04")


def tid_answer(tid, epc=EPC):
    return reply(0x39, bytes((len(epc) + 2, 0x34, 0)) + epc + tid)


def with_reader(test, *exchanges, line=None):
    async def go():
        script = Script(*exchanges)
        reader = UhfReader(SerialPort(Uart(script, line)), "gate")
        reader.on_fault = Faults()
        result = await test(reader, script)
        script.close()
        return result

    return run(go())


def test_open_stops_old_polling_and_sets_region_and_power():
    async def test(reader, _script):
        await reader.open()

    with_reader(test, *SETUP)
    with_reader(test, *SETUP, line=Line(pieces=1, delay_ms=1))


def test_tags_are_reported_and_repeated_at_a_bounded_rate():
    async def test(reader, script):
        await reader.open()
        reader.start()
        await wait(10)
        other = bytes(range(8))
        script.send(NOTICE + notice(other) + NOTICE * 20)
        first, second = await reader.next_tag(), await reader.next_tag()
        assert (first, second) == (EPC, other)
        waiting = asyncio.create_task(reader.next_tag())
        await wait(300)
        script.send(NOTICE)
        await wait(50)
        assert not waiting.done()
        await wait(100)
        script.send(NOTICE)
        assert await waiting == EPC
        await reader.stop()

    with_reader(test, *SETUP, *SETUP, (ENDLESS, NO_TAG), (STOP, STOPPED))


def test_without_new_tags_it_only_glances():
    async def test(reader, script):
        await reader.open()
        reader.start()
        for _ in range(5):
            await wait(600)
            script.send(NO_TAG)
        await wait(700)
        script.send(NOTICE)  # an arrival: eager again at the next pace
        assert await reader.next_tag() == EPC
        await wait(750)
        assert not script._exchanges

    with_reader(test, *SETUP, *SETUP, (ENDLESS, NO_TAG), (STOP, STOPPED), (GLANCE, NO_TAG), (ENDLESS, NO_TAG))


def test_a_parked_van_does_not_keep_it_eager():
    async def test(reader, script):
        await reader.open()
        reader.start()
        for _ in range(50):
            await wait(100)
            script.send(NOTICE)
        return script.questions.count(GLANCE)

    class Counting(Script):
        def __init__(self):
            super().__init__()
            self.questions = []

        def receive(self, data):
            self.questions.append(data)
            command = data[2]
            asyncio.get_running_loop().call_soon(self.send, NO_TAG if command == 0x27 else reply(command))

    async def go():
        script = Counting()
        reader = UhfReader(SerialPort(Uart(script)), "gate")
        return await test(reader, script)

    assert run(go()) >= 2


@pytest.mark.parametrize(
    "bad", [notice(EPC)[:-3], notice(EPC[:-1]), b"\xbb\x02\x22\x00\x03\xc9\x34\x00\x24\x7e", b"\xbb" * 300]
)
def test_bad_notices_are_no_tags(bad):
    async def test(reader, script):
        await reader.open()
        script.send(bad)
        await wait(20)
        script.send(b"\x00" * 140 + NOTICE)
        return await reader.next_tag()

    assert with_reader(test, *SETUP) == EPC


def test_more_tags_than_fit_are_dropped_not_kept():
    async def test(reader, script):
        await reader.open()
        for number in range(400):
            script.send(notice(number.to_bytes(4, "big")))
            await wait(1)
        assert len(reader._tags) <= 128
        assert len(reader._last) <= 128

    with_reader(test, *SETUP)


def test_the_chip_number_is_read_by_selecting_the_tag():
    async def test(reader, _script):
        await reader.open()
        return await reader.read_tid(EPC)

    assert with_reader(test, *SETUP, (SELECT, SELECTED), (READ_SIX, tid_answer(TID))) == TID


def test_older_chips_have_shorter_numbers():
    async def test(reader, _script):
        await reader.open()
        return await reader.read_tid(EPC)

    overrun = reply(0xFF, b"\xa3\x0e\x34\x00" + EPC)
    exchanges = ((SELECT, SELECTED), (READ_SIX, overrun), (READ_FOUR, tid_answer(TID[:8])))
    assert with_reader(test, *SETUP, *exchanges) == TID[:8]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply(0xFF, b"\x16\x0e\x34\x00" + EPC), READER_SILENT),
        (tid_answer(TID, EPC[:-1] + b"\0"), READER_GARBAGE),
        (tid_answer(TID[:-1]), READER_GARBAGE),
        (reply(0x39, b""), READER_GARBAGE),
        (reply(0x39, b"\xff" * 30), READER_GARBAGE),
    ],
)
def test_a_reading_that_does_not_fit_is_refused(answer, reason):
    async def test(reader, _script):
        await reader.open()
        with pytest.raises(DriverError) as caught:
            await reader.read_tid(EPC)
        return caught.value.reason

    assert with_reader(test, *SETUP, (SELECT, SELECTED), (READ_SIX, answer)) == reason


def test_a_tag_that_misses_one_reading_is_read_again():
    async def test(reader, _script):
        await reader.open()
        return await reader.read_tid(EPC)

    missed = (READ_SIX, reply(0xFF, b"\x09"))
    assert with_reader(test, *SETUP, (SELECT, SELECTED), missed, missed, (READ_SIX, tid_answer(TID))) == TID


def test_a_tag_that_has_gone_is_given_up():
    async def test(reader, _script):
        await reader.open()
        with pytest.raises(DriverError) as caught:
            await reader.read_tid(EPC)
        return caught.value.reason

    missed = (READ_SIX, reply(0xFF, b"\x09"))
    assert with_reader(test, *SETUP, (SELECT, SELECTED), missed, missed, missed) == READER_SILENT


def test_reading_while_polling_stops_and_starts_again():
    async def test(reader, script):
        await reader.open()
        reader.start()
        await wait(100)
        script.send(NOTICE)
        epc = await reader.next_tag()
        assert await reader.read_tid(epc) == TID
        await wait(20)
        assert not script._exchanges

    reading = (
        (STOP, NO_TAG + STOPPED + NO_TAG),
        (SELECT, SELECTED),
        (READ_SIX, tid_answer(TID)),
        (ENDLESS, NO_TAG),
    )
    with_reader(test, *SETUP, *SETUP, (ENDLESS, NO_TAG), *reading)


def test_a_dead_reader_is_reported_once_and_its_return_too():
    async def test(reader, script):
        with pytest.raises(DriverError) as caught:
            await reader.open()
        assert caught.value.reason == READER_SILENT
        reader.start()
        await wait(4_000)
        assert reader.on_fault == [("gate", READER_SILENT)]
        await wait(4_500)
        assert reader.on_fault == [("gate", READER_SILENT), ("gate", 0)]
        assert not script._exchanges

    silent = (STOP, None)
    with_reader(test, *(silent,) * 6, *SETUP, (ENDLESS, NO_TAG))


def test_a_reader_that_falls_silent_is_set_up_anew():
    async def test(reader, script):
        await reader.open()
        reader.start()
        await wait(3_500)
        assert len(script._exchanges) == 1
        assert reader.on_fault == []
        await reader.stop()

    with_reader(test, *SETUP, *SETUP, (ENDLESS, None), *SETUP, (ENDLESS, NO_TAG), (STOP, STOPPED))
