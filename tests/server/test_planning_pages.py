"""The planning pages: a run from the empty form to its release, its change and its end; what is refused."""

import html
import re
from datetime import date, timedelta

import pytest
from doorward_server.console import planning_view
from doorward_server.console.texts import text
from doorward_server.people.models import Person
from doorward_server.planning import service as planning
from doorward_server.planning.models import Run, RunStatus, StopStatus
from doorward_server.planning.progress import set_stop_status
from doorward_server.security import four_eyes
from doorward_server.security.roles import Role
from page_parts import part_of
from server_bank import plan
from sqlalchemy import event
from sqlmodel import select

DAY = "2026-03-02"
FORM = {
    "date": DAY,
    "vehicle": "京A10001",
    "person": ["E000", "E001", "D001"],
    "duty": ["door", "door", "vehicle"],
    "site": ["north", ""],
    "kind": ["deliver", "deliver"],
    "begin": ["09:30", ""],
    "end": ["10:00", ""],
    "expires": ["", ""],
    "boxes": ["B000 S7\r\nB001", ""],
}


@pytest.fixture
def browser(session, log_in, staffed, first, second):
    """The first dispatcher's. While it is used the session must hold no transaction: both write."""
    session.commit()
    return log_in(staffed.dispatcher)


@pytest.fixture
def kept(services):
    """kept() -> the runs that are in the database."""

    def runs() -> list[Run]:
        with services.database.reading() as session:
            return list(session.exec(select(Run)).all())

    return runs


def send(browser, path, form, **changes):
    return browser.post(path, data=form | changes, follow_redirects=False)


def seen_in(page: str) -> str:
    return part_of(page, r'name="seen" value="(\w+)"')


def obstacles(page: str) -> list[str]:
    """What the page says was not kept, and why."""
    told = page.partition('id="against"')[2].partition("</div>")[0]
    return [html.unescape(one) for one in re.findall("<li>(.*?)</li>", told)]


@pytest.mark.shows("S4", "S19", "S21")
def test_a_run_is_planned_released_changed_and_cancelled_by_two_people(browser, log_in, staffed, kept):
    other = log_in(staffed.dispatcher2)

    def approve():
        number = part_of(other.get("/approvals").text, r"/approvals/(\d+)/decision")
        assert other.post(f"/approvals/{number}/decision", data={"decision": "approve"}).status_code == 200

    answer = send(browser, "/planning/new", FORM, do="release")
    (run,) = kept()
    here = f"/planning/{run.id}"
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    assert run.status == RunStatus.PROPOSED
    page = browser.get(here).text
    assert text("waits_for_second", "zh", what="发布线路") in page
    assert 'name="do"' not in page  # nothing to edit while it waits
    approve()
    assert kept()[0].status == RunStatus.RELEASED
    assert text("version_number", "zh", number=1) in browser.get(here).text
    crew = {"vehicle": "京A10002", "person": ["E002", "E003"], "duty": ["door", "door"]}
    assert send(browser, f"{here}/change", crew).status_code == 303
    assert "<details" not in browser.get(here).text  # one request at a time
    approve()
    page = browser.get(here).text
    assert "<del>京A10001</del>" in page
    assert text("not_seen_yet", "zh") in page
    assert send(browser, f"{here}/cancellation", {}).status_code == 303
    approve()
    assert kept()[0].status == RunStatus.CANCELLED
    page = browser.get(here).text
    assert text("not_seen_yet", "zh") not in page
    assert "<details" not in page


def test_a_draft_is_kept_with_what_stands_against_its_release(browser, kept):
    answer = send(browser, "/planning/new", FORM, do="release", person=["E000"], boxes=["", ""])
    assert (answer.status_code, kept()[0].status) == (303, RunStatus.DRAFT)
    page = browser.get(answer.headers["location"]).text
    assert "押运组：至少需要两名下车押运员。" in page
    assert "第 1 站：站点没有款箱。" in page
    assert text("obstacles", "zh", count=2) in browser.get(f"/planning?date={DAY}").text


def test_what_is_typed_wrong_is_told_and_stays_typed(browser, kept):
    answer = send(browser, "/planning/new", FORM, vehicle="京A9", boxes=["B000\nB999", ""], note="雨天")
    assert answer.status_code == 422
    assert obstacles(answer.text) == [
        "车辆：没有车牌为“京A9”的车辆。",
        "第 1 站：没有编号为“B999”的款箱。",
    ]
    for typed in ('value="京A9"', 'value="E000"', "B000\nB999</textarea>", 'value="雨天"'):
        assert typed in answer.text
    assert kept() == []


def test_what_no_draft_can_hold_is_told_in_the_users_language(browser, kept):
    browser.post("/language", data={"language": "en", "back": "/"})
    answer = send(browser, "/planning/new", FORM, boxes=["B000\nB000", ""])
    assert answer.status_code == 422
    assert obstacles(answer.text) == ["Stop 1: Box B000 is planned twice in this run."]
    assert kept() == []


