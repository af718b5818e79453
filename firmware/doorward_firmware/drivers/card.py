"""Staff cards: a PN532 on the I2C bus that says by itself when a card has come.

The chip is asked to wait for a card (InListPassiveTarget without a limit of tries) and pulls the interrupt
line when there is one; nothing is polled. Every command is first acknowledged and then answered, each with
an interrupt. Our own ACK frame ends a command that is still waiting (user manual UM0701-02, 6.2.1.3).
"""

import asyncio
import time

from doorward_protocol.compat import const
from doorward_protocol.errors import READER_GARBAGE, READER_SILENT

from . import pn532_frames as frames
from .errors import DriverError, ignore_fault

_GET_FIRMWARE_VERSION = const(0x02)
_SAM_CONFIGURATION = const(0x14)
_RF_CONFIGURATION = const(0x32)
_LIST_PASSIVE_TARGET = const(0x4A)
_RELEASE = const(0x52)

_ACKNOWLEDGED = const(100)  # ms
_ANSWER = const(500)
_RETRY = const(5_000)  # ms between two attempts to reach a reader that failed
_SAME_CARD = const(3_000)  # ms within which a card that stays is not reported again
_PAUSE = const(400)  # ms between two looks at a card that stays
_READING = const(48)  # bytes of one reading: status, frame of a target with the longest UID and answer


class CardReader:
    """The reader. `service()` serves its interrupt."""

    name = "card_reader"

    def __init__(self, i2c, address: int):
        self._i2c = i2c
        self._address = address
        self._arrived = asyncio.Event()
        self._frames = []
        self._lock = asyncio.Lock()
        self._ready = False
        self._failed = False
        self._last = (b"", 0)
        self.on_fault = ignore_fault

    async def open(self) -> None:
        """Wake the chip, turn its security module's link off, let it try for ever to find a card."""
        self._ready = False
        await self._ask(_GET_FIRMWARE_VERSION)
        await self._ask(_SAM_CONFIGURATION, b"\x01\x14\x01")  # normal mode, time-out unused, with interrupt
        await self._ask(_RF_CONFIGURATION, b"\x05\xff\x01\xff")  # item 5: retries without end
        self._ready = True

    async def next_card(self) -> bytes:
        """Wait for a card's UID, 4 to 10 bytes. Failures are reported by `on_fault`, not raised."""
        async with self._lock:
            while True:
                try:
                    if not self._ready:
                        await self.open()
                    if self._failed:
                        self._failed = False
                        self.on_fault(self.name, 0, "")
                    uid = _uid(await self._ask(_LIST_PASSIVE_TARGET, b"\x01\x00", None))
                    await self._ask(_RELEASE, b"\x00")
                except DriverError as error:
                    self._ready = False
                    if not self._failed:
                        self._failed = True
                        self.on_fault(self.name, error.reason, error.detail)
                    await asyncio.sleep_ms(_RETRY)
                    continue
                now = time.ticks_ms()
                last, at = self._last
                self._last = (uid, now)
                if uid != last or time.ticks_diff(now, at) > _SAME_CARD:
                    return uid
                await asyncio.sleep_ms(_PAUSE)

    async def self_test(self) -> tuple:
        """(ok, detail): the chip tells its version; while it waits for a card, its acknowledgement counts."""
        if self._lock.locked():
            return self._ready, "waiting for a card" if self._ready else "does not answer"
        try:
            version = await self._ask(_GET_FIRMWARE_VERSION)
        except DriverError as error:
            return False, str(error)
        return True, "PN5%02x %s" % (version[0], version[1:3].hex()) if len(version) == 4 else "unknown chip"

    def service(self) -> bool:
        """Fetch a frame if the chip has one. True if it had."""
        try:
            if self._i2c.readfrom(self._address, 1)[0] != frames.READY:
                return False
            data = self._i2c.readfrom(self._address, _READING)
        except OSError as error:
            raise DriverError(READER_SILENT, "card reader does not answer") from error
        if len(self._frames) < 4:
            self._frames.append(data[1:])
            self._arrived.set()
        return True

    async def _ask(self, command, parameters=b"", within: int | None = _ANSWER):
        """Content of the answer; `within` None waits for ever."""
        self._frames = []
        try:
            self._i2c.writeto(self._address, frames.ACK)  # ends what may still be waiting from before
            self._i2c.writeto(self._address, frames.encode(command, parameters))
        except OSError as error:
            raise DriverError(READER_SILENT, "card reader does not answer") from error
        if not (await self._frame(_ACKNOWLEDGED, command)).startswith(frames.ACK):
            raise DriverError(READER_GARBAGE, "command %02x was not acknowledged" % command)
        answer = frames.decode(await self._frame(within, command))
        if answer is None or answer[0] != command + 1:
            raise DriverError(READER_GARBAGE, "no proper answer to command %02x" % command)
        return answer[1]

    async def _frame(self, within, command):
        while not self._frames:
            self._arrived.clear()
            try:
                if within is None:
                    await self._arrived.wait()
                else:
                    await asyncio.wait_for_ms(self._arrived.wait(), within)
            except asyncio.TimeoutError as error:
                raise DriverError(READER_SILENT, "no answer to command %02x" % command) from error
        return self._frames.pop(0)


def _uid(answer):
    """UID of a type A target; before it: count, number, SENS_RES (2), SEL_RES, its length (7.3.5)."""
    if len(answer) < 6 or answer[0] != 1 or answer[5] not in (4, 7, 10) or len(answer) < 6 + answer[5]:
        raise DriverError(READER_GARBAGE, "implausible target %s" % answer.hex())
    return answer[6 : 6 + answer[5]]
