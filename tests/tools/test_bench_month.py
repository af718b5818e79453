"""A month of deliveries wears nothing out: the days themselves, and the judge who would see it."""

import dataclasses
import json

import pytest
from doorward_simulator import month as month_of_days
from doorward_simulator.month import Evening
from doorward_tools import month_judge
from doorward_tools.main import app
from typer.testing import CliRunner


def evening(day, **changes):
    """After a day on which nothing grew."""
    wear = {"journal": [day, day + 1, day], "state": [day, 0], "blobs": [0, 0, day, day + 1, day]}
    usual = Evening(day, 2 * day, 60 * day, 0.2 * day, 90_000 + 700 * (day % 3), 300, 1500, 1700, 2300, wear)
    return dataclasses.replace(usual, **changes)


def month(**changes):
    """Thirty evenings; `changes` by name: a function of the day."""
    return [evening(day, **{name: of(day) for name, of in changes.items()}) for day in range(1, 31)]


def found(**changes):
    return month_judge.problems(month(**changes), month_judge.HEAPS["micropython"])


def test_a_month_in_which_nothing_grows_is_well():
    assert found() == []


@pytest.mark.parametrize("what", ["heap", "bound_sectors", "state_bytes"])
def test_what_grows_a_little_every_day_is_found(what):
    usual = getattr(evening(1), what)
    (problem,) = found(**{what: lambda day: usual + 6 * usual * day // 100})
    assert problem.startswith("grows")


@pytest.mark.parametrize("what", ["heap", "bound_sectors", "state_bytes"])
def test_what_fills_up_in_the_beginning_does_not_grow(what):
    full = 2 * getattr(evening(1), what)
    assert found(**{what: lambda day: min(full, full * day // 9)}) == []


def test_kept_pictures_may_take_their_part_and_nothing_more():
    heap = month_judge.HEAPS["micropython"]
    part = {
        "heap": lambda day: 90_000 + heap.blob * min(300, 20 * day),
        "blobs": lambda day: 100 + min(300, 20 * day),
    }
    assert found(**part) == []
    (problem,) = found(**{**part, "heap": lambda day: part["heap"](day) + 110 * day})
    assert problem.startswith("grows (heap, bytes)")


def test_a_ring_that_came_round_too_seldom_shows_nothing():
    (problem,) = found(wraps=lambda day: 2.9 * day / 30)
    assert "came round" in problem
    assert month_judge.problems(month(), month_judge.HEAPS["micropython"], wraps=6.1) != []
    assert month_judge.problems(month(), month_judge.HEAPS["micropython"], wraps=6) == []


@pytest.mark.parametrize("label", month_judge.LOGS)
def test_a_sector_that_is_erased_far_more_often_than_others_is_found(label):
    def wear(day):
        usual = evening(day).wear
        return {**usual, label: [*usual[label], 9 * day, *[day] * 20]}

    (problem,) = found(wear=wear)
    assert problem.startswith(f"{label} is worn unevenly")


def test_a_sector_that_is_worn_out_too_soon_is_found():
    def wear(day):
        return {**evening(day).wear, "blobs": [0] * 100 + [14 * day]}

    (problem,) = found(wear=wear)
    assert problem.startswith("blobs is worn out after 19.")


def test_no_day_is_no_proof():
    assert month_judge.problems([], month_judge.HEAPS["cpython"]) == ["no day was played"]


def test_days_of_deliveries_leave_the_unit_as_it_was(monkeypatch):
    """The smallest journal there can be comes round within them, and holds what was not acknowledged."""
    monkeypatch.setattr(month_of_days, "QUIET_MS", 10_000)
    monkeypatch.setattr(month_of_days, "EVENING_MS", 15_000)
    words = "--days 2 --per-day 1 --passers-by 11 --journal 4 --wraps 1 --json"
    result = CliRunner().invoke(app, ["bench", "month", *words.split()])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["problems"] == []
    assert [evening["deliveries"] for evening in figures["days"]] == [1, 2]
    assert figures["days"][-1]["wraps"] >= 1
    assert figures["days"][0]["heap"] > 10_000
    assert figures["wear"]["journal"]["worn"] == 4


def test_help_says_what_is_left_out():
    result = CliRunner().invoke(app, ["bench", "month", "--help"])
    assert result.exit_code == 0
    assert "doorward bench month --runtime" in result.output
    assert "leap" in result.output
