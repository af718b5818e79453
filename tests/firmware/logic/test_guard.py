"""The guard: what is true for each cause, and that it takes all of it."""

import itertools

import pytest
from doorward_firmware.logic import flows, interlock
from doorward_firmware.logic.guard import may_release
from doorward_firmware.logic.handover import Handover
from doorward_firmware.logic.interlock import EGRESS, ENTRY, ENTRY_REST, EXIT, EXIT_REST, Interlock
from doorward_protocol.records import (
    CAUSE_EGRESS,
    CAUSE_EMERGENCY,
    CAUSE_FIRE,
    CAUSE_HANDOVER,
    CAUSE_TIMEOUT,
    DOOR_INNER,
    DOOR_OUTER,
)

pytestmark = pytest.mark.shows("D12")

CAUSES = (CAUSE_HANDOVER, CAUSE_EGRESS, CAUSE_FIRE, CAUSE_EMERGENCY, CAUSE_TIMEOUT, 0, None)
REST = Interlock()
ADMITTED = Handover().but(state=flows.ENTRY, permit=17)
LEAVING = Handover().but(state=flows.LEAVE, permit=18)


def on(route, step=0, **changes):
    return REST.but(route=route, step=step, **changes)


def test_at_rest_everything_is_denied():
    for door, cause, energised in itertools.product((0, 1, 2, 3, None), CAUSES, ((), (1,), (2,), (1, 2))):
        for work in (Handover(), ADMITTED, LEAVING):
            assert may_release(door, cause, REST, work, energised) is False


@pytest.mark.parametrize(
    ("doors", "door", "work"),
    [
        (on(ENTRY), DOOR_OUTER, ADMITTED),
        (on(ENTRY, 1), DOOR_INNER, ADMITTED),
        (on(ENTRY_REST), DOOR_INNER, ADMITTED),
        (on(EXIT), DOOR_INNER, LEAVING),
        (on(EXIT, 1), DOOR_OUTER, LEAVING),
        (on(EXIT_REST), DOOR_OUTER, LEAVING),
    ],
)
class TestHandover:
    """A passage of the handover: one thing wrong is enough."""

    def test_allowed(self, doors, door, work):
        assert may_release(door, CAUSE_HANDOVER, doors, work, ()) is True
        assert may_release(door, CAUSE_HANDOVER, doors, work, (door,)) is True  # it is on already

    def test_no_record_no_release(self, doors, door, work):
        assert may_release(door, CAUSE_HANDOVER, doors, work.but(permit=None), ()) is False

    def test_every_other_state_of_the_handover(self, doors, door, work):
        for state in flows.ACCEPTS:
            allowed = may_release(door, CAUSE_HANDOVER, doors, work.but(state=state), ())
            assert allowed == (state == work.state)

    def test_the_other_door(self, doors, door, work):
        other = DOOR_OUTER + DOOR_INNER - door
        assert may_release(other, CAUSE_HANDOVER, doors, work, ()) is False
        assert may_release(door, CAUSE_HANDOVER, doors, work, (other,)) is False

    def test_an_open_door(self, doors, door, work):
        assert may_release(door, CAUSE_HANDOVER, doors.but(outer_open=True), work, ()) is False
        assert may_release(door, CAUSE_HANDOVER, doors.but(inner_open=True), work, ()) is False

    def test_another_cause(self, doors, door, work):
        for cause in CAUSES[1:]:
            assert may_release(door, cause, doors, work, ()) is False

    def test_a_passage_that_has_opened_its_door(self, doors, door, work):
        assert may_release(door, CAUSE_HANDOVER, doors.but(opened=True), work, ()) is False


def test_egress_needs_no_handover_and_respects_the_other_relay():
    for step, door in ((0, DOOR_INNER), (1, DOOR_OUTER)):
        assert may_release(door, CAUSE_EGRESS, on(EGRESS, step), Handover(), ()) is True
        assert may_release(door, CAUSE_EGRESS, on(EGRESS, step, outer_open=True), Handover(), ()) is True
        assert may_release(door, CAUSE_EGRESS, on(EGRESS, step), Handover(), (3 - door,)) is False
        assert may_release(door, CAUSE_HANDOVER, on(EGRESS, step), ADMITTED, ()) is False


def test_fire_releases_what_does_not_fail_secure():
    fire = Interlock(fail_secure=(DOOR_INNER,)).but(fire=True)
    assert may_release(DOOR_OUTER, CAUSE_FIRE, fire, Handover(), (DOOR_INNER,)) is True
    assert may_release(DOOR_INNER, CAUSE_FIRE, fire, Handover(), ()) is False
    assert may_release(DOOR_INNER, CAUSE_EGRESS, fire, Handover(), ()) is False
    pressed = fire.but(fire_exit=True)
    assert may_release(DOOR_INNER, CAUSE_EGRESS, pressed, Handover(), (DOOR_OUTER,)) is True
    assert may_release(DOOR_INNER, CAUSE_FIRE, pressed, Handover(), ()) is False
    assert may_release(DOOR_OUTER, CAUSE_EGRESS, fire, Handover(), ()) is False
    for burning in (fire, pressed):
        assert may_release(DOOR_OUTER, CAUSE_HANDOVER, burning, ADMITTED, ()) is False


def test_emergency():
    emergency = REST.but(emergency=True)
    assert may_release(DOOR_OUTER, CAUSE_EMERGENCY, emergency, Handover(), (DOOR_INNER,)) is True
    assert may_release(DOOR_OUTER, CAUSE_EMERGENCY, on(ENTRY), ADMITTED, ()) is False
    assert may_release(DOOR_OUTER, CAUSE_FIRE, emergency, Handover(), ()) is False


def test_every_release_that_the_interlock_may_want_is_named():
    assert set(interlock.ROUTES) - {EGRESS} == {ENTRY, ENTRY_REST, EXIT, EXIT_REST}
