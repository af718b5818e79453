"""The face of a portrait: outline, light and shadow, eyes, brows, nose and mouth."""

from doorward_simulator.portrait_canvas import Canvas, Point, mirrored, shade, smooth
from doorward_simulator.portrait_look import Expression, Look

X = 180.0  # the middle of the face
CROWN, EYES, CHIN = 108.0, 206.0, 300.0
# right half of the outline, as shares of half width and of height: temple, cheekbone, jaw angle, chin corner
_SHAPES = {
    "oval": ((0.90, 0.22), (1.00, 0.45), (0.90, 0.70), (0.46, 0.95)),
    "square": ((0.95, 0.20), (1.00, 0.45), (0.98, 0.74), (0.55, 0.965)),
    "round": ((0.93, 0.22), (1.06, 0.48), (1.00, 0.72), (0.55, 0.945)),
    "long": ((0.88, 0.20), (0.94, 0.45), (0.86, 0.72), (0.44, 0.96)),
    "heart": ((0.98, 0.20), (1.01, 0.42), (0.82, 0.70), (0.36, 0.945)),
}


def chin(look: Look) -> float:
    """Where the chin ends."""
    long = {"long": 10, "round": -6}.get(look.shape, 0)
    return CHIN + 60 * (look.length - 1) + long


def half_width(look: Look) -> float:
    """Half the width of the face at the cheekbones."""
    return 71 * look.width


def outline(look: Look) -> list[Point]:
    """The face, from the forehead down one side and up the other."""
    half, top, bottom = half_width(look), CROWN + 6, chin(look)
    right = [(X + 0.55 * half, top + 6)]
    right += [(X + x * half, top + y * (bottom - top)) for x, y in _SHAPES[look.shape]]
    return [(X, top), *mirrored([*right, (X + 0.14 * half, bottom)])]


def draw(canvas: Canvas, look: Look, expression: Expression) -> None:
    """The face without hair, beard, marks and glasses."""
    skin = look.skin
    half, bottom = half_width(look), chin(look)
    for side in (-1, 1):
        _ear(canvas, look, side, half)
    face = outline(look)
    edge = smooth(face)
    canvas.shape(face, skin)
    shadow = (*shade(skin, -0.38), 80)
    canvas.soft([(X - half * 1.1, 150), (X - half * 0.86, 190), (X - half * 0.78, 250),
                 (X - half * 0.3, bottom - 4),
                 (X - half * 0.9, bottom + 10), (X - half * 1.3, 260)], shadow, 9, edge)  # fmt: skip
    canvas.soft([(X - half * 0.6, bottom - 7), (X, bottom - 3), (X + half * 0.6, bottom - 7),
                 (X, bottom + 14)],
                shadow, 6, edge)  # fmt: skip
    canvas.soft([(X + 8, 128), (X + 46, 136), (X + 50, 168), (X + 6, 172)], (*shade(skin, 0.5), 75), 12, edge)
    for side in (-1, 1):
        cheek = X + side * half * 0.55
        blush = (224, 110, 96, 62 if look.female else 36)
        canvas.soft([(cheek - 17, 240), (cheek, 230), (cheek + 17, 240), (cheek, 252)], blush, 9, edge)
    _nose(canvas, look)
    mouth(canvas, look, expression)
    _age(canvas, look, half)
    for side in (-1, 1):
        _eye(canvas, look, expression, side)
        _brow(canvas, look, expression, side)


def _ear(canvas: Canvas, look: Look, side: int, half: float) -> None:
    x, size = X + side * (half + 2), look.ears
    skin = shade(look.skin, -0.08 if side < 0 else -0.02)
    outer = [(x - side * 6, EYES - 20 * size), (x + side * 8 * size, EYES - 22 * size),
             (x + side * 13 * size, EYES - 4),
             (x + side * 8 * size, EYES + 16 * size), (x - side * 2, EYES + 26 * size)]  # fmt: skip
    canvas.shape(outer, skin)
    canvas.line([(x + side * 2, EYES - 13 * size), (x + side * 8 * size, EYES - 8),
                 (x + side * 4, EYES + 10 * size)],
                shade(look.skin, -0.28), 2)  # fmt: skip


