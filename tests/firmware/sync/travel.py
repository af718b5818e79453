"""Asyncio in virtual time, and byte streams that deliver late, in pieces, and not always everything."""

import asyncio
import collections
import random
import selectors

from doorward_simulator.runtimes import compat

compat.install()

BUFFER = 4096  # bytes that the network takes before a writer has to wait, about what lwIP has


class _Travelling(selectors.DefaultSelector):
    """Instead of waiting, moves the loop's time to the next timer."""

    def __init__(self, loop):
        super().__init__()
        self.loop = loop

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("nothing will ever happen any more")
            self.loop.now += timeout
        return ready


class TravelLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.now = 1000.0
        super().__init__(_Travelling(self))

    def time(self):
        return self.now


def run(coroutine):
    """Finish a coroutine in virtual time; no task may be left behind."""
    loop = TravelLoop()
    try:
        result = loop.run_until_complete(coroutine)
        left = [task for task in asyncio.all_tasks(loop) if not task.done()]
        assert not left, f"tasks left behind: {left}"
        return result
    finally:
        loop.close()


class Pipe:
    """One direction of a stream: what is written arrives in pieces of random size after random delays."""

    def __init__(self, seed=0, delay=0.02, largest=1500):
        self._random = random.Random(seed)
        self._delay, self._largest = delay, largest
        self._arrived = bytearray()
        self._under_way = collections.deque()
        self._ended = self._reset = False
        self._changed, self._moved = asyncio.Event(), asyncio.Event()
        self._free_at = 0.0
        self.carried = 0  # bytes written so far
        self.mangle = lambda data: data  # a fault: what is done to bytes under way
        self.stalled = False

    def write(self, data):
        if self._reset or self._ended:
            raise ConnectionResetError("gone")
        self.carried += len(data)
        data = self.mangle(bytes(data))
        while data:
            size = self._random.randint(1, self._largest)
            self._later(data[:size])
            data = data[size:]

    def _later(self, piece):
        loop = asyncio.get_running_loop()
        self._free_at = max(self._free_at, loop.time() + self._random.uniform(0, 2) * self._delay)
        self._under_way.append(piece)
        loop.call_at(self._free_at, self._arrive)

    def _arrive(self):
        piece = self._under_way.popleft()  # timers of one moment fire in no order
        self._moved.set()
        if self.stalled:
            return
        if piece is None:
            self._ended = True
        else:
            self._arrived += piece
        self._changed.set()

    async def drain(self):
        """Wait until the network has room: what is written later cannot overtake what is under way."""
        await asyncio.sleep(0)
        while sum(map(len, filter(None, self._under_way))) > BUFFER and not self._reset:
            self._moved.clear()
            await self._moved.wait()

    def end(self):
        self._later(None)

    def reset(self):
        self._reset = True
        self._changed.set()
        self._moved.set()

    async def read(self, count):
        while not self._arrived and not self._ended and not self._reset:
            self._changed.clear()
            await self._changed.wait()
        if self._reset:
            raise ConnectionResetError("gone")
        data = bytes(self._arrived[:count])
        del self._arrived[:count]
        return data


class End:
    """One end of a connection: the reader and writer of asyncio.open_connection in one."""

    def __init__(self, incoming: Pipe, outgoing: Pipe):
        self._in, self._out = incoming, outgoing
        self.closed = False

    async def read(self, count=-1):
        return await self._in.read(count)

    def write(self, data):
        self._out.write(data)

    async def drain(self):
        await self._out.drain()

    def close(self):
        if not self.closed:
            self.closed = True
            self._out.end()

    async def wait_closed(self):
        await asyncio.sleep(0)


class Wire:
    """A connection: `unit` and `server` ends, pipes `up` and `down`."""

    def __init__(self, seed=0, **shape):
        self.up, self.down = Pipe(seed * 2, **shape), Pipe(seed * 2 + 1, **shape)
        self.unit, self.server = End(self.down, self.up), End(self.up, self.down)

    def cut(self):
        self.up.reset()
        self.down.reset()
