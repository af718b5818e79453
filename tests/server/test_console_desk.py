"""The lists that people at a desk work through: alarms to hear and to close, requests to decide."""

import re

import pytest
from doorward_server.alarms import service as alarms
from doorward_server.alarms.models import AlarmHandling
from doorward_server.backup.archive import Manifest
from doorward_server.backup.settle import settle
from doorward_server.clock import to_milliseconds
from doorward_server.console import alarm_view, approval_view
from doorward_server.console.texts import TEXTS, text
from doorward_server.importing.columns import SHEETS
from doorward_server.planning import service as planning
from doorward_server.planning.models import Run, RunStatus
from doorward_server.planning.plan import Member
from doorward_server.security import four_eyes, users
from doorward_server.security.models import Approval, User
from doorward_server.security.roles import Role
from doorward_server.units import service as units
from server_bank import plan
from sqlmodel import select


@pytest.fixture
def people(session, staffed):
    """The users' rows in this session, by role; "second" is another dispatcher."""
    found = {role: session.get(User, user.id) for role, user in staffed.users.items()}
    return found | {"second": session.get(User, staffed.dispatcher2.id)}


@pytest.fixture
def unit(session, staffed):
    return units.register_unit(
        session, b"unit-001", staffed.sites["north"], b"\1" * 64, b"\2" * 64, b"\3" * 64
    )


@pytest.fixture
def draft(session, staffed, people, clock) -> Run:
    return planning.create_run(session, people[Role.DISPATCHER], plan(staffed, clock.now()))


def raised(session, unit, clock, count):
    """Keys of so many alarms, a second apart, the newest first."""
    keys = []
    for number in range(count):
        clock.pass_time(seconds=1)
        keys.insert(0, alarms.raise_alarm(session, "printing_failed", unit, str(number)).key)
    return keys


def seen(session, user) -> list[dict]:
    return approval_view.build(session, user)["requests"]


def facts(request) -> dict[str, str]:
    return {fact["key"]: fact["value"] for fact in request["facts"]}


