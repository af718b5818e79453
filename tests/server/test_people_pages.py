"""The people's page: found by name or number, lapsed permits, taken out at once."""

import re
from datetime import date

import pytest
from doorward_server.console import people_view
from doorward_server.console.texts import text
from doorward_server.people.models import Finger, Person
from doorward_server.security.roles import Role
from doorward_server.units import service as units
from sqlmodel import select


@pytest.fixture
def page(log_in, staffed):
    """page(role, query) -> the page as somebody of that role sees it."""
    return lambda role, query="": log_in(staffed.users[role]).get(f"/people{query}").text


def numbers(shown: str) -> list[str]:
    return re.findall(r'<span class="number">([^<]+)</span>', shown)


@pytest.mark.parametrize(
    ("find", "found"),
    [
        ("", ["D001", "E000", "E001", "E002", "E003", "O-north", "O-south", "O-vault", "X001"]),
        ("e00", ["E000", "E001", "E002", "E003"]),
        ("姓D", ["D001"]),
        (" X001 ", ["X001"]),
        ("%", []),
        ("_", []),
    ],
)
def test_people_are_found_by_a_part_of_name_or_number(page, find, found):
    assert numbers(page(Role.DISPATCHER, f"?find={find.replace('%', '%25')}")) == found


def test_a_row_says_what_somebody_has_and_lacks(page):
    rows = page(Role.DUTY).split('<li class="card person-row"')
    escort = next(row for row in rows if "E000" in row)
    for said in ("押运员", "平安押运", "指纹 1", "证件至 2026-12-31", 'src="/api/people/'):
        assert said in escort
    driver = next(row for row in rows if "D001" in row)
    assert text("no_fingers", "zh") in driver
    assert text("no_photo", "zh") in driver
    officer = next(row for row in rows if "O-north" in row)
    assert "north站" in officer
    assert "证件" not in officer


@pytest.mark.shows("D10")
def test_a_lapsed_permit_is_marked_from_the_day_after(session, page, staffed, clock):
    session.get(Person, staffed.crew[0].id).permit_until = date(2026, 3, 2)
    session.commit()
    assert text("permit_until", "zh", day="2026-03-02") in page(Role.DUTY, "?find=E000")
    clock.pass_time(hours=18)  # past midnight in Shanghai
    assert text("permit_lapsed", "zh", day="2026-03-02") in page(Role.DUTY, "?find=E000")


def test_an_administrator_sees_no_faces(page):
    assert '<img src="/api' not in page(Role.ADMINISTRATOR)


def test_the_pages_lead_on(page, monkeypatch):
    monkeypatch.setattr(people_view, "PAGE_LENGTH", 2)
    first = page(Role.DUTY, "?find=E")
    assert numbers(first) == ["E000", "E001"]
    assert 'href="/people?find=E&amp;page=2"' in first
    second = page(Role.DUTY, "?find=E&page=2")
    assert numbers(second) == ["E002", "E003"]
    assert 'href="/people?find=E&amp;page=1"' in second
    assert "page=3" not in second
    assert text("nobody_found", "zh") in page(Role.DUTY, "?find=nobody")


@pytest.mark.shows("D17", "S19")
def test_somebody_is_taken_out_at_once_with_photo_and_fingers(session, log_in, staffed, monkeypatch):
    person, told = staffed.officers["north"], []
    session.commit()
    monkeypatch.setattr(units, "orders_changed", lambda _, sites: told.extend(sites))
    browser = log_in(staffed.users[Role.ADMINISTRATOR])
    assert f"/people/{person.id}/removal" in browser.get("/people").text
    assert browser.post(f"/people/{person.id}/removal").url.path == "/people"
    assert told == [staffed.sites["north"].id]
    assert "O-north" not in numbers(browser.get("/people").text)
    assert session.exec(select(Finger).where(Finger.person_id == person.id)).all() == []
    session.commit()
    assert browser.post(f"/people/{person.id}/removal").status_code == 404
    assert browser.post("/people/999/removal").status_code == 404


def test_who_may_only_look_takes_nobody_out(page, log_in, staffed):
    person = staffed.crew[0].id
    for role in (Role.DUTY, Role.AUDITOR):
        assert "/removal" not in page(role)
        assert log_in(staffed.users[role]).post(f"/people/{person}/removal").status_code == 403
    assert log_in(staffed.users[Role.OFFICER]).get("/people").status_code == 403
