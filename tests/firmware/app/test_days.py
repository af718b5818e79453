"""The firmware at work in its own process, with the emulated parts of its board and no network at all.

Whole stories with a server are scenarios; here is what they do not tell: broken parts, cuts, clocks, people.
"""

import pytest
from doorward_protocol import errors
from doorward_protocol.records import (
    CAUSE_EMERGENCY,
    CAUSE_TIMEOUT,
    DOOR_HELD_OPEN,
    DOOR_INNER,
    DOOR_OUTER,
    DOOR_RELEASED,
)
from doorward_simulator.faults import Fault
from provisioned import BOXES, ESCORTS, HOUR, OFFICERS, STRANGER, VAN, Day


@pytest.fixture
def make(tmp_path):
    """Makes a booted unit with one delivery; arguments change the order."""
    days = []

    def make(**order):
        days.append(Day(tmp_path, **order))
        days[0].boot()
        return days[0]

    yield make
    for day in days:
        violations = day.unit.violations()
        day.world.close()
        assert not violations


def begun(day):
    day.arrive()
    day.until("vehicle")
    day.world.run_for(4000)
    return day


def approved(day):
    begun(day).crew()
    day.approve()
    day.until("approval")
    return day


def inside(day):
    approved(day).walk("outer", "inner")
    return day


def released(day):
    return [fields["door"] for fields in day.fields("door") if fields["event"] == DOOR_RELEASED]


def templates(day):
    sensors = ("outer_fingerprint", "inner_fingerprint")
    return [len(day.device(name).library.slots) for name in sensors]


@pytest.mark.shows("D3", "F1")
def test_a_delivery_without_the_network_and_a_second_van(make):
    day = make()
    assert all(ok for _, ok in day.fields("boot")[0]["tests"])
    begun(day)
    assert templates(day) == [2, 3]  # the crew outside, officer and crew inside
    assert day.heard("vehicle_arrived")
    day.crew(faces=True)
    day.approve()
    day.until("approval")
    day.walk("outer", "inner")
    assert day.heard("bring_boxes")
    day.show(*BOXES)
    day.until("boxes")
    closed = day.close()
    assert (closed["officer"], closed["crew"], closed["boxes"]) == (OFFICERS[0], ESCORTS[0], 3)
    day.world.run_for(2000)
    assert templates(day) == [0, 0]
    day.press("APPROVE")
    day.walk("inner", "outer")
    day.leave()
    day.until("left")
    steps = ["vehicle", "crew", "approval", "boxes", "closed", "left"]
    assert day.names("door", "sensor", "finger", "boot") == steps
    assert released(day) == [DOOR_OUTER, DOOR_INNER, DOOR_INNER, DOOR_OUTER]
    fingers = day.fields("finger")
    assert [finger["panel"] for finger in fingers] == [1, 1, 2, 2, 2]
    assert all(finger["picture"] for finger in fingers[:2])
    assert day.heard("goodbye")
    # A van comes a second time, for a task that is completed; and so it is after a power cut.
    day.arrive()
    refused = day.until("vehicle_refused")
    assert (refused["task"], refused["reason"]) == (7, errors.TASK_COMPLETED)
    day.cut_power()
    assert day.until("vehicle_refused", 2)["reason"] == errors.TASK_COMPLETED
    assert len(day.fields("vehicle")) == 1


def test_a_power_cut_while_the_van_still_stands_there_makes_no_second_van(make):
    day = inside(make())
    day.show(*BOXES)
    day.until("boxes")
    day.close()
    day.cut_power()
    day.world.run_for(5000)
    day.press("APPROVE")  # the crew still gets out
    day.walk("inner", "outer")
    day.leave()
    day.until("left")
    assert not day.fields("vehicle_refused")


def out_of_reach(day):
    """A delivery to the closing whose van has parked where the gate reader does not hear it."""
    day = begun(day)
    day.leave()
    day.world.run_for(20_000)
    day.crew()
    day.approve()
    day.walk("outer", "inner")
    day.show(*BOXES)
    day.until("boxes")
    day.close()
    return day


