"""Hair of a portrait: what falls behind the head, and what lies on it."""

from collections.abc import Sequence
from random import Random

from doorward_simulator.portrait_canvas import Canvas, Point, mirrored, shade
from doorward_simulator.portrait_face import X, half_width
from doorward_simulator.portrait_look import Look


def behind(canvas: Canvas, look: Look) -> None:
    """Hair that the head and shoulders hide in part."""
    half, dark = half_width(look), shade(look.hair, -0.25)
    if look.style == "long":
        canvas.shape(mirrored([(X, 92), (X + half * 1.0, 118), (X + half * 1.28, 200),
                               (X + half * 1.36, 320), (X + half * 1.2, 408),
                               (X + half * 0.5, 420)]), dark)  # fmt: skip
    elif look.style == "bob":
        canvas.shape(
            mirrored(
                [
                    (X, 94),
                    (X + half * 1.02, 120),
                    (X + half * 1.30, 200),
                    (X + half * 1.30, 284),
                    (X + half * 0.7, 306),
                ]
            ),
            dark,
        )
    elif look.style == "ponytail":
        canvas.shape([(X + half * 0.5, 120), (X + half * 1.35, 140), (X + half * 1.55, 240),
                      (X + half * 1.28, 350), (X + half * 1.05, 372),
                      (X + half * 1.12, 240), (X + half * 0.8, 160)], dark)  # fmt: skip
    elif look.style == "curls":
        random = Random(look.seed)  # noqa: S311 - reproducible on purpose
        for i in range(32):
            side, y = (-1, 1)[i % 2], 130 + i * 4.2
            canvas.ellipse(
                X + side * (half * 1.12 + random.uniform(-8, 8)),
                y,
                20,
                19,
                shade(dark, random.uniform(0, 0.1)),
            )
    elif look.style == "bun":
        canvas.ellipse(X, 88, 34, 29, dark)
        canvas.ellipse(X - 7, 82, 17, 13, shade(look.hair, 0.12))


def before(canvas: Canvas, look: Look, under_helmet: bool) -> None:
    """Hair on the head."""
    if look.style != "bald":
        _STYLES[look.style](canvas, look, half_width(look), under_helmet)


def _cap(half: float, top: float, line: Sequence[Point], reach: float, puff: float = 1.06) -> list[Point]:
    """A closed outline: from one temple over the crown to the other, back along the hairline."""
    over = [
        (X - half * 0.98, reach), (X - half * puff, 178), (X - half * puff * 0.95, 140),
        (X - half * 0.62, top + 9), (X, top),
        (X + half * 0.62, top + 9), (X + half * puff * 0.95, 140), (X + half * puff, 178),
        (X + half * 0.98, reach),
    ]  # fmt: skip
    return [*over, *line]


def _sheen(canvas: Canvas, look: Look, half: float, top: float) -> None:
    canvas.soft([(X + half * 0.1, top + 14), (X + half * 0.55, top + 20), (X + half * 0.72, top + 40),
                 (X + half * 0.3, top + 30)],
                (*shade(look.hair, 0.5), 105), 6)  # fmt: skip


def _short(
    canvas: Canvas,
    look: Look,
    half: float,
    _helmet: bool,
    top: float = 97,
    line: float = 141,
    reach: float = 205,
) -> None:
    hairline = [(X + half * 0.88, 176), (X + half * 0.72, line + 8), (X + half * 0.3, line),
                (X - half * 0.3, line), (X - half * 0.72, line + 8),
                (X - half * 0.88, 176)]  # fmt: skip
    canvas.shape(_cap(half, top, hairline, reach), look.hair)
    _sheen(canvas, look, half, top)


def _buzz(canvas: Canvas, look: Look, half: float, _helmet: bool) -> None:
    hairline = [(X + half * 0.90, 172), (X + half * 0.74, 140), (X + half * 0.3, 131),
                (X - half * 0.3, 131), (X - half * 0.74, 140),
                (X - half * 0.90, 172)]  # fmt: skip
    canvas.soft(_cap(half, 104, hairline, 192, 1.0), (*look.hair, 205), 1.6)


