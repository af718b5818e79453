"""A canvas for portraits: smooth shapes, soft shadows, drawn large and made small.

Coordinates are those of the finished picture, 360 × 480 pixels; everything is drawn `SCALE` times larger and
reduced at the end, which smooths the edges.
"""

from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter

WIDTH, HEIGHT, SCALE = 360, 480, 3
FRAME = (24, 44, 336, 460)  # the part of the canvas that is shown
TURNED = 40 * SCALE  # what a head that is turned a little may need beside its own place
Point = tuple[float, float]
Colour = tuple[int, ...]


def shade(colour: Colour, amount: float) -> Colour:
    """Darker (amount < 0) or lighter (amount > 0) by a share."""
    target = 255 if amount > 0 else 0
    return tuple(round(c + (target - c) * abs(amount)) for c in colour[:3])


def smooth(points: Sequence[Point], closed: bool = True, steps: int = 10) -> list[Point]:
    """A Catmull-Rom curve through the points."""
    count = len(points)
    curve = []
    for i in range(count if closed else count - 1):
        a, b, c, d = (
            points[(i + k) % count] if closed else points[max(0, min(count - 1, i + k))]
            for k in (-1, 0, 1, 2)
        )
        for step in range(steps):
            t = step / steps
            curve.append(
                tuple(
                    0.5 * (2 * b[n] + (c[n] - a[n]) * t + (2 * a[n] - 5 * b[n] + 4 * c[n] - d[n]) * t * t
                           + (3 * b[n] - a[n] - 3 * c[n] + d[n]) * t**3)
                    for n in (0, 1)
                )
            )  # fmt: skip
    return curve if closed else [*curve, points[-1]]


def mirrored(points: Sequence[Point], axis: float = WIDTH / 2) -> list[Point]:
    """The points, then their mirror images in reverse order: a closed symmetric outline."""
    return [*points, *((2 * axis - x, y) for x, y in reversed(points))]


class Canvas:
    """One picture being drawn."""

    def __init__(self, background: Image.Image | None = None):
        size = (WIDTH * SCALE, HEIGHT * SCALE)
        self.image = (
            background.resize(size).convert("RGBA") if background else Image.new("RGBA", size, (0, 0, 0, 0))
        )
        self._pen = ImageDraw.Draw(self.image)

    def shape(self, points: Sequence[Point], colour: Colour, curved: bool = True) -> None:
        """A filled outline."""
        self._pen.polygon(_scaled(smooth(points) if curved else points), fill=_solid(colour))

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """A filled ellipse around x, y."""
        self._pen.ellipse(_scaled([(x - rx, y - ry), (x + rx, y + ry)]), fill=_solid(colour))

    def line(self, points: Sequence[Point], colour: Colour, width: float, curved: bool = True) -> None:
        """A stroke with round ends."""
        path = _scaled(smooth(points, closed=False) if curved else points)
        thickness = max(1, round(width * SCALE))
        self._pen.line(path, fill=_solid(colour), width=thickness, joint="curve")
        for x, y in (path[0], path[-1]):
            self._pen.ellipse([x - thickness / 2, y - thickness / 2, x + thickness / 2, y + thickness / 2],
                              fill=_solid(colour))  # fmt: skip

    def soft(
        self,
        points: Sequence[Point],
        colour: Colour,
        blur: float,
        inside: Sequence[Point] | None = None,
        curved: bool = True,
    ) -> None:
        """A blurred shape (colour with alpha), kept inside an outline if one is given."""
        path = _scaled(smooth(points) if curved else points)
        margin = round(3 * blur * SCALE) + 2
        left, top = (max(0, int(min(p[n] for p in path)) - margin) for n in (0, 1))
        right, bottom = (min(self.image.size[n], int(max(p[n] for p in path)) + margin) for n in (0, 1))
        if right <= left or bottom <= top:
            return
        size = (right - left, bottom - top)

        def stencil(outline: Sequence[Point], level: int) -> Image.Image:
            mask = Image.new("L", size, 0)
            ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in outline], fill=level)
            return mask

        alpha = stencil(path, colour[3]).filter(ImageFilter.BoxBlur(blur * SCALE))
        if inside is not None:
            alpha = ImageChops.multiply(alpha, stencil(_scaled(inside), 255))
        layer = Image.new("RGBA", size, (*colour[:3], 0))
        layer.putalpha(alpha)
        self.image.alpha_composite(layer, (left, top))

    def lay(self, other: "Canvas", tilt: float = 0.0) -> None:
        """Put another canvas on top, turned by `tilt` degrees around the neck."""
        box = other.image.getbbox()
        if box is None:
            return
        left, top = (max(0, box[n] - TURNED) for n in (0, 1))
        right, bottom = (min(other.image.size[n - 2], box[n] + TURNED) for n in (2, 3))
        image = other.image.crop((left, top, right, bottom))  # turning the empty rest would cost most
        if tilt:
            centre = (WIDTH / 2 * SCALE - left, 300 * SCALE - top)
            image = image.rotate(tilt, Image.Resampling.BILINEAR, center=centre)
        self.image.alpha_composite(image, (left, top))

    def finish(self) -> Image.Image:
        """The finished picture: head and shoulders fill it."""
        left, top, right, bottom = (round(edge * SCALE) for edge in FRAME)
        frame = (left, top, right, bottom)
        return self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS, box=frame, reducing_gap=2.0)


def backdrop(colour: Colour) -> Image.Image:
    """A photographer's background: lighter behind the head."""
    glow = Image.radial_gradient("L").resize((WIDTH, HEIGHT))
    return Image.composite(
        Image.new("RGB", (WIDTH, HEIGHT), shade(colour, -0.22)),
        Image.new("RGB", (WIDTH, HEIGHT), shade(colour, 0.35)),
        glow,
    )


def _scaled(points: Sequence[Point]) -> list[Point]:
    return [(x * SCALE, y * SCALE) for x, y in points]


def _solid(colour: Colour) -> Colour:
    return (*colour[:3], colour[3] if len(colour) > 3 else 255)
