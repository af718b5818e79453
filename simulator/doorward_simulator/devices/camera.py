"""A camera that sees whoever stands at the panel.

The scene is composed afresh for every picture: the people present (drawn by `portraits`, in the light and
with the expression of the moment), the street behind them, exposure, noise and the softness of a lens.
Pictures come as JPEG or as RGB565 big-endian, in the sizes of an OV2640.

`mode` plays faults: "blinded" (a hand or a lamp before the lens), "frozen" (the same picture for ever),
"failing" (no picture at all: `CameraError`).
"""

from io import BytesIO
from random import Random

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from doorward_simulator import portraits
from doorward_simulator.devices.device import Device, Scheduler
from doorward_simulator.portrait_look import Look

MODES = ("working", "blinded", "frozen", "failing")
LIGHTS = {  # brightness, colour of the light
    "day": (1.22, (255, 252, 246)),
    "overcast": (1.08, (236, 242, 252)),
    "dusk": (0.80, (255, 226, 190)),
    "night": (0.60, (206, 220, 255)),
}
WIDTHS_HEIGHTS = "96x96 160x120 176x144 240x176 240x240 320x240 400x296 480x320 640x480"
SIZES = tuple(tuple(map(int, size.split("x"))) for size in WIDTHS_HEIGHTS.split())


class CameraError(OSError):
    """The sensor delivered no picture."""


class Camera(Device):
    """One camera; `people` are the looks of those before it, nearest first."""

    def __init__(self, scheduler: Scheduler, name: str = "camera", light: str = "day"):
        super().__init__(scheduler, name)
        self.people: list[Look] = []
        self.helmets: set[str] = set()  # seeds of the looks who wear one
        self.light = light
        self.mode = "working"
        self.pictures = 0
        self._frozen: Image.Image | None = None

    # --- the world's side

    def stand(self, look: Look, helmet: bool = False) -> None:
        """Somebody steps before the camera, in front of those already there."""
        self.leave(look)
        self.people.insert(0, look)
        if helmet:
            self.helmets.add(look.seed)

    def leave(self, look: Look) -> None:
        """Somebody walks away; no error if they were not there."""
        self.people = [person for person in self.people if person.seed != look.seed]
        self.helmets.discard(look.seed)

    # --- the host's side

    def jpeg(self, width: int = 320, height: int = 240, quality: int = 80) -> bytes:
        """A picture as JPEG (quality 1..95)."""
        out = BytesIO()
        self._shoot(width, height).save(out, "JPEG", quality=quality)
        return out.getvalue()

    def rgb565(self, width: int = 320, height: int = 240) -> bytes:
        """A picture as RGB565, big-endian, row by row."""
        red, green, blue = (channel.tobytes() for channel in self._shoot(width, height).split())
        out = bytearray(2 * width * height)
        out[::2] = bytes((r & 0xF8) | g >> 5 for r, g in zip(red, green, strict=True))
        out[1::2] = bytes((g << 3 & 0xE0) | b >> 3 for g, b in zip(green, blue, strict=True))
        return bytes(out)

    def _shoot(self, width: int, height: int) -> Image.Image:
        if (width, height) not in SIZES:
            self.violation(f"{width} × {height} is not a size of this camera")
        if not self.powered or self.mode == "failing":
            raise CameraError("camera delivers no picture")
        self.pictures += 1
        if self.mode == "frozen" and self._frozen is not None:
            return self._frozen.resize((width, height))
        random = self.scheduler.random
        if self.mode == "blinded":
            return _sensor_noise(Image.new("RGB", (width, height), (38, 26, 24)), random, 9)
        image = compose(self.people, self.helmets, random, self.light, width, height)
        self._frozen = image
        return image


