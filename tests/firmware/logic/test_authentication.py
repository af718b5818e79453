"""Whose finger counts, in which step, at which panel, at which minute."""

import itertools

import pytest
from doorward_firmware.logic import authentication
from doorward_firmware.logic.task import Member, from_order
from doorward_protocol import errors
from doorward_protocol.objects import DELIVER, DRIVER, DUTY_DOOR, DUTY_VEHICLE, ESCORT, KEEPER, OFFICER
from doorward_protocol.records import PANEL_INNER, PANEL_OUTER
from edges import ESCORTS, OFFICERS, WALL, a_task, member

STRANGER = 99
FROM, UNTIL = WALL - 1000, WALL + 1000


@pytest.mark.shows("D1")
def test_the_crew_is_a_set():
    task = a_task(door=(1, 2, 3))
    for size in range(5):
        for identified in itertools.permutations((1, 2, 3, 4), size):
            assert authentication.complete(task, identified) == (set(identified) == {1, 2, 3})


def test_an_empty_plan_is_never_complete():
    assert not authentication.complete(a_task(door=()), ())


@pytest.mark.parametrize(
    ("person", "identified", "panel", "reason"),
    [
        (ESCORTS[0], (), PANEL_OUTER, 0),
        (ESCORTS[1], (ESCORTS[0],), PANEL_OUTER, 0),
        (ESCORTS[0], (ESCORTS[0],), PANEL_OUTER, errors.ALREADY_IDENTIFIED),
        (ESCORTS[0], (), PANEL_INNER, errors.WRONG_PANEL),
        (OFFICERS[0], (), PANEL_OUTER, errors.WRONG_ROLE),
        (STRANGER, (), PANEL_OUTER, errors.NO_MATCH),
    ],
)
def test_crew_fingers(person, identified, panel, reason):
    assert authentication.crew_finger(a_task(), person, identified, panel, WALL) == reason


@pytest.mark.parametrize(
    ("person", "identified", "panel", "reason"),
    [
        (OFFICERS[0], ESCORTS, PANEL_INNER, 0),
        (OFFICERS[0], ESCORTS, PANEL_OUTER, errors.WRONG_PANEL),
        (ESCORTS[0], ESCORTS, PANEL_INNER, errors.WRONG_ROLE),
        (ESCORTS[0], (), PANEL_INNER, errors.WRONG_ROLE),
        (OFFICERS[0], (OFFICERS[0],), PANEL_INNER, errors.ONE_PERSON_TWO_ROLES),
        (STRANGER, ESCORTS, PANEL_INNER, errors.NO_MATCH),
    ],
)
def test_officer_fingers(person, identified, panel, reason):
    assert authentication.officer_finger(a_task(), person, identified, panel, WALL) == reason


@pytest.mark.parametrize(
    ("person", "officer", "crew", "panel", "reason"),
    [
        (OFFICERS[0], None, None, PANEL_INNER, 0),
        (ESCORTS[1], None, None, PANEL_INNER, 0),
        (ESCORTS[1], OFFICERS[0], None, PANEL_INNER, 0),
        (OFFICERS[1], OFFICERS[0], None, PANEL_INNER, errors.ALREADY_IDENTIFIED),
        (ESCORTS[0], None, ESCORTS[1], PANEL_INNER, errors.ALREADY_IDENTIFIED),
        (ESCORTS[0], None, None, PANEL_OUTER, errors.WRONG_PANEL),
        (STRANGER, None, None, PANEL_INNER, errors.NO_MATCH),
    ],
)
def test_closing_fingers(person, officer, crew, panel, reason):
    judged = authentication.closing_finger(a_task(), person, ESCORTS, panel, WALL, officer, crew)
    assert judged == reason


@pytest.mark.shows("D2")
def test_only_who_was_let_in_closes():
    judged = authentication.closing_finger(
        a_task(), ESCORTS[1], (ESCORTS[0],), PANEL_INNER, WALL, OFFICERS[0], None
    )
    assert judged == errors.WRONG_ROLE


@pytest.mark.shows("D2")
def test_nobody_signs_for_both_sides():
    task = a_task(door=(5, 6), officers=(5, 21), people=(member(5, ESCORT), member(6, ESCORT)))
    assert authentication.crew_finger(task, 5, (), PANEL_OUTER, WALL) == errors.ONE_PERSON_TWO_ROLES
    closing = authentication.closing_finger(task, 5, (5, 6), PANEL_INNER, WALL, None, None)
    assert closing == errors.ONE_PERSON_TWO_ROLES


@pytest.mark.shows("D10", "F4")
@pytest.mark.parametrize(
    ("wall", "reason"),
    [
        (FROM - 1, errors.NOT_YET_VALID),
        (FROM, 0),
        (UNTIL - 1, 0),
        (UNTIL, errors.PERMIT_EXPIRED),
    ],
)
def test_permits_begin_and_end_to_the_millisecond(wall, reason):
    people = (Member(1, ESCORT, FROM, UNTIL), Member(2, OFFICER, FROM, UNTIL))
    task = a_task(door=(1,), officers=(2,), people=people)
    assert authentication.crew_finger(task, 1, (), PANEL_OUTER, wall) == reason
    assert authentication.officer_finger(task, 2, (1,), PANEL_INNER, wall) == reason
    assert authentication.closing_finger(task, 1, (1,), PANEL_INNER, wall, None, None) == reason


def test_a_task_is_made_from_order_and_roster():
    order = {
        "task": 7,
        "version": 2,
        "kind": DELIVER,
        "expires": WALL,
        "vehicle": [9, "plate", b"epc", b"tid", None, None],
        "crew": [[1, DUTY_DOOR], [1, DUTY_DOOR], [3, DUTY_VEHICLE], [2, DUTY_DOOR]],
        "officers": [21, 22, 23, 1],
        "boxes": [[5, "B5", b"box", b"chip", None]],
    }
    roles = {1: ESCORT, 2: ESCORT, 3: DRIVER, 21: OFFICER, 22: KEEPER}
    people = {person: {"role": role, "valid_from": 0, "valid_until": WALL} for person, role in roles.items()}
    task = from_order(order, people, b"nonce001", 4, 5)
    assert task.door == (1, 2)  # each once, the driver stays with the vehicle
    assert task.officers == (21, 22)  # in the roster, with a role of the bank
    assert [each.id for each in task.people] == [1, 2, 21, 22]
    assert task.boxes == ((b"box", b"chip"),)
    assert (task.vehicle, task.tid, task.manifest, task.last_contact) == (9, b"tid", 4, 5)
