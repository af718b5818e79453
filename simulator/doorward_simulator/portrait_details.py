"""What is added to a face: beard, mole, spectacles."""

from doorward_simulator.portrait_canvas import Canvas, smooth
from doorward_simulator.portrait_face import CIRCLE, EYES, X, chin, half_width, outline
from doorward_simulator.portrait_face import mouth as draw_mouth
from doorward_simulator.portrait_look import Expression, Look


def beard(canvas: Canvas, look: Look, expression: Expression) -> None:
    """Moustache, goatee, stubble or full beard."""
    if look.beard == "none":
        return
    base, bottom = EYES + 42 * look.nose_length, chin(look)
    mouth = (base + bottom) / 2 - 3
    colour = look.hair if look.style != "bald" else (58, 46, 42)
    half, edge = half_width(look), smooth(outline(look))
    if look.beard in ("stubble", "beard"):
        around = [(X - half * 1.05, EYES + 30), (X - half * 0.78, mouth - 10), (X - 30, mouth - 16),
                  (X, mouth - 12), (X + 30, mouth - 16),
                  (X + half * 0.78, mouth - 10), (X + half * 1.05, EYES + 30), (X + half, bottom),
                  (X, bottom + 16),
                  (X - half, bottom)]  # fmt: skip
        strong = 92 if look.beard == "stubble" else 225
        canvas.soft(around, (*colour, strong), 5 if look.beard == "stubble" else 2.5, edge)
        if look.beard == "beard":
            patch = [
                (X - 27, mouth - 5),
                (X, mouth - 8),
                (X + 27, mouth - 5),
                (X + 22, mouth + 8),
                (X, mouth + 11),
                (X - 22, mouth + 8),
            ]
            canvas.soft(patch, (*look.skin, 235), 2)
            draw_mouth(canvas, look, expression)
    if look.beard in ("moustache", "goatee", "beard"):
        high = base + 4.5
        canvas.shape([(X - 31, mouth), (X - 18, high + 3), (X - 4, high + 1), (X, high + 4),
                      (X + 4, high + 1), (X + 18, high + 3), (X + 31, mouth),
                      (X + 16, mouth - 5.5), (X, mouth - 6.5), (X - 16, mouth - 5.5)], colour)  # fmt: skip
    if look.beard == "goatee":
        canvas.soft([(X - 15, mouth + 16), (X, mouth + 12), (X + 15, mouth + 16), (X + 13, bottom - 2),
                     (X, bottom + 2),
                     (X - 13, bottom - 2)], (*colour, 255), 1.2, edge)  # fmt: skip


def mark(canvas: Canvas, look: Look) -> None:
    """A mole, if the person has one."""
    side = 1 if _bit(look.seed) else -1
    places = {
        "cheek": (X + side * 36, EYES + 38),
        "lip": (X + side * 19, EYES + 49),
        "brow": (X + side * 16, EYES - 38),
        "chin": (X + side * 14, chin(look) - 16),
    }
    if look.mark in places:
        canvas.ellipse(*places[look.mark], 2.8, 2.8, (74, 46, 40))


def _bit(seed: str) -> int:
    """A bit of a text that is the same on every machine."""
    return sum(seed.encode()) & 1


def glasses(canvas: Canvas, look: Look) -> None:
    """Spectacles, if the person wears any."""
    if look.glasses == "none":
        return
    frame = {"rectangular": (32, 34, 40), "round": (96, 70, 44), "half": (52, 58, 72)}[look.glasses]
    half = half_width(look)
    for side in (-1, 1):
        x = X + side * 33 * look.eye_gap
        if look.glasses == "round":
            rim = [(x + 24 * dx, EYES + 2 + 22 * dy) for dx, dy in CIRCLE]
        else:
            rim = [
                (x - 25, EYES - 12),
                (x, EYES - 14),
                (x + 25, EYES - 12),
                (x + 24, EYES + 13),
                (x, EYES + 17),
                (x - 24, EYES + 13),
            ]
        path = smooth(rim)
        canvas.soft(rim, (215, 232, 245, 46), 0.4)
        canvas.soft(
            [(x - 15, EYES - 9), (x - 6, EYES - 10), (x - 15, EYES + 9), (x - 20, EYES + 6)],
            (255, 255, 255, 70),
            1,
        )
        if look.glasses == "half":
            path = smooth(rim[:3], closed=False)
            canvas.line([(x - 25, EYES - 12), (x - 24, EYES + 2)], frame, 2)
            canvas.line([(x + 25, EYES - 12), (x + 24, EYES + 2)], frame, 2)
            canvas.line(path, frame, 4, curved=False)
        else:
            canvas.line([*path, path[0]], frame, 3.4 if look.glasses == "rectangular" else 2.6, curved=False)
        canvas.line([(x + side * 25, EYES - 5), (X + side * (half + 3), EYES - 9)], frame, 3)
    gap = 33 * look.eye_gap - 24
    canvas.line([(X - gap, EYES - 3), (X, EYES - 7), (X + gap, EYES - 3)], frame, 3)
