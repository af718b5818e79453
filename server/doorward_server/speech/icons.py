"""The prompt pictures' icons: white lines on transparent ground, in a square of 100 by 100 units.

One function per icon, found by its name. A `Pen` scales units to pixels, so any size comes out sharp.
"""

import math

from PIL import Image, ImageDraw

WHITE = (255, 255, 255, 255)
CLEAR = (0, 0, 0, 0)
_OVERSAMPLING = 4


class Pen:
    """Draws in units of 1/100 of the icon's side, with round ends."""

    def __init__(self, side: int):
        self.image = Image.new("RGBA", (side, side), CLEAR)
        self._draw = ImageDraw.Draw(self.image)
        self._scale = side / 100

    def _at(self, *points):
        return [(x * self._scale, y * self._scale) for x, y in points]

    def line(self, *points, width=7, fill=WHITE):
        places = self._at(*points)
        thick = round(width * self._scale)
        self._draw.line(places, fill=fill, width=thick, joint="curve")
        for x, y in (places[0], places[-1]):
            self._draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=fill)

    def arc(self, x, y, radius, start, end, width=7):
        points = [
            (x + radius * math.cos(math.radians(angle)), y + radius * math.sin(math.radians(angle)))
            for angle in range(start, end + 1, 3)
        ]
        self.line(*points, width=width)

    def disc(self, x, y, radius, fill=WHITE):
        (left, top), (right, bottom) = self._at((x - radius, y - radius), (x + radius, y + radius))
        self._draw.ellipse((left, top, right, bottom), fill=fill)

    def frame(self, left, top, right, bottom, radius=6, width=7):
        box = [coordinate for point in self._at((left, top), (right, bottom)) for coordinate in point]
        self._draw.rounded_rectangle(
            box, radius * self._scale, outline=WHITE, width=round(width * self._scale)
        )

    def block(self, left, top, right, bottom, radius=6, fill=WHITE):
        box = [coordinate for point in self._at((left, top), (right, bottom)) for coordinate in point]
        self._draw.rounded_rectangle(box, radius * self._scale, fill=fill)

    def shape(self, *points, fill=WHITE):
        self._draw.polygon(self._at(*points), fill=fill)


def draw(name: str, side: int) -> Image.Image:
    """The icon `name` as an RGBA picture of `side` pixels."""
    pen = Pen(side * _OVERSAMPLING)
    ICONS[name](pen)
    return pen.image.resize((side, side), Image.Resampling.LANCZOS)


def check(pen):
    pen.line((20, 54), (42, 76), (82, 28), width=11)


def cross(pen):
    pen.line((25, 25), (75, 75), width=11)
    pen.line((75, 25), (25, 75), width=11)


def shield(pen):
    pen.line((50, 10), (84, 22), (84, 50), (72, 74), (50, 90), (28, 74), (16, 50), (16, 22), (50, 10))
    pen.line((34, 50), (46, 63), (68, 36), width=8)


def van(pen):
    pen.block(6, 26, 62, 70)
    pen.shape((66, 38), (82, 38), (95, 54), (95, 70), (66, 70))
    pen.shape((72, 44), (80, 44), (88, 54), (72, 54), fill=CLEAR)
    for x in (27, 76):
        pen.disc(x, 71, 13, fill=CLEAR)
        pen.disc(x, 71, 9)


def van_cross(pen):
    van(pen)
    _corner(pen, cross_width=7)


def finger(pen):
    # Ridges of a print: arches round a core, broken at different places.
    pen.arc(50, 50, 40, 195, 345, width=5)
    pen.arc(50, 52, 29, 150, 380, width=5)
    pen.arc(50, 54, 18, 170, 395, width=5)
    pen.line((24, 66), (30, 82), width=5)
    pen.line((33, 58), (37, 76), (44, 90), width=5)
    pen.line((50, 52), (52, 72), (58, 90), width=5)
    pen.line((66, 64), (69, 76), (72, 82), width=5)
    pen.line((77, 61), (80, 68), width=5)


def spoof(pen):
    finger(pen)
    pen.line((14, 86), (86, 14), width=16, fill=CLEAR)
    pen.line((14, 86), (86, 14), width=8)


def lock(pen):
    pen.block(22, 46, 78, 88)
    pen.arc(50, 44, 19, 180, 360, width=8)
    pen.line((31, 44), (31, 50), width=8)
    pen.line((69, 44), (69, 50), width=8)
    pen.disc(50, 62, 6, fill=CLEAR)
    pen.line((50, 64), (50, 74), width=6, fill=CLEAR)


