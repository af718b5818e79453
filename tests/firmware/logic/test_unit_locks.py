"""What the whole unit shows and records of a locked panel."""

import pytest
from doorward_firmware.logic import events, lockout, unit
from doorward_protocol.objects import RELEASE_LOCKOUT
from doorward_protocol.records import (
    PANEL_INNER,
    PANEL_OUTER,
)
from edges import Edges, a_task


@pytest.mark.shows("D18")
def test_the_officer_sees_that_the_outer_panel_is_locked():
    edges = Edges()
    edges.arrive()
    for _ in range(5):
        edges.touch(PANEL_OUTER)
    locked = [effect for effect in edges.effects if effect[0] == events.SHOW and effect[2] == 6]
    assert {effect[1] for effect in locked} == {PANEL_OUTER, PANEL_INNER}
    edges.effects.clear()
    edges.arrive(a_task(b"nonce002"))
    assert [effect[2] for effect in edges.effects if effect[0] == events.SHOW][-2:] == [6, 6]
    edges.effects.clear()
    edges.wait(30_000)
    assert [effect[2] for effect in edges.effects if effect[0] == events.SHOW] == [3, 3]


def test_a_panel_whose_lock_has_run_out_does_not_keep_the_next_crew_away():
    edges = Edges()
    edges.arrive()
    for _ in range(5):
        edges.touch(PANEL_OUTER)
    edges.wait(30_000)
    edges.effects.clear()
    edges.arrive(a_task(b"nonce002"))
    assert [effect[2] for effect in edges.effects if effect[0] == events.SHOW] == [2, 2, 3]


def test_a_lock_of_ages_still_has_a_date():
    edges = Edges()
    edges.state = edges.state.but(outer=lockout.Lockout(failures=49))
    edges.arrive()
    edges.touch(PANEL_OUTER)
    assert edges.last("locked") == {"panel": PANEL_OUTER, "failures": 50, "until": unit.LAST_MOMENT}
    edges.command(RELEASE_LOCKOUT, panel=PANEL_OUTER, decided_by=[901, 902])
    assert edges.state.outer == lockout.Lockout()
