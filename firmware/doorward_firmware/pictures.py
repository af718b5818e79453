"""Pictures: evidence at every touch, in the blobs before any record names it, and previews for the panel.

Without pictures nobody can compare, so no task begins without room for those of a whole crew (F2); a record
`storage` tells of it before.
"""

import asyncio

from doorward_protocol.compat import const

from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.logic import events
from doorward_firmware.supervision import reason_of

_TASK = const(163_840)  # bytes: eight pictures of 20 KB


class Pictures:
    """The camera and where its pictures go. `previews`: {person: (width, height, RGB565)} of this attempt."""

    def __init__(self, app, camera, blobs):
        self._app, self._camera, self._blobs = app, camera, blobs
        self.previews = {}
        self._nonce = None
        self._scarce = False
        self._news = asyncio.Event()

    def want(self, nonce):
        """The effect TAKE_PICTURE: the whole crew, answered by PICTURE."""
        self._nonce = nonce
        self._news.set()

    async def run(self):
        """Take the pictures that the logic wants, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            nonce = self._nonce
            self._app.handle(events.PICTURE, nonce, await self.take())

    async def take(self):
        """Take a picture. Return its hash, or None if there is none; the reason is reported."""
        try:
            name = self._blobs.put(await self._camera.picture())
        except Exception as error:  # the finger counts even if there is no room for the picture
            self._app.report("camera", *reason_of(error))
            return None
        self._app.report("camera", 0)
        self._watch_room()
        return name

    def room_for_task(self):
        """True if a task may start: its pictures will find room."""
        return self._blobs.room() >= _TASK

    def _watch_room(self):
        room = self._blobs.room()
        if self._scarce != (room < 2 * _TASK):
            self._scarce = not self._scarce
            total = self._blobs.used()[1]
            self._app.record("storage", name="blobs", used=total - room, total=total)

    async def remember(self, person):
        """Keep a small picture of a person who was just recognised, for the comparison at the inner panel."""
        try:
            self.previews[person] = await self._camera.preview()
        except DriverError as error:
            self._app.report("camera", error.reason, error.detail)

    def forget(self):
        """The attempt is over."""
        self.previews = {}
