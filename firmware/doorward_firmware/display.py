"""One panel's screen: whoever wants to show something leaves it here, the newest wish is drawn.

A prompt is a picture of 240 × 240 with the label of its subject below. A comparison turns pages, one for each
person: label, enrolled photo, the picture just taken, and as many little figures as heads are planned; it
comes back after each prompt until it is ended. The unit has no fonts: whatever has letters was drawn by the
server.
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.errors import ProtocolError

from doorward_firmware.drivers.errors import DriverError

_BACKGROUND = const(0x0000)
_FIGURE = const(0xFFE0)  # yellow
_LABEL_Y = const(256)
_PHOTO_Y = const(36)
_PREVIEW_Y = const(200)
_PAGE_MS = const(3000)


class Display:
    """A screen driver and the blobs it draws from. `run` draws for ever."""

    def __init__(self, screen, blobs, report):
        self.name = screen.name
        self._screen, self._blobs, self._report = screen, blobs, report
        self._wish = None  # the next prompt
        self._standing = ()  # the pages of a comparison
        self._news = asyncio.Event()

    def prompt(self, picture, label):
        """Show a prompt: hashes of its picture and of a label, or None."""
        self._wish = ("prompt", picture, label)
        self._news.set()

    def compare(self, pages, heads):
        """Show pages [(label, photo, preview) …]: hashes of bitmaps; each may be None."""
        self._standing = tuple([("compare", page, heads) for page in pages])
        self._news.set()

    async def run(self):
        """Draw what is wanted, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            wish, self._wish = self._wish, None
            if wish is not None:
                await self._draw(wish)
                if self._standing and not await self._something_new():
                    await self._turn_pages()
            else:
                await self._turn_pages()

    async def _turn_pages(self):
        at, pages = 0, self._standing
        while pages and not self._news.is_set():
            await self._draw(pages[at % len(pages)])
            at += 1
            if len(pages) == 1 or await self._something_new():
                break

    async def _something_new(self):
        """Let the page be looked at. True if something else is wanted before its time is over."""
        try:
            await asyncio.wait_for_ms(self._news.wait(), _PAGE_MS)
        except asyncio.TimeoutError:
            return False
        return True

    async def _draw(self, page):
        try:
            await self._screen.clear(_BACKGROUND)
            if page[0] == "prompt":
                await self._blob(page[1], 0)
                await self._blob(page[2], _LABEL_Y)
            else:
                await self._comparison(page[1], page[2])
        except ProtocolError:  # the attempt is over: its previews went while they were drawn
            pass
        except DriverError as error:
            self._report(self.name, error.reason, error.detail)
        else:
            self._report(self.name, 0)

    async def _comparison(self, page, heads):
        label, photo, preview = page
        await self._blob(label, 0)
        await self._blob(photo, _PHOTO_Y)
        await self._blob(preview, _PREVIEW_Y)
        for number in range(heads):
            y = _PHOTO_Y + 4 + 26 * (number % 6)
            x = 190 + 20 * (number // 6)
            await self._screen.rectangle(x + 4, y, 6, 6, _FIGURE)  # a head
            await self._screen.rectangle(x, y + 8, 14, 12, _FIGURE)  # and shoulders

    async def _blob(self, name, y):
        """Draw a bitmap blob in the middle of the line y; what is not here or does not fit is left out."""
        if name is None or not self._blobs.has(name) or self._blobs.size(name) < 6:
            return
        head = self._blobs.read(name, 0, 4)
        width, height = head[0] << 8 | head[1], head[2] << 8 | head[3]
        fits = width <= self._screen.width and y + height <= self._screen.height
        if not fits or self._blobs.size(name) != 4 + 2 * width * height:
            return
        rows = self._rows(name)
        await self._screen.bitmap((self._screen.width - width) // 2, y, width, height, rows)

    def _rows(self, name, length=2048):
        for offset in range(4, self._blobs.size(name), length):
            yield self._blobs.read(name, offset, length)
