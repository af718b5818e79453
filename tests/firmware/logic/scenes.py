"""How far a delivery has come when a test begins."""

from doorward_firmware.logic import flows
from doorward_protocol.objects import APPROVE
from doorward_protocol.records import DOOR_INNER, DOOR_OUTER
from edges import BOXES, Edges


def at_approval():
    edges = Edges()
    edges.arrive()
    edges.crew()
    assert edges.handover.state == flows.APPROVAL
    return edges


def at_boxes():
    edges = at_approval()
    edges.command(APPROVE)
    edges.walk(DOOR_OUTER, DOOR_INNER)
    assert edges.handover.state == flows.BOXES
    return edges


def at_leave():
    edges = at_boxes()
    edges.boxes(*BOXES)
    edges.close()
    assert edges.handover.state == flows.LEAVE
    return edges


def in_the_chamber():
    edges = at_approval()
    edges.command(APPROVE)
    edges.walk(DOOR_OUTER)
    edges.wait(edges.settings["DOOR_RELEASE_MS"])
    assert edges.handover.state == flows.CHAMBER
    return edges
