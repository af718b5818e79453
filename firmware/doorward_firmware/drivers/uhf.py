"""An M100/R200 UHF reader: which tags are in front of the antenna, and which chip each one is.

The air has no event: tags are silent until they are asked. The module asks by itself (command 27: so many
rounds; a notice for every tag heard, or an answer FF 15 for a round without any). It is given rounds without
end while new tags keep coming, and two rounds every 750 ms when nothing new has come for 3 s: an arrival is
noticed within a second, and a parked van does not fill the line with the same notice fifty times a second.
During an endless run the module understands "stop" (28) only. A tag's chip number (TID) is read with command
39 after "select" (0C) has chosen the tag by its EPC, so polling pauses for that moment.

Notices may be lost on the way (the bridge's buffer is short); a tag that stays is heard again at once. When
no frame at all comes for 3 s, the module is set up anew, which it must answer: the proof that it lives.
Source: MagicRF M100/QM100 firmware manual, chapter 2; region and power as the site's radio rules want them.
"""

import asyncio
import time

from doorward_protocol.compat import const
from doorward_protocol.errors import READER_GARBAGE, READER_SILENT

from . import m100_frames as frames
from .errors import DriverError, ignore_fault

_INFORMATION = const(0x03)
_REGION = const(0x07)
_SELECT = const(0x0C)
_POLL_ONCE = const(0x22)
_POLL = const(0x27)
_STOP = const(0x28)
_READ = const(0x39)
_POWER = const(0xB6)
_ERROR = const(0xFF)

_NO_TAG_HEARD = b"\x15"
_NOT_THERE = const(0x09)  # the tag did not answer this time
_MEMORY_OVERRUN = const(0xA3)

_ENDLESS = const(0xFFFF)  # rounds, some twenty minutes
_GLANCE = const(2)  # rounds
_ANSWER = const(500)  # ms an answer may take
_TRIES = const(3)
_PACE = const(750)  # ms between two glances
_SILENCE = const(3_000)  # ms without a frame after which the module is set up anew
_EAGER = const(3_000)  # ms of endless rounds after the last new tag
_FORGET = const(10_000)  # ms after which a tag that was not heard counts as new
_RETRY = const(5_000)  # ms between two attempts to reach a module that failed
_REPEAT = const(400)  # ms within which a tag is not reported again
_MAX_TAGS = const(128)  # tags remembered and waiting
_TID_WORDS = const(6)  # 96 bits
_SHORT_TID_WORDS = const(4)  # older chips have 64

CHINA_900, CHINA_800, AMERICA, EUROPE, KOREA = 1, 4, 2, 3, 6