def _person(pen, x, y, size):
    pen.disc(x, y, size * 0.42)
    pen.block(x - size * 0.75, y + size * 0.58, x + size * 0.75, y + size * 1.9, radius=size * 0.6)
    pen.block(x - size, y + size * 1.5, x + size, y + size * 2.2, radius=0, fill=CLEAR)


def people(pen):
    _person(pen, 28, 32, 24)
    _person(pen, 72, 32, 24)


def officer(pen):
    pen.frame(18, 12, 82, 88, width=7)
    pen.line((42, 12), (58, 12), width=11)
    _person(pen, 50, 36, 20)
    pen.line((34, 76), (66, 76), width=5)


def compare(pen):
    for left in (6, 54):
        pen.frame(left, 16, left + 40, 70, width=6)
        _person(pen, left + 20, 34, 15)
    pen.line((28, 84), (72, 84), width=6)
    pen.line((38, 76), (28, 84), (38, 92), width=6)
    pen.line((62, 76), (72, 84), (62, 92), width=6)


def _frame_of_door(pen):
    pen.line((14, 90), (86, 90), width=7)
    pen.line((24, 88), (24, 12), (76, 12), (76, 88), width=7)


def door_open(pen):
    _frame_of_door(pen)
    pen.shape((30, 17), (54, 28), (54, 87), (30, 87))
    pen.disc(48, 60, 4, fill=CLEAR)


def door_closed(pen):
    _frame_of_door(pen)
    pen.block(32, 20, 68, 84, radius=2)
    pen.disc(61, 54, 4.5, fill=CLEAR)


def exit(pen):  # noqa: A001 - an icon's name
    pen.line((56, 14), (20, 14), (20, 86), (56, 86), width=8)
    pen.line((40, 50), (86, 50), width=9)
    pen.line((68, 32), (86, 50), (68, 68), width=9)


def box(pen):
    pen.frame(12, 34, 88, 84, width=7)
    pen.line((38, 32), (38, 20), (62, 20), (62, 32), width=7)
    pen.line((14, 54), (86, 54), width=5)
    pen.block(42, 46, 58, 64, radius=3)


def box_scan(pen):
    pen.frame(20, 52, 80, 90, width=7)
    pen.block(44, 64, 56, 76, radius=3)
    for radius in (12, 24, 36):
        pen.arc(50, 46, radius, 220, 320, width=6)


def _corner(pen, cross_width=0):
    pen.disc(76, 28, 25, fill=CLEAR)
    if cross_width:
        pen.line((64, 16), (88, 40), width=cross_width)
        pen.line((88, 16), (64, 40), width=cross_width)


def box_check(pen):
    box(pen)
    _corner(pen)
    pen.line((62, 28), (73, 40), (93, 15), width=8)


def box_cross(pen):
    box(pen)
    _corner(pen, cross_width=8)


def box_missing(pen):
    for left in (12, 34, 56, 78):
        pen.line((left, 34), (left + 10, 34), width=6)
        pen.line((left, 84), (left + 10, 84), width=6)
    for top in (44, 64):
        pen.line((12, top), (12, top + 10), width=6)
        pen.line((88, top), (88, top + 10), width=6)
    pen.arc(50, 50, 10, 180, 400, width=6)
    pen.line((57, 56), (50, 64), (50, 67), width=6)
    pen.disc(50, 77, 4)


def clock(pen):
    pen.arc(50, 50, 38, 0, 360, width=8)
    pen.line((50, 26), (50, 52), (66, 62), width=8)


def pause(pen):
    pen.block(24, 18, 42, 82, radius=5)
    pen.block(58, 18, 76, 82, radius=5)


def camera(pen):
    pen.block(8, 30, 92, 82, radius=9)
    pen.block(34, 18, 66, 40, radius=6)
    pen.disc(50, 56, 19, fill=CLEAR)
    pen.disc(50, 56, 13)
    pen.disc(80, 41, 4, fill=CLEAR)


def restart(pen):
    pen.arc(50, 52, 33, 0, 285, width=9)
    pen.shape((56, 2), (84, 20), (56, 38))


def tools(pen):
    pen.line((30, 70), (66, 34), width=13)
    pen.disc(72, 28, 19)
    pen.shape((72, 28), (78, 2), (98, 22), fill=CLEAR)
    pen.disc(26, 74, 13)
    pen.disc(26, 74, 5, fill=CLEAR)


ICONS = {
    function.__name__: function
    for function in (
        check, cross, shield, van, van_cross, finger, spoof, lock, people, officer, compare, door_open,
        door_closed, exit, box, box_scan, box_check, box_cross, box_missing, clock, pause, camera, restart,
        tools,
    )
}  # fmt: skip
