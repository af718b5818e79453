"""The fingerprint driver against the manual's packets: every answer, silence, nonsense, and a wire tap."""

import asyncio

import pytest
from doorward_firmware.drivers import ef01_codes as codes
from doorward_firmware.drivers.ef01_packets import ANSWER, COMMAND, DATA, LAST_DATA, encode
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.drivers.fingerprint import Fingerprint
from doorward_firmware.drivers.inputs import Input
from doorward_firmware.drivers.serial_port import SerialPort
from doorward_protocol.errors import (
    MALFORMED,
    NO_MATCH,
    POOR_IMAGE,
    SENSOR_GARBAGE,
    SENSOR_SILENT,
    SENSOR_TAMPERED,
    SPOOF_FINGER,
    WRONG_KIND,
)
from driver_bench import Line, Script, Uart, run, wait

ADDRESS = b"\xff\xff\xff\xff"
PASSWORD = b"\x12\x34\x56\x78"
CAPACITY = 200


def ask(*content):
    return encode(ADDRESS, COMMAND, bytes(content))


def answer(*content):
    return encode(ADDRESS, ANSWER, bytes(content))


def parameters(capacity=CAPACITY, size_code=1):
    return answer(0, 0, 0, 0, 9, capacity >> 8, capacity & 255, 0, 3, *ADDRESS, 0, size_code, 0, 6)


def product(model=b"R503", size=192):
    return b"".join(
        (model.ljust(16, b"\0"), b"BATC", b"SN123456", b"\1\2", b"GR192RGB", bytes((0, 192, 0, 192)))
    ) + bytes((size >> 8, size & 255, CAPACITY >> 8, CAPACITY & 255))


def count(number):
    return (ask(codes.COUNT_TEMPLATES), answer(0, number >> 8, number & 255))


OPENING = (
    (ask(codes.VERIFY_PASSWORD, *PASSWORD), answer(0)),
    (ask(codes.READ_PARAMETERS), parameters()),
    (ask(codes.PRODUCT_INFORMATION), answer(0, *product())),
    (ask(codes.EMPTY), answer(0)),
    count(0),
)
IMAGE = (ask(codes.GET_IMAGE), answer(0))
FEATURES = (ask(codes.IMAGE_TO_FEATURES, 1), answer(0))


def found(slot, score=120):
    return answer(0, slot >> 8, slot & 255, score >> 8, score & 255)


NOT_FOUND = answer(9, 0, 0, 0, 0)


def search(first, number, reply):
    return (ask(codes.SEARCH, 1, first >> 8, first & 255, number >> 8, number & 255), reply)


def chance(real_first, first=0, number=0):
    """What the random generator gives: order, then where the empty search begins and how far it goes."""
    return lambda _size: (
        bytes((1 if real_first else 0,)) + first.to_bytes(2, "big") + number.to_bytes(2, "big")
    )


def with_sensor(test, *exchanges, opened=True, random=None, line=None):
    """Run `test(sensor, script)` against a script; nothing unexpected, nothing left over."""

    async def go():
        script = Script(*((OPENING if opened else ()) + exchanges))
        sensor = Fingerprint(
            SerialPort(Uart(script, line)), Input("TOUCH", 0, 0), PASSWORD, "outer", random or chance(True)
        )
        if opened:
            await sensor.open()
        result = await test(sensor, script)
        script.close()
        return result

    return run(go())


def refused(operation, *exchanges, **settings):
    async def test(sensor, _script):
        with pytest.raises(DriverError) as caught:
            await operation(sensor)
        return caught.value.reason

    return with_sensor(test, *exchanges, **settings)


def test_open_learns_the_module_and_empties_it():
    async def test(sensor, _script):
        return sensor.info

    info = with_sensor(test)
    assert (info.model, info.serial, info.capacity, info.template_size) == ("R503", "SN123456", CAPACITY, 192)


def test_open_works_on_a_line_that_splits_and_delays_everything():
    async def test(sensor, _script):
        return sensor.info.model

    assert with_sensor(test, line=Line(pieces=1, delay_ms=1)) == "R503"


def test_a_module_without_product_information_is_named_by_its_information_page():
    async def test(sensor, _script):
        return await sensor.open()

    page = (b"\0" * 26 + b"AS608\0\0\0" + b"V1.0").ljust(512, b"\xff")
    packets = b"".join(encode(ADDRESS, DATA, page[start : start + 64]) for start in range(0, 448, 64))
    upload = answer(0) + packets + encode(ADDRESS, LAST_DATA, page[448:])
    unknown = (ask(codes.PRODUCT_INFORMATION), answer(0xFC))
    exchanges = (*OPENING[:2], unknown, (ask(codes.INFORMATION_PAGE), upload), *OPENING[3:])
    info = with_sensor(test, *exchanges, opened=False)
    assert (info.model, info.template_size) == ("AS608", 0)


