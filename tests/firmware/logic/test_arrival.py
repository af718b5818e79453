"""Which task a tag means: the decision table, its order, its boundaries, and who stands at the gate."""

import pytest
from doorward_firmware.logic import arrival, unit
from doorward_firmware.logic.arrival import Conditions, decide
from doorward_firmware.logic.handover import Handover
from doorward_firmware.logic.task import Task
from doorward_protocol import errors
from doorward_protocol.objects import COLLECT, DELIVER, DUTY_DOOR
from edges import WALL, Edges

NOW = 1_800_000_000_000
HOUR = 3_600_000
VAN, CHIP = b"van", b"chip"


def order(task=7, start=-HOUR, end=HOUR, epc=VAN, tid=CHIP, crew=((1, DUTY_DOOR),), kind=DELIVER):
    return {
        "task": task,
        "kind": kind,
        "window_from": NOW + start,
        "expires": NOW + end,
        "vehicle": [9, "plate", epc, tid, None, None],
        "crew": crew,
    }


def conditions(**changes):
    return Conditions(NOW, NOW + HOUR, (1, 2)).but(**changes)


def answer(orders, completed=(), tid=CHIP, epc=VAN, **changes):
    reason, meant = decide(epc, tid, orders, completed, conditions(**changes))
    return reason, meant and meant["task"]


DONE = (7, VAN, NOW + HOUR)


@pytest.mark.parametrize(
    ("case", "reason", "task"),
    [
        (answer([order()]), 0, 7),
        (answer([]), errors.UNKNOWN_TAG, None),
        (answer([order(epc=b"another")]), errors.UNKNOWN_TAG, None),
        (
            answer([], unread=True),
            errors.ORDER_INCOMPLETE,
            None,
        ),  # it may be in the order that is not here yet
        (answer([order()], tid=b"copy"), errors.TAG_COPIED, 7),
        (answer([order(start=1)]), errors.EARLY_VEHICLE, 7),
        (answer([order(start=0)]), 0, 7),
        (answer([order(end=0)]), errors.ORDER_EXPIRED, 7),
        (answer([order(end=1)]), 0, 7),
        (answer([order()], [DONE]), errors.TASK_COMPLETED, 7),
        (answer([], [DONE]), errors.TASK_COMPLETED, 7),  # the order is no longer listed
        (answer([order()], in_hand=True), errors.TASK_IN_HAND, 7),
        (answer([order()], clock_sure=False), errors.CLOCK_UNSURE, 7),
        (answer([order()], fresh_until=NOW), errors.STALE_MANIFEST, 7),
        (answer([order()], fresh_until=NOW + 1), 0, 7),
        (answer([order()], incomplete=(7,)), errors.ORDER_INCOMPLETE, 7),
        (answer([order(crew=())]), errors.ORDER_INCOMPLETE, 7),
        (answer([order(crew=((3, DUTY_DOOR),))]), errors.ORDER_INCOMPLETE, 7),
        (answer([order()], room=False), errors.FLASH_FULL, 7),
        (answer([order(kind=COLLECT)]), errors.WRONG_KIND, 7),
    ],
)
def test_one_thing_at_a_time(case, reason, task):
    assert case == (reason, task)


@pytest.mark.parametrize(
    ("case", "reason", "task"),
    [
        # A second arrival is told before anything else, whatever the copy looks like.
        (answer([order()], [DONE], tid=b"copy"), errors.TASK_COMPLETED, 7),
        (answer([order()], [DONE], in_hand=True), errors.TASK_COMPLETED, 7),
        (answer([order()], [(7, VAN, NOW)], clock_sure=False), errors.TASK_COMPLETED, 7),
        (answer([order(start=1)], tid=b"copy"), errors.TAG_COPIED, 7),
        (answer([order()], tid=b"copy", clock_sure=False), errors.TAG_COPIED, 7),
        (answer([order(start=1)], in_hand=True), errors.EARLY_VEHICLE, 7),
        (answer([], clock_sure=False), errors.UNKNOWN_TAG, None),
        # A day's second task of the same vehicle.
        (answer([order(), order(8)], [DONE]), 0, 8),
        (answer([order(), order(8, start=1)], [DONE]), errors.TASK_COMPLETED, 7),
        (answer([order(7, end=-1), order(8, start=1)], [(7, VAN, NOW - 1)]), errors.EARLY_VEHICLE, 8),
        (answer([order(8, start=2), order(7, start=1)]), errors.EARLY_VEHICLE, 7),
        (answer([order(8, start=-5), order(7, start=-9)]), 0, 7),
    ],
)
def test_the_graver_question_comes_first(case, reason, task):
    assert case == (reason, task)


