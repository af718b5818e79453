"""Faces for the people of the demo bank: drawn, friendly, and clearly different from each other.

A `Look` is everything that makes a face recognisable (proportions, hair, brows, glasses, moles, clothes by
role). From one look come the enrolled photo (`photo`) and the person as a camera sees them (`figure`, with
other light, another expression, perhaps a helmet), so that a human can really compare the two.

`looks` deals the striking features (hair, glasses, beard, face shape) like cards, so that a small crew has no
two people with the same ones; finer features are drawn from the seed.
"""

from functools import lru_cache
from io import BytesIO
from random import Random

from PIL import Image

from doorward_simulator import portrait_clothes, portrait_details, portrait_face, portrait_hair
from doorward_simulator.portrait_canvas import Canvas, backdrop
from doorward_simulator.portrait_look import Expression, Look, Rgb

MOMENTS = 5  # ways in which one person may look into a camera
ROLES = ("escort", "driver", "officer", "keeper")
SKINS = ((247, 214, 188), (240, 199, 168), (232, 187, 152), (221, 172, 134), (205, 153, 116), (188, 136, 101))
HAIRS = ((28, 25, 27), (38, 30, 28), (52, 38, 32), (70, 50, 40), (24, 26, 34))
GREYS = ((120, 118, 120), (165, 162, 160))
MEN = ("crew", "side", "spiky", "receding", "waves", "buzz", "back", "fringe", "bald")
WOMEN = ("bob", "ponytail", "bun", "long", "pixie", "curls")
SHAPES = ("oval", "square", "round", "long", "heart")
GLASSES = ("none", "none", "rectangular", "none", "round", "none", "half")
BEARDS = ("none", "none", "moustache", "none", "goatee", "stubble", "none", "beard")
MARKS = ("none", "cheek", "none", "lip", "brow", "chin")


def looks(seed: str, people: list[tuple[str, str, bool]]) -> dict[str, Look]:
    """Looks by key for (key, role, female) of everybody who may be seen together."""
    random = Random(f"looks/{seed}")  # noqa: S311 - reproducible on purpose
    men, women = _deck(random, MEN), _deck(random, WOMEN)
    shapes, glasses, beards, marks = (_deck(random, cards) for cards in (SHAPES, GLASSES, BEARDS, MARKS))
    return {
        key: _look(
            f"{seed}/{key}",
            role,
            female,
            next(women if female else men),
            next(shapes),
            next(glasses),
            "none" if female else next(beards),
            next(marks),
        )
        for key, role, female in people
    }


def _deck(random: Random, cards: tuple[str, ...]):
    """Deal all cards once in random order, then again."""
    while True:
        yield from random.sample(cards, len(cards))


def _between(one: Rgb, other: Rgb) -> Rgb:
    """The colour half way."""
    red, green, blue = ((a + b) // 2 for a, b in zip(one, other, strict=True))
    return red, green, blue


def _look(seed, role, female, style, shape, glasses, beard, mark) -> Look:
    random = Random(f"look/{seed}")  # noqa: S311 - reproducible on purpose
    age = random.randint(24, 56)
    hair = random.choice(HAIRS)
    if style == "receding" or (age > 46 and random.random() < 0.7):
        age = max(age, 44)
        hair = random.choice(GREYS) if age > 50 else _between(hair, GREYS[0])

    def about(spread: float) -> float:
        return max(1 - 2 * spread, min(1 + 2 * spread, random.gauss(1, spread)))

    return Look(
        seed=seed,
        role=role,
        female=female,
        age=age,
        skin=random.choice(SKINS[:4] if female else SKINS),
        hair=hair,
        style=style,
        shape=shape,
        glasses=glasses,
        beard=beard,
        mark=mark if beard == "none" or mark in ("cheek", "brow") else "cheek",
        width=about(0.05) * (0.95 if female else 1.02),
        length=about(0.05),
        eye_size=about(0.13) * (1.1 if female else 0.97),
        eye_gap=about(0.07),
        eye_tilt=random.gauss(2.5, 2.5),
        eyelid=random.random(),
        brow_weight=about(0.3) * (0.65 if female else 1.15),
        brow_tilt=random.gauss(0, 3.0),
        nose_width=about(0.15) * (0.9 if female else 1.05),
        nose_length=about(0.1),
        mouth_width=about(0.12),
        lips=about(0.25) * (1.2 if female else 0.9),
        ears=about(0.14),
        shoulders=about(0.05) * (0.88 if female else 1.05),
    )


def draw(
    look: Look, expression: Expression, helmet: bool = False, background: Image.Image | None = None
) -> Image.Image:
    """Head and shoulders, 360 × 480; transparent around the person unless a background is given."""
    canvas = Canvas(background)
    portrait_hair.behind(canvas, look)
    portrait_clothes.body(canvas, look)
    head = Canvas()
    portrait_face.draw(head, look, expression)
    portrait_details.beard(head, look, expression)
    portrait_details.mark(head, look)
    portrait_hair.before(head, look, helmet)
    portrait_details.glasses(head, look)
    if helmet:
        portrait_clothes.helmet(head, look)
    canvas.lay(head, expression.tilt)
    return canvas.finish()


def photo(look: Look, quality: int = 88) -> bytes:
    """The enrolled photo: JPEG, 360 × 480, even light, plain background."""
    random = Random(f"photo/{look.seed}")  # noqa: S311 - reproducible on purpose
    shade = random.choice(((198, 214, 230), (210, 220, 214), (222, 216, 206), (205, 206, 222)))
    image = draw(look, Expression(smile=0.42), background=backdrop(shade)).convert("RGB")
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


@lru_cache(maxsize=128)
def figure(look: Look, moment: int, helmet: bool) -> Image.Image:
    """The person before a camera, transparent around; `moment` 0..MOMENTS-1 varies how they look."""
    random = Random(f"figure/{look.seed}/{moment}")  # noqa: S311 - reproducible on purpose
    return draw(
        look,
        Expression(
            smile=random.uniform(0.0, 0.6),
            open=random.uniform(0.75, 1.0),
            tilt=random.gauss(0, 2.5),
            glance=random.uniform(-0.5, 0.5),
        ),
        helmet=helmet,
    )
