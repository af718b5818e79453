"""`camera` of the micropython-camera-API: what the lens sees is the world's scene, as JPEG or RGB565."""
# ruff: noqa: ARG002 - the names and signatures are MicroPython's

import simulated_bus  # pyright: ignore[reportMissingImports]


class PixelFormat:
    RGB565, YUV422, GRAYSCALE, JPEG = 0, 1, 3, 4


class FrameSize:
    """The driver's frame sizes by number (esp32-camera `framesize_t`)."""

    R96X96, QQVGA, QCIF, HQVGA, R240X240, QVGA, CIF, HVGA, VGA, SVGA, XGA, HD, SXGA, UXGA = range(14)


class GrabMode:
    WHEN_EMPTY, LATEST = 0, 1


class GainCeiling:
    X2, X4, X8, X16, X32, X64, X128 = range(7)


class Camera:
    """camera.Camera: `capture()` gives one picture, or raises OSError when the module does not answer."""

    def __init__(
        self,
        *,
        pixel_format=PixelFormat.RGB565,
        frame_size=FrameSize.QVGA,
        jpeg_quality=15,
        init=True,
        **_wiring,
    ):
        self._format, self._size, self._quality = pixel_format, frame_size, jpeg_quality
        self._ready = False
        if init:
            self.init()

    def init(self):
        simulated_bus.bus.call("camera", "start")
        self._ready = True

    def deinit(self):
        self._ready = False

    def reconfigure(self, *, pixel_format=None, frame_size=None, grab_mode=None, fb_count=None, **_settings):
        if pixel_format is not None:
            self._format = pixel_format
        if frame_size is not None:
            self._size = frame_size
        self.init()

    def capture(self):
        if not self._ready:
            raise OSError(19, "camera not initialised")
        return memoryview(
            simulated_bus.bus.call("camera", "capture", self._format, self._size, self._quality)
        )

    def frame_available(self):
        return self._ready and simulated_bus.bus.call("camera", "available")

    def free_buffer(self):
        pass

    def get_pixel_format(self):
        return self._format

    def get_frame_size(self):
        return self._size
