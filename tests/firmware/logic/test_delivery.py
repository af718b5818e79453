"""A delivery from the van's tag to the closed handover, and each way in which it can go wrong."""

import pytest
from doorward_firmware.logic import events, flows
from doorward_protocol import errors
from doorward_protocol.objects import APPROVE, OFFICER, REFUSE, RESTART
from doorward_protocol.prompts import NUMBERS
from doorward_protocol.records import DOOR_INNER, DOOR_OUTER, PANEL_INNER, PANEL_OUTER
from edges import BOXES, ESCORTS, HOUR, NONCE, OFFICERS, PICTURE, VAN, Edges, a_task, member
from scenes import at_approval, at_boxes, at_leave


@pytest.fixture
def edges():
    return Edges()


def said(effects):
    return [effect[1] for effect in effects if effect[0] == events.SAY]


def test_the_whole_delivery(edges):
    edges.arrive()
    edges.crew()
    edges.command(APPROVE)
    assert edges.relays == {DOOR_OUTER}
    edges.walk(DOOR_OUTER, DOOR_INNER)
    edges.boxes(*BOXES)
    edges.close()
    edges.handle(events.BUTTON, APPROVE)
    edges.walk(DOOR_INNER, DOOR_OUTER)
    edges.handle(events.GONE, VAN[0])
    steps = [name for name in edges.names() if name != "door"]
    assert steps == [
        *("vehicle", "finger", "finger", "crew", "approval", "boxes"),
        *("finger", "finger", "closed", "left"),
    ]
    doors = [(fields["door"], fields["event"]) for name, fields in edges.journal if name == "door"]
    way = [(1, 1), (1, 3), (1, 2), (1, 4), (2, 1), (2, 3), (2, 2), (2, 4)]  # released, opened, locked, closed
    back = [(2, 1), (2, 3), (2, 2), (2, 4), (1, 1), (1, 3), (1, 2), (1, 4)]
    assert doors == way + back
    assert edges.handover.state == flows.IDLE
    assert edges.stored["hand"] is None
    assert edges.handover.completed == ((7, VAN[0], a_task().expires),)
    assert edges.last("closed")["officer"] == OFFICERS[0]
    assert edges.last("closed")["crew"] == ESCORTS[0]
    assert edges.last("vehicle")["order_version"] == 3
    assert not edges.denied


def test_the_record_stands_before_the_relay(edges):
    edges = at_approval()
    before = len(edges.effects)
    edges.command(APPROVE)
    kinds = [effect[:2] for effect in edges.effects[before:]]
    approval = kinds.index((events.RECORD, "approval"))
    door = kinds.index((events.RECORD, "door"))
    release = kinds.index((events.RELEASE, DOOR_OUTER))
    assert approval < door < release


@pytest.mark.shows("D5")
def test_boxes_are_asked_for_only_after_everybody_is_inside():
    edges = at_approval()
    edges.command(APPROVE)
    edges.walk(DOOR_OUTER)
    assert NUMBERS["bring_boxes"] not in said(edges.effects)
    edges.walk(DOOR_INNER)
    assert NUMBERS["bring_boxes"] in said(edges.effects)


def test_without_the_network_the_officer_compares_at_the_inner_panel():
    edges = at_approval()
    edges.handle(events.BUTTON, APPROVE)  # a button without a finger decides nothing
    assert edges.handover.state == flows.APPROVAL
    edges.touch(PANEL_INNER, OFFICERS[1])
    edges.handle(events.BUTTON, APPROVE)
    assert edges.relays == {DOOR_OUTER}
    approval = edges.last("approval")
    assert (approval["by"], approval["where"], approval["head_count"]) == ([OFFICERS[1]], 2, 2)


def test_the_officers_finger_counts_for_thirty_seconds():
    edges = at_approval()
    edges.touch(PANEL_INNER, OFFICERS[1])
    edges.wait(edges.settings["OFFICER_CONFIRM_MS"])
    edges.handle(events.BUTTON, APPROVE)
    assert edges.handover.state == flows.APPROVAL
    assert not edges.relays


