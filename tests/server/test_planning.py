"""A run's life: draft, release by two, change by two, handovers, close."""

from dataclasses import replace
from datetime import timedelta

import pytest
import server_bank
from doorward_protocol import objects
from doorward_server.audit import entries
from doorward_server.audit.models import Decision
from doorward_server.fleet.models import Vehicle
from doorward_server.people.models import Person
from doorward_server.planning import changes, progress, service
from doorward_server.planning.models import RunStatus, RunVersion, StopStatus
from doorward_server.planning.plan import Member, plan_of
from doorward_server.problems import Problem
from doorward_server.security import four_eyes
from doorward_server.security.models import Approval, User
from sqlmodel import select


@pytest.fixture
def told(monkeypatch):
    """The sites whose units were told to look at their orders again."""
    sites = []
    monkeypatch.setattr("doorward_server.units.service.orders_changed", lambda _, ids: sites.extend(ids))
    return sites


@pytest.fixture
def plan(staffed, clock):
    return server_bank.plan(staffed, clock.now())


@pytest.fixture
def first(session, staffed) -> User:
    return session.get(User, staffed.dispatcher.id)


@pytest.fixture
def second(session, staffed) -> User:
    return session.get(User, staffed.dispatcher2.id)


@pytest.fixture
def draft(session, plan, first):
    return service.create_run(session, first, plan)


@pytest.fixture
def released(session, draft, first, second, told):
    service.release_approve(session, second, service.release_request(session, first, draft))
    told.clear()
    return draft


def test_a_draft_keeps_its_plan(session, draft, plan, settings):
    kept = plan_of(session, draft)
    grace = timedelta(minutes=settings.order_grace_minutes)
    assert [replace(stop, task=None, expires=None) for stop in kept.stops] == list(plan.stops)
    assert [stop.expires for stop in kept.stops] == [stop.window_until + grace for stop in plan.stops]
    assert (kept.date, kept.vehicle_id, set(kept.crew)) == (plan.date, plan.vehicle_id, set(plan.crew))
    assert (draft.status, draft.version) == (RunStatus.DRAFT, 0)


def test_editing_a_draft_replaces_its_plan(session, draft, plan, first, staffed):
    other = replace(plan, vehicle_id=staffed.vehicles[1].id, stops=plan.stops[1:], note="旧路改线")
    service.edit_run(session, first, draft, other)
    kept = plan_of(session, draft)
    assert (kept.vehicle_id, kept.note, len(kept.stops)) == (staffed.vehicles[1].id, "旧路改线", 1)


@pytest.mark.shows("F8")
def test_an_edited_note_is_in_the_journal(session, draft, plan, first):
    service.edit_run(session, first, draft, replace(plan, note="by the back gate"))
    query = select(Decision).where(Decision.kind == "run_edited")
    entry = entries.decode(session.exec(query).one().entry)
    assert (entry.before, entry.after) == ({"note": ""}, {"note": "by the back gate"})


@pytest.mark.shows("S4", "F7")
def test_two_people_release_a_run_and_its_units_are_told(session, draft, first, second, staffed, told):
    approval = service.release_request(session, first, draft)
    assert (draft.status, told) == (RunStatus.PROPOSED, [])
    service.release_approve(session, second, approval)
    assert (draft.status, draft.version) == (RunStatus.RELEASED, 1)
    assert [stop.order_version for stop in service.stops_of(session, draft)] == [1, 1]
    assert told == sorted((staffed.sites["north"].id, staffed.sites["south"].id))
    version = session.exec(select(RunVersion)).one()
    assert version.approved_by == [first.id, second.id]


@pytest.mark.shows("S4", "F7")
def test_nobody_releases_what_they_proposed(session, draft, first):
    approval = service.release_request(session, first, draft)
    with pytest.raises(Problem, match="same_person"):
        service.release_approve(session, first, approval)
    assert draft.status == RunStatus.PROPOSED


def test_a_plan_with_findings_is_not_proposed(session, draft, first, clock):
    clock.pass_time(hours=3)
    with pytest.raises(Problem, match="plan_invalid"):
        service.release_request(session, first, draft)
    assert draft.status == RunStatus.DRAFT


def test_what_no_longer_holds_is_not_released(session, draft, first, second, staffed):
    approval = service.release_request(session, first, draft)
    escort = session.get(Person, staffed.crew[0].id)
    escort.permit_until = draft.date - timedelta(days=1)
    session.add(escort)
    with pytest.raises(Problem, match="plan_invalid"):
        service.release_approve(session, second, approval)


def test_what_was_changed_behind_the_request_is_not_released(session, draft, first, second, staffed):
    """Somebody with a hand in the database exchanges the vehicle's tag between request and approval."""
    approval = service.release_request(session, first, draft)
    vehicle = session.get(Vehicle, draft.vehicle_id)
    vehicle.epc = b"another tag"
    session.add(vehicle)
    with pytest.raises(Problem, match="changed_since_request"):
        service.release_approve(session, second, approval)


