"""A small population at the emulated module; `doorward bench fingers` takes the large one."""

import pytest
from doorward_simulator.devices.ef01_library import THRESHOLDS
from doorward_simulator.devices.ef01_settings import Settings
from doorward_simulator.population import study
from doorward_simulator.proportions import bounds

THRESHOLD = THRESHOLDS[Settings().security]


@pytest.fixture(scope="module")
def counted():
    return study(150, 3, seed=1, workers=1)


def test_rates_at_the_modules_threshold_agree_with_the_data_sheet(counted):
    genuine, impostor = counted.genuine.total(), counted.impostor.total()
    assert genuine == 3 * counted.enrolled
    assert impostor == counted.enrolled * (counted.enrolled - 1)
    assert bounds(counted.false_accepts(THRESHOLD), impostor)[0] < 0.001 / 100
    assert bounds(counted.false_rejects(THRESHOLD), genuine)[0] < 1 / 100
    assert counted.false_accepts(THRESHOLD) <= 1
    assert counted.false_rejects(THRESHOLD) <= 3
    assert counted.false_accepts(10) > 100  # strangers do resemble each other
    assert counted.false_rejects(100) > 10  # and one's own finger is not always clear


def test_four_people_in_a_hundred_cannot_be_enrolled(counted):
    low, high = bounds(counted.people - counted.enrolled, counted.people)
    assert low < 0.04 < high


def test_results_do_not_depend_on_how_the_work_is_shared():
    assert study(40, 2, seed=5, workers=1) == study(40, 2, seed=5, workers=2)


@pytest.mark.parametrize(
    ("events", "trials", "low", "high"),
    [  # Clopper-Pearson at 95 %, by hand from closed forms, and from binomial tails
        (0, 10, 0.0, 1 - 0.025 ** (1 / 10)),
        (10, 10, 0.025 ** (1 / 10), 1.0),
        (0, 3_300_000, 0.0, 1 - 0.025 ** (1 / 3_300_000)),
        (25, 100, 0.16877974, 0.34655248),
        (3, 50, 0.01254859, 0.16548195),
    ],
)
def test_bounds(events, trials, low, high):
    assert bounds(events, trials) == pytest.approx((low, high), rel=1e-5)


@pytest.mark.parametrize(("events", "trials"), [(0, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(events, trials):
    with pytest.raises(ValueError, match="trials"):
        bounds(events, trials)
