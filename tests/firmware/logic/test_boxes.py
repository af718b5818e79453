"""The boxes of a delivery: missing, foreign, copied, too many, given up."""

import pytest
from doorward_firmware.logic import box_steps, events, flows
from doorward_firmware.store import leaves
from doorward_protocol import errors, records
from doorward_protocol.objects import APPROVE, REFUSE
from doorward_server.planning import rules
from edges import BOXES
from scenes import at_boxes


@pytest.mark.shows("S8")
def test_missing_box_freezes_after_two_repeats():
    edges = at_boxes()
    for attempt in (1, 2, 3):
        edges.boxes(*BOXES[:2])
        edges.wait(edges.settings["BOX_SILENCE_MS"] - 1)
        assert edges.handover.state == flows.BOXES
        edges.wait(1)
        boxes = edges.last("boxes")
        assert (boxes["attempt"], boxes["missing"]) == (attempt, [BOXES[2][0]])
        if attempt < 3:
            assert edges.handover.state == flows.RECOUNT
            edges.handle(events.BUTTON, APPROVE)
    assert edges.handover.state == flows.FROZEN
    assert edges.last("frozen")["reason"] == errors.MISSING_BOX


def test_every_new_tag_begins_the_silence_anew():
    edges = at_boxes()
    for box in BOXES:
        edges.wait(edges.settings["BOX_SILENCE_MS"] - 1)
        edges.boxes(box)
    assert edges.handover.state == flows.CLOSE


@pytest.mark.shows("S7")
def test_a_wrong_box_is_reported_at_once_and_spoils_the_attempt():
    edges = at_boxes()
    edges.boxes(BOXES[0], (b"other", b"tid"))
    assert edges.last("foreign_box")["epc"] == b"other"
    edges.boxes((b"other", b"tid"))  # the same tag again: no second alarm
    assert edges.names().count("foreign_box") == 1
    edges.boxes(*BOXES[1:])
    assert edges.handover.state == flows.RECOUNT
    edges.handle(events.BUTTON, APPROVE)
    edges.boxes(*BOXES)
    assert edges.handover.state == flows.CLOSE


def test_a_box_with_a_copied_tag_is_a_wrong_box():
    edges = at_boxes()
    edges.boxes((BOXES[0][0], b"copy"))
    assert edges.last("foreign_box")["reason"] == errors.TAG_COPIED
    edges.boxes((BOXES[1][0], None))  # without its TID a tag of the order proves nothing
    assert edges.handover.read == ()


@pytest.mark.parametrize("length", [2, 12, 62])
def test_a_bag_of_strangers_tags_is_told_as_far_as_there_is_room(length):
    edges = at_boxes()
    edges.boxes(*[(bytes([n]) * length, b"tid") for n in range(1, 201)])
    told = edges.names().count("foreign_box")
    assert 0 < told * (length + 2) <= box_steps.FOREIGN_BYTES
    edges.boxes(*BOXES)
    assert len(edges.last("boxes")["foreign"]) == told
    assert edges.handover.state == flows.RECOUNT


@pytest.mark.parametrize("length", range(4, 31, 2))
@pytest.mark.parametrize("foreign", [2, 12, 62])
def test_what_was_read_of_the_largest_order_fits_the_journal(length, foreign):
    """An attempt that could not be recorded could not be closed either."""
    boxes = [bytes(length)] * rules.most_boxes(length)
    strangers = [bytes(foreign)] * (box_steps.FOREIGN_BYTES // (foreign + 2))
    fields = {"task": 1 << 40, "nonce": bytes(8), "attempt": 3, "foreign": strangers}
    for missing in ([], boxes):
        read = [] if missing else boxes
        entry = records.encode(
            "boxes", 1 << 42, 1, 1 << 31, bytes(16), expected=boxes, read=read, missing=missing, **fields
        )
        assert len(entry) <= leaves.MAX_ENTRY


def test_the_officer_gives_up_reading():
    edges = at_boxes()
    edges.wait(edges.settings["BOX_SILENCE_MS"])
    edges.handle(events.BUTTON, REFUSE)
    assert edges.last("frozen")["reason"] == errors.MISSING_BOX
