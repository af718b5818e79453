"""A fingerprint module of the EF01 family: who touched it, among the few people who may.

The module's library holds the current task's people only: it is emptied when the driver opens it and when
the task ends, and the number of its templates is compared with ours after every change. The UART is not
authenticated, so three things make a wire tap's life hard: the module has a password, a tamper loop runs
round its cable, and beside every search there is one over empty slots that must fail, in an order nobody
can foresee.

Instructions and codes: `ef01_codes`; questions and answers: `ef01_link`; bytes: `ef01_packets`.
"""

import asyncio
from collections import namedtuple

from doorward_protocol.compat import const
from doorward_protocol.errors import (
    MALFORMED,
    NO_MATCH,
    SENSOR_GARBAGE,
    SENSOR_SILENT,
    SENSOR_TAMPERED,
    WRONG_KIND,
)

from . import ef01_codes as codes
from .ef01_link import Link
from .errors import DriverError

FACTORY_PASSWORD = b"\0\0\0\0"

# LED ring (instruction 35): what it does, and its colours.
RING_BREATHING, RING_FLASHING, RING_ON, RING_OFF = 1, 2, 3, 4
RED, BLUE, PURPLE, GREEN = 1, 2, 3, 4

_IMAGE_TRIES = const(7)  # more: a finger that has just come down needs a moment to lie still
_IMAGE_PAUSE = const(60)  # ms between two tries
_MAX_TEMPLATE = const(4096)
_PACKET_SIZES = (32, 64, 128, 256)  # by the code in the system parameters

SensorInfo = namedtuple("SensorInfo", ("model", "serial", "capacity", "template_size"))
"""What a module says of itself: texts, number of slots, bytes of a template (0 if it does not say)."""