@pytest.mark.parametrize("end", ["refused", "withdrawn", "expired"])
def test_a_request_that_comes_to_nothing_gives_the_draft_back(
    session, draft, first, second, clock, plan, end
):
    approval = service.release_request(session, first, draft)
    with pytest.raises(Problem, match="run_status"):
        service.edit_run(session, first, draft, plan)
    if end == "refused":
        four_eyes.decide(session, second, approval, approve=False, note="窗口太紧")
    elif end == "withdrawn":
        four_eyes.withdraw(session, first, approval)
    else:
        clock.pass_time(hours=24)
    service.edit_run(session, first, draft, plan)
    assert draft.status == RunStatus.DRAFT


@pytest.mark.shows("S4")
def test_the_order_is_what_two_people_approved(session, released, staffed):
    stop = service.stops_of(session, released)[0]
    vehicle = session.get(Vehicle, released.vehicle_id)
    approved_tag = vehicle.epc
    vehicle.epc = b"a later tag"
    session.add(vehicle)
    session.flush()
    fields = service.order_fields(session, stop)
    assert fields["vehicle"][:3] == [vehicle.id, vehicle.plate, approved_tag]
    assert fields["crew"] == [[staffed.crew[0].id, 1], [staffed.crew[1].id, 1], [staffed.driver.id, 2]]
    assert fields["officers"] == [staffed.officers["north"].id]
    assert [box[1] for box in fields["boxes"]] == ["B000", "B001"]
    assert [box[4] for box in fields["boxes"]] == ["S0", "S1"]
    assert fields["window_until"] - fields["window_from"] == 30 * 60 * 1000
    assert objects.encode_blob("order", **fields)


def change_crew(session, run, asker, decider, crew):
    approval = service.change_request(session, asker, run, crew=crew)
    four_eyes.decide(session, decider, approval, approve=True)


@pytest.mark.shows("D4", "F7")
def test_a_change_of_crew_is_a_new_version_approved_by_two(session, released, first, second, staffed, told):
    crew = (Member(staffed.crew[2].id), Member(staffed.crew[3].id), Member(staffed.driver.id, "vehicle"))
    approval = service.change_request(session, first, released, crew=crew)
    stop = service.stops_of(session, released)[0]
    before = service.order_fields(session, stop)
    assert (released.version, told) == (1, []), "nothing changes until it is approved"
    with pytest.raises(Problem, match="same_person"):
        four_eyes.decide(session, first, approval, approve=True)
    four_eyes.decide(session, second, approval, approve=True)
    after = service.order_fields(session, stop)
    assert (before["version"], after["version"], released.version) == (1, 2, 2)
    assert after["crew"] == [[staffed.crew[2].id, 1], [staffed.crew[3].id, 1], [staffed.driver.id, 2]]
    assert told == sorted((staffed.sites["north"].id, staffed.sites["south"].id))


@pytest.mark.shows("D4")
def test_a_closed_stop_keeps_the_version_it_ran_on(session, released, first, second, staffed, clock):
    done, ahead = service.stops_of(session, released)
    progress.set_stop_status(session, done.id, StopStatus.CLOSED, clock.now())
    crew = (Member(staffed.crew[2].id), Member(staffed.crew[3].id))
    change_crew(session, released, first, second, crew)
    assert (done.order_version, ahead.order_version) == (1, 2)
    assert [person for person, _ in service.order_fields(session, done)["crew"]] != [
        person for person, _ in service.order_fields(session, ahead)["crew"]
    ]


def test_a_change_of_vehicle_is_checked_like_a_plan(session, released, first, second, staffed):
    with pytest.raises(Problem, match="plan_invalid"):
        service.change_request(session, first, released, vehicle_id=999)
    approval = service.change_request(session, first, released, vehicle_id=staffed.vehicles[1].id)
    four_eyes.decide(session, second, approval, approve=True)
    fields = service.order_fields(session, service.stops_of(session, released)[0])
    assert fields["vehicle"][1] == staffed.vehicles[1].plate


def test_nothing_changes_while_a_handover_is_under_way(session, released, first, staffed, clock):
    stop = service.stops_of(session, released)[0]
    progress.set_stop_status(session, stop.id, StopStatus.UNDER_WAY, clock.now())
    with pytest.raises(Problem, match="stop_under_way"):
        service.change_request(session, first, released, vehicle_id=staffed.vehicles[1].id)


