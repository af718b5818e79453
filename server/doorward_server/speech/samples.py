"""Arithmetic on PCM16 samples: resampling, trimming silence, levelling, and the WAV header."""

import io
import math
import sys
import wave
from array import array
from operator import mul

RATE = 16_000
# What counts as silence, and how much of it is kept at either end so that consonants are not cut.
SILENCE = 200
KEPT = RATE // 50
PEAK = 26_000
_TAPS = 16


def resample(samples: array, source: int, target: int) -> array:
    """Bring samples from one rate to another: windowed sinc, 16 taps, low-pass at the lower Nyquist rate."""
    if source == target or not samples:
        return samples
    divisor = math.gcd(source, target)
    up, down = target // divisor, source // divisor
    phases = [_phase(number / up, min(1.0, target / source)) for number in range(up)]
    padded = [0] * (_TAPS // 2) + list(samples) + [0] * _TAPS
    out = array("h")
    for step in range(len(samples) * up // down):
        start, phase = divmod(step * down, up)
        value = sum(map(mul, phases[phase], padded[start + 1 : start + 1 + _TAPS]))
        out.append(max(-32768, min(32767, round(value))))
    return out


def _phase(fraction: float, cutoff: float) -> list[float]:
    """The filter's taps for one fractional position, summing to 1."""
    taps = []
    for number in range(_TAPS):
        x = number - (_TAPS // 2 - 1) - fraction
        angle = math.pi * x * cutoff
        sinc = 1.0 if abs(angle) < 1e-9 else math.sin(angle) / angle
        taps.append(sinc * (0.5 + 0.5 * math.cos(math.pi * x / (_TAPS // 2 + 1))))
    total = sum(taps)
    return [tap / total for tap in taps]


def trim(samples: array) -> array:
    """Cut silence off both ends; nothing but silence gives an empty array."""
    loud = [number for number, value in enumerate(samples) if abs(value) > SILENCE]
    if not loud:
        return array("h")
    return samples[max(0, loud[0] - KEPT) : loud[-1] + KEPT]


def normalise(samples: array) -> array:
    """Bring the loudest sample to `PEAK`, so that a name is as loud as the prompt before it."""
    peak = max(map(abs, samples))
    out = array("h", [value * PEAK // peak for value in samples])
    if sys.byteorder == "big":
        out.byteswap()
    return out


def wav(pcm: bytes) -> bytes:
    """PCM16 mono 16 kHz as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)
    return out.getvalue()
