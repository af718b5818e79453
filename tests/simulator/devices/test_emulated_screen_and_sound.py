"""Screen, loudspeaker: what people see and hear of the commands and samples."""

import struct
import wave
from io import BytesIO

import pytest
from doorward_simulator.devices.speaker import Speaker
from doorward_simulator.devices.st7789 import Display
from PIL import Image

RED, GREEN, BLUE = b"\xf8\x00", b"\x07\xe0", b"\x00\x1f"


class Host:
    """Sends commands with the data/command line as the data sheet wants it."""

    def __init__(self, scheduler, display):
        self.scheduler, self.display = scheduler, display

    def command(self, code: int, parameters: bytes = b"") -> None:
        self.display.select(True)
        self.display.transfer(bytes([code]), 0)
        if parameters:
            self.display.transfer(parameters, 1)
        self.display.select(False)

    def start(self, madctl: int = 0x00) -> None:
        self.command(0x01)
        self.scheduler.advance(150)
        self.command(0x11)
        self.scheduler.advance(120)
        self.command(0x3A, b"\x55")
        self.command(0x36, bytes([madctl]))
        self.command(0x21)
        self.command(0x29)

    def fill(self, x: int, y: int, width: int, height: int, colour: bytes, cut: int = 4096) -> None:
        self.command(0x2A, struct.pack(">HH", x, x + width - 1))
        self.command(0x2B, struct.pack(">HH", y, y + height - 1))
        data = colour * (width * height)
        self.command(0x2C, data[:cut])
        self.display.select(True)
        for start in range(cut, len(data), cut):
            self.display.transfer(data[start : start + cut], 1)
        self.display.select(False)


@pytest.fixture
def display(scheduler):
    panel = Display(scheduler)
    panel.power(True)
    return panel


@pytest.fixture
def host(scheduler, display):
    return Host(scheduler, display)


class TestScreen:
    def test_pixels_land_in_their_window(self, host, display):
        host.start()
        host.fill(0, 0, 240, 320, BLUE)
        host.fill(10, 20, 30, 40, RED, cut=7)  # odd cuts split pixels
        image = display.image()
        assert image.size == (240, 320)
        assert image.getcolors() == [(30 * 40, (255, 0, 0)), (240 * 320 - 30 * 40, (0, 0, 255))]
        assert image.crop((10, 20, 40, 60)).getcolors() == [(1200, (255, 0, 0))]
        assert display.violations == []

    def test_rotation_exchanges_width_and_height(self, host, display):
        host.start(madctl=0x60)
        host.fill(300, 0, 20, 240, GREEN)
        assert display.image().size == (320, 240)
        assert display.image().getpixel((310, 120)) == (0, 255, 0)
        host.command(0x36, b"\x00")  # what is on the glass stays on the glass
        assert sorted(display.image().getcolors())[0] == (20 * 240, (0, 255, 0))
        assert display.image().size == (240, 320)

    def test_writing_past_the_window_begins_again_at_its_start(self, host, display):
        host.start()
        host.fill(5, 5, 2, 1, RED)
        host.command(0x2C, RED + GREEN + BLUE)
        assert [display.image().getpixel((x, 5)) for x in (5, 6)] == [(0, 0, 255), (0, 255, 0)]

    def test_dark_until_it_is_awake_on_and_inverted(self, host, display):
        host.start()
        host.fill(0, 0, 240, 320, RED)
        host.command(0x28)
        assert display.image().getcolors() == [(76800, (0, 0, 0))]
        host.command(0x29)
        host.command(0x20)
        assert display.image().getpixel((0, 0)) == (0, 255, 255)
        display.power(False)
        assert display.image().getcolors() == [(76800, (0, 0, 0))]

    def test_png(self, host, display):
        host.start()
        host.fill(0, 0, 240, 320, GREEN)
        with Image.open(BytesIO(display.png())) as image:
            assert (image.format, image.size, image.getpixel((3, 3))) == ("PNG", (240, 320), (0, 255, 0))

    @pytest.mark.parametrize(
        ("act", "text"),
        [
            (lambda host: host.command(0x2A, struct.pack(">HH", 0, 240)), "does not fit"),
            (lambda host: host.command(0x2B, struct.pack(">HH", 9, 3)), "does not fit"),
            (lambda host: host.command(0x99), "unknown command 99"),
            (lambda host: host.command(0x3A, b"\x55\x55"), "too many"),
            (lambda host: host.display.transfer(b"\x29", 0), "chip select"),
            (lambda host: (host.command(0x2A, b"\0"), host.command(0x29)), "1 of 4 parameters"),
            (lambda host: (host.command(0x3A, b"\x66"), host.fill(0, 0, 1, 1, RED)), "colour mode"),
            (lambda host: (host.command(0x11), host.command(0x29)), "before the panel was ready"),
        ],
    )
    def test_what_no_panel_accepts_is_recorded(self, host, display, act, text):
        host.start()
        host.scheduler.advance(10)
        act(host)
        assert text in display.violations[0].text


class TestSpeaker:
    @pytest.fixture
    def speaker(self, scheduler):
        device = Speaker(scheduler)
        device.power(True)
        return device

    def test_clips_without_a_pause_are_one_recording(self, speaker, scheduler):
        first, second = bytes(range(200)) * 16, b"\x01\x00" * 1600
        assert speaker.write(first) == 100
        assert speaker.write(second) == 200
        scheduler.advance(150)
        assert speaker.playing
        scheduler.advance(400)
        speaker.write(b"\x02\x00" * 160)
        assert [(r.start, r.duration) for r in speaker.recordings] == [(0, 200), (550, 10)]
        assert speaker.heard(first)
        assert speaker.heard(first + second)
        assert not speaker.heard(first, since=300)
        assert not speaker.heard(b"\x03\x00" * 10)

    def test_stopping_cuts_off_what_was_not_heard(self, speaker, scheduler):
        speaker.write(b"\x01\x00" * 16_000)
        scheduler.advance(250)
        speaker.stop()
        assert speaker.recordings[0].duration == 250
        assert not speaker.playing

    def test_wav(self, speaker):
        speaker.write(b"\x05\x00" * 800)
        with wave.open(BytesIO(speaker.recordings[0].wav())) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (16_000, 1, 800)

    def test_faults(self, speaker):
        speaker.write(b"odd")
        assert "16 bit" in speaker.violations[0].text
        speaker.configure(16_000, bits=32)
        assert "32 bit" in speaker.violations[1].text
        speaker.fault = True
        with pytest.raises(OSError, match="does not answer"):
            speaker.write(b"\0\0")
