"""The speaker: prompts in PCM16 mono 16 kHz, one after the other, without holding the loop.

`machine.I2S` takes a buffer, returns at once and calls back when the buffer has gone into its ring; when
nothing follows, it plays silence. Prompts queue up; `stop` ends the one being played and forgets the queue,
so a caller who wants to be heard now says `stop()` first. About a quarter of a second that is in the ring
is still heard.
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.errors import SPEAKER_FAILED

from .errors import DriverError, ignore_fault, observed

_MAX_QUEUE = const(8)  # prompts
_CHUNK = const(4096)  # bytes given to the ring at a time
_TAKEN = const(2000)  # ms within which the ring must take a chunk: it plays 128 ms


class Speaker:
    """One amplifier. `make()` gives a `machine.I2S` set up as transmitter."""

    name = "speaker"

    def __init__(self, make):
        self._make = make
        self._i2s = None
        self._under_way = False
        self._taken = asyncio.ThreadSafeFlag()
        self._queue = []
        self._news = asyncio.Event()
        self._task = None
        self.playing = False
        self.on_fault = ignore_fault

    async def open(self) -> None:
        """Start the transmitter."""
        self._start()

    def play(self, chunks) -> None:
        """Queue a prompt, an iterable of PCM chunks of any size. If eight wait, the oldest is dropped."""
        if len(self._queue) >= _MAX_QUEUE:
            self._queue.pop(0)
        self._queue.append(chunks)
        self._news.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        """Be silent: end the prompt being played, forget those that wait."""
        self._queue = []
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self.playing = False

    async def self_test(self) -> tuple:
        """(ok, detail): the transmitter takes a chunk of silence. Whether anybody hears it is for ears."""
        if self.playing:
            return True, "playing"
        try:
            await self._send(bytes(_CHUNK))
        except DriverError as error:
            return False, str(error)
        return True, "transmitter runs"

    async def _run(self):
        failed = False
        while True:
            while not self._queue:
                self.playing = False
                self._news.clear()
                await self._news.wait()
            self.playing = True
            try:
                await self._play(self._queue.pop(0))
                if failed:
                    failed = False
                    self.on_fault(self.name, 0, "")
            except Exception as error:  # a prompt that cannot be read must not silence the next one
                reason = error.reason if isinstance(error, DriverError) else SPEAKER_FAILED
                if not failed:
                    failed = True
                    self.on_fault(self.name, reason, observed(error))

    async def _play(self, chunks):
        rest = b""
        for chunk in chunks:
            rest += chunk
            while len(rest) >= _CHUNK:
                await self._send(rest[:_CHUNK])
                rest = rest[_CHUNK:]
            await asyncio.sleep_ms(0)
        rest = rest[: len(rest) & ~1]  # whole samples
        if rest:
            await self._send(rest)

    async def _send(self, data):
        try:
            transmitter = self._start()
            await self._until_taken()  # what a stopped prompt left under way
            self._under_way = True
            transmitter.write(data)
            await self._until_taken()
        except asyncio.TimeoutError as error:
            self._i2s = None
            raise DriverError(SPEAKER_FAILED, "the transmitter takes nothing") from error
        except OSError as error:
            self._i2s = None
            raise DriverError(SPEAKER_FAILED, observed(error)) from error

    async def _until_taken(self):
        while self._under_way:
            await asyncio.wait_for_ms(self._taken.wait(), _TAKEN)

    def _start(self):
        try:
            if self._i2s is None:
                self._under_way = False
                self._i2s = self._make()
                self._i2s.irq(self._on_taken)
        except (OSError, ValueError) as error:
            raise DriverError(SPEAKER_FAILED, observed(error)) from error
        return self._i2s

    def _on_taken(self, _i2s):
        self._under_way = False
        self._taken.set()
