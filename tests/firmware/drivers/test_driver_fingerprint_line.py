"""The fingerprint driver on a bad line: silence, nonsense, late answers, lost power, a broken sensor."""

import asyncio

import pytest
from doorward_firmware.drivers import ef01_codes as codes
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.drivers.fingerprint import Fingerprint
from doorward_firmware.drivers.inputs import Input
from doorward_firmware.drivers.serial_port import SerialPort
from doorward_protocol.errors import (
    SENSOR_GARBAGE,
    SENSOR_SILENT,
    SENSOR_TAMPERED,
)
from driver_bench import Script, Uart, run, wait
from ef01_script import (
    FEATURES,
    IMAGE,
    NOT_FOUND,
    OPENING,
    PASSWORD,
    answer,
    ask,
    chance,
    count,
    found,
    refused,
    search,
    with_sensor,
)


def test_silence_is_asked_twice_and_then_named():
    exchanges = ((ask(codes.GET_IMAGE), None),) * 2
    assert refused(lambda sensor: sensor.capture(), *exchanges) == SENSOR_SILENT


@pytest.mark.parametrize(
    "nonsense",
    [b"\x00" * 30, b"\xef\x01\xff\xff\xff\xff\x07\x00\x03\x00\x00\x0b", answer(0)[:-1], answer(0, 1, 2, 3)],
)
def test_nonsense_is_asked_twice_and_then_named(nonsense):
    exchanges = ((ask(codes.GET_IMAGE), nonsense),) * 2
    assert refused(lambda sensor: sensor.capture(), *exchanges) == SENSOR_GARBAGE


def test_one_damaged_answer_is_no_failure():
    async def test(sensor, _script):
        await sensor.capture()

    with_sensor(
        test, (ask(codes.GET_IMAGE), b"\xef\x01\xff\xff\xff\xff\x07\x00\x03\x01\x00\x0a"), IMAGE, FEATURES
    )


def test_a_late_answer_is_not_taken_for_the_next_one():
    """The match of an earlier question arrives while the sensor is asked again: it must not count."""

    async def test(sensor, script):
        with pytest.raises(DriverError):
            await sensor.search(0, 4)
        script.send(found(1))  # late
        await wait(20)
        return await sensor.search(0, 4)

    silent = search(0, 4, None)
    assert with_sensor(test, silent, silent, search(0, 4, NOT_FOUND)) is None


def test_after_silence_the_sensor_works_again():
    async def test(sensor, _script):
        with pytest.raises(DriverError):
            await sensor.capture()
        await sensor.capture()

    silent = (ask(codes.GET_IMAGE), None)
    with_sensor(test, silent, silent, IMAGE, FEATURES)


def test_a_line_that_never_falls_quiet_is_named():
    async def test(sensor, script):
        async def babble():
            while True:
                script.send(b"\x55")
                await wait(40)

        babbler = asyncio.create_task(babble())
        with pytest.raises(DriverError) as caught:
            await sensor.capture()
        babbler.cancel()
        return caught.value.reason

    assert with_sensor(test, (ask(codes.GET_IMAGE), None)) == SENSOR_GARBAGE


def test_a_module_that_lost_its_power_gets_its_password_again():
    async def test(sensor, _script):
        await sensor.capture()

    wants = (ask(codes.GET_IMAGE), answer(codes.PASSWORD_NEEDED))
    with_sensor(test, wants, OPENING[0], count(0), IMAGE, FEATURES)


def test_a_swapped_module_is_noticed_when_it_wants_a_password():
    wants = (ask(codes.GET_IMAGE), answer(codes.PASSWORD_NEEDED))
    verify = OPENING[0][0]
    assert refused(lambda sensor: sensor.capture(), wants, (verify, answer(0x13))) == SENSOR_TAMPERED
    assert refused(lambda sensor: sensor.capture(), wants, OPENING[0], count(5)) == SENSOR_TAMPERED


def test_the_ring_never_fails():
    async def test(sensor, _script):
        await sensor.ring(1, 2)

    with_sensor(test, (ask(codes.LED_RING, 1, 100, 2, 0), answer(0)))
    with_sensor(test, (ask(codes.LED_RING, 1, 100, 2, 0), answer(0xFC)))


@pytest.mark.shows("F6")
def test_self_test_reports_a_broken_area():
    async def test(sensor, _script):
        return await sensor.self_test()

    check = ask(codes.CHECK_SENSOR)
    assert with_sensor(test, OPENING[0], (check, answer(0)), count(0)) == (True, "R503, 200 slots")
    ok, detail = with_sensor(test, OPENING[0], (check, answer(0x29)))
    assert not ok
    assert "sensor_silent" in detail
    assert "29" in detail
    silent = (OPENING[0][0], None)
    ok, detail = with_sensor(test, silent, silent)
    assert not ok
    assert "sensor_silent" in detail


def test_a_touch_is_reported_once_and_wakes_the_waiter():
    async def go():
        touch = Input("TOUCH", 0, 0)
        sensor = Fingerprint(SerialPort(Uart(Script())), touch, PASSWORD, "outer", chance(True))
        waiter = asyncio.create_task(sensor.wait_touch())
        await wait(5)
        assert not waiter.done()
        touch.activate()
        await waiter
        again = asyncio.create_task(sensor.wait_touch())
        await wait(5)
        assert not again.done()  # the same touch is not reported twice
        touch.release()
        touch.activate()
        await again

    run(go())


def test_a_cancelled_question_leaves_no_answer_behind():
    async def test(sensor, script):
        task = asyncio.create_task(sensor.search(0, 4))
        await wait(2)
        task.cancel()
        await wait(1)
        script.send(found(1))
        return await sensor.search(0, 4)

    silent = search(0, 4, None)
    assert with_sensor(test, silent, search(0, 4, NOT_FOUND)) is None


def test_a_match_sent_before_the_question_does_not_count():
    async def test(sensor, script):
        script.send(found(1))
        await wait(20)
        return await sensor.search(0, 4)

    assert with_sensor(test, search(0, 4, NOT_FOUND)) is None
