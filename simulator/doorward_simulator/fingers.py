"""Fingers: minutiae that a sensor sees differently at every touch.

A finger is the set of places where its ridges end or fork (*minutiae*). Positions are in sensor pixels of
0.05 mm (508 dpi, the resolution of the usual modules), directions in 1/256 of a turn, as in ISO/IEC 19794-2.
Directions follow an orientation field with a core (arch, loop or whorl), as skin does, so that two fingers of
one class resemble each other and impostor scores are not too good to be true.

A *touch* lays the finger on a sensor once: displaced and turned as a whole, slightly distorted, some
minutiae missing, some invented. Every capture during one touch adds a little noise of its own. Dry skin
loses minutiae, wet skin invents and smears them, worn skin (about four people in a hundred) does both at
any time. A spoof is a good cast of a finger: everything is there but the life in it.

All numbers come from seeds; equal seeds give equal fingers on every machine.
"""

import math
from dataclasses import dataclass
from random import Random

FINGERS_PER_PERSON = 10
HARD_TO_ENROL = 0.04  # share of people whose prints ordinary algorithms cannot enrol (requirement S24)
HALF_WIDTH, HALF_HEIGHT = 150, 205  # of the printed area, in pixels: 15 mm by 20.5 mm
SPACING = 17  # pixels: the least distance between two minutiae
Pattern = tuple[str, float, float, float]  # class, core x and y (pixels), tilt (radians)
CONDITIONS = ("normal", "dry", "wet", "spoof")

# condition: (extra share missing, invented per touch, position noise in pixels, share of quality kept)
_CONDITIONS = {
    "normal": (0.00, 0.6, 0.0, 1.0),
    "dry": (0.22, 0.8, 0.4, 0.46),
    "wet": (0.10, 4.0, 1.1, 0.48),
    "spoof": (0.03, 1.0, 0.3, 0.9),
}


@dataclass(frozen=True, slots=True)
class Minutia:
    """A ridge ending (kind 0) or fork (kind 1) at x, y pixels, direction in 1/256 turn."""

    x: int
    y: int
    direction: int
    kind: int


@dataclass(frozen=True)
class Finger:
    """One finger; `number` 1..10 counts right thumb to little finger, then left (ISO/IEC 19794)."""

    seed: str
    number: int
    clarity: float  # 1: crisp ridges; below about 0.35 enrolment fails
    pattern: Pattern
    minutiae: tuple[Minutia, ...]

    def touch(self, random: Random, condition: str = "normal") -> "Touch":
        """Lay the finger on a sensor; `condition` is one of CONDITIONS."""
        if condition not in _CONDITIONS:
            raise ValueError(f"unknown condition {condition!r}: use one of {', '.join(CONDITIONS)}")
        return Touch(
            finger=self,
            condition=condition,
            shift=(_bounded(random, 14, 34), _bounded(random, 16, 40)),
            turn=_bounded(random, 0.10, 0.26),
            pressure=max(0.3, random.gauss(1, 0.08 if condition == "normal" else 0.22)),
            stretch=(random.gauss(0, 0.012), random.gauss(0, 0.012), random.gauss(0, 6e-5)),
            seed=random.getrandbits(64),
        )


