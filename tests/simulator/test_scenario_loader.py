"""A scenario's file is read strictly: whatever cannot be meant names its line."""

import textwrap

import pytest
from doorward_simulator import scenario, scenario_loader
from doorward_simulator.scenario_loader import ScenarioError, duration

HEAD = """
title: {zh: 一, en: one}
shows: [S1, D12, F2]
begins: 2026-03-02 09:20
units: [B01]
plan:
  - vehicle: V
    door: [E1001]
    stops: [{site: B01, kind: deliver, window: ["09:30", "10:00"], boxes: []}]
steps:
"""


def load(tmp_path, steps, head=HEAD):
    path = tmp_path / "day.yaml"
    path.write_text(head + textwrap.indent(textwrap.dedent(steps), "  "), encoding="utf-8")
    return scenario_loader.load(path, scenario.TABLES)


def test_steps_keep_line_kind_arguments_and_note(tmp_path):
    found = load(
        tmp_path,
        """
        - {do: touch, person: E1001, panel: outer, note: the first}
        - {expect: record, kind: vehicle, having: {vehicle: V}, within: 3s}
        - {wait: 5s}
        """,
    )
    assert [(step.kind, step.name) for step in found.steps] == [
        ("do", "touch"),
        ("expect", "record"),
        ("wait", "5s"),
    ]
    assert found.steps[0].arguments == {"person": "E1001", "panel": "outer"}
    assert found.steps[0].note == "the first"
    assert found.steps[0].line == 12
    assert (found.name, found.seed, found.begins.hour) == ("day", 1, 9)
    assert "kind vehicle" in str(found.steps[1])


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("- {do: fly}", "unknown do 'fly'"),
        ("- {do: touch, panel: outer}", "touch needs 'person'"),
        ("- {do: touch, person: E1001, panel: outer, speed: 3}", "touch has no 'speed'"),
        ("- {do: touch, expect: record}", "exactly one of"),
        ("- {note: nothing}", "exactly one of"),
        ("- {wait: soon}", "no duration"),
        ("- {wait: 5s, unit: B01}", "takes nothing but a duration"),
        ("- touch", "no mapping"),
        ("- {do: plug, do: unplug}", "stands twice"),
        ("- {do: plug", "expected"),
    ],
)
def test_wrong_steps_are_refused(tmp_path, step, why):
    with pytest.raises(ScenarioError, match=why):
        load(tmp_path, step)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("units: [B01]\n", "", "lacks 'units'"),
        ("units: [B01]\n", "units: B01\n", "should be a list"),
        ("units: [B01]\n", "units: [B01]\nweather: fine\n", "unknown key 'weather'"),
        ("[S1, D12, F2]", "[S1, X9]", "no requirement"),
        ("2026-03-02 09:20", "tomorrow", "write YYYY-MM-DD HH:MM"),
        ("kind: deliver, ", "", "lacks 'kind'"),
        ("    door: [E1001]\n", "    door: [E1001]\n    wheels: 4\n", "unknown key 'wheels'"),
    ],
)
def test_wrong_heads_are_refused(tmp_path, old, new, why):
    assert old in HEAD
    with pytest.raises(ScenarioError, match=why):
        load(tmp_path, "- {wait: 1s}\n", HEAD.replace(old, new))


def test_unknown_scenarios_are_refused_with_the_known_ones():
    with pytest.raises(ScenarioError, match="delivery"):
        scenario_loader.find("nonsense")


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("500ms", 500),
        ("5s", 5000),
        ("2min", 120_000),
        ("1h", 3_600_000),
        ("-3min", -180_000),
        ("1d", 86_400_000),
    ],
)
def test_durations(text, milliseconds):
    assert duration(text) == milliseconds


@pytest.mark.parametrize("text", ["", "5", "5 minutes", "s", "1.5s", None])
def test_wrong_durations(text):
    with pytest.raises(ScenarioError):
        duration(text)


@pytest.mark.parametrize("name", scenario_loader.names())
def test_scenarios_that_come_along_are_readable_and_tell_what_they_show(name):
    found = scenario.load(name)
    assert found.shows
    assert set(found.title) == {"zh", "en"}
    assert (scenario_loader.FOLDER / f"{name}.yaml").read_text(encoding="utf-8").startswith("#")