def test_boxes_at_the_gate_are_no_vehicles():
    boxed = {**order(), "boxes": [[1, "B", b"box", b"chip", None]]}
    assert arrival.is_box(b"box", [boxed])
    assert not arrival.is_box(b"bag", [boxed])
    assert arrival.is_box(bytes([0x33]) + bytes(11), [])
    assert not arrival.is_box(bytes([0x34]) + bytes(11), [])


def test_completed_tasks_are_kept_up_to_a_bound():
    completed = ()
    for task in range(100):
        completed = arrival.add_completed(completed, Task(task, b"", VAN))
    assert len(completed) == arrival.MAX_COMPLETED
    assert completed[-1][0] == 99
    again = arrival.add_completed(completed, Task(98, b"", VAN))
    assert len(again) == arrival.MAX_COMPLETED
    assert again[-1][0] == 98


def test_completed_tasks_are_known_for_a_week_after_their_orders_ended():
    week, completed = 7 * 24 * 3_600_000, ((1, VAN, 1000), (2, VAN, 1001))
    assert arrival.still_known(completed, 1000 + week - 1) == completed
    assert arrival.still_known(completed, 1000 + week) == completed[1:]


def test_a_van_that_is_let_in_makes_the_unit_forget_them():
    edges = Edges(unit.Unit().but(handover=Handover(((1, b"other", 0), (2, b"other", WALL)))))
    edges.arrive()
    assert edges.handover.completed == ((2, b"other", WALL),)


def test_presence():
    present = arrival.seen((), b"a", 0)
    present = arrival.seen(present, b"a", 900)
    present = arrival.seen(present, b"b", 1000)
    assert arrival.is_here(present, b"a")
    assert arrival.next_deadline(present, 500) == 1400
    assert arrival.gone(present, 1399, 500) == (present, ())
    present, left = arrival.gone(present, 1400, 500)
    assert left == (b"a",)
    assert not arrival.is_here(present, b"a")
    assert arrival.next_deadline((), 500) is None


def test_strangers_have_no_more_places_than_there_are():
    present = ()
    for number in range(100):
        present = arrival.seen(present, bytes([number]), number)
    assert [epc for epc, _ in present] == [bytes([number]) for number in range(arrival.MAX_PRESENT)]
    present = arrival.seen(present, bytes([0]), 100)
    assert present[-1] == (bytes([0]), 100), "who stands there is still seen"


def test_a_vehicle_of_an_order_takes_a_strangers_place_and_never_the_other_way_round():
    present = arrival.seen((), VAN, 0)
    for number in range(100):
        present = arrival.seen(present, bytes([number]), 1 + number, (VAN, b"van2"))
    present = arrival.seen(present, b"van2", 200, (VAN, b"van2"))
    assert arrival.is_here(present, VAN)
    assert arrival.is_here(present, b"van2")
    assert len(present) == arrival.MAX_PRESENT


def test_among_vehicles_the_one_not_seen_for_longest_gives_way():
    vehicles, present = tuple([b"van%d" % number for number in range(20)]), ()
    for number, epc in enumerate(vehicles):
        present = arrival.seen(present, epc, number, vehicles)
    assert [epc for epc, _ in present] == list(vehicles[-arrival.MAX_PRESENT :])


def test_who_is_expected():
    task = Task(8, b"", b"in hand")
    assert set(arrival.expected([order()], [(3, b"done", NOW)], task)) == {VAN, b"done", b"in hand"}
    assert arrival.expected([], [], None) == ()
