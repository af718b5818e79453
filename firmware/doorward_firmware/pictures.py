"""Pictures: evidence at every touch, in the blobs before any record names it, and previews for the panel.

Previews lie in flash too, as bitmaps that the screen draws piece by piece: each would take 38 KB of the heap.
No manifest lists them, so `Desired.unlisted` keeps them while a task is in hand; what a power cut leaves
behind goes when the manifest is mounted. Their wear: ten sectors of 1,792 for each finger.

Without pictures nobody can compare, so no task begins without room for those of a whole crew (F2); a record
`storage` tells of it before.
"""

import asyncio
import hashlib

from doorward_protocol.compat import const

from doorward_firmware.logic import events
from doorward_firmware.supervision import reason_of

_TASK = const(163_840)  # bytes: eight pictures of 20 KB
_HEAD = const(4)  # bytes of a bitmap before its rows: width and height, 16 bits each
_PIECE = const(4080)  # bytes of a preview written at once: no longer than 20 ms


class Pictures:
    """The camera and where its pictures go. `previews`: {person: hash of a bitmap} of this attempt."""

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
        attempt = self.previews
        try:
            name = await self._keep(*await self._camera.preview())
        except Exception as error:  # full flash or no camera: who compares sees that there is none
            if attempt is self.previews:
                self._app.report("camera", *reason_of(error))
        else:
            attempt[person] = name
        self._drop_unused()

    def forget(self):
        """The attempt is over."""
        self.previews = {}
        self._drop_unused()

    async def _keep(self, width, height, rows):
        """Write a bitmap that `Display` can draw. Return its hash."""
        blobs, head = self._blobs, width.to_bytes(2, "big") + height.to_bytes(2, "big")
        digest = hashlib.sha256(head)
        digest.update(rows)
        name = digest.digest()
        if not blobs.has(name):
            self._app.desired.unlisted.add(name)
            blobs.begin(name, len(rows) + _HEAD)
            blobs.write(name, 0, head)
            rest = memoryview(rows)
            for at in range(0, len(rows), _PIECE):
                blobs.write(name, at + _HEAD, rest[at : at + _PIECE])
                await asyncio.sleep_ms(0)
            blobs.finish(name)
        return name

    def _drop_unused(self):
        desired, used = self._app.desired, set(self.previews.values())
        for name in sorted(desired.unlisted - used):
            self._blobs.discard(name)
        desired.unlisted = used
