"""The grey image of a touch, as a module uploads it: ridges that really end and fork at the minutiae.

Ridges are the level lines of the finger's phase; a phase that turns once around a point makes a ridge end
there (Larkin and Fletcher, "A coherent framework for fingerprint analysis", 2007). Slow by nature, so it is
drawn only when somebody asks for the picture.
"""

import math
from random import Random

from doorward_simulator.fingers import HALF_HEIGHT, HALF_WIDTH, Touch, ridge_phase

RIDGE_PERIOD = 9.0  # pixels: 0.45 mm
GREYS = 16


def draw(touch: Touch, random: Random, width: int, height: int) -> bytes:
    """One byte (0 black ridge … 15 white) per pixel, row by row."""
    finger = touch.finger
    cos, sin = math.cos(touch.turn), math.sin(touch.turn)
    shift_x, shift_y = touch.shift
    quality = touch.quality
    near = [
        (m.x, m.y, 1 if m.kind else -1)
        for m in finger.minutiae
        if all(
            abs(c) < h for c, h in zip(touch.place(m.x, m.y), (width / 2 + 24, height / 2 + 24), strict=True)
        )
    ]
    shade = {"dry": 2.0, "wet": -2.0}.get(touch.condition, 0.0)
    pixels = bytearray()
    for row in range(height):
        for column in range(width):
            dx, dy = column - width / 2 - shift_x, row - height / 2 - shift_y
            x, y = dx * cos + dy * sin, dy * cos - dx * sin
            if (x / (HALF_WIDTH + 12)) ** 2 + (y / (HALF_HEIGHT + 12)) ** 2 > 1:
                pixels.append(GREYS - 1)
                continue
            phase = ridge_phase(finger.pattern, x, y) * 2 * math.pi / RIDGE_PERIOD
            for mx, my, turn in near:
                phase += turn * math.atan2(y - my, x - mx)
            grey = 7.5 + shade + 6.5 * quality * math.cos(phase) + random.gauss(0, 1.2 + 3.5 * (1 - quality))
            pixels.append(max(0, min(GREYS - 1, round(grey))))
    return bytes(pixels)


def packed(pixels: bytes) -> bytes:
    """Two pixels in a byte, the left one in the high half (ZFM-20 manual, UpImage)."""
    return bytes(pixels[i] << 4 | pixels[i + 1] for i in range(0, len(pixels), 2))