@pytest.mark.parametrize("panel", [True, False])
def test_refusal_freezes(panel):
    edges = at_approval()
    if panel:
        edges.touch(PANEL_INNER, OFFICERS[0])
        edges.handle(events.BUTTON, REFUSE)
    else:
        edges.command(REFUSE, head_count=None, picture=None)
    assert edges.handover.state == flows.FROZEN
    assert edges.last("approval")["approved"] is False
    assert edges.last("frozen")["reason"] == errors.PICTURE_MISMATCH
    assert not edges.relays


@pytest.mark.shows("D1")
def test_another_head_count_freezes():
    edges = at_approval()
    edges.command(APPROVE, head_count=3)
    assert edges.handover.state == flows.FROZEN
    assert edges.last("approval")["reason"] == errors.HEAD_COUNT_MISMATCH
    assert not edges.relays


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"task": 8}, errors.WRONG_TASK),
        ({"nonce": b"another1"}, errors.WRONG_TASK),
        ({"picture": b"q" * 32}, errors.PICTURE_MISMATCH),
        ({"picture": None}, errors.PICTURE_MISMATCH),
        ({"head_count": None}, errors.MALFORMED),
        ({"decided_by": []}, errors.MALFORMED),
        ({"decided_by": [ESCORTS[0]]}, errors.ONE_PERSON_TWO_ROLES),
        ({"decided_by": [OFFICERS[0], 901]}, errors.WRONG_ROLE),
        ({"issued": member(OFFICERS[1], OFFICER).valid_until}, errors.PERMIT_EXPIRED),
    ],
)
def test_an_approval_for_something_else_is_refused(changes, reason):
    edges = at_approval()
    edges.command(APPROVE, **changes)
    assert edges.last("refusal")["reason"] == reason
    assert edges.handover.state == flows.APPROVAL
    assert not edges.relays


@pytest.mark.parametrize("make", [Edges, at_boxes, at_leave])
def test_an_approval_that_nobody_waits_for_is_refused(make):
    edges = make()
    edges.command(APPROVE)
    assert edges.last("refusal")["reason"] in (errors.WRONG_TASK, errors.NOT_WANTED)


def test_the_centre_restarts_a_task():
    edges = at_boxes()
    effects = len(edges.effects)
    edges.command(RESTART)
    assert edges.last("restarted")["reason"] == errors.RESTARTED_BY_CENTRE
    assert edges.handover.state == flows.IDLE
    done = [effect[0] for effect in edges.effects[effects:]]
    assert events.WIPE in done
    assert events.ARRIVE_AGAIN in done


def test_a_closed_task_cannot_be_restarted():
    edges = at_leave()
    edges.command(RESTART)
    assert edges.last("refusal")["reason"] == errors.NOT_WANTED
    assert edges.handover.state == flows.LEAVE


def test_a_crew_without_a_picture_does_not_count(edges):
    edges.arrive()
    edges.touch(PANEL_OUTER, ESCORTS[0], picture=None)
    assert edges.handover.identified == ()
    assert edges.last("finger")["picture"] is None
    edges.touch(PANEL_OUTER, ESCORTS[0])
    assert edges.handover.identified == (ESCORTS[0],)


def test_without_the_picture_of_the_crew_the_door_stays_shut(edges):
    edges.arrive()
    for person in ESCORTS:
        edges.touch(PANEL_OUTER, person)
    edges.handle(events.PICTURE, NONCE, None)
    assert edges.last("restarted")["reason"] == errors.CAMERA_FAILED
    assert "crew" not in edges.names()


def test_nobody_opens_the_outer_door():
    edges = at_approval()
    edges.command(APPROVE)
    edges.wait(edges.settings["DOOR_RELEASE_MS"])
    assert not edges.relays
    assert edges.handover.state == flows.PICTURE  # whoever stands there now
    edges.handle(events.PICTURE, NONCE, b"r" * 32)
    assert edges.last("crew")["picture"] == b"r" * 32
    assert edges.handover.permit is None  # the door needs another approval
    edges.command(APPROVE)  # of the picture before
    assert edges.last("refusal")["reason"] == errors.PICTURE_MISMATCH
    assert not edges.relays