def _side(canvas: Canvas, look: Look, half: float, _helmet: bool) -> None:
    hairline = [(X + half * 0.90, 178), (X + half * 0.80, 148), (X + half * 0.45, 141),
                (X - half * 0.1, 150), (X - half * 0.42, 130),
                (X - half * 0.74, 150), (X - half * 0.90, 178)]  # fmt: skip
    canvas.shape(_cap(half, 90, hairline, 208, 1.09), look.hair)
    canvas.line(
        [(X - half * 0.42, 130), (X - half * 0.36, 112), (X - half * 0.22, 98)], shade(look.hair, 0.3), 2
    )
    for offset in (0, 12, 24):
        canvas.line([(X - half * 0.34, 116 - offset * 0.4), (X + half * 0.2, 122 - offset * 0.8),
                     (X + half * 0.74, 146 - offset)],
                    shade(look.hair, 0.22), 1.6)  # fmt: skip
    _sheen(canvas, look, half, 92)


def _spiky(canvas: Canvas, look: Look, half: float, helmet: bool) -> None:
    _short(canvas, look, half, helmet, top=98, line=136)
    if helmet:
        return
    for i in range(9):
        x = X - half * 0.82 + i * half * 0.205
        rise = 84 + abs(i - 4) * 4.6
        canvas.shape([(x - 13, 124), (x - 3 + (i - 4) * 1.6, rise), (x + 14, 124)], look.hair, curved=False)
    _sheen(canvas, look, half, 94)


def _receding(canvas: Canvas, look: Look, half: float, _helmet: bool) -> None:
    for side in (-1, 1):
        canvas.soft([(X + side * half * 0.99, 212), (X + side * half * 1.07, 176),
                     (X + side * half * 0.97, 136), (X + side * half * 0.74, 122),
                     (X + side * half * 0.80, 150), (X + side * half * 0.90, 180)], (*look.hair, 255),
                     0.6)  # fmt: skip
    canvas.soft(
        [
            (X - half * 0.62, 121),
            (X, 108),
            (X + half * 0.62, 121),
            (X + half * 0.2, 116),
            (X - half * 0.2, 116),
        ],
        (*look.hair, 170),
        2.2,
    )


def _waves(canvas: Canvas, look: Look, half: float, helmet: bool) -> None:
    _short(canvas, look, half, helmet, top=92, line=140, reach=214)
    for i in range(11):
        x = X - half * 0.92 + i * half * 0.184
        y = 112 + abs(i - 5) ** 2 * 1.15
        canvas.ellipse(x, y, 16, 13, shade(look.hair, 0.05 if i % 2 else -0.12))
    for i in range(6):
        canvas.ellipse(
            X - half * 0.6 + i * half * 0.24,
            136 + (i % 2) * 4,
            13,
            10,
            shade(look.hair, 0.02 if i % 2 else 0.1),
        )


def _back(canvas: Canvas, look: Look, half: float, _helmet: bool) -> None:
    _short(canvas, look, half, _helmet, top=90, line=128, reach=204)
    for i in range(-4, 5):
        canvas.line(
            [(X + i * half * 0.16, 130), (X + i * half * 0.15, 110), (X + i * half * 0.10, 95)],
            shade(look.hair, 0.2),
            1.5,
        )


def _fringe(canvas: Canvas, look: Look, half: float, helmet: bool) -> None:
    _short(canvas, look, half, helmet, top=92, line=150, reach=212)
    for i in range(8):
        x = X - half * 0.78 + i * half * 0.222
        canvas.shape(
            [(x - 12, 138), (x + 12, 138), (x + 3, 168 + (i % 3) * 5)],
            shade(look.hair, 0.04 * (i % 2)),
            curved=False,
        )


