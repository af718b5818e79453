"""The packets of an EF01 fingerprint module, and a driver that has to agree with a script of them."""

import pytest
from doorward_firmware.drivers import ef01_codes as codes
from doorward_firmware.drivers.ef01_packets import ANSWER, COMMAND, encode
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.drivers.fingerprint import Fingerprint
from doorward_firmware.drivers.inputs import Input
from doorward_firmware.drivers.serial_port import SerialPort
from driver_bench import Script, Uart, run

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
