"""Requests of the sites for visits: asked for at a branch, planned, declined or withdrawn (S21)."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from doorward_server.audit import entries
from doorward_server.audit.models import Decision
from doorward_server.console import request_view
from doorward_server.console.texts import text
from doorward_server.planning import progress, requests
from doorward_server.planning import service as planning
from doorward_server.planning.models import StopKind, StopStatus
from doorward_server.planning.plan import PlannedBox
from doorward_server.planning.requests import RequestState
from doorward_server.problems import Problem
from doorward_server.security import four_eyes
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from server_bank import plan, stop
from sqlmodel import col, select

DAY = "2026-03-02"
YESTERDAY = datetime(2026, 2, 28, tzinfo=UTC)
FORM = {
    "date": DAY,
    "kind": "collect",
    "begin": "15:00",
    "end": "16:00",
    "boxes": "B004 S9\nB005",
    "note": "急",
}


@pytest.fixture
def officer(session, staffed) -> User:
    return session.get(User, staffed.users[Role.OFFICER].id)


@pytest.fixture
def ask(session, staffed, officer, clock):
    """ask(**changes of the stop) -> a request of the north."""

    def request(**changes):
        wished = stop(staffed, clock.now(), "north", boxes=(4, 5), kind=StopKind.COLLECT, **changes)
        return requests.ask(session, officer, wished, "急")

    return request


@pytest.fixture
def planned(session, staffed, first, clock):
    """planned(*sites) -> a draft that stops there."""

    def run(*sites):
        stops = tuple(
            stop(staffed, clock.now(), site, hours=at, boxes=(number,))
            for number, (at, site) in enumerate(enumerate(sites, 1))
        )
        return planning.create_run(session, first, plan(staffed, clock.now(), stops=stops))

    return run


@pytest.fixture
def state(session):
    return lambda request: requests.state_of(session, request)


def test_a_request_becomes_a_stop_with_what_was_asked_for(session, staffed, ask):
    request = ask()
    wished = requests.stop_for(request)
    assert (wished.site_id, wished.kind) == (staffed.sites["north"].id, StopKind.COLLECT)
    assert wished.boxes == tuple(PlannedBox(staffed.boxes[n].id, f"S{n}") for n in (4, 5))
    assert requests.open_ones(session) == [request]


def test_a_request_is_where_its_run_is(session, staffed, ask, planned, first, state, clock):
    request, run = ask(), planned("north")
    requests.take_in(session, first, run, [request.id])
    assert state(request) == RequestState.PLANNED
    approval = planning.release_request(session, first, run)
    assert state(request) == RequestState.PLANNED
    four_eyes.decide(session, session.get(User, staffed.dispatcher2.id), approval, approve=True)
    assert state(request) == RequestState.RELEASED
    progress.set_stop_status(session, planning.stops_of(session, run)[0].id, StopStatus.CLOSED, clock.now())
    assert state(request) == RequestState.DONE
    assert requests.open_ones(session) == []


def test_a_run_that_is_given_up_leaves_its_requests_open(session, ask, planned, first, state):
    request, run = ask(), planned("north")
    requests.take_in(session, first, run, [request.id])
    planning.cancel_draft(session, first, run)
    assert state(request) == RequestState.OPEN
    again = planned("north")
    requests.take_in(session, first, again, [request.id])
    assert (state(request), request.run_id) == (RequestState.PLANNED, again.id)


def test_a_stop_taken_out_of_the_run_leaves_its_request_open(
    session, staffed, ask, planned, first, state, clock
):
    request, run = ask(), planned("north", "south")
    requests.take_in(session, first, run, [request.id])
    only_south = plan(staffed, clock.now(), stops=(stop(staffed, clock.now(), "south"),))
    planning.edit_run(session, first, run, only_south)
    assert state(request) == RequestState.OPEN


def test_a_request_whose_stop_was_taken_out_does_not_come_back_for_another_one(
    session, staffed, ask, planned, first, state, clock
):
    earlier, later, run = ask(), ask(hours=3), planned("north", "south")
    requests.take_in(session, first, run, [earlier.id])
    south = stop(staffed, clock.now(), "south")
    planning.edit_run(session, first, run, plan(staffed, clock.now(), stops=(south,)))
    evening = stop(staffed, clock.now(), "north", hours=3, boxes=(5,))
    planning.edit_run(session, first, run, plan(staffed, clock.now(), stops=(south, evening)))
    requests.take_in(session, first, run, [later.id])
    assert [state(earlier), state(later)] == [RequestState.OPEN, RequestState.PLANNED]
    told = session.exec(select(Decision.subject).where(Decision.kind == "task_request_reopened")).all()
    assert told == [f"task_request:{earlier.id}"]


def test_a_visit_that_took_place_is_done_whatever_becomes_of_the_rest(
    session, staffed, ask, planned, first, state, clock
):
    morning, evening, run = ask(), ask(hours=3), planned("north", "south", "north")
    requests.take_in(session, first, run, [morning.id, evening.id])
    second = session.get(User, staffed.dispatcher2.id)
    planning.release_approve(session, second, planning.release_request(session, first, run))
    done, *_ = planning.stops_of(session, run)
    progress.set_stop_status(session, done.id, StopStatus.FROZEN, clock.now())
    assert state(morning) == RequestState.RELEASED
    progress.set_stop_status(session, done.id, StopStatus.CLOSED, clock.now())
    assert [state(morning), state(evening)] == [RequestState.DONE, RequestState.RELEASED]
    four_eyes.decide(session, second, planning.cancel_request(session, first, run), approve=True)
    assert [state(morning), state(evening)] == [RequestState.DONE, RequestState.OPEN]


def test_the_stop_of_its_kind_serves_a_request(session, staffed, ask, first, state, clock):
    request = ask()
    bring, fetch = (
        stop(staffed, clock.now(), "north", hours=hours, boxes=(hours,), kind=kind)
        for hours, kind in ((1, StopKind.DELIVER), (2, StopKind.COLLECT))
    )
    run = planning.create_run(session, first, plan(staffed, clock.now(), stops=(bring, fetch)))
    requests.take_in(session, first, run, [request.id])
    second = session.get(User, staffed.dispatcher2.id)
    planning.release_approve(session, second, planning.release_request(session, first, run))
    for row, then in zip(planning.stops_of(session, run), ("released", "done"), strict=True):
        progress.set_stop_status(session, row.id, StopStatus.CLOSED, clock.now())
        assert state(request) == then


def test_a_draft_that_nobody_released_in_time_leaves_its_request_passed(
    session, ask, planned, first, state, clock
):
    request, run = ask(), planned("north")
    requests.take_in(session, first, run, [request.id])
    clock.pass_time(hours=2)
    assert state(request) == RequestState.PASSED


def test_one_stop_serves_one_request(session, ask, planned, first, state):
    morning, evening, run = ask(), ask(hours=3), planned("north")
    requests.take_in(session, first, run, [morning.id, evening.id])
    assert [state(morning), state(evening)] == [RequestState.PLANNED, RequestState.OPEN]


def test_a_request_whose_time_has_passed_is_no_longer_planned(session, ask, planned, first, state, clock):
    request, run = ask(), planned("north")
    clock.pass_time(hours=2)
    assert state(request) == RequestState.PASSED
    assert requests.open_ones(session) == []
    requests.take_in(session, first, run, [request.id, 99])
    assert request.run_id is None


def test_a_request_ends_once(session, ask, planned, officer, first, state):
    withdrawn, declined, taken = ask(), ask(hours=2), ask(hours=3)
    requests.withdraw(session, officer, withdrawn)
    requests.decline(session, first, declined, "今天没有车")
    requests.take_in(session, first, planned("north"), [taken.id, withdrawn.id])
    assert [state(one) for one in (withdrawn, declined, taken)] == ["withdrawn", "declined", "planned"]
    for request in (withdrawn, declined, taken):
        with pytest.raises(Problem, match="request_not_open"):
            requests.withdraw(session, officer, request)
        with pytest.raises(Problem, match="request_not_open"):
            requests.decline(session, first, request, "不行")


def test_what_is_done_to_a_request_is_in_the_journal(session, ask, planned, officer, first):
    ends = [ask(), ask(hours=2), ask(hours=3)]
    requests.withdraw(session, officer, ends[0])
    requests.decline(session, first, ends[1], "今天没有车")
    requests.take_in(session, first, planned("north"), [ends[2].id])
    query = select(Decision).where(col(Decision.kind).startswith("task_request"))
    told = [entries.decode(one.entry) for one in session.exec(query.order_by(col(Decision.index)))]
    assert [(one.kind, one.actor) for one in told] == [
        *[("task_requested", officer.id)] * 3,
        ("task_request_withdrawn", officer.id),
        ("task_request_declined", first.id),
        ("task_request_planned", first.id),
    ]
    before, after = told[4].before, told[4].after
    assert before is not None
    assert after is not None
    assert (before["answer"], after["answer"]) == ("", "今天没有车")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"window_until": datetime(2026, 3, 1, 23, 0, tzinfo=UTC)}, "window_order"),
        ({"window_until": datetime(2026, 3, 9, tzinfo=UTC)}, "window_long"),
        ({"window_from": YESTERDAY, "window_until": YESTERDAY + timedelta(hours=1)}, "window_passed"),
        ({"kind": "steal"}, "kind_unknown"),
        ({"boxes": tuple(PlannedBox(number) for number in range(101))}, "too_many_boxes"),
    ],
)
def test_what_no_plan_could_hold_is_not_asked_for(session, staffed, officer, clock, changes, reason):
    wished = replace(stop(staffed, clock.now(), "north"), **changes)
    with pytest.raises(Problem, match="plan_invalid") as told:
        requests.ask(session, officer, wished, "")
    assert [one["reason"] for one in told.value.answer.details] == [reason]


def test_a_site_asks_for_itself_and_not_for_more_than_anybody_reads(
    session, staffed, officer, ask, clock, monkeypatch
):
    with pytest.raises(Problem, match="not_found"):
        requests.ask(session, officer, stop(staffed, clock.now(), "south"), "")
    monkeypatch.setattr(requests, "MOST_OPEN", 2)
    withdrawn = ask()
    ask()
    with pytest.raises(Problem, match="too_many_requests"):
        ask()
    requests.withdraw(session, officer, withdrawn)
    ask()


@pytest.fixture
def branch_page(session, log_in, staffed, officer, first):
    session.commit()
    return log_in(staffed.users[Role.OFFICER])


@pytest.fixture
def here(staffed) -> str:
    return f"/host/{staffed.sites['north'].id}/requests"


@pytest.mark.shows("S21", "S19")
def test_a_branch_asks_and_a_dispatcher_plans_it_into_a_run(branch_page, here, log_in, staffed, services):
    dispatcher = log_in(staffed.dispatcher)
    assert branch_page.post(here, data=FORM).url.path == here
    assert text("task_request_open", "zh") in branch_page.get(here).text
    page = dispatcher.get("/planning?date=2026-04-01").text  # whatever day is shown
    assert re.search(r"B004</span>.*?S9.*?B005</span>.*?急", page, re.DOTALL)
    form = dispatcher.get("/planning/new?request=1").text
    for typed in (f'value="{DAY}"', 'value="north"', 'value="15:00"', "B004 S9\nB005</textarea>"):
        assert typed in form
    assert '<input type="hidden" name="request" value="1">' in form
    run = FORM | {"vehicle": "京A10001", "person": ["E000", "E001"], "site": ["north"], "request": ["1"]}
    assert dispatcher.post("/planning/new", data=run).status_code == 200
    assert text("task_request_planned", "zh") in branch_page.get(here).text
    assert "open-requests" not in dispatcher.get("/planning").text
    with services.database.reading() as session:
        assert requests.get_request(session, 1).run_id == 1


def test_a_request_goes_into_a_draft_of_its_day(session, ask, planned, log_in, staffed):
    request, run = ask(), planned("south")
    session.commit()
    dispatcher = log_in(staffed.dispatcher)
    address = f"/planning/{run.id}?request={request.id}"
    assert address in dispatcher.get("/planning").text
    form = dispatcher.get(address).text
    assert form.count('name="site" value="north"') == form.count('name="site" value="south"') == 1
    assert f'name="request" value="{request.id}"' in form


def test_two_planners_do_not_plan_one_request_twice(branch_page, here, log_in, staffed, services):
    one, other = log_in(staffed.dispatcher), log_in(staffed.dispatcher2)
    branch_page.post(here, data=FORM)
    run = FORM | {"vehicle": "京A10001", "person": ["E000", "E001"], "site": ["north"], "request": ["1"]}
    assert one.post("/planning/new", data=run, follow_redirects=False).status_code == 303
    late = other.post("/planning/new", data=run | {"note": "雨天"})
    assert late.status_code == 409
    assert "其中的任务申请已被编入其他线路" in late.text
    assert 'value="雨天"' in late.text
    assert 'name="request"' not in late.text  # kept again, it is a run of its own
    assert other.get("/planning/new?request=1").status_code == 409
    assert other.get("/planning/new?request=9").status_code == 404
    with services.database.reading() as session:
        assert planning.list_runs(session, date(2026, 3, 2))[1:] == []


def test_a_request_does_not_move_a_draft_to_its_own_day(session, ask, planned, log_in, staffed):
    today, tomorrow, run = ask(), ask(hours=24), planned("south")
    session.commit()
    dispatcher = log_in(staffed.dispatcher)
    for address in (f"/planning/{run.id}?", f"/planning/new?request={today.id}&"):
        answer = dispatcher.get(f"{address}request={tomorrow.id}")
        assert (answer.status_code, "该申请与线路不在同一天" in answer.text) == (409, True)


def test_a_withdrawal_that_comes_too_late_is_told(session, ask, planned, first, log_in, staffed, here):
    request = ask()
    requests.take_in(session, first, planned("north"), [request.id])
    session.commit()
    answer = log_in(staffed.users[Role.OFFICER]).post(f"{here}/{request.id}/withdrawal")
    assert answer.status_code == 409
    assert re.search(r"(?s)data-said>.*该申请已有结果", answer.text)  # live.js shows what is marked so


def test_a_request_offers_the_newest_drafts_of_its_day(session, ask, planned, log_in, staffed, monkeypatch):
    monkeypatch.setattr(request_view, "MOST_DRAFTS", 2)
    request, runs = ask(), [planned("south"), planned("south"), planned("south")]
    session.commit()
    page = log_in(staffed.dispatcher).get("/planning").text
    offered = [f"/planning/{run.id}?request={request.id}" in page for run in runs]
    assert offered == [False, True, True]


def test_a_branch_reads_why_its_request_was_declined(branch_page, here, log_in, staffed):
    dispatcher = log_in(staffed.dispatcher)
    branch_page.post(here, data=FORM)
    blank = dispatcher.post("/requests/1/refusal", data={"answer": "  "}, headers={"accept": "text/html"})
    assert (blank.status_code, "请填写原因。" in blank.text) == (422, True)
    assert dispatcher.post("/requests/1/refusal", data={"answer": "今天没有车"}).status_code == 200
    page = branch_page.get(here).text
    assert "今天没有车" in page
    assert text("task_request_declined", "zh") in page
    assert branch_page.post(f"{here}/1/withdrawal").status_code == 409


def test_a_branch_takes_its_request_back(branch_page, here):
    branch_page.post(here, data=FORM)
    assert f"{here}/1/withdrawal" in branch_page.get(here).text
    branch_page.post(f"{here}/1/withdrawal")
    page = branch_page.get(f"{here}/part").text
    assert text("task_request_withdrawn", "zh") in page
    assert f"{here}/1/withdrawal" not in page


def test_what_is_typed_wrong_stays_typed(branch_page, here):
    answer = branch_page.post(here, data=FORM | {"boxes": "B999", "end": "15:00"})
    assert answer.status_code == 422
    assert "任务申请：没有编号为“B999”的款箱。" in answer.text
    answer = branch_page.post(here, data=FORM | {"end": "15:00"})
    assert "任务申请：时间窗的开始须早于结束。" in answer.text
    assert 'value="急"' in answer.text
    assert text("no_task_requests", "zh") in answer.text


def test_each_sees_and_does_what_is_theirs(branch_page, here, log_in, staffed):
    branch_page.post(here, data=FORM)
    elsewhere = f"/host/{staffed.sites['south'].id}/requests"
    assert branch_page.get(elsewhere).status_code == 404
    assert branch_page.post(elsewhere, data=FORM).status_code == 404
    assert branch_page.post(f"{elsewhere}/1/withdrawal").status_code == 404
    assert branch_page.post("/requests/1/refusal", data={"answer": "不行"}).status_code == 403
    keeper = log_in(staffed.users[Role.KEEPER])
    vault = f"/host/{staffed.sites['vault'].id}/requests"
    assert keeper.post(f"{vault}/1/withdrawal").status_code == 404
    auditor = log_in(staffed.users[Role.AUDITOR])
    page = auditor.get(here).text
    assert "B004" in page
    assert "<form class" not in page
    assert auditor.post(here, data=FORM).status_code == 403
    assert text("decline", "zh") not in auditor.get("/planning").text


def test_pages_of_the_site_and_of_the_centre_are_told(session, services, ask, staffed):
    told = []
    services.live.publish = lambda topic, payload: told.append((topic, payload["site"]))
    ask()
    session.commit()
    assert told == [("orders", staffed.sites["north"].id)]