def test_more_stops_are_asked_for_without_keeping_anything(browser, draft, kept):
    answer = send(browser, "/planning/new", FORM, do="more", boxes=["B999", ""])
    assert (answer.status_code, answer.text.count('name="site"')) == (200, 5)
    assert "B999</textarea>" in answer.text
    answer = send(browser, f"/planning/{draft.id}", FORM, do="more", vehicle="京A10002")
    assert (answer.status_code, answer.text.count('name="site"')) == (200, 5)
    assert [run.vehicle_id for run in kept()] == [draft.vehicle_id]


def test_a_draft_is_edited(browser, draft, kept, staffed):
    page = browser.get(f"/planning/{draft.id}").text
    assert 'value="京A10001"' in page
    assert "B000 S0\nB001 S1</textarea>" in page
    answer = send(browser, f"/planning/{draft.id}", FORM, vehicle="京A10002", seen=seen_in(page))
    assert answer.status_code == 303
    assert [run.vehicle_id for run in kept()] == [staffed.vehicles[1].id]
    page = browser.get(f"/planning/{draft.id}").text
    assert "B000 S7\nB001</textarea>" in page
    assert "B002" not in page


def test_nobody_overwrites_what_somebody_else_has_changed(browser, draft, kept):
    here = f"/planning/{draft.id}"
    page = browser.get(here).text
    assert send(browser, here, FORM, seen=seen_in(page), note="先来").status_code == 303
    for _ in range(2):  # sending the same again makes it no better
        answer = send(browser, here, FORM, seen=seen_in(page), vehicle="京A10002")
        page = answer.text
        assert answer.status_code == 409
        assert "这份草稿刚被他人修改" in page
        assert 'value="京A10002"' in page
    assert [run.note for run in kept()] == ["先来"]


def test_a_draft_is_not_changed_by_who_comes_to_a_site_or_leaves_it(session, browser, draft, staffed, clock):
    page = browser.get(f"/planning/{draft.id}").text
    session.get(Person, staffed.officers["south"].id).removed_at = clock.now()
    session.commit()
    assert send(browser, f"/planning/{draft.id}", FORM, seen=seen_in(page)).status_code == 303


def test_a_draft_whose_release_was_asked_for_meanwhile_is_not_edited(browser, draft):
    here = f"/planning/{draft.id}"
    page = browser.get(here).text
    form = FORM | {"seen": seen_in(page)}
    assert send(browser, here, form, do="release").status_code == 303
    answer = send(browser, here, form)
    assert (answer.status_code, 'name="do"' in answer.text) == (409, False)
    answer = send(browser, f"{here}/cancellation", {})
    assert (answer.status_code, "线路状态已变化" in obstacles(answer.text)[0]) == (409, True)


@pytest.mark.parametrize("then", ["edit", "give up", "another run"])
def test_a_run_that_nobody_released_in_time_is_a_draft_again(
    browser, log_in, staffed, draft, kept, clock, then
):
    here = f"/planning/{draft.id}"
    later = {"date": "2026-03-03", "do": "release"}
    assert send(browser, here, FORM, seen=seen_in(browser.get(here).text), **later).status_code == 303
    assert kept()[0].status == RunStatus.PROPOSED
    clock.pass_time(hours=24)
    browser = log_in(staffed.dispatcher)
    page = browser.get(here).text
    assert 'data-status="draft"' in page
    assert f"/planning/{draft.id}" in browser.get("/planning?date=2026-03-03").text
    assert browser.get(f"/api/runs/{draft.id}").json()["status"] == "draft"
    if then == "edit":
        assert send(browser, here, FORM, seen=seen_in(page), date="2026-03-04").status_code == 303
        assert [run.status for run in kept()] == [RunStatus.DRAFT]
    elif then == "give up":
        assert send(browser, f"{here}/cancellation", {}).status_code == 303
        assert [run.status for run in kept()] == [RunStatus.CANCELLED]
    else:
        assert send(browser, "/planning/new", FORM, **later).status_code == 303
        assert [run.status for run in kept()] == [RunStatus.DRAFT, RunStatus.PROPOSED]


def test_a_draft_is_given_up(browser, draft, kept):
    assert text("give_up_help", "zh") in browser.get(f"/planning/{draft.id}").text
    assert send(browser, f"/planning/{draft.id}/cancellation", {}).status_code == 303
    assert [run.status for run in kept()] == [RunStatus.CANCELLED]


def test_a_run_is_planned_again_for_another_day(browser, released):
    page = browser.get(f"/planning/{released.id}").text
    address = part_of(page, r'href="(/planning/new\?like=\d+)"')
    form = browser.get(address).text
    assert 'value="2026-03-03"' in form  # the day after
    assert "B000\nB001</textarea>" in form
    assert browser.get(f"{address}&date=2026-04-01").text.count('value="2026-04-01"') == 1