@pytest.mark.shows("D4")
def test_a_branch_sees_what_changed_and_acknowledges_it_once(session, released, first, second, staffed):
    north = staffed.sites["north"].id
    assert changes.unseen(session, north) == []
    crew = (Member(staffed.crew[2].id), Member(staffed.crew[3].id))
    change_crew(session, released, first, second, crew)
    ((stop, version),) = changes.unseen(session, north)
    assert list(version.changes) == ["crew"]
    assert version.changes["crew"]["after"][0]["person"] == staffed.crew[2].id
    officer = session.get(User, staffed.users["officer"].id)
    with pytest.raises(Problem, match="old_version"):
        changes.acknowledge(session, officer, stop.id, 1)
    changes.acknowledge(session, officer, stop.id, 2)
    changes.acknowledge(session, officer, stop.id, 2)
    assert changes.unseen(session, north) == []
    elsewhere = service.stops_of(session, released)[1]
    with pytest.raises(Problem, match="not_found"):
        changes.acknowledge(session, officer, elsewhere.id, 2)


def test_two_people_cancel_what_is_left(session, released, first, second, told, clock):
    done, ahead = service.stops_of(session, released)
    progress.set_stop_status(session, done.id, StopStatus.CLOSED, clock.now())
    approval = service.cancel_request(session, first, released)
    four_eyes.decide(session, second, approval, approve=True)
    assert (done.status, ahead.status) == (StopStatus.CLOSED, StopStatus.CANCELLED)
    assert (released.status, len(told)) == (RunStatus.CANCELLED, 2)


def test_a_run_that_has_ended_since_is_neither_changed_nor_cancelled(
    session, released, first, second, staffed, clock
):
    van = staffed.vehicles[1].id
    asked = [
        service.change_request(session, first, released, vehicle_id=van),
        service.cancel_request(session, first, released),
    ]
    for stop in service.stops_of(session, released):
        progress.set_stop_status(session, stop.id, StopStatus.CLOSED, clock.now())
    for approval in asked:
        with pytest.raises(Problem, match="changed_since_request"), session.begin_nested():
            four_eyes.decide(session, second, approval, approve=True)
    assert (released.status, released.version) == (RunStatus.CLOSED, 1)


def test_a_run_that_was_cancelled_is_not_changed_any_more(session, released, first, second, staffed):
    van = staffed.vehicles[1].id
    change = service.change_request(session, first, released, vehicle_id=van)
    cancelling = service.cancel_request(session, first, released)
    four_eyes.decide(session, second, cancelling, approve=True)
    with pytest.raises(Problem, match="changed_since_request"), session.begin_nested():
        four_eyes.decide(session, second, change, approve=True)
    assert (released.version, released.vehicle_id) == (1, staffed.vehicles[0].id)


def test_a_run_closes_with_its_last_stop(session, released, clock):
    one, other = service.stops_of(session, released)
    for stop, expected in ((one, RunStatus.RELEASED), (other, RunStatus.CLOSED)):
        progress.set_stop_status(session, stop.id, StopStatus.UNDER_WAY, clock.now())
        progress.set_stop_status(session, stop.id, StopStatus.CLOSED, clock.now())
        progress.set_stop_status(session, stop.id, StopStatus.CLOSED, clock.now() + timedelta(hours=1))
        assert (released.status, stop.closed_at) == (expected, clock.now())
    progress.set_stop_status(session, 999, StopStatus.CLOSED, clock.now())


@pytest.mark.shows("D11", "F4")
def test_a_unit_holds_an_order_from_twelve_hours_before_until_two_after(session, released, staffed, clock):
    stop = service.stops_of(session, released)[0]
    north = stop.site_id
    begin = stop.window_from - timedelta(hours=12)
    for moment, held in (
        (begin - timedelta(seconds=1), False),
        (begin, True),
        (stop.expires + timedelta(hours=2, seconds=-1), True),
        (stop.expires + timedelta(hours=2), False),
    ):
        clock.moment = moment
        assert (progress.stops_to_hold(session, north) == [stop]) == held
    clock.moment = stop.window_from
    progress.set_stop_status(session, stop.id, StopStatus.CLOSED, clock.now())
    clock.pass_time(hours=1, minutes=59)
    assert progress.stops_to_hold(session, north) == [stop]
    assert progress.next_change(session) == clock.now() + timedelta(minutes=1)
    clock.pass_time(minutes=1)
    assert progress.stops_to_hold(session, north) == []


@pytest.mark.shows("S7")
def test_a_foreign_box_is_told_where_it_belongs(session, released, staffed):
    stop = service.stops_of(session, released)[1]
    assert progress.place_of_box(session, staffed.boxes[2].epc) == (staffed.boxes[2], stop)
    assert progress.place_of_box(session, staffed.boxes[5].epc) == (staffed.boxes[5], None)
    assert progress.place_of_box(session, b"unknown") is None


def test_what_a_request_says_is_kept_as_data(session, draft, first):
    approval = service.release_request(session, first, draft)
    assert session.get(Approval, approval.id).payload == {"run_id": draft.id}