@pytest.mark.shows("S5", "D2")
def test_closing_needs_one_finger_of_each_side():
    edges = at_boxes()
    edges.boxes(*BOXES)
    edges.touch(PANEL_INNER, OFFICERS[0])
    edges.touch(PANEL_INNER, OFFICERS[1])
    assert edges.names()[-1] == "finger", "once more, and not needed"
    edges.touch(PANEL_OUTER, ESCORTS[0])  # the other panel: not even asked
    assert edges.handover.state == flows.CLOSE
    edges.touch(PANEL_INNER, ESCORTS[1])
    assert edges.handover.state == flows.LEAVE


@pytest.mark.shows("S6", "D18")
def test_five_failures_restart_the_task_and_lock_that_panel(edges):
    edges.arrive()
    edges.touch(PANEL_OUTER, ESCORTS[0])
    for _ in range(5):
        assert edges.handover.state == flows.CREW
        edges.touch(PANEL_OUTER)
    assert edges.last("restarted")["reason"] == errors.FIVE_FAILURES
    assert edges.last("locked") == {"panel": PANEL_OUTER, "failures": 5, "until": edges.wall + 30_000}
    assert edges.names()[-3:] == ["finger_refused", "locked", "restarted"]
    edges.arrive(a_task(b"nonce002"))
    edges.touch(PANEL_OUTER, ESCORTS[0])  # still locked
    assert edges.handover.identified == ()
    edges.wait(30_000)
    edges.touch(PANEL_OUTER, ESCORTS[0])
    assert edges.handover.identified == (ESCORTS[0],)
    assert edges.state.outer.failures == 0


@pytest.mark.shows("D18")
def test_two_people_release_a_locked_panel(edges):
    edges.arrive()
    for _ in range(5):
        edges.touch(PANEL_OUTER)
    edges.command(3, panel=PANEL_OUTER, decided_by=[901])
    assert edges.last("refusal")["reason"] == errors.MALFORMED
    edges.command(3, panel=PANEL_OUTER, decided_by=[901, 902])
    assert edges.last("released")["by"] == [901, 902]
    edges.arrive(a_task(b"nonce002"))
    edges.touch(PANEL_OUTER, ESCORTS[0])
    assert edges.handover.identified == (ESCORTS[0],)


@pytest.mark.shows("F4")
def test_an_order_that_expires_lets_nobody_in_any_more():
    edges = Edges()
    edges.arrive(a_task(expires=edges.wall + 10_000))
    edges.crew()
    edges.now += 10_000
    edges.command(APPROVE)  # at the very millisecond
    assert edges.last("restarted")["reason"] == errors.ORDER_EXPIRED
    assert not edges.relays


@pytest.mark.shows("D4")
def test_a_revised_order_ends_the_attempt_before_entry_and_not_after():
    edges = at_approval()
    edges.handle(events.REVISED, 7, 3)
    assert edges.handover.state == flows.APPROVAL
    edges.handle(events.REVISED, 7, 4)
    assert edges.last("restarted")["reason"] == errors.OLD_VERSION
    edges = at_boxes()
    edges.handle(events.REVISED, 7, None)
    assert edges.handover.state == flows.BOXES


@pytest.mark.shows("F2")
def test_a_journal_that_takes_no_more_releases_nothing():
    edges = at_approval()
    edges.room = len(edges.journal)
    edges.command(APPROVE)
    assert not edges.relays
    assert edges.handover.state == flows.FROZEN


def test_a_restart_that_cannot_be_recorded_still_judges_the_van_afresh():
    """Otherwise it would stand there unheard until it drives away and comes back."""
    edges = Edges(journal_room=1)
    edges.arrive()
    edges.effects.clear()
    edges.wait(edges.settings["CREW_TIMEOUT_MS"])
    assert edges.handover.state == flows.IDLE
    stopped = [effect[0] for effect in edges.effects]
    assert stopped.index(events.ARRIVE_AGAIN) < stopped.index(events.RECORD)


