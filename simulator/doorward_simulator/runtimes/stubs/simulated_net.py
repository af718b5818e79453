"""`asyncio.open_connection` over the bus: a byte stream to whatever the world's network lets through."""
# ruff: noqa: ARG001 - the names and signatures are MicroPython's

import asyncio

import simulated_bus  # pyright: ignore[reportMissingImports]

_LIMIT = 65536


class Stream:
    """Reader and writer of one connection, with the methods of MicroPython's asyncio.Stream."""

    def __init__(self, number):
        self._channel = "net:" + str(number)
        self._buffer = bytearray()
        self._opened = None  # True, or the error's number
        self._ended = False
        self._changed = asyncio.Event()
        simulated_bus.bus.listen(self._channel, self._input)

    def _input(self, payload):
        if payload is True or isinstance(payload, int):
            self._opened = payload
            self._ended = payload is not True
        elif payload:
            self._buffer.extend(payload)
        else:
            self._ended = True
        self._changed.set()

    async def opened(self):
        while self._opened is None:
            await self._change()
        if self._opened is not True:
            raise OSError(self._opened, "connect")

    async def _change(self):
        self._changed.clear()
        await self._changed.wait()

    async def read(self, count=-1):
        """Up to `count` bytes, at least one; b"" at the end. Without count: all until the end."""
        while not self._ended and (count < 0 or not self._buffer):
            await self._change()
        if count < 0:
            count = len(self._buffer)
        data = bytes(self._buffer[:count])
        self._buffer = self._buffer[count:]
        return data

    async def readinto(self, buffer):
        data = await self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    async def readexactly(self, count):
        while len(self._buffer) < count:
            if self._ended:
                raise EOFError
            await self._change()
        return await self.read(count) if count else b""

    async def readline(self):
        while not self._ended and b"\n" not in self._buffer and len(self._buffer) < _LIMIT:
            await self._change()
        end = self._buffer.find(b"\n") + 1
        return await self.read(end or len(self._buffer)) if self._buffer else b""

    def write(self, data):
        if self._ended:
            raise OSError(104, "connection reset")
        simulated_bus.bus.write(self._channel, data)

    async def drain(self):
        await asyncio.sleep(0)

    def close(self):
        if not self._ended:
            self._ended = True
            simulated_bus.bus.write(self._channel, b"")
        self._changed.set()

    async def wait_closed(self):
        simulated_bus.bus.listen(self._channel, None)

    def get_extra_info(self, _name):
        return None


async def open_connection(host, port, ssl=None, server_hostname=None):
    """As asyncio.open_connection: (reader, writer), which are one object; OSError when it cannot be made."""
    stream = Stream(simulated_bus.bus.call("net", "connect", host, port))
    try:
        await stream.opened()
    except BaseException:
        stream.close()
        await stream.wait_closed()
        raise
    return stream, stream
