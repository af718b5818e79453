"""docs/unit.md says what the tables say: states, settings, passages, reasons and prompts of refusals."""

import re
from pathlib import Path

import pytest
from doorward_firmware.logic import flows, interlock, prompts, settings
from doorward_protocol.errors import NAMES
from doorward_protocol.objects import DELIVER
from doorward_protocol.prompts import NUMBERS
from doorward_protocol.records import DOOR_OUTER

PAGE = (Path(__file__).parents[3] / "docs" / "unit.md").read_text()
SETTINGS = Path(settings.__file__).read_text()
CODES = {NAMES[code]: code for code in NAMES}


def rows(heading):
    """The rows of the page's table whose head begins with a word, as tuples of plain cells."""
    lines = PAGE.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append(tuple(cell.strip().strip("`") for cell in line.strip("|").split("|")))
    return found


def meaning(name):
    """What the comment in the table of settings says."""
    found = re.search(rf'^    "{name}": \([^)]*\),  # (.*)$', SETTINGS, re.MULTILINE)
    assert found, name
    return found[1]


def test_states():
    expected = [tuple("none" if cell is None else cell for cell in row) for row in flows.DELIVER_FLOW]
    assert rows("state") == expected
    assert set(flows.FLOWS) == {DELIVER}


def test_settings():
    expected = [
        (name, str(default), str(least), str(most), meaning(name))
        for name, (default, least, most) in settings.SETTINGS.items()
    ]
    assert rows("setting") == expected


def test_passages():
    names = {True: "outer", False: "inner"}
    expected = [
        (route, ", ".join(names[door == DOOR_OUTER] for door in doors))
        for route, (doors, _) in interlock.ROUTES.items()
    ]
    assert [row[:2] for row in rows("passage")] == expected


@pytest.mark.parametrize("row", rows("question"), ids=lambda row: row[1])
def test_refusals(row):
    name = prompts.TURNED_AWAY.get(CODES[row[1]])
    assert row[2] == ("none" if name is None else str(NUMBERS[name]))


def test_every_refusal_is_there():
    named = {CODES[row[1]] for row in rows("question")}
    assert set(prompts.TURNED_AWAY) <= named