@dataclass(frozen=True)
class Touch:
    """One contact of a finger with a sensor: how it lies there, and in which condition its skin is."""

    finger: Finger
    condition: str
    shift: tuple[float, float]  # pixels
    turn: float  # radians
    pressure: float  # 1: as it should be; the image is as clear
    stretch: tuple[float, float, float]  # share along x and y, and curvature per pixel
    seed: int

    @property
    def live(self) -> bool:
        """Whether there is life behind the skin."""
        return self.condition != "spoof"

    @property
    def quality(self) -> float:
        """Clarity of the image, 0..1, from skin and condition."""
        return min(1.0, self.finger.clarity * self.pressure * _CONDITIONS[self.condition][3])

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the finger comes to lie on the sensor (pixels from its centre)."""
        along_x, along_y, curve = self.stretch
        x, y = x * (1 + along_x) + curve * y * y, y * (1 + along_y) + curve * x * x
        cos, sin = math.cos(self.turn), math.sin(self.turn)
        return x * cos - y * sin + self.shift[0], x * sin + y * cos + self.shift[1]

    def capture(self, random: Random, half_width: int, half_height: int) -> list[Minutia]:
        """What an extractor finds in one image of a sensor of twice these half sizes (pixels)."""
        missing, invented, smear, _ = _CONDITIONS[self.condition]
        wear = 1 - self.finger.clarity
        missing += 0.05 + 0.45 * wear * wear
        smear += 0.9 + 2.2 * wear * wear
        steady = Random(self.seed)  # noqa: S311 - what stays the same while the finger rests
        turn = round(self.turn * 128 / math.pi)
        found = []
        for minutia in self.finger.minutiae:
            lost = steady.random() < missing
            noise_x, noise_y, noise_turn = (steady.gauss(0, 1) for _ in range(3))
            x, y = self.place(minutia.x, minutia.y)
            x += noise_x * smear + random.gauss(0, 0.4)
            y += noise_y * smear + random.gauss(0, 0.4)
            if lost or abs(x) > half_width or abs(y) > half_height:
                continue
            direction = round(minutia.direction + turn + noise_turn * (1.5 + 2.5 * wear + smear))
            kind = minutia.kind if steady.random() > 0.08 + 0.2 * wear else 1 - minutia.kind
            found.append(Minutia(round(x), round(y), direction & 255, kind))
        for _ in range(_poisson(steady, invented + 9 * wear * wear)):
            found.append(
                Minutia(
                    round(steady.uniform(-half_width, half_width)),
                    round(steady.uniform(-half_height, half_height)),
                    steady.randrange(256),
                    steady.randrange(2),
                )
            )
        return found


def make_finger(seed: str, number: int, clarity: float | None = None) -> Finger:
    """The finger `number` of the person `seed`; `clarity` overrides what the seed says of the skin."""
    if not 1 <= number <= FINGERS_PER_PERSON:
        raise ValueError(f"finger number {number}: must be 1 to {FINGERS_PER_PERSON}")
    random = Random(f"finger/{seed}/{number}")  # noqa: S311 - reproducible on purpose
    if clarity is None:
        clarity = person_clarity(seed) + random.uniform(-0.04, 0.04)
    kind = random.choices(("loop", "whorl", "arch"), (62, 32, 6))[0]
    tilt = random.gauss(0.12 if number <= 5 else -0.12, 0.10)
    pattern = (kind, random.gauss(0, 12), random.gauss(-25, 18), tilt)
    places: list[Minutia] = []
    wanted = random.randint(52, 66)
    for _ in range(4000):
        if len(places) == wanted:
            break
        x, y = random.uniform(-HALF_WIDTH, HALF_WIDTH), random.uniform(-HALF_HEIGHT, HALF_HEIGHT)
        if (x / HALF_WIDTH) ** 2 + (y / HALF_HEIGHT) ** 2 > 1:
            continue
        if any((x - m.x) ** 2 + (y - m.y) ** 2 < SPACING * SPACING for m in places):
            continue
        angle = ridge_angle(pattern, x, y) + random.choice((0, math.pi)) + random.gauss(0, 0.12)
        direction = round(angle * 128 / math.pi) & 255
        places.append(Minutia(round(x), round(y), direction, random.randrange(2)))
    return Finger(seed, number, max(0.05, min(1.0, clarity)), pattern, tuple(places))


def person_clarity(seed: str) -> float:
    """How crisp a person's ridges are, 0..1; HARD_TO_ENROL of all people are below 0.3."""
    random = Random(f"skin/{seed}")  # noqa: S311 - reproducible on purpose
    if random.random() < HARD_TO_ENROL:
        return random.uniform(0.10, 0.22)
    return min(0.98, max(0.68, random.gauss(0.88, 0.07)))


def ridge_phase(pattern: Pattern, x: float, y: float) -> float:
    """How many pixels of ridges lie between the core and a place; its level lines are the ridges.

    A whorl is made of ellipses, a loop of arcs whose legs leave to one side, an arch of waves; towards the
    joint (y grows downwards) all of them flatten.
    """
    kind, core_x, core_y, tilt = pattern
    x, y = x + tilt * y, y - tilt * x
    if kind == "arch":
        return y + 60 * math.exp(-((x / 70) ** 2)) / (1 + math.exp(-(y + 120) / 60))
    u, v = x - core_x, y - core_y
    if kind == "whorl":
        inner = math.hypot(1.2 * u, 0.85 * v)
    else:
        inner = math.hypot(1.1 * u, 0.9 * v) if v < 0 else 1.1 * abs(u + 0.45 * v)
    share = 1 / (1 + math.exp((y - 120) / 22))
    return share * inner + (1 - share) * y


def ridge_angle(pattern: Pattern, x: float, y: float) -> float:
    """Direction of the ridges at a place in radians, modulo half a turn."""
    across_x = ridge_phase(pattern, x + 2, y) - ridge_phase(pattern, x - 2, y)
    across_y = ridge_phase(pattern, x, y + 2) - ridge_phase(pattern, x, y - 2)
    return math.atan2(across_x, -across_y)


def _bounded(random: Random, sigma: float, limit: float) -> float:
    return max(-limit, min(limit, random.gauss(0, sigma)))


def _poisson(random: Random, mean: float) -> int:
    """A small Poisson number by Knuth's method."""
    limit, product, count = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count
