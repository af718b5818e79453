"""What stands against a plan: one test per rule, each on a plan that is sound but for one thing."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import server_bank
from doorward_server.fleet.models import Box
from doorward_server.people.models import Person
from doorward_server.planning import findings as texts
from doorward_server.planning import service
from doorward_server.planning.models import StopKind, StopStatus
from doorward_server.planning.plan import Member, PlannedBox
from doorward_server.planning.progress import set_stop_status
from doorward_server.planning.rules import findings
from doorward_server.problems import Problem
from doorward_server.security.models import User

pytestmark = pytest.mark.shows("S4")


@pytest.fixture
def plan(staffed, clock):
    return server_bank.plan(staffed, clock.now())


@pytest.fixture
def stop(staffed, clock):
    """stop(site, …) -> a stop of the bank; see server_bank.stop."""
    return lambda *arguments, **named: server_bank.stop(staffed, clock.now(), *arguments, **named)


def reasons(session, plan, run_id=None):
    return [(found.reason, found.where) for found in findings(session, plan, run_id)]


def test_a_sound_plan_has_no_findings(session, plan):
    assert reasons(session, plan) == []


def test_a_plan_needs_stops(session, plan):
    assert reasons(session, replace(plan, stops=())) == [("no_stops", "stops")]


def test_a_plan_needs_a_known_vehicle(session, plan):
    assert ("vehicle_unknown", "vehicle") in reasons(session, replace(plan, vehicle_id=999))


def test_two_people_come_to_the_door(session, plan, staffed):
    crew = (plan.crew[0], Member(staffed.crew[1].id, "vehicle"))
    assert reasons(session, replace(plan, crew=crew)) == [("crew_too_small", "crew")]


def test_nobody_is_in_a_crew_twice(session, plan):
    assert reasons(session, replace(plan, crew=(*plan.crew, plan.crew[0]))) == [("crew_twice", "crew")]


def test_everybody_in_a_crew_is_known_and_has_not_left(session, plan, staffed):
    crew = (*plan.crew, Member(999))
    assert reasons(session, replace(plan, crew=crew)) == [("crew_unknown", "crew")]
    gone = session.get(Person, staffed.crew[3].id)
    gone.removed_at = gone.created_at
    crew = (*plan.crew, Member(gone.id))
    assert reasons(session, replace(plan, crew=crew)) == [("crew_removed", "crew")]


def test_the_banks_people_are_no_crew(session, plan, staffed):
    crew = (*plan.crew, Member(staffed.officers["north"].id))
    assert ("crew_role", "crew") in reasons(session, replace(plan, crew=crew))


def test_a_driver_stays_with_the_vehicle(session, plan, staffed):
    crew = (*plan.crew[:2], Member(staffed.driver.id, "door"))
    assert reasons(session, replace(plan, crew=crew)) == [("driver_at_door", "crew")]


def test_a_duty_is_one_that_there_is(session, plan):
    crew = (*plan.crew[:2], replace(plan.crew[2], duty="roof"))
    assert reasons(session, replace(plan, crew=crew)) == [("crew_duty", "crew")]


def test_a_crew_is_of_the_vehicles_company(session, plan, staffed):
    crew = (*plan.crew, Member(staffed.stranger.id))
    assert reasons(session, replace(plan, crew=crew)) == [("crew_company", "crew")]


@pytest.mark.shows("D10")
@pytest.mark.parametrize(
    ("last_day", "expected"), [(date(2026, 3, 2), []), (date(2026, 3, 1), ["crew_permit"])]
)
def test_a_permit_holds_to_its_last_day(session, plan, staffed, last_day, expected):
    escort = session.get(Person, staffed.crew[0].id)
    escort.permit_until = last_day
    session.add(escort)
    session.flush()
    assert [reason for reason, _ in reasons(session, plan)] == expected


def test_every_site_is_known_and_has_somebody_who_may_confirm(session, plan, staffed):
    stops = (replace(plan.stops[0], site_id=999), plan.stops[1])
    assert reasons(session, replace(plan, stops=stops)) == [("site_unknown", "stop 1")]
    officer = session.get(Person, staffed.officers["south"].id)
    officer.permit_until = plan.date - timedelta(days=1)
    session.add(officer)
    session.flush()
    assert reasons(session, plan) == [("site_without_officer", "stop 2")]


def test_a_window_begins_before_it_ends(session, plan):
    first = replace(plan.stops[0], window_until=plan.stops[0].window_from)
    assert reasons(session, replace(plan, stops=(first, plan.stops[1]))) == [("window_order", "stop 1")]


def test_a_window_begins_on_the_runs_day_where_the_bank_is(session, plan, stop):
    """06:00 in Shanghai is 22:00 UTC of the day before: the bank's day counts."""
    late = stop("south", hours=17.75, boxes=(2, 3))
    assert reasons(session, replace(plan, stops=(plan.stops[0], late))) == []
    next_day = stop("south", hours=18, boxes=(2, 3))
    assert reasons(session, replace(plan, stops=(plan.stops[0], next_day))) == [("window_day", "stop 2")]