@pytest.mark.parametrize("model", [b"", b"R5\x0003", b"\xff" * 16, b"\n"])
def test_a_model_that_is_no_text_is_nonsense(model):
    exchanges = (*OPENING[:2], (ask(codes.PRODUCT_INFORMATION), answer(0, *product(model))))
    assert refused(lambda sensor: sensor.open(), *exchanges, opened=False) == SENSOR_GARBAGE


def test_a_module_that_does_not_know_our_password_is_not_ours():
    exchange = (ask(codes.VERIFY_PASSWORD, *PASSWORD), answer(0x13))
    assert refused(lambda sensor: sensor.open(), exchange, opened=False) == SENSOR_TAMPERED


def test_a_library_that_stays_full_is_tampering():
    exchanges = (*OPENING[:4], count(3))
    assert refused(lambda sensor: sensor.open(), *exchanges, opened=False) == SENSOR_TAMPERED


@pytest.mark.parametrize(
    "reply", [parameters(capacity=0), parameters(capacity=60_000), parameters(size_code=9)]
)
def test_implausible_parameters_are_nonsense(reply):
    exchanges = (OPENING[0], (ask(codes.READ_PARAMETERS), reply))
    assert refused(lambda sensor: sensor.open(), *exchanges, opened=False) == SENSOR_GARBAGE


def test_commission_sets_the_password_of_a_factory_module():
    async def test(sensor, _script):
        await sensor.commission()

    exchanges = (
        (ask(codes.VERIFY_PASSWORD, 0, 0, 0, 0), answer(0)),
        (ask(codes.SET_PASSWORD, *PASSWORD), answer(0)),
        (ask(codes.VERIFY_PASSWORD, *PASSWORD), answer(0)),
    )
    with_sensor(test, *exchanges, opened=False)


@pytest.mark.parametrize("real_first", [True, False])
def test_identify_interleaves_a_search_that_must_fail(real_first):
    async def test(sensor, _script):
        return await sensor.identify(4)

    real, decoy = search(0, 4, found(2, 99)), search(104, 8, NOT_FOUND)
    searches = (real, decoy) if real_first else (decoy, real)
    result = with_sensor(test, IMAGE, FEATURES, *searches, random=chance(real_first, 100, 7))
    assert result == (2, 99)


def test_empty_searches_stay_within_the_empty_slots():
    seen = []

    async def test(sensor, script):
        for first in (0, 1, 195, 196, 1000, 65535):
            for number in (0, 3, 65535):
                sensor._random = chance(True, first, number)
                await sensor.identify(4)
        for question in script.asked:
            if question[9] == codes.SEARCH and question[11:13] != b"\0\0":
                seen.append((int.from_bytes(question[11:13], "big"), int.from_bytes(question[13:15], "big")))

    class AlwaysFirst(Script):
        def __init__(self, *_exchanges):
            super().__init__()
            self.asked = []

        def receive(self, data):
            self.asked.append(data)
            instruction = data[9]
            replies = {question[0][9]: question[1] for question in OPENING}
            reply = replies.get(instruction, answer(0))
            if instruction == codes.SEARCH:
                reply = found(0) if data[11:13] == b"\0\0" else NOT_FOUND
            asyncio.get_running_loop().call_soon(self.send, reply)

    async def go():
        script = AlwaysFirst()
        sensor = Fingerprint(SerialPort(Uart(script)), Input("TOUCH", 0, 0), PASSWORD, "outer", chance(True))
        await sensor.open()
        await test(sensor, script)

    run(go())
    assert len(seen) == 18
    assert all(first >= 4 and number >= 1 and first + number <= CAPACITY for first, number in seen)
    assert len(set(seen)) > 10


@pytest.mark.parametrize("real_first", [True, False])
def test_a_tap_that_always_says_match_is_found_out(real_first):
    real, decoy = search(0, 4, found(0)), search(4, 1, found(4))
    searches = (real, decoy) if real_first else (decoy,)
    exchanges = (IMAGE, FEATURES, *searches)
    identify = lambda sensor: sensor.identify(4)  # noqa: E731
    assert refused(identify, *exchanges, random=chance(real_first)) == SENSOR_TAMPERED


@pytest.mark.shows("D19")
def test_a_match_outside_the_searched_slots_is_tampering():
    exchanges = (IMAGE, FEATURES, search(0, 4, found(4)))
    assert refused(lambda sensor: sensor.identify(4), *exchanges) == SENSOR_TAMPERED


