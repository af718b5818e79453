"""What people of each role wear: neck, shoulders, uniform or suit, and an escort's helmet."""

from doorward_simulator.portrait_canvas import Canvas, Colour, Point, mirrored, shade, smooth
from doorward_simulator.portrait_face import X, chin, half_width
from doorward_simulator.portrait_look import Look

NECKLINE, SHOULDER = 338.0, 372.0


def body(canvas: Canvas, look: Look) -> None:
    """Neck and clothes by role."""
    half, bottom = half_width(look), chin(look)
    neck = half * (0.50 if look.female else 0.62)
    outline = mirrored(
        [(X + neck * 0.96, bottom - 40), (X + neck, bottom + 18), (X + neck * 1.35, NECKLINE + 14)]
    )
    canvas.shape([*outline], shade(look.skin, -0.07))
    canvas.soft([(X - neck * 1.1, bottom - 22), (X + neck * 1.1, bottom - 22),
                 (X + neck * 0.8, bottom + 14), (X, bottom + 24),
                 (X - neck * 0.8, bottom + 14)], (*shade(look.skin, -0.5), 130),
                 6, smooth(outline))  # fmt: skip
    _WEAR[look.role](canvas, look, 128 * look.shoulders, neck)


def _torso(canvas: Canvas, wide: float, neck: float, colour: Colour) -> list[Point]:
    outline = mirrored([(X + neck * 1.05, NECKLINE), (X + neck * 2.0, NECKLINE + 16),
                        (X + wide * 0.86, SHOULDER), (X + wide * 1.02, SHOULDER + 32),
                        (X + wide * 1.12, 500)])  # fmt: skip
    canvas.shape(outline, colour)
    edge = smooth(outline)
    canvas.soft(
        [(X - wide * 1.2, 360), (X - wide * 0.72, 392), (X - wide * 0.66, 490), (X - wide * 1.3, 490)],
        (*shade(colour, -0.6), 90),
        12,
        edge,
    )
    return edge


def _collar(canvas: Canvas, neck: float, colour: Colour, drop: float = 40) -> None:
    for side in (-1, 1):
        canvas.shape([(X + side * neck * 1.02, NECKLINE - 18), (X + side * neck * 1.34, NECKLINE - 4),
                      (X + side * neck * 0.98, NECKLINE + drop),
                      (X + side * 1, NECKLINE + 26)], colour, curved=False)  # fmt: skip
        canvas.line([(X + side * neck * 1.34, NECKLINE - 4), (X + side * neck * 0.98, NECKLINE + drop),
                     (X + side * 1, NECKLINE + 26)],
                    shade(colour, -0.25), 1.2, curved=False)  # fmt: skip


def _opening(canvas: Canvas, neck: float, colour: Colour, depth: float = 92) -> None:
    canvas.shape(
        [(X - neck * 1.12, NECKLINE - 10), (X + neck * 1.12, NECKLINE - 10), (X, NECKLINE + depth)],
        colour,
        curved=False,
    )