def test_a_van_that_was_out_of_reach_counts_as_left_after_a_while(make):
    """Otherwise the task would stay in hand, and no other van be served, until this one comes back."""
    day = out_of_reach(make())
    day.world.run_for(300_000)
    assert not day.fields("left")
    day.until("left", limit=320_000)


def test_a_van_that_was_out_of_reach_passes_the_gate_on_its_way_out(make):
    """That is no second arrival."""
    day = out_of_reach(make())
    day.world.run_for(60_000)
    day.arrive()
    day.world.run_for(2_000)
    day.leave()
    day.until("left", limit=20_000)
    assert not day.fields("vehicle_refused")


@pytest.mark.shows("D3")
def test_an_early_van_waits_until_its_window_opens(make):
    day = make(start=60_000)
    day.arrive()
    assert day.until("vehicle_refused")["reason"] == errors.EARLY_VEHICLE
    assert day.world.now() < 60_000
    day.until("vehicle", limit=70_000)
    assert len(day.fields("vehicle_refused")) == 1


@pytest.mark.shows("S6")
def test_five_failures_lock_the_panel_and_restart_the_task(make):
    day = begun(make())
    for _ in range(5):
        day.touch("outer", 99)
    assert [refused["reason"] for refused in day.fields("finger_refused")] == [errors.NO_MATCH] * 5
    assert all(refused["picture"] for refused in day.fields("finger_refused"))
    assert day.until("locked")["failures"] == 5
    assert day.until("restarted")["reason"] == errors.FIVE_FAILURES
    again = day.until("vehicle", 2)
    assert again["nonce"] != day.fields("vehicle")[0]["nonce"]
    day.touch("outer", ESCORTS[0])
    assert not day.fields("finger")
    day.cut_power()  # a restart does not shorten the lock
    day.until("vehicle", 3)
    day.touch("outer", ESCORTS[0])
    assert not day.fields("finger")
    day.world.run_for(30_000)
    day.touch("outer", ESCORTS[0])
    assert day.until("finger")["person"] == ESCORTS[0]


def test_without_a_camera_the_door_stays_shut(make):
    day = make()
    day.device("camera").mode = "failing"
    begun(day)
    day.touch("outer", ESCORTS[0])
    day.touch("outer", ESCORTS[1])
    assert [fields["picture"] for fields in day.fields("finger")] == [None, None]
    failed = [fields for fields in day.fields("sensor") if fields["name"] == "camera"]
    assert [fields["reason"] for fields in failed] == [errors.CAMERA_FAILED]
    day.approve()
    assert not released(day)
    day.device("camera").mode = "working"
    day.crew()
    day.approve()
    assert released(day) == [DOOR_OUTER]


@pytest.mark.parametrize("kind", ["cut", "garbage"])
def test_a_sensor_that_fails_is_recorded_and_taken_up_again(make, kind):
    day = begun(make())
    _, answers = day.parts.taps["outer_fingerprint"]
    answers.set(Fault(kind))
    day.touch("outer", ESCORTS[0], hold=8000)
    refused = day.until("finger_refused")
    assert refused["reason"] in (errors.SENSOR_SILENT, errors.SENSOR_GARBAGE)
    assert [f["name"] for f in day.fields("sensor") if f["reason"]][-1] == "outer_fingerprint"
    answers.clear()
    day.world.run_for(35_000)
    assert [f["reason"] for f in day.fields("sensor") if f["name"] == "outer_fingerprint"][-1] == 0
    day.crew()
    assert not day.fields("restarted")


