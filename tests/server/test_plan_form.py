"""The form of a run: what is typed means a plan, what is not understood is told, a plan fills the form."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from doorward_server.console import plan_reading
from doorward_server.console.plan_form import TypedRun, typed_run
from doorward_server.console.plan_reading import NotUnderstood
from doorward_server.fleet.models import Box
from doorward_server.people.models import Person
from doorward_server.planning.models import Duty, StopKind
from doorward_server.planning.plan import Member, PlannedBox, PlannedStop
from server_bank import plan, stop

DAY = "2026-03-02"
WHOLE = {
    "date": DAY,
    "vehicle": "京A10001",
    "person": ["E000", "E001", "D001"],
    "duty": ["door", "door", "vehicle"],
    "site": ["north"],
    "kind": ["deliver"],
    "begin": ["09:30"],
    "end": ["10:00"],
    "boxes": ["B000 S7\nB001"],
}


def typed(**changes) -> TypedRun:
    return TypedRun.model_validate(WHOLE | changes)


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    """A time of the bank's zone, Shanghai."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def refused(session, **changes) -> list[tuple[str, str]]:
    """Where and why what is typed is not understood."""
    with pytest.raises(NotUnderstood) as told:
        plan_reading.plan(session, typed(**changes))
    for found in told.value.findings:
        assert found.message_zh
        assert found.message_en
    return [(found.where, found.reason) for found in told.value.findings]


def stops(session, **changes) -> tuple[PlannedStop, ...]:
    return plan_reading.plan(session, typed(**changes)).stops


@pytest.mark.shows("S4")
def test_what_is_typed_means_a_plan(session, staffed):
    meant = plan_reading.plan(session, typed(note=" 雨天 "))
    assert (meant.date, meant.vehicle_id) == (date(2026, 3, 2), staffed.vehicles[0].id)
    assert meant.crew == (
        Member(staffed.crew[0].id, Duty.DOOR),
        Member(staffed.crew[1].id, Duty.DOOR),
        Member(staffed.driver.id, Duty.VEHICLE),
    )
    assert meant.note == "雨天"
    first, second = staffed.boxes[:2]
    boxes = (PlannedBox(first.id, "S7"), PlannedBox(second.id))
    north = staffed.sites["north"].id
    assert meant.stops == (PlannedStop(north, at(9, 30), at(10), boxes, StopKind.DELIVER),)


def test_a_plan_fills_the_form_and_comes_back(session, staffed, clock):
    kept = plan(staffed, clock.now(), note="雨天")
    odd = stop(
        staffed,
        clock.now(),
        "south",
        hours=3,
        kind=StopKind.COLLECT,
        expires=clock.now() + timedelta(hours=4),
    )
    kept = replace(kept, stops=(*kept.stops, odd))
    back = plan_reading.plan(session, typed_run(session, kept))
    assert (back.date, back.vehicle_id, back.note) == (kept.date, kept.vehicle_id, kept.note)
    assert (set(back.crew), back.stops) == (set(kept.crew), kept.stops)


def test_the_usual_expiry_is_not_typed(session, staffed, clock, services):
    grace = timedelta(minutes=services.settings.order_grace_minutes)
    usual = stop(staffed, clock.now(), "north")
    usual = replace(usual, expires=usual.window_until + grace)
    kept = plan(staffed, clock.now(), stops=(usual,))
    assert typed_run(session, kept).expires == [""]


def test_a_plan_for_another_day_has_neither_seals_nor_note(session, staffed, clock):
    again = typed_run(session, plan(staffed, clock.now(), note="雨天"), "2026-03-03")
    assert (again.date, again.note, again.boxes) == ("2026-03-03", "", ["B000\nB001", "B002\nB003"])


def test_rows_without_content_are_no_rows(session, staffed):
    meant = plan_reading.plan(
        session,
        typed(
            person=["", "E000", " ", "E001"],
            duty=["door", "door", "vehicle", "door"],
            site=["", "north", ""],
            kind=["deliver", "collect", "deliver"],
            begin=["", "09:30", ""],
            end=["", "10:00", ""],
            boxes=["", "B000", " \n"],
        ),
    )
    assert [one.person_id for one in meant.crew] == [one.id for one in staffed.crew[:2]]
    assert [(one.site_id, one.kind) for one in meant.stops] == [(staffed.sites["north"].id, "collect")]


def test_columns_that_end_early_are_filled_up(session, staffed):
    meant = plan_reading.plan(session, typed(duty=[], kind=[], boxes=[]))
    assert {one.duty for one in meant.crew} == {Duty.DOOR}
    assert [(one.kind, one.boxes) for one in meant.stops] == [(StopKind.DELIVER, ())]


def test_stops_come_in_the_order_of_their_windows(session, staffed):
    found = stops(
        session,
        site=["south", "north", "vault"],
        kind=["deliver"] * 3,
        begin=["10:00", "09:30", "10:00"],
        end=["11:00", "10:00", "10:30"],
        boxes=["", "", ""],
    )
    names = {site.id: name for name, site in staffed.sites.items()}
    assert [names[one.site_id] for one in found] == ["north", "vault", "south"]


