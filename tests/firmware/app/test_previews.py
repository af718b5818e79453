"""Previews: in flash while the attempt lasts, drawn from there, and gone with it."""

import asyncio
from types import SimpleNamespace

import pytest
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.pictures import Pictures
from doorward_firmware.store.blobs import Blobs
from doorward_protocol.errors import CAMERA_FAILED

WIDTH, HEIGHT = 160, 120


class Store:
    """A partition of 64 sectors in memory."""

    def __init__(self):
        self.content = bytearray(b"\xff" * 64 * 4096)

    def ioctl(self, operation, argument):
        if operation == 4:
            return 64
        self.content[argument * 4096 : (argument + 1) * 4096] = b"\xff" * 4096
        return 0

    def readblocks(self, block, buffer, offset=0):
        at = block * 4096 + offset
        buffer[:] = self.content[at : at + len(buffer)]

    def writeblocks(self, block, data, offset=0):
        at = block * 4096 + offset
        for place, byte in enumerate(data, at):
            self.content[place] &= byte


class Camera:
    """Gives a preview of one colour, or fails."""

    colour = 1

    async def preview(self):
        if not self.colour:
            raise DriverError(CAMERA_FAILED, "dark")
        return WIDTH, HEIGHT, bytes((self.colour,)) * (2 * WIDTH * HEIGHT)


@pytest.fixture
def parts():
    blobs, camera, told = Blobs(Store()), Camera(), []
    app = SimpleNamespace(
        desired=SimpleNamespace(unlisted=set()), report=lambda name, reason, *_: told.append((name, reason))
    )
    return Pictures(app, camera, blobs), blobs, camera, app.desired, told


def test_a_preview_is_a_bitmap_in_flash_that_no_new_manifest_takes_away(parts):
    pictures, blobs, _, desired, _ = parts
    asyncio.run(pictures.remember(11))
    name = pictures.previews[11]
    assert b"".join(blobs.chunks(name)) == bytes((0, WIDTH, 0, HEIGHT)) + b"\1" * (2 * WIDTH * HEIGHT)
    assert desired.unlisted == {name}
    assert not blobs.is_own(name)  # never sent: the evidence is the picture


def test_one_preview_for_each_person_and_none_after_the_attempt(parts):
    pictures, blobs, camera, desired, _ = parts
    for person, colour in ((11, 1), (12, 1), (12, 2)):
        camera.colour = colour
        asyncio.run(pictures.remember(person))
    assert len(set(pictures.previews.values())) == 2
    camera.colour = 2
    asyncio.run(pictures.remember(11))
    assert blobs.names() == [pictures.previews[12]]
    pictures.forget()
    assert (pictures.previews, blobs.names(), desired.unlisted) == ({}, [], set())


def test_a_preview_that_comes_too_late_is_not_kept(parts):
    pictures, blobs, _, desired, told = parts

    async def main():
        task = asyncio.create_task(pictures.remember(11))
        for _ in range(3):
            await asyncio.sleep(0)
        assert desired.unlisted  # it is being written
        assert not blobs.names()
        pictures.forget()
        await task

    asyncio.run(main())
    assert (pictures.previews, blobs.names(), desired.unlisted, told) == ({}, [], set(), [])


def test_without_camera_or_room_there_is_no_preview_and_it_is_told(parts):
    pictures, blobs, camera, desired, told = parts
    camera.colour = 0
    asyncio.run(pictures.remember(11))
    camera.colour = 1
    blobs.put(bytes(56 * 4096), own=False)
    asyncio.run(pictures.remember(11))
    assert [name for name, _ in told] == ["camera", "camera"]
    assert (pictures.previews, desired.unlisted) == ({}, set())