@pytest.mark.parametrize(
    ("crew", "said"),
    [
        ({"vehicle": "京A10001", "person": ["D001", "E001", "E000"], "duty": ["vehicle", "door", "door"]},
         "车辆和押运组与已发布的一致。"),
        ({"vehicle": "京A10001", "person": ["E000"], "duty": ["door"]}, "至少需要两名下车押运员。"),
        ({"vehicle": "", "person": ["E000", "E001"], "duty": ["door", "door"]}, "没有车牌为“”的车辆。"),
    ],
)  # fmt: skip
def test_a_change_that_does_not_hold_is_told_in_the_open_form(services, browser, released, crew, said):
    answer = send(browser, f"/planning/{released.id}/change", crew)
    assert answer.status_code == 422
    assert said in obstacles(answer.text)[0]
    assert '<details class="card" open>' in answer.text
    with services.database.reading() as session:
        assert four_eyes.open_approvals(session) == []


def test_while_a_handover_is_under_way_neither_change_nor_end_is_asked_for(session, browser, released, clock):
    stop = planning.stops_of(session, released)[0]
    set_stop_status(session, stop.id, StopStatus.UNDER_WAY, clock.now())
    session.commit()
    for path, form in (
        ("change", {"vehicle": "京A10002", "person": ["E002", "E003"], "duty": ["door", "door"]}),
        ("cancellation", {}),
    ):
        answer = send(browser, f"/planning/{released.id}/{path}", form)
        assert (answer.status_code, "有站点正在交接" in answer.text) == (409, True)


def test_who_may_only_look_finds_no_forms(session, log_in, staffed, released):
    session.commit()
    browser = log_in(staffed.users[Role.AUDITOR])
    day = browser.get(f"/planning?date={DAY}").text
    assert "京A10001" in day
    assert text("new_run", "zh") not in day
    page = browser.get(f"/planning/{released.id}").text
    assert "B000" in page
    assert "<details" not in page
    assert text("plan_again", "zh") not in page
    for path in ("/planning/new", f"/planning/{released.id}", f"/planning/{released.id}/cancellation"):
        assert browser.post(path, data=FORM).status_code == 403
    assert browser.get("/planning/new").status_code == 403
    assert log_in(staffed.users[Role.OFFICER]).get("/planning").status_code == 403


def test_the_days_are_gone_through(session, browser, released):
    page = browser.get("/planning").text
    assert "京A10001" in page  # today in Shanghai
    for other in ("2026-03-01", "2026-03-03"):
        assert f'href="/planning?date={other}"' in page
    assert text("no_runs_that_day", "zh") in browser.get("/planning?date=2026-03-03").text
    part = browser.get(f"/planning/part?date={DAY}").text
    assert "京A10001" in part
    assert "<html" not in part


@pytest.mark.parametrize("path", ["/planning?date=9999-12-31", "/planning?date=soon", "/planning/0"])
def test_a_mistyped_address_is_refused(browser, path):
    assert browser.get(path).status_code == 422


def test_a_run_that_does_not_exist_is_refused(browser):
    assert browser.get("/planning/99").status_code == 404
    assert browser.get("/planning/99/part").status_code == 404
    assert browser.get("/planning/new?like=99").status_code == 404


@pytest.mark.parametrize("column", ["person", "site", "boxes"])
def test_more_rows_than_any_run_has_are_refused(session, browser, column):
    assert send(browser, "/planning/new", FORM, **{column: ["x"] * 61}).status_code == 422
    assert send(browser, "/planning/new", FORM, duty=["thief"]).status_code == 422


@pytest.fixture
def looked_up(session, services):
    """looked_up() -> how often the database is asked for what the day's page shows of its runs."""
    asked = []
    event.listen(services.database.engine, "before_cursor_execute", lambda *_: asked.append(1))

    def count() -> int:
        session.commit()
        session.expunge_all()
        asked.clear()
        planning_view.runs_of(session, date(2026, 3, 2), "zh")
        return len(asked)

    return count


def test_a_day_of_many_runs_is_looked_up_together(session, looked_up, staffed, first, clock):
    def draft(*stops):
        return planning.create_run(session, first, plan(staffed, clock.now(), stops=stops)).id

    def released(number):
        session.get(Run, number).status = RunStatus.RELEASED

    two = plan(staffed, clock.now()).stops
    number = draft(two[0])
    one_stop = looked_up()
    planning.edit_run(session, first, session.get(Run, number), plan(staffed, clock.now(), stops=two))
    assert looked_up() == one_stop
    released(number)
    one_run = looked_up()
    released(draft(two[1]))
    assert looked_up() == one_run


def test_a_draft_whose_escort_has_been_removed_says_who(session, staffed, draft, browser, clock):
    session.get(Person, staffed.crew[0].id).removed_at = clock.now()
    session.commit()
    page = browser.get(f"/planning/{draft.id}").text
    assert "押运组：姓E000 已被删除。" in page
    answer = send(browser, f"/planning/{draft.id}", FORM, seen=seen_in(page))
    assert (answer.status_code, obstacles(answer.text)) == (422, ["押运组：没有工号为“E000”的人员。"])


def test_a_runs_stamp_changes_with_all_that_it_says(session, staffed, draft, clock):
    stamps = {planning_view.stamp(session, draft)}
    draft.note = "雨天"
    stamps.add(planning_view.stamp(session, draft))
    stop = planning.stops_of(session, draft)[0]
    stop.expires += timedelta(minutes=1)
    session.flush()
    stamps.add(planning_view.stamp(session, draft))
    assert len(stamps) == 3