def _escort(canvas: Canvas, _look: Look, wide: float, neck: float) -> None:
    shirt, vest = (58, 72, 92), (31, 36, 44)
    edge = _torso(canvas, wide, neck, shirt)
    _opening(canvas, neck, (22, 25, 31), 30)
    _collar(canvas, neck, shade(shirt, 0.08), 30)
    for side in (-1, 1):
        canvas.shape([(X + side * neck * 1.25, NECKLINE + 16), (X + side * wide * 0.56, SHOULDER - 10),
                      (X + side * wide * 0.70, 404),
                      (X + side * wide * 0.78, 490), (X, 490), (X, 396)], vest, curved=False)  # fmt: skip
        canvas.shape([(X + side * wide * 0.62, SHOULDER - 8), (X + side * wide * 0.94, SHOULDER + 12),
                      (X + side * wide * 0.90, SHOULDER + 23),
                      (X + side * wide * 0.60, SHOULDER + 4)], (24, 28, 36), curved=False)  # fmt: skip
        canvas.line(
            [(X + side * wide * 0.68, SHOULDER + 0), (X + side * wide * 0.88, SHOULDER + 14)],
            (214, 178, 84),
            2.4,
        )
    canvas.line([(X, 396), (X, 480)], (14, 16, 20), 2.5, curved=False)
    for y in (424, 446):
        canvas.soft([(X - wide * 0.72, y), (X + wide * 0.72, y), (X + wide * 0.73, y + 8),
                     (X - wide * 0.73, y + 8)], (52, 58, 68, 255), 0.4, edge,
                    curved=False)  # fmt: skip
    patch = [(X + 26, 400), (X + wide * 0.58, 400), (X + wide * 0.58, 418), (X + 26, 418)]
    canvas.shape(patch, (220, 224, 228), curved=False)
    canvas.shape([(x, y + (2 if y < 410 else -2)) for x, y in patch], (26, 62, 120), curved=False)
    canvas.shape([(X + 34, 409), (X + 38, 405), (X + 42, 409), (X + 38, 413)], (232, 188, 72), curved=False)
    canvas.line([(X + 48, 409), (X + wide * 0.54, 409)], (226, 230, 236), 2.6)
    canvas.shape(
        [(X - wide * 0.62, 396), (X - wide * 0.46, 396), (X - wide * 0.46, 440), (X - wide * 0.62, 440)],
        (16, 18, 21),
        curved=False,
    )
    canvas.line([(X - wide * 0.59, 396), (X - wide * 0.60, 366)], (16, 18, 21), 4)
    canvas.ellipse(X - wide * 0.54, 406, 3, 3, (70, 190, 110))


def _driver(canvas: Canvas, _look: Look, wide: float, neck: float) -> None:
    jacket = (74, 96, 84)
    edge = _torso(canvas, wide, neck, jacket)
    _opening(canvas, neck, (236, 234, 228), 44)
    _collar(canvas, neck, shade(jacket, -0.25), 44)
    canvas.line([(X, NECKLINE + 42), (X, 480)], (196, 200, 204), 3, curved=False)
    for side in (-1, 1):
        band = [
            (X + side * wide * 0.45, 352),
            (X + side * wide * 0.62, 358),
            (X + side * wide * 0.58, 490),
            (X + side * wide * 0.38, 490),
        ]
        canvas.soft(band, (226, 236, 92, 255), 0.3, edge, curved=False)
        canvas.line(
            [(X + side * wide * 0.535, 356), (X + side * wide * 0.48, 488)], (214, 218, 222), 4, curved=False
        )
    canvas.shape([(X + 22, 432), (X + 44, 432), (X + 44, 462), (X + 22, 462)], (240, 242, 245), curved=False)
    canvas.shape([(X + 22, 432), (X + 44, 432), (X + 44, 440), (X + 22, 440)], (38, 92, 168), curved=False)


def _suit(canvas: Canvas, look: Look, wide: float, neck: float, jacket: Colour, tie: Colour) -> None:
    _torso(canvas, wide, neck, jacket)
    _opening(canvas, neck, (246, 247, 249), 112)
    if look.female:
        canvas.shape([(X - neck * 0.9, NECKLINE + 2), (X, NECKLINE + 16), (X + neck * 0.9, NECKLINE + 2),
                      (X + 14, NECKLINE + 34), (X, NECKLINE + 30),
                      (X - 14, NECKLINE + 34)], tie)  # fmt: skip
        canvas.shape(
            [(X - 9, NECKLINE + 26), (X + 7, NECKLINE + 26), (X + 15, NECKLINE + 62), (X - 4, NECKLINE + 66)],
            shade(tie, -0.15),
        )
    else:
        canvas.shape(
            [(X - 8, NECKLINE + 16), (X + 8, NECKLINE + 16), (X + 6, NECKLINE + 30), (X - 6, NECKLINE + 30)],
            shade(tie, 0.1),
            curved=False,
        )
        canvas.shape(
            [(X - 6, NECKLINE + 30), (X + 6, NECKLINE + 30), (X + 13, 460), (X, 476), (X - 13, 460)],
            tie,
            curved=False,
        )
        for y in (384, 406, 428, 450):
            canvas.line([(X - 9, y + 6), (X + 9, y - 6)], shade(tie, 0.3), 2.4)
    _collar(canvas, neck, (252, 252, 253), 34)
    for side in (-1, 1):
        canvas.shape([(X + side * neck * 1.3, NECKLINE - 2), (X + side * neck * 2.15, NECKLINE + 26),
                      (X + side * neck * 1.72, NECKLINE + 50),
                      (X + side * neck * 1.88, NECKLINE + 60), (X, 482)], shade(jacket, 0.10),
                      curved=False)  # fmt: skip
        canvas.line([(X + side * neck * 2.15, NECKLINE + 26), (X + side * neck * 1.72, NECKLINE + 50),
                     (X + side * neck * 1.88, NECKLINE + 60),
                     (X, 482)], shade(jacket, -0.4), 1.3, curved=False)  # fmt: skip


