"""The camera: a JPEG picture as evidence, a small RGB565 preview for the panel.

`camera.Camera` is the micropython-camera-API on the esp32-camera driver (OV2640). The driver has one format
at a time; changing it restarts the sensor, which takes some hundred milliseconds in C and is the one thing
on the board that holds the loop longer than 20 ms, so pictures and previews are not mixed without need. The
first frame after a change was exposed for the old setting and is thrown away.
"""

import asyncio

from doorward_protocol.compat import const
from doorward_protocol.errors import CAMERA_FAILED

from .errors import DriverError, observed

_MAX_PICTURE = const(98_304)  # bytes; a VGA picture has about 20 KB
_QUALITY = const(60)  # of 100
_FRAME_PAUSE = const(20)  # ms between two looks whether a frame is there; the sensor gives 15 to 25 a second
_FRAME_TRIES = const(50)
PREVIEW_WIDTH = 160
PREVIEW_HEIGHT = 120


class CameraDriver:
    """The camera of the outer panel. `wiring` are the keyword arguments of `camera.Camera`."""

    name = "camera"

    def __init__(self, wiring: dict):
        self._wiring = wiring
        self._camera = None
        self._format = None
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Start the sensor."""
        async with self._lock:
            try:
                self._start()
            except DriverError:
                raise
            except Exception as error:
                self._stop()
                raise DriverError(CAMERA_FAILED, "no sensor: %s" % error) from error

    async def picture(self) -> bytes:
        """A JPEG picture, 640 × 480, at most 96 KB. CAMERA_FAILED if there is none or it is no JPEG."""
        from camera import FrameSize, PixelFormat

        data = await self._capture(PixelFormat.JPEG, FrameSize.VGA)
        if not 4 < len(data) <= _MAX_PICTURE or data[:3] != b"\xff\xd8\xff" or b"\xff\xd9" not in data[-16:]:
            raise DriverError(CAMERA_FAILED, "no JPEG picture: %d bytes" % len(data))
        return data

    async def preview(self) -> tuple:
        """(width, height, RGB565 rows with the high byte first), as the screen wants it."""
        from camera import FrameSize, PixelFormat

        data = await self._capture(PixelFormat.RGB565, FrameSize.QQVGA)
        if len(data) != PREVIEW_WIDTH * PREVIEW_HEIGHT * 2:
            raise DriverError(CAMERA_FAILED, "a preview of %d bytes" % len(data))
        return PREVIEW_WIDTH, PREVIEW_HEIGHT, data

    async def self_test(self) -> tuple:
        """(ok, detail): a preview can be taken and is not of one colour."""
        try:
            _width, _height, data = await self.preview()
        except DriverError as error:
            return False, str(error)
        if data == data[:2] * (len(data) // 2):
            return False, "every pixel has the same colour"
        return True, "%d x %d" % (PREVIEW_WIDTH, PREVIEW_HEIGHT)

    async def _capture(self, pixel_format, frame_size):
        async with self._lock:
            try:
                camera = self._start()
                if self._format != (pixel_format, frame_size):
                    self._format = None
                    camera.reconfigure(pixel_format=pixel_format, frame_size=frame_size)
                    await self._frame(camera)
                    self._format = (pixel_format, frame_size)
                return await self._frame(camera)
            except DriverError:
                self._stop()
                raise
            except Exception as error:  # whatever the C module raises: OSError, RuntimeError, MemoryError
                self._stop()
                raise DriverError(CAMERA_FAILED, observed(error)) from error

    async def _frame(self, camera):
        """A copy of the next frame; the driver's buffer is given back."""
        camera.free_buffer()
        for _try in range(_FRAME_TRIES):
            if camera.frame_available():
                data = camera.capture()
                data = bytes(data) if data else b""
                camera.free_buffer()
                return data
            await asyncio.sleep_ms(_FRAME_PAUSE)
        raise DriverError(CAMERA_FAILED, "no frame within a second")

    def _start(self):
        if self._camera is None:
            try:
                from camera import Camera, FrameSize, GrabMode, PixelFormat
            except ImportError as error:
                raise DriverError(CAMERA_FAILED, "the image has no camera module") from error

            self._camera = Camera(
                pixel_format=PixelFormat.RGB565,
                frame_size=FrameSize.QQVGA,
                jpeg_quality=_QUALITY,
                fb_count=2,
                grab_mode=GrabMode.LATEST,
                init=True,
                **self._wiring,
            )
        return self._camera

    def _stop(self):
        self._format = None
        camera, self._camera = self._camera, None
        try:
            if camera is not None:
                camera.deinit()
        except Exception:  # noqa: S110 - it is broken already, and is started anew next time
            pass
