"""Changed orders: what a branch sees of them and acknowledges, and which pages are told (D4)."""

import pytest
from doorward_server.console import planning_view
from doorward_server.console.texts import text
from doorward_server.people.models import Person
from doorward_server.planning import changes
from doorward_server.planning import service as planning
from doorward_server.planning.plan import Member
from doorward_server.security import four_eyes
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from server_bank import plan


@pytest.mark.shows("D4")
def test_a_branch_sees_what_changed_since_it_last_looked(session, log_in, staffed, released, first, second):
    north = staffed.sites["north"].id
    officer = log_in(staffed.users[Role.OFFICER])

    def change(**fields):
        four_eyes.decide(session, second, planning.change_request(session, first, released, **fields), True)
        session.commit()
        return officer.get(f"/host/{north}").text

    stop = planning.stops_of(session, released)[0]
    session.commit()
    assert text("orders_changed", "zh") not in officer.get(f"/host/{north}").text
    page = change(crew=(Member(staffed.crew[2].id), Member(staffed.crew[3].id)))
    assert "<del>姓E000、姓E001</del>" in page
    assert "<ins>姓E002、姓E003</ins>" in page
    assert "B002" not in page  # the other branch's stop
    page = change(vehicle_id=staffed.vehicles[1].id)
    assert "<del>京A10001</del>" in page
    assert "<del>姓E000、姓E001</del>" in page
    form = {"task": stop.id, "version": 2}
    late = officer.post(f"/host/{north}/seen", data=form)
    assert (late.status_code, "任务单已是第 3 版" in late.text) == (409, True)
    done = officer.post(f"/host/{north}/seen", data=form | {"version": 3}, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, f"/host/{north}")
    assert text("orders_changed", "zh") not in officer.get(f"/host/{north}").text
    run = planning_view.whole(session, released, "zh")
    session.commit()
    assert [one["unseen"] for one in run["stops"]] == [False, True]
    assert text("issued_afresh", "zh") in change()  # since what was acknowledged


def test_an_order_that_has_expired_needs_no_acknowledgement(session, staffed, released, first, second, clock):
    north = staffed.sites["north"].id
    four_eyes.decide(session, second, planning.change_request(session, first, released), True)
    assert len(changes.unseen(session, north)) == 1
    clock.pass_time(hours=3)
    assert changes.unseen(session, north) == []


def test_only_the_branch_itself_acknowledges(session, log_in, staffed, released, first, second):
    four_eyes.decide(session, second, planning.change_request(session, first, released), True)
    stop = planning.stops_of(session, released)[0]
    session.commit()
    form = {"task": stop.id, "version": 2}
    north, south = (staffed.sites[name].id for name in ("north", "south"))
    duty, officer = log_in(staffed.users[Role.DUTY]), log_in(staffed.users[Role.OFFICER])
    assert text("change_seen", "zh") not in duty.get(f"/host/{north}").text
    assert duty.post(f"/host/{north}/seen", data=form).status_code == 403
    assert officer.post(f"/host/{south}/seen", data=form).status_code == 404


@pytest.mark.shows("D11")
def test_the_api_tells_a_branch_nothing_of_the_runs_other_stops(
    session, log_in, staffed, released, first, second
):
    north, south = (staffed.sites[name].id for name in ("north", "south"))
    session.get(Person, staffed.officers["south"].id).removed_at = released.created_at
    spare = Person(
        staff_number="O-2", name_zh="新", name_en="New", role="officer", site_id=south,
        created_at=released.created_at,
    )  # fmt: skip
    session.add(spare)
    session.flush()
    crew = (Member(staffed.crew[2].id), Member(staffed.crew[3].id))
    four_eyes.decide(session, second, planning.change_request(session, first, released, crew=crew), True)
    of_south = changes.unseen(session, south)[0]
    session.commit()
    (told,) = log_in(staffed.users[Role.OFFICER]).get(f"/api/sites/{north}/changes").json()
    assert set(told["changes"]) == {"crew"}
    ours = changes.of_stop(of_south[1].changes, of_south[0].id)
    assert [one["site"] for one in ours["stops"]["after"]] == [south]


def test_pages_are_told_that_a_branch_has_seen_a_change(session, services, staffed, released, first, second):
    four_eyes.decide(session, second, planning.change_request(session, first, released), True)
    session.commit()
    told = []
    services.live.publish = lambda topic, payload: told.append((topic, payload["site"]))
    officer = session.get(User, staffed.users[Role.OFFICER].id)
    stop = planning.stops_of(session, released)[0]
    changes.acknowledge(session, officer, stop.id, 2)
    session.commit()
    assert told == [("orders", staffed.sites["north"].id)]


def test_pages_of_the_branches_are_told_that_their_orders_changed(session, services, staffed, first, draft):
    told = []
    services.live.publish = lambda topic, payload: told.append((topic, payload["site"]))
    planning.release_request(session, first, draft)
    session.commit()
    told.clear()
    second = session.get(User, staffed.dispatcher2.id)
    four_eyes.decide(session, second, four_eyes.open_approvals(session)[0], True)
    session.commit()
    sites = {staffed.sites[name].id for name in ("north", "south")}
    assert {site for topic, site in told if topic == "orders"} == sites


def test_pages_are_told_of_drafts(session, services, staffed, first, clock):
    told = []
    services.live.publish = lambda topic, payload: told.append((topic, payload["site"]))
    north, south = (staffed.sites[name].id for name in ("north", "south"))

    def sites():
        session.commit()
        found = [site for topic, site in told if topic == "orders"]
        told.clear()
        return found

    both = plan(staffed, clock.now())
    run = planning.create_run(session, first, both)
    assert sites() == [north, south]
    planning.edit_run(session, first, run, plan(staffed, clock.now(), stops=both.stops[:1]))
    assert sites() == [north, south]  # the one that is left out has to hear of it too
    planning.cancel_draft(session, first, run)
    assert sites() == [north]