def test_egress_fire_and_emergency(make):
    day = make()
    day.press("EGRESS")
    assert released(day) == [DOOR_INNER]
    day.walk("inner", "outer")
    day.parts.buttons["FIRE"].set(True)
    day.world.run_for(500)
    assert released(day) == [DOOR_INNER, DOOR_OUTER, DOOR_OUTER]  # the inner one fails secure here
    assert day.parts.doors["outer"].energised
    assert not day.parts.doors["inner"].energised
    day.parts.buttons["FIRE"].set(False)
    day.world.run_for(500)
    assert not day.parts.doors["outer"].energised
    assert [(fields["name"], fields["active"]) for fields in day.fields("input")][-2:] == [
        (2, True),
        (2, False),
    ]
    # Both buttons held are an emergency.
    day.parts.buttons["APPROVE"].set(True)
    day.parts.buttons["REFUSE"].set(True)
    day.world.run_for(2500)
    assert not day.parts.doors["outer"].energised
    day.world.run_for(1000)
    assert released(day)[-2:] == [DOOR_OUTER, DOOR_INNER]
    assert day.fields("door")[-1]["cause"] == CAUSE_EMERGENCY


def test_both_buttons_are_an_emergency_and_no_decision(make):
    """Whoever has just touched and is threatened has not thereby approved the people outside."""
    day = begun(make())
    day.crew()
    day.touch("inner", OFFICERS[0])
    for active in (True, False):
        day.parts.buttons["APPROVE"].set(active)
        day.parts.buttons["REFUSE"].set(active)
        day.world.run_for(4000)
    assert {fields["cause"] for fields in day.fields("door")} == {CAUSE_EMERGENCY}
    assert not day.fields("approval")
    day.approve()
    assert day.until("approval")["approved"]


def test_a_door_that_was_opened_while_the_unit_had_no_power_is_told(make):
    day = make()
    day.unit.power_off()
    day.parts.doors["inner"].force()
    day.boot()
    assert day.until("door") == {"door": DOOR_INNER, "event": DOOR_HELD_OPEN, "cause": CAUSE_TIMEOUT}


def test_a_clock_that_jumps_is_put_right_and_one_that_was_lost_starts_nothing(make):
    day = make()
    day.unit.rtc.jump(-HOUR)
    day.until("clock_set")
    assert abs(day.unit.rtc.milliseconds() - day.world.clock.wall()) < 1000
    assert day.unit.journal.entries()[-1].record.clock == 0
    day.unit.power_off()
    day.unit.rtc.lose()
    day.boot()
    day.arrive()
    assert day.until("vehicle_refused")["reason"] == errors.CLOCK_UNSURE
    assert day.heard("clock_unsure")
    assert day.unit.journal.entries()[-1].record.clock == 1


def test_stale_orders_a_copied_tag_and_an_unknown_one(make):
    day = make(fresh=5000)
    day.world.run_for(5000)
    day.arrive()
    assert day.until("vehicle_refused")["reason"] == errors.STALE_MANIFEST
    day.leave()
    day.world.run_for(20_000)
    copy = type(VAN)(VAN.epc, STRANGER.tid)
    day.arrive(copy)
    assert day.until("vehicle_refused", 2)["reason"] == errors.TAG_COPIED
    day.arrive(STRANGER)  # a box in the van, no vehicle
    other = type(VAN)(b"\x34" * 12, STRANGER.tid)
    day.arrive(other)
    assert day.until("vehicle_refused", 3) == {
        "task": None,
        "epc": other.epc,
        "tid": other.tid,
        "reason": errors.UNKNOWN_TAG,
    }


@pytest.mark.shows("D12")
def test_wherever_power_fails_no_door_moved_without_its_record(make):
    """Cut at each flash operation of an approval: what the strikes did must stand in the journal."""
    day = make()
    day.arrive()
    moved = 0
    for pieces in (1, 5, 9, 14):
        day.until("vehicle", day.unit.boots)
        day.world.run_for(5000)
        crews = len(day.fields("crew"))
        for person in ESCORTS:
            day.touch("outer", person)
        day.until("crew", crews + 1)
        day.touch("inner", OFFICERS[0])
        day.unit.cut_during_flash(pieces)
        day.press("APPROVE")
        day.unit.power_off()
        energised = sum(what == "released" for _, what in day.parts.doors["outer"].history)
        assert energised <= len(released(day))
        assert len(released(day)) <= len([a for a in day.fields("approval") if a["approved"]])
        moved = energised
        day.world.run_for(1000)
        day.boot()
    assert moved  # some cuts came too late to stop it
