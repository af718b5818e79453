"""Exact bounds of a share that was counted: what `events` in `trials` say of the true rate.

Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial"
(Biometrika 26, 1934), which ISO/IEC 19795-1 refers to. With no event in n trials the upper bound at 95 % is
3.69 / n (the "rule of three", which looks to one side only, says 3 / n).
"""

import math
from itertools import count

CONFIDENCE = 0.95
_STEPS = 60  # of halving: beyond a double's precision
_SETTLED = 1e-13


def bounds(events: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Lowest and highest true rate that the counts leave possible; ValueError if there were no trials."""
    if not 0 <= events <= trials or not trials:
        raise ValueError(f"{events} events in {trials} trials")
    tail = (1 - confidence) / 2
    low = 0.0 if events == 0 else _inverse(tail, events, trials - events + 1)
    high = 1.0 if events == trials else _inverse(1 - tail, events + 1, trials - events)
    return low, high


def _inverse(share: float, a: int, b: int) -> float:
    """The x at which the regularised incomplete beta function reaches `share`."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _beta(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b)."""
    if x in (0.0, 1.0):
        return x
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """Its continued fraction (NIST Digital Library of Mathematical Functions 8.17.22), by Lentz's method."""
    value = front = 1.0
    back = 0.0
    for term in count(1):
        half = term // 2
        if term % 2:
            step = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            step = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        back = 1 / (1 + step * back)
        front = 1 + step / front
        value *= back * front
        if abs(back * front - 1) < _SETTLED:
            break
    return value