def _eye(canvas: Canvas, look: Look, expression: Expression, side: int) -> None:
    x = X + side * 33 * look.eye_gap
    wide = 16.5 * (0.7 + 0.3 * look.eye_size)
    high = 7.6 * look.eye_size * expression.open - (1.2 if expression.smile > 0.35 else 0)
    tilt = look.eye_tilt
    inner, outer = (x - side * wide, EYES + 1.5), (x + side * wide, EYES - tilt)
    upper = [
        inner,
        (x - side * wide * 0.45, EYES - high),
        (x + side * wide * 0.3, EYES - high - tilt * 0.3),
        outer,
    ]
    lower = [(x + side * wide * 0.45, EYES + high * 0.62), (x - side * wide * 0.4, EYES + high * 0.7)]
    white = smooth(upper + lower)
    canvas.soft([(px, py - 3) for px, py in upper] + lower, (*shade(look.skin, -0.4), 70), 3)
    canvas.shape(upper + lower, (250, 248, 245))
    iris_x = x + expression.glance * 5
    for radius, colour in ((7.4, (52, 34, 26)), (5.8, (78, 52, 38)), (3.4, (16, 12, 12))):
        ring = [
            (iris_x + radius * look.eye_size * dx, EYES - 0.6 + radius * look.eye_size * dy)
            for dx, dy in CIRCLE
        ]
        canvas.soft(ring, (*colour, 255), 0.2, white)
    canvas.ellipse(iris_x + 2.2, EYES - 3.4, 1.7, 1.7, (255, 255, 255))
    canvas.line(upper, (38, 27, 25), 3.4 if look.female else 2.5)
    if look.female:
        canvas.line([outer, (outer[0] + side * 4, outer[1] - 3)], (38, 27, 25), 2.2)
    canvas.line(
        [inner, (x, EYES + high * 0.74), (x + side * wide * 0.7, EYES + high * 0.4)],
        shade(look.skin, -0.35),
        0.8,
    )
    if look.eyelid > 0.4:
        crease = [(px, py - 4.2 - 2 * look.eyelid) for px, py in upper[:3]] + [(outer[0], outer[1] - 3.5)]
        canvas.line(crease, shade(look.skin, -0.32), 1.3)


CIRCLE = [(1, 0), (0.71, 0.71), (0, 1), (-0.71, 0.71), (-1, 0), (-0.71, -0.71), (0, -1), (0.71, -0.71)]


def _brow(canvas: Canvas, look: Look, expression: Expression, side: int) -> None:
    x = X + side * 33 * look.eye_gap
    y = EYES - 23 - 2 * look.eye_size - 2.5 * max(0, expression.smile)
    weight, tilt = 3.6 * look.brow_weight, look.brow_tilt
    colour = shade(look.hair, 0.12) if look.style != "bald" else (58, 46, 42)
    top = [
        (x - side * 18, y + 2 - tilt),
        (x - side * 4, y - 3 - weight),
        (x + side * 12, y - 2 - weight),
        (x + side * 21, y + 5 + tilt),
    ]
    under = [(x + side * 10, y + 1), (x - side * 5, y + 1.5), (x - side * 17, y + 2 + 1.5 * weight - tilt)]
    canvas.shape(top + under, colour)


def _nose(canvas: Canvas, look: Look) -> None:
    base, wide = EYES + 42 * look.nose_length, 13.5 * look.nose_width
    skin = look.skin
    canvas.soft([(X - 5, EYES + 2), (X - 2, EYES + 6), (X - wide * 0.6, base - 8),
                 (X - wide * 1.25, base), (X - wide, base - 14),
                 (X - 9, EYES + 12)], (*shade(skin, -0.42), 66), 3.5)  # fmt: skip
    canvas.soft(
        [(X - 1, EYES + 4), (X + 4, EYES + 4), (X + 5, base - 10), (X, base - 8)], (*shade(skin, 0.6), 90), 3
    )
    canvas.soft(
        [(X - wide, base + 1), (X, base + 5), (X + wide, base + 1), (X, base + 9)],
        (*shade(skin, -0.5), 90),
        3,
    )
    dark = shade(skin, -0.48)
    canvas.line(
        [(X - wide, base - 6), (X - wide - 1.5, base), (X - wide * 0.55, base + 3)], shade(skin, -0.34), 1.7
    )
    canvas.line(
        [(X + wide, base - 6), (X + wide + 1.5, base), (X + wide * 0.55, base + 3)], shade(skin, -0.30), 1.7
    )
    for side in (-1, 1):
        canvas.ellipse(X + side * wide * 0.46, base + 1.6, 3.0 * look.nose_width, 1.7, dark)
    canvas.line([(X - 4, base + 4), (X, base + 5.4), (X + 4, base + 4)], shade(skin, -0.34), 1.4)


