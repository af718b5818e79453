"""Boxes in the handover area: the reader runs only while boxes are asked for; every new tag is an event."""

import asyncio

from doorward_protocol.compat import const

from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.logic import events

_MAX_TAGS = const(256)  # remembered in one attempt


class BoxReader:
    """The area reader's tags as BOX events, each once per attempt."""

    def __init__(self, app, reader):
        self._app, self._reader = app, reader
        self._on = False
        self._news = asyncio.Event()
        self._told = set()

    def read(self, on):
        """The effect READ_BOXES: start an attempt, or end it."""
        self._on = on
        self._told = set()
        self._news.set()

    async def switch(self):
        """Start and stop the reader as wanted, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            if self._on:
                self._reader.start()
            else:
                await self._reader.stop()

    async def run(self):
        """Pass on what the reader hears while boxes are asked for, for ever."""
        while True:
            epc = await self._reader.next_tag()
            if not self._on or epc in self._told or len(self._told) >= _MAX_TAGS:
                continue
            told = self._told
            try:
                tid = await self._reader.read_tid(epc)
            except DriverError:  # it will be heard again; a stranger is reported even so
                tid = None
            if told is not self._told or not self._on:
                continue  # that attempt is over
            task = self._app.unit.handover.task
            if tid is not None or (task is not None and task.box_tid(epc) is None):
                told.add(epc)
                self._app.handle(events.BOX, epc, tid)
