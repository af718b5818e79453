"""The proof of the interlock, with one person; `doorward prove interlock` takes more, and all sites.

A proof that could not fail would prove nothing: so the interlock and the guard are also spoiled, one way
after the other, and each time the claim that is hurt must break.
"""

import json

import pytest
from doorward_firmware.logic import events, guard, interlock
from doorward_protocol.records import CAUSE_EMERGENCY, CAUSE_HANDOVER, DOOR_INNER, INPUT_EGRESS, INPUT_FIRE
from doorward_simulator.proofs import claims, interlock_proof
from doorward_simulator.proofs.search import Search
from doorward_tools.main import app
from typer.testing import CliRunner

pytestmark = pytest.mark.shows("D12")


def test_a_search_finds_all_and_the_shortest_way():
    search = Search([1], lambda number: [(times, number * times % 101) for times in (2, 3)])
    search.run()
    assert len(search.parents) == 100
    assert search.transitions == 200
    assert search.way_to(9) == [3, 3]
    assert search.depth == max(len(search.way_to(state)) for state in search.parents)


def test_no_claim_breaks_and_every_row_occurs():
    result = interlock_proof.prove(interlock_proof.SITES["vault"], crew=1, officers=0)
    assert result.breaches == []
    assert result.unreached == []
    assert result.states > 80_000


def altered(alter):
    """interlock.step with another result: alter(state, event, new, effects) -> (new, effects)."""
    true = interlock.step

    def step(state, event, now, settings):
        return alter(state, event, *true(state, event, now, settings))

    return step


def without(kind):
    """alter: drop effects of a kind."""

    def alter(_state, _event, new, effects):
        return new, tuple(effect for effect in effects if effect[0] != kind)

    return alter


def deaf(name):
    """alter: an input that nobody hears."""

    def alter(state, event, new, effects):
        return (state, ()) if event == (events.INPUT, name, True) else (new, effects)

    return alter


def no_time_limit(state, event, new, effects):
    """alter: exits last as long as they like; nobody hears of an emergency."""
    if event == (events.EMERGENCY,):
        return state, ()
    return (new.but(deadline=None), effects) if new.route == interlock.EXIT else (new, effects)


def impatient(state, event, new, effects):
    """alter: the second door is released when the first one opens."""
    if event[0] == events.DOOR and event[2] and new.route == interlock.ENTRY and new.step == 0 and new.opened:
        return new.but(step=1, opened=False), (*effects, (events.RELEASE, DOOR_INNER, CAUSE_HANDOVER))
    return new, effects


@pytest.mark.parametrize(
    ("alter", "broken"),
    [
        (without(events.LOCK), {claims.ONE_DOOR, claims.NO_RELAY_ALONE, claims.LOCKED_AGAIN}),
        (without(events.RECORD), {claims.RECORD_FIRST}),
        (deaf(INPUT_EGRESS), {claims.EGRESS_WINS, claims.TRAPPED}),
        (deaf(INPUT_FIRE), {claims.FIRE_WINS}),
        (impatient, {claims.REFUSED}),
    ],
    ids=["no lock", "no record", "deaf to egress", "deaf to fire", "impatient"],
)
def test_a_spoiled_interlock_breaks_its_claim(alter, broken, monkeypatch):
    monkeypatch.setattr(interlock, "step", altered(alter))
    result = interlock_proof.prove((), crew=0, officers=1)
    assert broken <= {claim for claim, _, _ in result.breaches}


def test_an_interlock_and_a_guard_that_are_both_spoiled_break_the_building(monkeypatch):
    monkeypatch.setattr(interlock, "step", altered(impatient))
    monkeypatch.setattr(guard, "may_release", lambda *_: True)
    result = interlock_proof.prove((), crew=1, officers=0)
    found = {claim: way for claim, _, way in result.breaches}
    assert {claims.BESIDE_OPEN, claims.INTERLOCKED} <= set(found)
    assert len(found[claims.INTERLOCKED]) == 2  # let through, opens: the shortest way


class TestCommand:
    """`doorward prove interlock` as whoever types it sees it."""

    def test_figures(self):
        command = ["prove", "interlock", "--site", "branch", "--crew", "0", "--officers", "1", "--json"]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0
        figures = json.loads(result.stdout)["branch"]
        assert figures["states"] > 40_000
        assert figures["breaches"] == []

    def test_a_breach_is_shown_with_its_way_and_fails(self, monkeypatch):
        monkeypatch.setattr(interlock, "step", altered(no_time_limit))
        result = CliRunner().invoke(app, ["prove", "interlock", "--site", "branch", "--crew", "0"])
        assert result.exit_code == 1
        assert claims.NO_END in result.stdout
        assert f"never happens: {('released', CAUSE_EMERGENCY)}" in result.stdout
        assert "let through" in result.stdout

    def test_an_unknown_site_is_refused(self):
        result = CliRunner().invoke(app, ["prove", "interlock", "--site", "bank"])
        assert result.exit_code == 2
        assert "vault" in result.output
