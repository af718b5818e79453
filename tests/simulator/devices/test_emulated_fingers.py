"""Fingers and their matcher: the same for equal seeds, clearly apart for different people."""

from random import Random

import pytest
from doorward_simulator import finger_image, finger_templates
from doorward_simulator.devices.ef01_library import THRESHOLDS
from doorward_simulator.finger_matcher import Features, compare, merge
from doorward_simulator.fingers import HARD_TO_ENROL, Minutia, make_finger, person_clarity

WINDOW = (96, 96)  # of an R503
PEOPLE = 40


@pytest.fixture(scope="module")
def population():
    """Fingers of ordinary people, and the template of each from two touches."""
    random = Random(1)
    fingers = [make_finger(f"person {i}", 2, 0.88) for i in range(PEOPLE)]
    templates = []
    for finger in fingers:
        first, second = (finger.touch(random).capture(random, *WINDOW) for _ in range(2))
        print_of_both = merge(first, second, 40)
        assert print_of_both is not None
        templates.append(Features(print_of_both))
    return fingers, templates


def test_equal_seeds_give_equal_fingers_and_equal_touches():
    assert make_finger("anna", 3) == make_finger("anna", 3)
    assert make_finger("anna", 3).minutiae != make_finger("anna", 4).minutiae
    first, second = (make_finger("anna", 3).touch(Random(5)) for _ in range(2))
    assert first.capture(Random(6), *WINDOW) == second.capture(Random(6), *WINDOW)


def test_two_touches_of_a_finger_differ():
    random = Random(5)
    finger = make_finger("anna", 3)
    first, second = (finger.touch(random).capture(random, *WINDOW) for _ in range(2))
    assert set(first) != set(second)


@pytest.mark.parametrize("number", [0, 11, -1])
def test_nobody_has_an_eleventh_finger(number):
    with pytest.raises(ValueError, match="1 to 10"):
        make_finger("anna", number)


def test_an_unknown_condition_is_refused():
    with pytest.raises(ValueError, match="dry"):
        make_finger("anna", 1).touch(Random(1), "greasy")


def test_genuine_and_impostor_scores_are_apart(population, capsys):
    fingers, templates = population
    random = Random(2)
    genuine = sorted(
        compare(Features(finger.touch(random).capture(random, *WINDOW)), template)
        for finger, template in zip(fingers, templates, strict=True)
        for _ in range(5)
    )
    probes = [Features(finger.touch(random).capture(random, *WINDOW)) for finger in fingers]
    impostor = sorted(
        compare(probe, template)
        for i, probe in enumerate(probes)
        for j, template in enumerate(templates)
        if i != j
    )
    level = THRESHOLDS[3]
    false_rejects = sum(score < level for score in genuine)
    with capsys.disabled():
        print(  # noqa: T201 - figures for whoever reads the run
            f"\n  genuine: {len(genuine)} touches, lowest {genuine[0]}, median {genuine[len(genuine) // 2]}, "
            f"{false_rejects} below {level}; impostor: {len(impostor)} comparisons, "
            f"median {impostor[len(impostor) // 2]}, highest {impostor[-1]}"
        )
    assert false_rejects <= len(genuine) // 50
    assert impostor[-1] < THRESHOLDS[2]
    assert genuine[len(genuine) // 2] > 3 * impostor[-1]


def test_wet_and_dry_fingers_score_lower(population):
    fingers, templates = population
    means = {}
    for condition in ("normal", "dry", "wet"):
        random = Random(3)
        scores = [
            compare(Features(finger.touch(random, condition).capture(random, *WINDOW)), template)
            for finger, template in zip(fingers, templates, strict=True)
        ]
        means[condition] = sum(scores) / len(scores)
    assert means["dry"] < means["wet"] < means["normal"]


def test_a_print_matches_itself_however_it_is_turned():
    minutiae = make_finger("anna", 2).minutiae
    half_turn = [Minutia(-m.x, -m.y, m.direction + 128 & 255, m.kind) for m in minutiae]
    assert compare(Features(minutiae), Features(minutiae)) == 10 * len(minutiae)
    assert compare(Features(half_turn), Features(minutiae)) > 9 * len(minutiae)


@pytest.mark.parametrize("few", [[], [Minutia(0, 0, 0, 0)], [Minutia(0, 0, 0, 0), Minutia(40, 0, 9, 1)]])
def test_almost_nothing_matches_nothing(few):
    assert compare(Features(few), Features(make_finger("anna", 2).minutiae)) == 0
    assert compare(Features(few), Features(few)) == 0


def test_two_people_cannot_be_merged():
    assert merge(make_finger("anna", 2).minutiae, make_finger("bert", 2).minutiae, 40) is None


def test_about_four_in_a_hundred_are_hard_to_enrol():
    hard = sum(person_clarity(f"person {i}") < 0.3 for i in range(3000)) / 3000
    assert HARD_TO_ENROL - 0.015 < hard < HARD_TO_ENROL + 0.015


class TestTemplates:
    minutiae = make_finger("anna", 2).minutiae[:40]

    @pytest.mark.parametrize(("model", "size"), [("R503", 1536), ("AS608", 512), ("R503-LFD", 1536)])
    def test_round_trip(self, model, size):
        template = finger_templates.encode(model, size, self.minutiae, 2, 1.0)
        assert len(template) == size
        assert finger_templates.decode(model, size, template) == list(self.minutiae)

    def test_another_models_template_is_refused(self):
        template = finger_templates.encode("R503", 1536, self.minutiae, 2, 1.0)
        with pytest.raises(finger_templates.TemplateError, match="template of R503, not of R503-LFD"):
            finger_templates.decode("R503-LFD", 1536, template)

    def test_size_and_every_damaged_byte_are_noticed(self):
        template = finger_templates.encode("AS608", 512, self.minutiae, 2, 1.0)
        with pytest.raises(finger_templates.TemplateError, match="511 bytes"):
            finger_templates.decode("AS608", 512, template[:-1])
        for place in range(0, 512, 17):
            damaged = bytearray(template)
            damaged[place] ^= 0x20
            with pytest.raises(finger_templates.TemplateError):
                finger_templates.decode("AS608", 512, bytes(damaged))

    def test_what_does_not_fit_is_left_out(self):
        many = list(self.minutiae) * 4
        template = finger_templates.encode("AS608", 512, many, 2, 1.0)
        assert finger_templates.decode("AS608", 512, template) == many[:82]


def test_the_image_shows_ridges_in_sixteen_greys():
    touch = make_finger("anna", 2, 0.9).touch(Random(1))
    pixels = finger_image.draw(touch, Random(2), 64, 48)
    assert len(pixels) == 64 * 48
    assert max(pixels) == 15
    assert min(pixels) <= 1
    assert len(finger_image.packed(pixels)) == 64 * 24