def test_a_closing_that_cannot_be_recorded_is_none():
    edges = at_boxes()
    edges.boxes(*BOXES)
    edges.touch(PANEL_INNER, OFFICERS[0])
    edges.room = len(edges.journal) + 1  # for the finger, not for the closing
    edges.touch(PANEL_INNER, ESCORTS[0])
    edges.room = 10_000
    assert edges.handover.state == flows.FROZEN
    edges.handle(events.GONE, VAN[0])
    assert "left" not in edges.names()
    edges.command(RESTART)
    assert edges.handover.state == flows.IDLE


def test_a_door_record_that_fails_releases_nothing():
    edges = at_approval()
    edges.room = len(edges.journal) + 1  # room for the approval, not for the door
    edges.command(APPROVE)
    assert edges.last("approval")["approved"] is True
    assert not edges.relays
    assert edges.state.doors.route is None


def test_a_finger_of_an_earlier_attempt_is_stale(edges):
    edges.arrive()
    edges.handle(events.TOUCH, PANEL_OUTER)
    edges.command(RESTART)
    edges.arrive(a_task(b"nonce002"))
    edges.handle(events.MATCH, PANEL_OUTER, NONCE, ESCORTS[0], 1, False, 90, "s", PICTURE, edges.wall)
    assert edges.handover.identified == ()
    assert edges.last("finger_refused")["reason"] == errors.NOT_WANTED
    assert edges.state.outer.failures == 0


@pytest.mark.shows("D9")
def test_a_duress_finger_looks_like_any_other():
    plain, duress = Edges(), Edges()
    for edges, flag in ((plain, False), (duress, True)):
        edges.arrive()
        edges.touch(PANEL_OUTER, ESCORTS[0], duress=flag)
    assert duress.last("finger")["duress"] is True
    visible = [events.SAY, events.SHOW, events.COMPARE]
    assert [e for e in plain.effects if e[0] in visible] == [e for e in duress.effects if e[0] in visible]
    assert plain.state == duress.state


def test_a_duress_finger_is_told_also_when_that_person_has_been_identified():
    def shown_of_a_second_touch(duress):
        edges = Edges()
        edges.arrive()
        edges.touch(PANEL_OUTER, ESCORTS[0])
        edges.effects.clear()
        edges.touch(PANEL_OUTER, ESCORTS[0], duress=duress)
        assert edges.last("finger")["duress"] is duress
        assert edges.handover.identified == (ESCORTS[0],)
        return [effect[:2] for effect in edges.effects]

    assert shown_of_a_second_touch(True) == shown_of_a_second_touch(False)


def test_vehicle_leaves_only_once_closed():
    edges = at_boxes()
    edges.handle(events.GONE, VAN[0])
    assert edges.handover.state == flows.BOXES
    edges = at_leave()
    edges.handle(events.GONE, b"another")
    assert edges.handover.state == flows.LEAVE


def test_a_vehicle_that_leaves_too_early_strands_nobody_in_the_interlock():
    edges = at_leave()
    edges.handle(events.BUTTON, APPROVE)
    edges.handle(events.DOOR, DOOR_INNER, True)
    edges.handle(events.GONE, VAN[0])
    edges.handle(events.BUTTON, APPROVE)  # pressed again: the way out goes on as it was
    edges.handle(events.DOOR, DOOR_INNER, False)
    assert edges.relays == {DOOR_OUTER}
    assert edges.denied == []
    assert "left" not in edges.names()
    edges.walk(DOOR_OUTER)
    assert edges.names()[-1] == "left"
    assert edges.handover.state == flows.IDLE


def test_time_limits_lead_somewhere():
    for make, state in ((at_approval, flows.IDLE), (at_boxes, flows.FROZEN)):
        edges = make()
        edges.wait(HOUR)
        assert edges.handover.state == state