@pytest.mark.shows("S19")
def test_an_alarm_is_heard_and_closed_at_the_page(session, log_in, staffed, people, unit, clock):
    (key,) = raised(session, unit, clock, 1)
    session.commit()
    browser = log_in(staffed.users[Role.DUTY])
    page = browser.get("/alarms").text
    assert 'data-state="new"' in page
    assert text("close_alarm", "zh") not in page  # first somebody has to have heard it
    browser.post("/alarms/acknowledge", data={"key": key})
    page = browser.get("/alarms").text
    assert 'data-state="acknowledged"' in page
    assert text("close_alarm", "zh") in page
    said = browser.post("/alarms/close", data={"key": key, "note": " "})
    assert (said.status_code, "请填写处理说明。" in said.text) == (422, True)
    done = browser.post("/alarms/close", data={"key": key, "note": "打印机换纸"}, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/alarms")
    assert text("no_open_alarms", "zh") in browser.get("/alarms").text
    assert "打印机换纸" in browser.get("/alarms?everything=true").text
    session.expire_all()
    assert session.get(AlarmHandling, key).note == "打印机换纸"


def test_who_may_only_look_finds_no_forms(session, log_in, staffed, unit, clock):
    (key,) = raised(session, unit, clock, 1)
    session.commit()
    auditor = log_in(staffed.users[Role.AUDITOR])
    assert "/alarms/acknowledge" not in auditor.get("/alarms").text
    assert auditor.post("/alarms/acknowledge", data={"key": key}).status_code == 403
    assert auditor.post("/alarms/close", data={"key": key, "note": "x"}).status_code == 403
    assert log_in(staffed.users[Role.OFFICER]).get("/alarms").status_code == 403


def test_every_alarm_stands_on_one_page_of_the_list(session, people, unit, clock, monkeypatch):
    monkeypatch.setattr(alarm_view, "PAGE_LENGTH", 3)
    keys = raised(session, unit, clock, 5)
    same_moment = [alarms.raise_alarm(session, "printing_failed", unit, name).key for name in ("x", "y", "z")]
    duty, listed, before = people[Role.DUTY], [], None
    while True:
        page = alarm_view.build(session, duty, True, before)
        listed += [alarm["key"] for alarm in page.alarms]
        before = page.older
        if before is None:
            break
    assert listed == [keys[0], *same_moment, *keys[1:]]


def test_the_list_leads_to_older_alarms_and_back(session, log_in, staffed, unit, clock, monkeypatch):
    monkeypatch.setattr(alarm_view, "PAGE_LENGTH", 3)
    raised(session, unit, clock, 5)
    session.commit()
    browser = log_in(staffed.users[Role.DUTY])
    first = browser.get("/alarms").text
    (older,) = re.findall(rf'href="([^"]*)">{text("older_alarms", "zh")}', first)
    second = browser.get(older.replace("&amp;", "&")).text
    assert (first.count("<article"), second.count("<article")) == (3, 2)
    assert re.findall(rf'href="([^"]*)">{text("newest_alarms", "zh")}', second) == ["/alarms"]


def test_an_unknown_place_in_the_list_is_refused(log_in, staffed):
    assert log_in(staffed.users[Role.DUTY]).get("/alarms?before=nothing").status_code == 404


@pytest.mark.shows("F7", "S19")
def test_a_run_is_released_at_the_page_by_a_second_dispatcher(session, log_in, staffed, people, draft):
    approval = planning.release_request(session, people[Role.DISPATCHER], draft)
    session.commit()
    asker, second = log_in(staffed.users[Role.DISPATCHER]), log_in(staffed.dispatcher2)
    assert text("own_request", "zh") in asker.get("/approvals").text
    page = second.get("/approvals").text
    for said in (
        "发布线路",
        "京A10001",
        "姓E000、姓E001",
        "姓D001",
        "north站",
        "B000",
        "封签 S0",
        "07:00–07:30",
    ):
        assert said in page, said
    form = {"decision": "approve", "note": "核对无误"}
    refused = asker.post(f"/approvals/{approval.id}/decision", data=form)
    assert (refused.status_code, "申请人与审批人不能是同一人。" in refused.text) == (403, True)
    assert second.post(f"/approvals/{approval.id}/decision", data=form).status_code == 200
    session.expire_all()
    assert session.get_one(Run, draft.id).status == RunStatus.RELEASED
    assert session.get_one(Approval, approval.id).note == "核对无误"
    session.commit()
    assert text("no_requests", "zh") in second.get("/approvals").text
    again = second.post(f"/approvals/{approval.id}/decision", data=form)
    assert (again.status_code, "该审批已结束" in again.text) == (409, True)


def test_a_step_that_cannot_be_carried_out_stays_undecided(session, log_in, staffed, people, draft, clock):
    """What has passed since the request is found only while the release is being carried out."""
    approval = planning.release_request(session, people[Role.DISPATCHER], draft)
    session.commit()
    clock.pass_time(hours=5)
    second = log_in(staffed.dispatcher2)
    answer = second.post(f"/approvals/{approval.id}/decision", data={"decision": "approve"})
    assert answer.status_code in (409, 422)
    assert "data-said" in answer.text
    session.expire_all()
    assert session.get_one(Approval, approval.id).state == four_eyes.REQUESTED
    assert session.get_one(Run, draft.id).status == RunStatus.PROPOSED


def test_a_request_is_taken_back_at_the_page(session, log_in, staffed, people, draft):
    approval = planning.release_request(session, people[Role.DISPATCHER], draft)
    session.commit()
    second, asker = log_in(staffed.dispatcher2), log_in(staffed.users[Role.DISPATCHER])
    assert second.post(f"/approvals/{approval.id}/withdrawal").status_code == 403
    assert asker.post(f"/approvals/{approval.id}/withdrawal").status_code == 200
    assert session.exec(select(Run.status)).one() == RunStatus.DRAFT


@pytest.mark.shows("D4")
def test_a_change_is_shown_beside_what_it_replaces(session, staffed, people, draft):
    asker, second = people[Role.DISPATCHER], people["second"]
    planning.release_approve(session, second, planning.release_request(session, asker, draft))
    crew = tuple(
        Member(one.id, duty)
        for one, duty in ((staffed.crew[0], "door"), (staffed.crew[2], "door"), (staffed.driver, "vehicle"))
    )
    planning.change_request(session, asker, draft, staffed.vehicles[1].id, crew)
    (request,) = seen(session, second)
    changed = {fact["key"]: (fact["before"], fact["value"]) for fact in request["facts"] if fact["before"]}
    assert changed == {
        "vehicle": ("京A10001", "京A10002"),
        "crew_at_door": ("姓E000、姓E001", "姓E000、姓E002"),
    }


def test_each_kind_of_request_is_described(session, log_in, staffed, people, unit, draft):
    admin, duty = people[Role.ADMINISTRATOR], people[Role.DUTY]
    fields = {"login": "wang.li", "name": "王丽", "role": "officer", "site_id": staffed.sites["north"].id,
              "person_id": staffed.officers["north"].id, "language": "zh"}  # fmt: skip
    users.request_user(session, admin, "a password of some length", fields)
    users.request_password(session, admin, duty, "a password of some length")
    units.request_lockout_release(session, duty, unit, 1)
    rows = {"people": {"rows": 12}, "vehicles": {"rows": 3}}
    payload = {"token": "t", "name": "bank.zip", "digest": "d", "rows": rows}
    four_eyes.request(session, people["second"], "import", "import:d", payload)
    planning.release_approve(
        session, people["second"], planning.release_request(session, people[Role.DISPATCHER], draft)
    )
    planning.cancel_request(session, people[Role.DISPATCHER], draft)
    duty.language = "en"
    session.commit()
    by_kind = {request["kind"]: facts(request) for request in seen(session, duty)}
    session.commit()
    assert by_kind["user_create"] == {
        "login_name": "wang.li", "name": "王丽", "role": "Officer", "site": "north", "person": "O-north",
    }  # fmt: skip
    assert by_kind["user_password"] == {"login_name": "duty", "name": "甲 duty", "role": "Duty operator"}
    assert by_kind["lockout_release"] == {"site": "north", "panel": "outer panel"}
    assert by_kind["import"] == {"file": "bank.zip", "content": "people 12, vehicles 3"}
    page = log_in(staffed.users[Role.DUTY]).get("/approvals").text
    assert page.count("<section") == len(by_kind)
    assert by_kind["run_cancel"]["crew_at_door"] == "E000, E001"
    assert set(by_kind) == set(four_eyes.KINDS) - {"run_release", "run_change", "restore_confirm"}
    assert set(approval_view.ABOUT) == set(four_eyes.KINDS)


def test_a_request_says_how_long_it_waits_yet(session, people, draft, services, clock):
    assert approval_view.build(session, people[Role.DUTY])["stale_in"] is None
    planning.release_request(session, people[Role.DISPATCHER], draft)
    clock.pass_time(minutes=1)
    left = services.settings.approval_hours * 3_600_000 - 60_000
    assert approval_view.build(session, people[Role.DUTY])["stale_in"] == left


def test_the_centre_is_told_that_something_waits_and_a_site_is_not(session, services, people, draft):
    told = []
    services.live.publish = lambda topic, payload: told.append((topic, payload))
    approval = planning.release_request(session, people[Role.DISPATCHER], draft)
    session.commit()
    four_eyes.decide(session, people["second"], approval, approve=False)
    session.commit()
    requests = [payload for topic, payload in told if topic == "request"]
    assert requests == [{"name": "run_release", "site": None}] * 2


def test_the_rows_of_every_sheet_have_a_name():
    assert {f"rows_{sheet}" for sheet in SHEETS} == {key for key in TEXTS if key.startswith("rows_")}


@pytest.mark.shows("S23", "F7")
def test_after_a_restore_one_dispatcher_asks_and_another_one_goes_on(session, log_in, staffed, people, draft):
    """Everybody who sees requests sees what is to be done; both steps are on this page."""
    planning.release_approve(
        session, people["second"], planning.release_request(session, people[Role.DISPATCHER], draft)
    )
    manifest = Manifest(to_milliseconds(draft.created_at), "0001", "", 0, {})
    settle(session, manifest, [], {})
    session.commit()
    asker, second = log_in(staffed.users[Role.DISPATCHER]), log_in(staffed.dispatcher2)
    watching = log_in(staffed.users[Role.DUTY])
    assert text("restore_waits", "zh") in watching.get("/approvals").text
    assert "/approvals/restore" not in watching.get("/approvals").text
    assert watching.post("/approvals/restore").status_code == 403
    assert "/approvals/restore" in asker.get("/approvals").text
    assert asker.post("/approvals/restore").status_code == 200
    assert text("restore_waits", "zh") not in asker.get("/approvals").text
    assert asker.post("/approvals/restore").status_code == 409
    (request,) = seen(session, people["second"])
    assert facts(request)["issued_anew"] == "2026-03-02 京A10001"
    session.commit()
    assert (
        second.post(f"/approvals/{request['id']}/decision", data={"decision": "approve"}).status_code == 200
    )
    session.expire_all()
    assert (draft.version, draft.status) == (101, RunStatus.RELEASED)
    assert {stop.order_version for stop in planning.stops_of(session, draft)} == {101}
    session.commit()
    assert asker.post("/approvals/restore").status_code == 409
