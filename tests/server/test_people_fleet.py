"""People, sites, vehicles and boxes over HTTP: who sees what, and that nothing biometric leaks."""

import datetime

import pytest
import server_bank
from doorward_server.clock import from_milliseconds
from doorward_server.people import service as people
from doorward_server.people.models import Person, PersonKey
from doorward_server.planning import service as planning
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from sqlalchemy import event


@pytest.fixture
def duty(log_in, staffed):
    return log_in(staffed.users[Role.DUTY])


@pytest.fixture
def officer(log_in, staffed):
    """The north branch's officer."""
    return log_in(staffed.users[Role.OFFICER])


def test_people_are_shown_without_anything_biometric(duty):
    escort = next(one for one in duty.get("/api/people").json() if one["staff_number"] == "E000")
    assert set(escort) == {
        *("id", "staff_number", "name_zh", "name_en", "role", "company_id", "site_id"),
        *("permit_until", "has_photo", "fingers"),
    }
    assert (escort["has_photo"], escort["fingers"]) == (True, [{"number": 1, "model": "R503"}])
    assert duty.get(f"/api/people/{escort['id']}").json() == escort


def test_a_list_of_people_reads_no_photo_and_asks_for_all_at_once(duty, services):
    asked = []
    event.listen(services.engine, "before_cursor_execute", note := lambda *said: asked.append(said[2]))
    try:
        people_shown = duty.get("/api/people").json()
    finally:
        event.remove(services.engine, "before_cursor_execute", note)
    assert sum(person["has_photo"] for person in people_shown) == 4
    assert not any("person.photo," in statement or "template" in statement for statement in asked)
    assert len([statement for statement in asked if "FROM person" in statement or "finger" in statement]) == 2


def test_a_photo_is_shown_to_the_centre(duty, staffed):
    answer = duty.get(f"/api/people/{staffed.crew[0].id}/photo")
    assert (answer.content, answer.headers["content-type"]) == (server_bank.PHOTO, "image/jpeg")
    assert answer.headers["cache-control"] == "no-store"
    assert duty.get(f"/api/people/{staffed.driver.id}/photo").status_code == 404


@pytest.mark.shows("D11")
def test_a_branch_sees_the_crew_that_is_due_and_nobody_else(officer, staffed, services, clock):
    photo = f"/api/people/{staffed.crew[0].id}/photo"
    assert officer.get(photo).status_code == 404
    with services.database.writing() as session:
        first, second = (session.get(User, one.id) for one in (staffed.dispatcher, staffed.dispatcher2))
        run = planning.create_run(session, first, server_bank.plan(staffed, clock.now()))
        planning.release_approve(session, second, planning.release_request(session, first, run))
    assert officer.get(photo).content == server_bank.PHOTO
    assert officer.get(f"/api/people/{staffed.crew[3].id}/photo").status_code == 404
    clock.pass_time(hours=11)
    assert officer.get(photo).status_code == 404, "long after the visit"


def test_a_photo_whose_key_is_gone_is_gone(duty, staffed, services):
    with services.database.writing() as session:
        session.delete(session.get(PersonKey, staffed.crew[0].id))
    assert duty.get(f"/api/people/{staffed.crew[0].id}/photo").status_code == 404


def test_removing_somebody_is_final(log_in, staffed, duty):
    address = f"/api/people/{staffed.crew[0].id}"
    dispatcher = log_in(staffed.dispatcher)
    assert dispatcher.delete(address).status_code == 204
    assert dispatcher.delete(address).status_code == 404
    assert staffed.crew[0].id not in {one["id"] for one in duty.get("/api/people").json()}
    assert duty.get(f"{address}/photo").status_code == 404


def test_officers_see_their_own_site_and_the_centre_all(duty, officer):
    assert [site["code"] for site in duty.get("/api/sites").json()] == ["north", "south", "vault"]
    assert [site["code"] for site in officer.get("/api/sites").json()] == ["north"]


def test_an_officer_without_a_site_sees_none(log_in, services, clock):
    with services.database.writing() as session:
        lost = User(login="lost", name="lost", role=Role.OFFICER, created_at=clock.now())
        session.add(lost)
    assert log_in(lost).get("/api/sites").json() == []


def test_the_fleet_is_listed_with_its_tags(duty, staffed):
    vehicle = duty.get("/api/vehicles").json()[0]
    assert (vehicle["plate"], vehicle["epc"]) == ("京A10001", staffed.vehicles[0].epc.hex())
    assert [box["number"] for box in duty.get("/api/boxes").json()][:2] == ["B000", "B001"]
    assert {company["code"] for company in duty.get("/api/companies").json()} == {"safe", "rival"}


@pytest.mark.shows("D10")
def test_validity_ends_with_the_permits_last_day_where_the_bank_is(staffed, session):
    escort = session.get(Person, staffed.crew[0].id)
    since, until = (from_milliseconds(moment) for moment in people.validity(session, escort))
    assert since == datetime.datetime(2026, 3, 1, 16, tzinfo=datetime.UTC), "midnight in Shanghai"
    assert until == datetime.datetime(2026, 12, 31, 16, tzinfo=datetime.UTC)
    officer = session.get(Person, staffed.officers["north"].id)
    assert from_milliseconds(people.validity(session, officer)[1]) == people.NO_END
    people.remove_person(session, None, officer)
    assert from_milliseconds(people.validity(session, officer)[1]) == officer.removed_at


@pytest.mark.parametrize("day", [datetime.date(9999, 12, 31), datetime.date(2100, 1, 1)])
def test_a_permit_may_be_written_as_endless(staffed, session, day):
    escort = session.get(Person, staffed.crew[0].id)
    escort.permit_until = day
    assert from_milliseconds(people.validity(session, escort)[1]) == people.NO_END