def _bob(canvas: Canvas, look: Look, half: float, _helmet: bool) -> None:
    hairline = [(X + half * 0.86, 250), (X + half * 0.90, 190), (X + half * 0.66, 160), (X, 164),
                (X - half * 0.66, 160), (X - half * 0.90, 190),
                (X - half * 0.86, 250)]  # fmt: skip
    canvas.shape(_cap(half, 90, hairline, 282, 1.2), look.hair)
    canvas.shape(
        [
            (X - half * 0.78, 128),
            (X + half * 0.78, 128),
            (X + half * 0.80, 172),
            (X, 176),
            (X - half * 0.80, 172),
        ],
        look.hair,
    )
    for i in range(-3, 4):
        canvas.line([(X + i * 17, 122), (X + i * 18, 150), (X + i * 18, 170)], shade(look.hair, 0.16), 1.3)
    _sheen(canvas, look, half, 98)


def _drawn_back(canvas: Canvas, look: Look, half: float, _helmet: bool) -> None:
    hairline = [(X + half * 0.92, 178), (X + half * 0.70, 146), (X + half * 0.2, 130),
                (X - half * 0.2, 130), (X - half * 0.70, 146),
                (X - half * 0.92, 178)]  # fmt: skip
    canvas.shape(_cap(half, 94, hairline, 200, 1.07), look.hair)
    for i in range(-4, 5):
        canvas.line(
            [(X + i * half * 0.19, 140 - abs(i)), (X + i * half * 0.16, 116), (X + i * half * 0.06, 97)],
            shade(look.hair, 0.2),
            1.4,
        )


def _long(canvas: Canvas, look: Look, half: float, _helmet: bool) -> None:
    for side in (-1, 1):
        canvas.shape([(X, 92), (X + side * half * 0.7, 102), (X + side * half * 1.18, 160),
                      (X + side * half * 1.26, 260), (X + side * half * 1.16, 360),
                      (X + side * half * 0.92, 380), (X + side * half * 0.98, 270),
                      (X + side * half * 0.92, 190), (X + side * half * 0.50, 142),
                      (X - side * 4, 126)], look.hair)  # fmt: skip
        canvas.line(
            [(X + side * half * 0.4, 112), (X + side * half * 0.98, 170), (X + side * half * 1.1, 280)],
            shade(look.hair, 0.2),
            2,
        )
    canvas.line([(X, 94), (X - 1, 112), (X, 127)], shade(look.skin, -0.25), 2)


def _pixie(canvas: Canvas, look: Look, half: float, _helmet: bool) -> None:
    hairline = [(X + half * 0.92, 206), (X + half * 0.84, 168), (X + half * 0.2, 152),
                (X - half * 0.5, 134), (X - half * 0.86, 164),
                (X - half * 0.92, 206)]  # fmt: skip
    canvas.shape(_cap(half, 90, hairline, 224, 1.1), look.hair)
    for i in range(6):
        x = X - half * 0.45 + i * half * 0.24
        canvas.shape(
            [(x - 16, 118), (x + 14, 122), (x + 22, 158 + i * 2.4)],
            shade(look.hair, 0.05 + 0.04 * (i % 2)),
            curved=False,
        )
    _sheen(canvas, look, half, 94)


def _curls(canvas: Canvas, look: Look, half: float, helmet: bool) -> None:
    _short(canvas, look, half, helmet, top=94, line=142, reach=214)
    random = Random(look.seed)  # noqa: S311 - reproducible on purpose
    for i in range(34):
        x = X + (i / 33 - 0.5) * 2.16 * half
        y = 100 + abs(x - X) ** 2 / half**2 * 46 + random.uniform(-6, 16)
        canvas.ellipse(x, y, 15, 14, shade(look.hair, random.uniform(-0.15, 0.14)))


_STYLES = {
    "crew": _short,
    "buzz": _buzz,
    "side": _side,
    "spiky": _spiky,
    "receding": _receding,
    "waves": _waves,
    "back": _back,
    "fringe": _fringe,
    "bob": _bob,
    "ponytail": _drawn_back,
    "bun": _drawn_back,
    "long": _long,
    "pixie": _pixie,
    "curls": _curls,
}
