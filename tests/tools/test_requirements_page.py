"""The page of requirements follows from scenarios and tests, and claims nothing that they do not show."""

import re

import pytest
from doorward_tools import requirements_page

CLAIMS = {"S1": {"title": "van", "state": "works"}, "S2": {"title": "crew", "state": "later: by data"}}

MARKED = """
import pytest
pytestmark = [pytest.mark.shows("S1"), pytest.mark.timeout(5)]

@pytest.mark.shows("S2", "D3")
@pytest.mark.parametrize("x", [1])
def test_it(x): ...

@pytest.mark.shows("F4")
class TestThem:
    @pytest.mark.shows("F5")
    async def test_one(self): ...

def test_unmarked(): "pytest.mark.shows('F6')"
"""


def test_the_page_is_up_to_date():
    committed = requirements_page.PAGE.read_text(encoding="utf-8")
    assert committed == requirements_page.page(), "run `make docs` and commit docs/requirements.md"


def test_every_requirement_has_one_row_in_order():
    last = {"S": 25, "D": 20, "F": 13}
    wanted = [f"{letter}{number}" for letter in last for number in range(1, last[letter] + 1)]
    assert re.findall(r"^\| ([SDF]\d+) ", requirements_page.page(), re.MULTILINE) == wanted


def test_markers_are_found_on_modules_classes_and_functions():
    assert list(requirements_page.marked(MARKED)) == [
        ("S1", ""),
        ("S2", "test_it"),
        ("D3", "test_it"),
        ("F4", "TestThem"),
        ("F5", "TestThem::test_one"),
    ]


def test_what_is_not_shown_says_so():
    text = requirements_page.render(CLAIMS, {"S1": ["[delivery](x)"]})
    assert "| S1 | van | works | [delivery](x) |" in text
    assert "| S2 | crew | not shown yet: by data |  |" in text


def test_scenarios_come_first_and_each_test_has_its_line():
    text = requirements_page.render(
        CLAIMS, {"S1": ["[a](a.yaml)", "[b](b.yaml)", "[t.py](t.py)", "[u.py::x](u.py)"]}
    )
    assert "| [a](a.yaml), [b](b.yaml)<br>[t.py](t.py)<br>[u.py::x](u.py) |" in text


@pytest.mark.parametrize(
    ("proofs", "state", "said"),
    [
        ({}, "works", "S1 is said to work, but no scenario and no test shows it"),
        ({}, "part: a half", "S1 is said to work, but no scenario and no test shows it"),
        ({"S1": ["a"]}, "later", "S1 comes later by its state, but a shows it"),
        ({"S1": ["a"], "S99": ["b"]}, "works", "S99 is shown by b and is no requirement's number"),
        ({"S1": ["a"]}, "splendid", "S1: 'splendid' begins with neither"),
    ],
)
def test_claims_that_disagree_with_their_proofs_are_refused(proofs, state, said):
    with pytest.raises(requirements_page.DisagreementError, match=re.escape(said)):
        requirements_page.check({**CLAIMS, "S1": {"title": "van", "state": state}}, proofs)