def test_a_window_is_not_longer_than_a_day(session, plan):
    second = plan.stops[1]
    second = replace(second, window_until=second.window_from + timedelta(hours=25))
    assert reasons(session, replace(plan, stops=(plan.stops[0], second))) == [("window_long", "stop 2")]


def test_windows_follow_the_route(session, plan):
    swapped = replace(plan, stops=plan.stops[::-1])
    assert reasons(session, swapped) == [("windows_sequence", "stop 2")]


def test_a_window_lies_ahead(session, plan, clock):
    clock.pass_time(hours=1, minutes=30)
    assert reasons(session, plan) == [("window_passed", "stop 1")]


def test_an_order_outlives_its_window(session, plan):
    first = replace(plan.stops[0], expires=plan.stops[0].window_until - timedelta(minutes=1))
    assert reasons(session, replace(plan, stops=(first, plan.stops[1]))) == [("expires_early", "stop 1")]


def test_a_stop_has_boxes_and_a_kind(session, plan):
    first = replace(plan.stops[0], boxes=(), kind="picnic")
    found = reasons(session, replace(plan, stops=(first, plan.stops[1])))
    assert found == [("kind_unknown", "stop 1"), ("no_boxes", "stop 1")]


def test_a_box_is_known_and_planned_once(session, plan, staffed):
    first, second = plan.stops
    unknown = replace(first, boxes=(PlannedBox(999),))
    assert reasons(session, replace(plan, stops=(unknown, second))) == [("box_unknown", "stop 1")]
    again = replace(second, boxes=(*second.boxes, PlannedBox(staffed.boxes[0].id)))
    assert reasons(session, replace(plan, stops=(first, again))) == [("box_twice", "stop 2")]
    twice = replace(first, boxes=(*first.boxes, PlannedBox(staffed.boxes[0].id, "another seal")))
    assert ("box_twice", "stop 1") in reasons(session, replace(plan, stops=(twice, second)))


def test_one_run_may_fetch_a_box_and_bring_it(session, plan, stop):
    stops = (
        stop("vault", hours=0.5, boxes=(0, 1), kind=StopKind.COLLECT),
        stop("north", hours=1, boxes=(0, 1)),
        stop("north", hours=5, boxes=(0,), kind=StopKind.COLLECT),
    )
    assert reasons(session, replace(plan, stops=stops)) == []


def test_sizes_are_bounded(session, plan, stop):
    many_stops = tuple(stop("north", hours=1, boxes=()) for _ in range(41))
    assert ("too_many_stops", "stops") in reasons(session, replace(plan, stops=many_stops))
    assert ("too_many_people", "crew") in reasons(session, replace(plan, crew=plan.crew * 5))
    boxes = tuple(PlannedBox(number) for number in range(1, 203))
    crowded = (replace(plan.stops[0], boxes=boxes),)
    assert ("too_many_boxes", "stop 1") in reasons(session, replace(plan, stops=crowded))