def test_an_unknown_finger_is_no_match():
    exchanges = (IMAGE, FEATURES, search(0, 4, NOT_FOUND), search(4, 1, NOT_FOUND))
    assert refused(lambda sensor: sensor.identify(4), *exchanges) == NO_MATCH


@pytest.mark.shows("D19")
def test_without_people_nobody_is_searched():
    assert refused(lambda sensor: sensor.identify(0), IMAGE, FEATURES) == NO_MATCH


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (0x04, POOR_IMAGE),
        (0x05, POOR_IMAGE),
        (0x17, POOR_IMAGE),
        (0x34, SPOOF_FINGER),
        (0xEE, SENSOR_GARBAGE),
    ],
)
def test_refusals_at_the_image(code, reason):
    assert refused(lambda sensor: sensor.capture(), (ask(codes.GET_IMAGE), answer(code))) == reason


@pytest.mark.parametrize(("code", "reason"), [(0x06, POOR_IMAGE), (0x07, POOR_IMAGE), (0x34, SPOOF_FINGER)])
def test_refusals_at_the_features(code, reason):
    exchanges = (IMAGE, (ask(codes.IMAGE_TO_FEATURES, 1), answer(code)))
    assert refused(lambda sensor: sensor.capture(), *exchanges) == reason


def test_every_code_has_a_reason_and_none_of_them_is_success():
    for code in range(1, 256):
        reason, text = codes.meaning(code)
        assert reason in (NO_MATCH, POOR_IMAGE, SPOOF_FINGER, SENSOR_SILENT, SENSOR_GARBAGE, SENSOR_TAMPERED)
        assert text


def test_a_finger_still_coming_down_is_waited_for():
    async def test(sensor, _script):
        await sensor.capture()

    nobody = (ask(codes.GET_IMAGE), answer(codes.NO_FINGER))
    with_sensor(test, nobody, nobody, IMAGE, FEATURES)


def test_a_finger_that_never_comes_ends_the_attempt():
    nobody = (ask(codes.GET_IMAGE), answer(codes.NO_FINGER))
    assert refused(lambda sensor: sensor.capture(), *(nobody,) * 8) == POOR_IMAGE


def test_load_sends_data_packets_of_the_set_size():
    template = bytes(range(192))

    async def test(sensor, _script):
        await sensor.load(3, template, "R503")

    packets = [encode(ADDRESS, DATA, template[:64]), encode(ADDRESS, DATA, template[64:128])]
    packets.append(encode(ADDRESS, LAST_DATA, template[128:]))
    store = (ask(codes.STORE, 1, 0, 3), answer(0))
    with_sensor(test, (ask(codes.DOWNLOAD, 1), answer(0)), (b"".join(packets), None), store, count(1))


@pytest.mark.parametrize(
    ("slot", "template", "model", "reason"),
    [
        (3, bytes(192), "AS608", WRONG_KIND),
        (3, bytes(512), "R503", WRONG_KIND),
        (CAPACITY, bytes(192), "R503", MALFORMED),
        (3, b"", "R503", MALFORMED),
    ],
)
def test_what_does_not_fit_the_module_is_refused_before_it_is_sent(slot, template, model, reason):
    assert refused(lambda sensor: sensor.load(slot, template, model)) == reason


def test_a_template_that_somebody_else_added_is_noticed():
    template = bytes(192)
    data = b"".join(encode(ADDRESS, DATA, template[:64]) for _ in range(2)) + encode(
        ADDRESS, LAST_DATA, template[:64]
    )
    exchanges = (
        (ask(codes.DOWNLOAD, 1), answer(0)),
        (data, None),
        (ask(codes.STORE, 1, 0, 0), answer(0)),
        count(2),
    )
    assert refused(lambda sensor: sensor.load(0, template), *exchanges) == SENSOR_TAMPERED


def test_read_back_joins_the_data_packets():
    async def test(sensor, _script):
        return await sensor.read_back(7)

    upload = answer(0) + encode(ADDRESS, DATA, b"a" * 64) + encode(ADDRESS, LAST_DATA, b"b" * 5)
    exchanges = ((ask(codes.LOAD, 1, 0, 7), answer(0)), (ask(codes.UPLOAD, 1), upload))
    assert with_sensor(test, *exchanges) == b"a" * 64 + b"b" * 5


def test_an_endless_upload_is_bounded():
    upload = answer(0) + encode(ADDRESS, DATA, b"a" * 256) * 40
    exchanges = ((ask(codes.LOAD, 1, 0, 7), answer(0)), (ask(codes.UPLOAD, 1), upload))
    reason = refused(lambda sensor: sensor.read_back(7), *exchanges)
    assert reason in (SENSOR_GARBAGE, SENSOR_SILENT)


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