class Fingerprint:
    """One module. `touch` is its `inputs.Input`, `password` 4 bytes, `random(n)` gives n random bytes."""

    def __init__(self, stream, touch, password: bytes, name: str, random):
        self.name = name
        self.info = None
        self._link = Link(stream)
        self._touch = touch
        self._password = password
        self._random = random
        self._loaded = set()
        self._lock = asyncio.Lock()

    async def open(self) -> SensorInfo:
        """Prove our password, learn what the module is, empty its library.

        SENSOR_TAMPERED if it does not know our password: it is not the module that was put there.
        """
        async with self._lock:
            await self._ask(codes.VERIFY_PASSWORD, self._password)
            parameters = await self._ask(codes.READ_PARAMETERS, b"", 16)
            capacity, size_code = _number(parameters, 4), _number(parameters, 12)
            if not 1 < capacity <= 10_000 or size_code >= len(_PACKET_SIZES):
                raise DriverError(SENSOR_GARBAGE, "implausible parameters %s" % parameters.hex())
            self._link.packet_size = _PACKET_SIZES[size_code]
            self.info = await self._read_information(capacity)
            await self._empty()
        return self.info

    async def commission(self, factory: bytes = FACTORY_PASSWORD) -> None:
        """Give a new module our password. Only somebody who stands beside it may start this."""
        async with self._lock:
            await self._ask(codes.VERIFY_PASSWORD, factory)
            await self._ask(codes.SET_PASSWORD, self._password)
            await self._ask(codes.VERIFY_PASSWORD, self._password)

    async def wait_touch(self) -> None:
        """Wait until a finger comes down; each touch is reported once."""
        await self._touch.wait_active()

    async def capture(self) -> None:
        """Take an image and its features. POOR_IMAGE or SPOOF_FINGER if that finger cannot be used."""
        async with self._lock:
            await self._capture()

    async def search(self, first: int, count: int) -> tuple | None:
        """Look for the captured finger in slots first … first + count - 1: (slot, score), or None."""
        async with self._lock:
            return await self._search(first, count)

    async def identify(self, slots: int) -> tuple:
        """Capture a finger and find it in slots 0 … slots - 1: (slot, score).

        DriverError: NO_MATCH, POOR_IMAGE, SPOOF_FINGER, SENSOR_SILENT, SENSOR_GARBAGE, or SENSOR_TAMPERED
        when the module finds a finger where there is none.
        """
        async with self._lock:
            await self._capture()
            capacity = self._opened().capacity
            if not 0 < slots < capacity:
                raise DriverError(NO_MATCH, "no finger is loaded")
            chance = self._random(5)
            empty_from = slots + _number(chance, 1) % (capacity - slots)
            empty_count = 1 + _number(chance, 3) % (capacity - empty_from)
            found = None
            for real in (chance[0] & 1, not chance[0] & 1):
                if real:
                    found = await self._search(0, slots)
                elif await self._search(empty_from, empty_count):
                    raise DriverError(SENSOR_TAMPERED, "a finger was found in empty slots")
            if found is None:
                raise DriverError(NO_MATCH)
            return found

    async def load(self, slot: int, template: bytes, model: str | None = None) -> None:
        """Store a template in a slot. WRONG_KIND if it was made by another model of sensor."""
        async with self._lock:
            info = self._opened()
            if not 0 <= slot < info.capacity or not 0 < len(template) <= _MAX_TEMPLATE:
                raise DriverError(MALFORMED, "slot %d, %d bytes" % (slot, len(template)))
            if model not in (None, info.model) or info.template_size not in (0, len(template)):
                raise DriverError(WRONG_KIND, "template of another sensor model: this is %s" % info.model)
            await self._ask(codes.DOWNLOAD, b"\x01")
            self._link.send_data(template)
            await self._ask(codes.STORE, b"\x01" + slot.to_bytes(2, "big"))
            self._loaded.add(slot)
            await self._check_count()

    async def read_back(self, slot: int) -> bytes:
        """The template in a slot, as the module has it."""
        async with self._lock:
            await self._ask(codes.LOAD, b"\x01" + slot.to_bytes(2, "big"))
            await self._ask(codes.UPLOAD, b"\x01")
            return await self._link.receive_data()

    async def delete(self, slot: int) -> None:
        """Remove one template."""
        async with self._lock:
            await self._ask(codes.DELETE, slot.to_bytes(2, "big") + b"\x00\x01")
            self._loaded.discard(slot)
            await self._check_count()

    async def wipe(self) -> None:
        """Remove all templates, and see that they are gone."""
        async with self._lock:
            await self._empty()

    async def ring(self, mode: int, color: int, speed: int = 100, times: int = 0) -> None:
        """Show something on the LED ring; `times` 0 is without end. A module without a ring is no fault."""
        async with self._lock:
            try:
                await self._link.ask(codes.LED_RING, bytes((mode, speed, color, times)))
            except DriverError:
                pass

    async def self_test(self) -> tuple:
        """(ok, detail): the password is known, the sensor area works, the library holds what we put there."""
        try:
            async with self._lock:
                await self._ask(codes.VERIFY_PASSWORD, self._password)
                info = self._opened()
                if info.serial:  # modules with product information can examine themselves
                    await self._ask(codes.CHECK_SENSOR)
                await self._check_count()
        except DriverError as error:
            return False, str(error)
        return True, "%s, %d slots" % (info.model, info.capacity)

    def _opened(self):
        if self.info is None:
            raise DriverError(SENSOR_SILENT, "the sensor has not been opened")
        return self.info

    async def _capture(self):
        code, _ = await self._link.ask(codes.GET_IMAGE)
        for _try in range(_IMAGE_TRIES):
            if code not in (codes.NO_FINGER, codes.IMAGE_FAILED):
                break
            await asyncio.sleep_ms(_IMAGE_PAUSE)
            code, _ = await self._link.ask(codes.GET_IMAGE)
        if code == codes.PASSWORD_NEEDED:
            await self._return()
            code, _ = await self._link.ask(codes.GET_IMAGE)
        if code != codes.OK:
            raise DriverError(*codes.meaning(code))
        await self._ask(codes.IMAGE_TO_FEATURES, b"\x01")

    async def _search(self, first, count):
        where = b"\x01" + first.to_bytes(2, "big") + count.to_bytes(2, "big")
        code, rest = await self._link.ask(codes.SEARCH, where, 4)
        reason, text = codes.meaning(code) if code else (0, "")
        if reason == NO_MATCH:
            return None
        if reason:
            raise DriverError(reason, text)
        slot, score = _number(rest, 0), _number(rest, 2)
        if not first <= slot < first + count:
            raise DriverError(
                SENSOR_TAMPERED, "found in slot %d, searched %d to %d" % (slot, first, first + count - 1)
            )
        return slot, score

    async def _ask(self, instruction, parameters=b"", answer=0):
        code, rest = await self._link.ask(instruction, parameters, answer)
        if code == codes.PASSWORD_NEEDED:
            await self._return()
            code, rest = await self._link.ask(instruction, parameters, answer)
        if code != codes.OK:
            raise DriverError(*codes.meaning(code))
        return rest

    async def _return(self):
        """The module lost its power for a moment, or is another one: ours knows our password and people."""
        code, _ = await self._link.ask(codes.VERIFY_PASSWORD, self._password)
        if code != codes.OK:
            raise DriverError(*codes.meaning(code))
        await self._check_count()

    async def _check_count(self):
        code, rest = await self._link.ask(codes.COUNT_TEMPLATES, b"", 2)
        if code != codes.OK:
            raise DriverError(*codes.meaning(code))
        count = _number(rest, 0)
        if count != len(self._loaded):
            raise DriverError(SENSOR_TAMPERED, "%d templates in place of %d" % (count, len(self._loaded)))

    async def _empty(self):
        await self._ask(codes.EMPTY)
        self._loaded = set()
        await self._check_count()

    async def _read_information(self, capacity):
        """What the module is: its product information, or, where it has none, its information page."""
        try:
            code, data = await self._link.ask(codes.PRODUCT_INFORMATION, b"", 46)
        except DriverError:  # older modules answer nonsense, or nothing, to what they do not know
            code, data = None, b""
        if code == codes.OK:
            return SensorInfo(_text(data[:16]), _text(data[20:28]), capacity, _number(data, 42))
        await self._ask(codes.INFORMATION_PAGE)
        page = await self._link.receive_data()
        return SensorInfo(_text(page[26:34]), "", capacity, 0)


def _number(data, at):
    return data[at] << 8 | data[at + 1]


def _text(data):
    data = data.rstrip(b"\0 ")
    if not data or min(data) < 0x20 or max(data) > 0x7E:
        raise DriverError(SENSOR_GARBAGE, "unreadable product information %s" % data.hex())
    return data.decode()