@pytest.mark.parametrize(
    ("begin", "end", "expires", "meant"),
    [
        ("22:00", "02:00", "", (at(22), at(2, day=3), None)),
        ("22:00", "10:00", "", (at(22), at(10, day=3), None)),
        ("22:00", "10:01", "", None),  # rather a slip than a window of twelve hours
        ("09:30", "10:00", "10:30", (at(9, 30), at(10), at(10, 30))),
        ("22:00", "23:30", "00:30", (at(22), at(23, 30), at(0, 30, day=3))),
        ("09:30:30", "10:00", "", (at(9, 30) + timedelta(seconds=30), at(10), None)),
    ],
)
def test_a_time_before_the_one_it_follows_is_of_the_next_day(session, staffed, begin, end, expires, meant):
    (found,) = stops(session, begin=[begin], end=[end], expires=[expires])
    if meant is None:
        assert found.window_until < found.window_from
    else:
        assert (found.window_from, found.window_until, found.expires) == meant


@pytest.mark.parametrize(
    ("changes", "where", "reason"),
    [
        ({"date": ""}, "date", "typed_day"),
        ({"date": "2026-02-30"}, "date", "typed_day"),
        ({"date": "9999-12-31"}, "date", "typed_day"),
        ({"date": "20260302"}, "date", "typed_day"),
        ({"vehicle": ""}, "vehicle", "typed_plate"),
        ({"vehicle": "京A99999"}, "vehicle", "typed_plate"),
        ({"person": ["E000", "E999"]}, "crew", "typed_person"),
        ({"site": ["nowhere"]}, "stop 1", "typed_site"),
        ({"site": [""]}, "stop 1", "typed_site"),
        ({"begin": [""]}, "stop 1", "typed_time"),
        ({"begin": ["9"]}, "stop 1", "typed_time"),
        ({"end": ["24:00"]}, "stop 1", "typed_time"),
        ({"end": ["10:00+08:00"]}, "stop 1", "typed_time"),
        ({"expires": ["soon"]}, "stop 1", "typed_time"),
        ({"boxes": ["B000\nB999 S1"]}, "stop 1", "typed_box"),
        ({"boxes": ["9" * 8000]}, "stop 1", "typed_box"),
        ({"boxes": ["B000 " + "9" * 41]}, "stop 1", "typed_seal"),
        ({"boxes": ["B999\n" * 101]}, "stop 1", "too_many_boxes"),
    ],
)
def test_what_is_not_understood_is_told_with_its_place(session, staffed, changes, where, reason):
    assert refused(session, **changes) == [(where, reason)]


def test_everything_that_is_not_understood_is_told_at_once(session, staffed):
    changes = {"date": "", "vehicle": "x", "person": ["x"], "site": ["x"], "end": ["x"], "boxes": ["x\ny"]}
    assert [where for where, _ in refused(session, **changes)] == ["date", "vehicle", "crew", *["stop 1"] * 4]


def test_somebody_removed_is_nobody(session, staffed, clock):
    session.get(Person, staffed.crew[0].id).removed_at = clock.now()
    session.flush()
    assert refused(session) == [("crew", "typed_person")]


def test_spaces_round_a_seal_do_not_belong_to_it(session, staffed):
    (found,) = stops(session, boxes=[" B000  S7 \r\n B001\tS 8 \r\n\u3000B002\u3000"])
    assert [box.seal for box in found.boxes] == ["S7", "S 8", None]


def test_a_box_whose_number_has_spaces_is_found_by_it(session, staffed, clock):
    for number, tag in (("B000 A", b"1"), ("B000 A  1", b"2"), ("箱 7", b"3")):
        home = staffed.sites["north"].id
        session.add(Box(number=number, epc=tag * 12, tid=tag * 12, home_site_id=home))
    session.flush()
    lines = ["B000 A", "B000 A S1", "B000 A  1 S2", "B000 X", "箱 7"]
    (found,) = stops(session, boxes=["\n".join(lines)])
    said = [(session.get_one(Box, box.box_id).number, box.seal) for box in found.boxes]
    assert said == [("B000 A", None), ("B000 A", "S1"), ("B000 A  1", "S2"), ("B000", "X"), ("箱 7", None)]
    kept = plan(staffed, clock.now(), stops=(found,))
    assert plan_reading.plan(session, typed_run(session, kept)).stops[0].boxes == found.boxes


def test_what_is_found_in_a_stop_is_found_in_the_forms_row_of_that_number(session, staffed):
    form = typed(
        site=["south", "", "north"],
        kind=["collect", "deliver", "deliver"],
        begin=["10:00", "", "09:30"],
        end=["11:00", "", "10:00"],
        boxes=["B002", "", "B000"],
    )
    plan_reading.plan(session, form)
    assert (form.site, form.kind) == (["north", "south"], ["deliver", "collect"])
    assert (form.begin, form.boxes) == (["09:30", "10:00"], ["B000", "B002"])
