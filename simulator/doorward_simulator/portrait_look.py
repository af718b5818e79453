"""What a face is made from, and how it is held: all that the drawing of a portrait knows of a person."""

from dataclasses import dataclass

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Look:
    """What makes a face; lengths in canvas pixels, the rest as shares around 1."""

    seed: str
    role: str
    female: bool
    age: int
    skin: Rgb
    hair: Rgb
    style: str
    shape: str
    glasses: str
    beard: str
    mark: str
    width: float
    length: float
    eye_size: float
    eye_gap: float
    eye_tilt: float
    eyelid: float
    brow_weight: float
    brow_tilt: float
    nose_width: float
    nose_length: float
    mouth_width: float
    lips: float
    ears: float
    shoulders: float


@dataclass(frozen=True)
class Expression:
    """How a face is held at one moment: smile -1..1, eyes open 0..1, head tilt in degrees, glance -1..1."""

    smile: float = 0.25
    open: float = 1.0
    tilt: float = 0.0
    glance: float = 0.0