def test_boxes_with_long_numbers_are_fewer(session, plan):
    """A unit's record of what it read has to hold all of them."""
    box = session.get(Box, plan.stops[0].boxes[0].box_id)
    home = box.home_site_id
    many = [
        Box(number=f"L{n}", epc=bytes([1, n] * 13), tid=bytes([2, n] * 6), home_site_id=home)
        for n in range(60)
    ]
    session.add_all(many)
    session.flush()
    stop = replace(plan.stops[0], boxes=tuple(PlannedBox(one.id) for one in many))
    found = [one for one in findings(session, replace(plan, stops=(stop,))) if one.reason == "too_many_boxes"]
    assert [(one.where, one.message_en) for one in found] == [("stop 1", "More than 46 boxes.")]


@pytest.fixture
def proposed(session, plan, staffed):
    """A run that waits for its release, and so holds its vehicle, people and boxes."""
    user = session.get(User, staffed.dispatcher.id)
    run = service.create_run(session, user, plan)
    service.release_request(session, user, run)
    return run


def test_a_run_does_not_hinder_itself(session, plan, proposed):
    assert reasons(session, plan, proposed.id) == []


def test_one_vehicle_makes_one_run_at_a_time(session, plan, proposed, staffed, stop):
    crew = (Member(staffed.crew[2].id), Member(staffed.crew[3].id))
    overlapping = replace(plan, crew=crew, stops=(stop("south", hours=1.25, boxes=(4,)),))
    assert reasons(session, overlapping) == [("vehicle_busy", "vehicle")]
    later = replace(plan, crew=crew, stops=(stop("south", hours=2.5, boxes=(4,)),))
    assert reasons(session, later) == []


def test_between_two_stops_of_a_run_its_vehicle_and_crew_are_on_it(session, plan, proposed, stop):
    between = replace(plan, stops=(stop("south", hours=1.5, boxes=(4,)),))
    found = reasons(session, between)
    assert found == [("vehicle_busy", "vehicle"), *[("crew_busy", "crew")] * len(plan.crew)]


def test_one_person_is_on_one_run_at_a_time(session, plan, proposed, staffed, stop):
    crew = (plan.crew[0], Member(staffed.crew[3].id))
    other = replace(
        plan, vehicle_id=staffed.vehicles[1].id, crew=crew, stops=(stop("south", hours=1.25, boxes=(4,)),)
    )
    assert reasons(session, other) == [("crew_busy", "crew")]


def test_a_box_is_in_one_open_stop(session, plan, proposed, staffed, stop, clock):
    crew = (Member(staffed.crew[2].id), Member(staffed.crew[3].id))
    other = replace(
        plan, vehicle_id=staffed.vehicles[1].id, crew=crew, stops=(stop("south", hours=8, boxes=(0, 5)),)
    )
    assert reasons(session, other) == [("box_busy", "stop 1")]
    first = service.stops_of(session, proposed)[0]
    set_stop_status(session, first.id, StopStatus.CLOSED, clock.now())
    assert reasons(session, other) == []


def test_a_draft_holds_nothing(session, plan, staffed):
    service.create_run(session, session.get(User, staffed.dispatcher.id), plan)
    assert reasons(session, plan) == []


def test_a_plan_that_no_row_could_hold_is_not_even_a_draft(session, plan, staffed):
    user = session.get(User, staffed.dispatcher.id)
    for broken in (
        replace(plan, vehicle_id=999),
        replace(plan, crew=(*plan.crew, Member(999))),
        replace(plan, crew=(*plan.crew, plan.crew[0])),
        replace(plan, stops=(replace(plan.stops[0], site_id=999),)),
        replace(plan, stops=(replace(plan.stops[0], boxes=(PlannedBox(999),)),)),
    ):
        with pytest.raises(Problem, match="plan_invalid"):
            service.create_run(session, user, broken)


def test_every_finding_speaks_chinese_and_english():
    anything = dict.fromkeys(("limit", "plate", "run", "name", "person", "box", "number"), "X")
    for reason in texts.REASONS:
        found = texts.finding(reason, "stop 1", **anything)
        assert any("一" <= letter <= "鿿" for letter in found.message_zh)
        assert found.message_en.isascii()
        assert "{" not in found.message_zh + found.message_en