def compose(
    people: list[Look], helmets: set[str], random: Random, light: str, width: int, height: int
) -> Image.Image:
    """The scene before the panel: nearest person large, the others a step behind."""
    view = (max(width, 320), max(width, 320) * height // width)
    image = _street(view, random)
    places = _places(len(people), view)
    for look, (x, scale) in reversed(list(zip(people, places, strict=True))):
        figure = portraits.figure(look, random.randrange(portraits.MOMENTS), look.seed in helmets)
        tall = round(view[1] * scale)
        figure = figure.resize((tall * 3 // 4, tall), Image.Resampling.LANCZOS)
        x += random.uniform(-0.02, 0.02) * view[0]
        image.paste(
            figure, (round(x - figure.width / 2), view[1] - tall + round(random.uniform(0, 6))), figure
        )
    brightness, colour = LIGHTS[light]
    image = ImageEnhance.Brightness(image).enhance(brightness * random.uniform(0.96, 1.04))
    image = Image.composite(image, Image.new("RGB", view), _vignette(view))
    tint = Image.new("RGB", view, colour)
    image = Image.blend(image, Image.composite(image, tint, Image.new("L", view, 205)), 0.35)
    image = image.filter(ImageFilter.GaussianBlur(0.7)).resize((width, height), Image.Resampling.LANCZOS)
    return _sensor_noise(image, random, 3 if brightness > 0.8 else 7)


def _places(count: int, view: tuple[int, int]) -> list[tuple[float, float]]:
    """Middle (pixels) and height (share of the view) for each person, nearest first."""
    if count <= 1:
        return [(view[0] * 0.5, 0.90)][:count]
    places = [
        (view[0] * 0.36, 0.88),
        (view[0] * 0.72, 0.76),
        (view[0] * 0.12, 0.66),
        (view[0] * 0.90, 0.60),
        (view[0] * 0.54, 0.56),
    ]
    return [places[min(i, len(places) - 1)] for i in range(count)]


def _street(view: tuple[int, int], random: Random) -> Image.Image:
    """Houses, pavement and the van at the kerb, from a camera that never moves."""
    wide, high = view
    image = Image.new("RGB", view, (176, 186, 196))
    pen = ImageDraw.Draw(image)
    pen.rectangle([0, 0, wide, high * 0.34], fill=(150, 172, 190))
    for i in range(7):
        left = wide * i / 7
        top = high * (0.04 + 0.03 * ((i * 5) % 4))
        pen.rectangle(
            [left, top, left + wide / 7 - 2, high * 0.5], fill=(128 + 8 * (i % 3), 132 + 6 * (i % 2), 138)
        )
        for row in range(5):
            for column in range(3):
                x, y = left + 7 + column * wide / 24, top + 9 + row * high * 0.075
                if y < high * 0.42:
                    pen.rectangle([x, y, x + wide / 40, y + high * 0.04], fill=(92, 108, 124))
    pen.rectangle([0, high * 0.50, wide, high * 0.66], fill=(96, 100, 106))
    pen.rectangle([0, high * 0.66, wide, high], fill=(168, 164, 158))
    for i in range(-4, 9):
        pen.line(
            [(wide / 2 + i * wide * 0.09, high * 0.66), (wide / 2 + i * wide * 0.26, high)],
            fill=(150, 146, 140),
            width=1,
        )
    _van(pen, wide, high)
    pen.rectangle([0, 0, wide * 0.045, high], fill=(92, 96, 102))
    pen.rectangle([wide * 0.045, 0, wide * 0.052, high], fill=(64, 68, 74))
    shift = random.choice((-1, 0, 0, 1))
    return image.filter(ImageFilter.GaussianBlur(2.2)).transform(
        view, Image.Transform.AFFINE, (1, 0, shift, 0, 1, 0)
    )


def _van(pen: ImageDraw.ImageDraw, wide: int, high: int) -> None:
    body = (56, 74, 66)
    left, right, top, floor = wide * 0.56, wide * 0.97, high * 0.26, high * 0.60
    pen.rounded_rectangle([left, top, right, floor], 6, fill=body)
    pen.polygon(
        [(left, floor), (left - wide * 0.07, floor), (left - wide * 0.06, high * 0.44), (left, high * 0.33)],
        fill=body,
    )
    pen.polygon(
        [(left - wide * 0.045, high * 0.44), (left, high * 0.345), (left, high * 0.44)], fill=(120, 140, 152)
    )
    pen.rectangle([left, high * 0.44, right, high * 0.475], fill=(214, 186, 84))
    for x in (left + wide * 0.03, right - wide * 0.08):
        pen.ellipse([x, floor - high * 0.06, x + wide * 0.065, floor + high * 0.03], fill=(28, 28, 30))


def _vignette(view: tuple[int, int]) -> Image.Image:
    return (
        Image.radial_gradient("L").resize(view).point([255 - value * value // 1300 for value in range(256)])
    )


def _sensor_noise(image: Image.Image, random: Random, strength: int) -> Image.Image:
    """Independent noise in every channel, from the scheduler's randomness."""
    grain = Image.frombytes("RGB", image.size, random.randbytes(3 * image.width * image.height))
    return Image.blend(image, grain, strength / 255 * 2.2)
