"""The camera module between the chip and the scene: formats, sizes, and the time that a frame takes.

A picture is taken when the firmware fetches it. After a start or a change of format the sensor needs a while
for its first frame; then one is ready every FRAME_MS (OV2640 at 20 frames a second).
"""

from .chip import Chip
from .devices.camera import Camera
from .devices.device import Scheduler
from .participant import RefusedCall

START_MS, FRAME_MS = 220, 50
RGB565, JPEG = 0, 4  # PixelFormat of the micropython-camera-API
FRAME_SIZES = {  # esp32-camera `framesize_t`
    0: (96, 96),
    1: (160, 120),
    2: (176, 144),
    3: (240, 176),
    4: (240, 240),
    5: (320, 240),
    6: (400, 296),
    7: (480, 320),
    8: (640, 480),
}


class Lens:
    """Answers the stub `camera` for one camera."""

    def __init__(self, scheduler: Scheduler, camera: Camera, chip: Chip):
        self._scheduler, self._camera = scheduler, camera
        self._ready_at = 0
        chip.attach(
            "camera",
            {
                "start": (self._start, ()),
                "available": (lambda: camera.powered and scheduler.now() >= self._ready_at, ()),
                "capture": (self._capture, (int, int, int)),
            },
        )

    def _start(self) -> None:
        if not self._camera.powered or self._camera.mode == "failing":
            raise OSError(19, "no camera answers")
        self._ready_at = self._scheduler.now() + START_MS

    def _capture(self, pixel_format: int, frame_size: int, quality: int) -> bytes:
        size = FRAME_SIZES.get(frame_size)
        if size is None or pixel_format not in (RGB565, JPEG):
            raise RefusedCall(f"format {pixel_format} at size {frame_size} is not emulated")
        self._ready_at = self._scheduler.now() + FRAME_MS
        if pixel_format == RGB565:
            return self._camera.rgb565(*size)
        return self._camera.jpeg(*size, quality=max(1, min(95, quality)))
