"""What the firmware uses of the micropython-camera-API (module `camera`), which the ESP32 stubs lack."""

class PixelFormat:
    JPEG: int
    RGB565: int

class FrameSize:
    QQVGA: int
    QVGA: int
    VGA: int

class GrabMode:
    WHEN_EMPTY: int
    LATEST: int

class Camera:
    def __init__(
        self,
        *,
        data_pins: list[int] = ...,
        pclk_pin: int = ...,
        vsync_pin: int = ...,
        href_pin: int = ...,
        sda_pin: int = ...,
        scl_pin: int = ...,
        xclk_pin: int = ...,
        xclk_freq: int = ...,
        powerdown_pin: int = ...,
        reset_pin: int = ...,
        pixel_format: int = ...,
        frame_size: int = ...,
        jpeg_quality: int = ...,
        fb_count: int = ...,
        grab_mode: int = ...,
        init: bool = ...,
    ) -> None: ...
    def init(self) -> None: ...
    def deinit(self) -> None: ...
    def reconfigure(
        self,
        *,
        pixel_format: int = ...,
        frame_size: int = ...,
        grab_mode: int = ...,
        fb_count: int = ...,
    ) -> None: ...
    def capture(self) -> memoryview | None: ...
    def frame_available(self) -> bool: ...
    def free_buffer(self) -> None: ...
