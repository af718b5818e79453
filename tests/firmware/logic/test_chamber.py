"""A crew that stands between the doors: let on, kept from going on, or out again."""

from doorward_firmware.logic import events, flows
from doorward_protocol.objects import APPROVE, REFUSE
from doorward_protocol.records import DOOR_INNER, DOOR_OUTER
from scenes import in_the_chamber


def test_a_crew_that_stops_in_the_chamber_is_let_on_by_the_officer():
    edges = in_the_chamber()
    edges.handle(events.BUTTON, APPROVE)
    assert edges.relays == {DOOR_INNER}
    edges.walk(DOOR_INNER)
    assert edges.handover.state == flows.BOXES


def test_the_host_may_let_a_crew_on_from_the_chamber():
    edges = in_the_chamber()
    edges.command(APPROVE)
    assert edges.relays == {DOOR_INNER}


def test_a_crew_that_leaves_the_chamber_by_egress_begins_afresh():
    edges = in_the_chamber()
    edges.handle(events.INPUT, 1, True)
    edges.wait(edges.settings["DOOR_RELEASE_MS"])
    edges.walk(DOOR_OUTER)
    assert edges.handover.state == flows.IDLE


def test_the_officer_may_keep_a_crew_in_the_chamber_from_going_on():
    edges = in_the_chamber()
    edges.handle(events.BUTTON, REFUSE)
    assert edges.handover.state == flows.FROZEN
