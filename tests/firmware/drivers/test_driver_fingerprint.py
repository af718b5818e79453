"""The fingerprint driver against the manual's packets: every answer, and a wire tap."""

import asyncio

import pytest
from doorward_firmware.drivers import ef01_codes as codes
from doorward_firmware.drivers.ef01_packets import DATA, LAST_DATA, encode
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
from driver_bench import Line, Script, Uart, run
from ef01_script import (
    ADDRESS,
    CAPACITY,
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
    parameters,
    product,
    refused,
    search,
    with_sensor,
)


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