def mouth(canvas: Canvas, look: Look, expression: Expression) -> None:
    """The lips; drawn once more over a full beard."""
    y = (EYES + 42 * look.nose_length + chin(look)) / 2 - 2
    wide = 27 * look.mouth_width * (1 + 0.12 * expression.smile)
    lift = 13 * expression.smile
    lips = (
        shade((200, 98, 92), -0.02)
        if look.female
        else tuple((2 * s + r) // 3 for s, r in zip(look.skin, (150, 60, 56), strict=True))
    )
    upper = [(X - wide, y - lift), (X - wide * 0.45, y - 4.4 * look.lips), (X - 4, y - 6.2 * look.lips),
             (X, y - 4.8 * look.lips),
             (X + 4, y - 6.2 * look.lips), (X + wide * 0.45, y - 4.4 * look.lips),
             (X + wide, y - lift)]  # fmt: skip
    seam = [
        (X - wide, y - lift),
        (X - wide * 0.55, y + 0.4 - lift * 0.12),
        (X, y + 1.8),
        (X + wide * 0.55, y + 0.4 - lift * 0.12),
        (X + wide, y - lift),
    ]
    lower = [
        (X + wide, y - lift),
        (X + wide * 0.5, y + 5.6 * look.lips),
        (X, y + 8.4 * look.lips),
        (X - wide * 0.5, y + 5.6 * look.lips),
    ]
    canvas.shape([*seam[:1], *lower[1:][::-1], *seam[-1:], *seam[1:-1][::-1]], shade(lips, 0.10))
    canvas.shape(upper + seam[1:-1][::-1], shade(lips, -0.10))
    canvas.line(seam, shade(lips, -0.52), 1.8)
    canvas.soft([(X - 8, y + 4), (X + 8, y + 4), (X + 5, y + 7), (X - 5, y + 7)], (255, 235, 230, 90), 2)
    canvas.soft(
        [(X - 14, y + 11 * look.lips + 2), (X + 14, y + 11 * look.lips + 2), (X, y + 17)],
        (*shade(look.skin, -0.4), 66),
        4,
    )


def _age(canvas: Canvas, look: Look, half: float) -> None:
    depth = max(0, look.age - 34) / 22
    if depth <= 0:
        return
    colour = (*shade(look.skin, -0.36), round(50 + 90 * depth))
    base = EYES + 42 * look.nose_length
    for side in (-1, 1):
        fold = [(X + side * 20, base + 1), (X + side * 31, base + 14), (X + side * 35, base + 27)]
        canvas.soft(
            [*fold, (fold[2][0] - side * 2, fold[2][1]), (fold[1][0] - side * 3, fold[1][1]), fold[0]],
            colour,
            0.9,
        )
        bag = X + side * 33 * look.eye_gap
        canvas.soft(
            [(bag - 13, EYES + 11), (bag, EYES + 15.5), (bag + 13, EYES + 11), (bag, EYES + 13)], colour, 0.8
        )
        if look.age > 44:
            corner = X + side * half * 0.80
            for dy in (-5, 1, 7):
                canvas.line(
                    [(corner, EYES + dy * 0.5), (corner + side * 8, EYES + dy)], shade(look.skin, -0.22), 1
                )
    if look.age > 48:
        for y in (146, 157):
            canvas.line([(X - 30, y + 2), (X, y), (X + 30, y + 2)], shade(look.skin, -0.17), 1.3)