class UhfReader:
    """One reader on a stream. `power` in hundredths of dBm, `region` as the module numbers them."""

    def __init__(self, stream, name: str, power: int = 2600, region: int = CHINA_900):
        self.name = name
        self.on_fault = ignore_fault
        self._stream = stream
        self._settings = ((_REGION, bytes((region,))), (_POWER, power.to_bytes(2, "big")))
        self._parser = frames.Parser()
        self._lock = asyncio.Lock()
        self._answered = asyncio.Event()
        self._answer = (0, b"")
        self._heard = asyncio.Event()
        self._heard_at = 0
        self._new_at = 0
        self._endless = False
        self._tags = []
        self._last = {}
        self._failed = False
        self._listener = None
        self._poller = None

    async def open(self) -> None:
        """Start listening to the module and see that it is one."""
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
        async with self._lock:
            await self._prepare()

    def start(self) -> None:
        """Poll from now on, through all failures, until `stop`."""
        if self._poller is None:
            self._tags = []
            self._last = {}
            self._poller = asyncio.create_task(self._keep_polling())

    async def stop(self) -> None:
        """End polling."""
        if self._poller is not None:
            self._poller.cancel()
            self._poller = None
            self._endless = False
            async with self._lock:
                try:
                    await self._ask(_STOP)
                except DriverError as error:
                    self._fault(error)

    async def next_tag(self) -> bytes:
        """Wait for a tag's EPC. A tag that stays comes again and again, some times a second at most."""
        while not self._tags:
            self._heard.clear()
            await self._heard.wait()
        return self._tags.pop(0)

    async def read_tid(self, epc: bytes) -> bytes:
        """The chip number of the tag with this EPC. READER_SILENT if the tag does not answer any more."""
        return await self._between_polls(self._read_tid, epc)

    async def self_test(self) -> tuple:
        """(ok, detail): the module tells its version."""
        try:
            version = await self._between_polls(self._ask, _INFORMATION, b"\x01")
        except DriverError as error:
            return False, str(error)
        return True, "".join([chr(byte) for byte in version[1:33] if 0x20 <= byte < 0x7F])

    async def _between_polls(self, action, *arguments):
        async with self._lock:
            try:
                if self._poller is not None:
                    await self._ask(_STOP)
                return await action(*arguments)
            finally:
                if self._endless:
                    self._poll(_ENDLESS)

    def _poll(self, rounds):
        self._stream.write(frames.encode(_POLL, b"\x22" + rounds.to_bytes(2, "big")))

    async def _read_tid(self, epc):
        if not 2 <= len(epc) <= 30:
            raise DriverError(READER_GARBAGE, "EPC of %d bytes" % len(epc))
        # Select sets its mode to 2 as well: before reading, not before polling. Target S0, action 0, EPC
        # bank from bit 32 (behind CRC and PC), whole EPC, not truncated.
        mask = b"\x01\x00\x00\x00\x20" + bytes((len(epc) * 8, 0)) + epc
        await self._ask(_SELECT, mask)
        try:
            return await self._read_words(epc, _TID_WORDS)
        except TagError as error:
            if error.code != _MEMORY_OVERRUN:
                raise
        return await self._read_words(epc, _SHORT_TID_WORDS)

    async def _read_words(self, epc, words):
        """Read from the TID bank (2) without an access password, and see that it was the tag we asked."""
        answer = await self._ask_tag(_READ, b"\0\0\0\0\x02\0\0\0" + bytes((words,)))
        size = answer[0] if answer else 0  # of PC and EPC
        if answer[3 : 1 + size] != epc or len(answer) != 1 + size + 2 * words:
            raise DriverError(READER_GARBAGE, "another tag answered")
        return answer[1 + size :]

    async def _ask_tag(self, command, parameters):
        """Ask the selected tag; one that misses a question is asked again."""
        for _try in range(_TRIES - 1):
            try:
                return await self._ask(command, parameters)
            except TagError as error:
                if error.code != _NOT_THERE:
                    raise
        return await self._ask(command, parameters)

    async def _prepare(self):
        self._stream.reset()
        self._parser.clear()
        self._endless = False
        await self._ask(_STOP)  # it may still be polling from before our restart
        for command, parameters in self._settings:
            await self._ask(command, parameters)

    async def _keep_polling(self):
        while True:
            try:
                async with self._lock:
                    await self._prepare()
                if self._failed:
                    self._failed = False
                    self.on_fault(self.name, 0, "")
                self._heard_at = self._new_at = time.ticks_ms()
                while time.ticks_diff(time.ticks_ms(), self._heard_at) < _SILENCE:
                    await self._set_pace()
                    await asyncio.sleep_ms(_PACE)
            except DriverError as error:
                self._fault(error)
                await asyncio.sleep_ms(_RETRY)

    async def _set_pace(self):
        async with self._lock:
            eager = time.ticks_diff(time.ticks_ms(), self._new_at) < _EAGER
            if eager and not self._endless:
                self._poll(_ENDLESS)
            elif not eager:
                if self._endless:
                    await self._ask(_STOP)
                self._poll(_GLANCE)
            self._endless = eager

    def _fault(self, error):
        if not self._failed:
            self._failed = True
            self.on_fault(self.name, error.reason, error.detail)

    async def _ask(self, command, parameters=b""):
        """Send a command, return its answer's parameters. Asked up to three times: nothing here can harm."""
        garbage = self._parser.garbage
        for _try in range(_TRIES):
            self._answered.clear()
            self._stream.write(frames.encode(command, parameters))
            end = time.ticks_add(time.ticks_ms(), _ANSWER)
            while True:
                try:
                    rest = time.ticks_diff(end, time.ticks_ms())
                    await asyncio.wait_for_ms(self._answered.wait(), max(rest, 0))
                except asyncio.TimeoutError:
                    break
                self._answered.clear()
                code, answer = self._answer
                if code == command:
                    return answer
                if code == _ERROR:
                    raise TagError(answer[0])
        if self._parser.garbage != garbage:
            raise DriverError(READER_GARBAGE, "no proper answer to command %02x" % command)
        raise DriverError(READER_SILENT, "no answer to command %02x" % command)

    async def _listen(self):
        while True:
            self._parser.feed(await self._stream.read(64))
            frame = self._parser.next()
            while frame is not None:
                self._heard_at = time.ticks_ms()
                kind, command, parameters = frame
                if kind == frames.ANSWER:
                    if command != _ERROR or parameters[:1] not in (b"", _NO_TAG_HEARD):
                        self._answer = command, parameters
                        self._answered.set()
                elif command in (_POLL_ONCE, _POLL):
                    self._notice(parameters)
                frame = self._parser.next()

    def _notice(self, parameters):
        """RSSI (1), PC (2, its upper 5 bits are the EPC's words), EPC, CRC (2)."""
        if len(parameters) < 7:
            return
        epc = parameters[3:-2]
        if len(epc) != (parameters[1] >> 3) * 2:
            return
        now = time.ticks_ms()
        last = self._last.get(epc)
        if last is None or time.ticks_diff(now, last) > _FORGET:
            self._new_at = now
        elif time.ticks_diff(now, last) < _REPEAT:
            return
        if len(self._last) >= _MAX_TAGS and last is None:
            self._last = {}
        self._last[epc] = now
        if epc not in self._tags and len(self._tags) < _MAX_TAGS:
            self._tags.append(epc)
            self._heard.set()


class TagError(DriverError):
    """The module says why an operation on a tag failed: `code` as its manual has them."""

    def __init__(self, code):
        super().__init__(READER_SILENT, "tag not read, code %02x" % code)
        self.code = code