def _officer(canvas: Canvas, look: Look, wide: float, neck: float) -> None:
    _suit(canvas, look, wide, neck, (36, 44, 66), (150, 38, 46) if look.female else (128, 30, 40))
    canvas.shape(
        [(X + wide * 0.46, 424), (X + wide * 0.78, 424), (X + wide * 0.78, 438), (X + wide * 0.46, 438)],
        (222, 188, 96),
        curved=False,
    )
    canvas.line([(X + wide * 0.52, 431), (X + wide * 0.72, 431)], (92, 66, 20), 2.4)


def _keeper(canvas: Canvas, look: Look, wide: float, neck: float) -> None:
    _suit(canvas, look, wide, neck, (84, 88, 94), (32, 84, 96))
    for side in (-1, 1):
        canvas.line(
            [(X + side * neck * 1.2, NECKLINE), (X + side * neck * 1.3, 400), (X + 2, 462)], (28, 96, 160), 4
        )
    canvas.shape([(X - 17, 456), (X + 21, 456), (X + 21, 486), (X - 17, 486)], (245, 247, 250), curved=False)


_WEAR = {"escort": _escort, "driver": _driver, "officer": _officer, "keeper": _keeper}


def helmet(canvas: Canvas, look: Look) -> None:
    """A ballistic helmet, as escorts wear it on duty; the face stays free."""
    half = half_width(look) * 1.16
    shell = (40, 46, 54)
    dome = [(X - half * 1.03, 178), (X - half * 1.06, 140), (X - half * 0.86, 92), (X - half * 0.4, 66),
            (X, 60), (X + half * 0.4, 66),
            (X + half * 0.86, 92), (X + half * 1.06, 140), (X + half * 1.03, 178),
            (X + half * 0.84, 166), (X, 152), (X - half * 0.84, 166)]  # fmt: skip
    canvas.soft([(X - half * 0.8, 166), (X, 156), (X + half * 0.8, 166), (X, 176)], (20, 14, 12, 120), 4)
    canvas.shape(dome, shell)
    canvas.soft(
        [(X + half * 0.1, 76), (X + half * 0.55, 86), (X + half * 0.7, 116), (X + half * 0.2, 100)],
        (150, 160, 172, 105),
        8,
        smooth(dome),
    )
    canvas.line(
        [
            (X - half * 1.0, 172),
            (X - half * 0.5, 157),
            (X, 152),
            (X + half * 0.5, 157),
            (X + half * 1.0, 172),
        ],
        (22, 25, 30),
        6,
    )
    canvas.shape(
        [(X - 15, 96), (X, 90), (X + 15, 96), (X + 13, 116), (X, 128), (X - 13, 116)], (222, 184, 78)
    )
    canvas.shape([(X - 9, 101), (X, 97), (X + 9, 101), (X + 8, 113), (X, 120), (X - 8, 113)], (30, 66, 128))
    bottom = chin(look)
    for side in (-1, 1):
        canvas.line(
            [(X + side * half * 0.94, 176), (X + side * half * 0.80, 236), (X + side * 26, bottom - 2)],
            (24, 27, 32),
            5,
        )
    canvas.line([(X - 26, bottom - 2), (X, bottom + 5), (X + 26, bottom - 2)], (24, 27, 32), 6)
