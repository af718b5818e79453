"""What operators can set, find and import stands in docs/operations.md."""

from pathlib import Path

import pytest
from doorward_server.importing.columns import SHEETS
from doorward_server.settings import Settings
from doorward_server.units.thresholds import THRESHOLDS

TEXT = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_default(name):
    default = Settings.model_fields[name].default
    shown = {None: "empty", "": "empty", (): "empty", True: "`true`", False: "`false`"}.get(
        default, f"`{default}`"
    )
    assert f"| `DOORWARD_{name.upper()}` | {shown} |" in TEXT


def test_no_setting_is_documented_that_does_not_exist():
    documented = {line.split("`")[1] for line in TEXT.splitlines() if line.startswith("| `DOORWARD_")}
    assert documented == {f"DOORWARD_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("sheet", SHEETS)
def test_every_sheet_is_documented_with_its_columns(sheet):
    columns = " ".join(column.name for column in SHEETS[sheet])
    assert f"| `{sheet}` | `{columns}`" in TEXT


@pytest.mark.parametrize("one", THRESHOLDS, ids=lambda one: one.measure)
def test_every_threshold_is_documented(one):
    attention, bad = ("–" if limit is None else str(limit) for limit in (one.attention, one.bad))
    assert f"| {one.aspect} | `{one.measure}` | {attention} | {bad} |" in TEXT


@pytest.mark.parametrize(
    ("name", "value"), [("language", "fr"), ("timezone", "Mars/Olympus"), ("port", "eighty")]
)
def test_a_setting_that_makes_no_sense_is_refused(name, value, monkeypatch):
    monkeypatch.setenv(f"DOORWARD_{name.upper()}", value)
    with pytest.raises(ValueError, match=name):
        Settings()
