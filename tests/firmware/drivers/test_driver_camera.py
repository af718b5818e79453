"""The camera driver against a module like the micropython-camera-API whose sensor may fail in every way."""

import sys
import types
from typing import Any

import pytest
from doorward_firmware.drivers.camera import CameraDriver
from doorward_firmware.drivers.errors import DriverError
from doorward_protocol.errors import CAMERA_FAILED
from driver_bench import run

JPEG, RGB565 = 4, 0
PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8 + b"\xff\xd9"
PREVIEW = bytes(range(256)) * 150


class Sensor:
    """What the fake module's cameras look at; counts what is done with them."""

    def __init__(self):
        self.frames = {JPEG: PICTURE, RGB565: PREVIEW}
        self.waits = 0
        self.fail = None
        self.made = self.captured = self.reconfigured = self.closed = 0
        self.wiring = {}


@pytest.fixture
def sensor(monkeypatch):
    state = Sensor()

    class Camera:
        def __init__(self, *, pixel_format, frame_size, jpeg_quality, fb_count, grab_mode, init, **wiring):
            if state.fail:
                raise state.fail
            state.made += 1
            state.wiring = wiring
            self._format = pixel_format
            self._waits = state.waits

        def reconfigure(self, *, pixel_format, frame_size):
            state.reconfigured += 1
            self._format = pixel_format

        def free_buffer(self):
            pass

        def frame_available(self):
            self._waits -= 1
            return self._waits < 0

        def capture(self):
            if state.fail:
                raise state.fail
            state.captured += 1
            self._waits = state.waits
            frame = state.frames[self._format]
            return None if frame is None else memoryview(frame)

        def deinit(self):
            state.closed += 1

    module: Any = types.ModuleType("camera")
    module.Camera = Camera
    module.PixelFormat = types.SimpleNamespace(JPEG=JPEG, RGB565=RGB565)
    module.FrameSize = types.SimpleNamespace(VGA=10, QQVGA=1)
    module.GrabMode = types.SimpleNamespace(LATEST=1)
    monkeypatch.setitem(sys.modules, "camera", module)
    return state


def test_picture_and_preview_through_reconfiguration(sensor):
    async def go():
        camera = CameraDriver({"pclk_pin": 8})
        await camera.open()
        assert await camera.picture() == PICTURE
        assert await camera.picture() == PICTURE
        assert await camera.preview() == (160, 120, PREVIEW)
        assert await camera.picture() == PICTURE

    run(go())
    assert sensor.wiring == {"pclk_pin": 8}
    assert sensor.made == 1
    assert sensor.reconfigured == 3
    assert sensor.captured == 4 + 3  # the first frame after each change is thrown away


def test_frames_are_waited_for_without_holding_the_loop(sensor):
    sensor.waits = 6
    assert run(CameraDriver({}).picture()) == PICTURE


def refusal(operation):
    async def go():
        with pytest.raises(DriverError) as caught:
            await operation
        return caught.value.reason

    return run(go())


def test_a_sensor_without_frames_is_given_up_after_a_second(sensor):
    sensor.waits = 10_000
    assert refusal(CameraDriver({}).picture()) == CAMERA_FAILED
    assert sensor.closed == 1


@pytest.mark.parametrize(
    "frame", [None, b"", b"\xff\xd8\xff", PICTURE[:-2], PICTURE[1:], b"\xff\xd8\xff" + bytes(99_000)]
)
def test_what_is_no_picture_is_refused(sensor, frame):
    sensor.frames[JPEG] = frame
    assert refusal(CameraDriver({}).picture()) == CAMERA_FAILED


@pytest.mark.parametrize("frame", [None, PREVIEW[:-1], PREVIEW + b"\0"])
def test_a_preview_of_another_size_is_refused(sensor, frame):
    sensor.frames[RGB565] = frame
    assert refusal(CameraDriver({}).preview()) == CAMERA_FAILED


@pytest.mark.parametrize("error", [OSError(19), RuntimeError("no sensor"), MemoryError(), ValueError("pin")])
def test_whatever_the_module_raises_is_a_failed_camera_that_is_tried_again(sensor, error):
    async def go():
        camera = CameraDriver({})
        await camera.picture()
        sensor.fail = error
        for operation in (camera.picture, camera.picture, camera.open):
            with pytest.raises(DriverError) as caught:
                await operation()
            assert caught.value.reason == CAMERA_FAILED
        assert not (await camera.self_test())[0]
        sensor.fail = None
        assert await camera.picture() == PICTURE

    run(go())
    assert sensor.made == 2


def test_an_image_without_the_module(monkeypatch):
    monkeypatch.setitem(sys.modules, "camera", None)
    assert refusal(CameraDriver({}).open()) == CAMERA_FAILED


def test_self_test_knows_a_covered_or_dead_sensor(sensor):
    assert run(CameraDriver({}).self_test()) == (True, "160 x 120")
    sensor.frames[RGB565] = bytes(160 * 120 * 2)
    assert not run(CameraDriver({}).self_test())[0]
