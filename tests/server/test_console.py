"""The pages: texts in both languages, every record in words, each role at its own page, forms that refuse."""

import asyncio
import json
import re
import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from doorward_protocol import errors, records
from doorward_server import console, reasons
from doorward_server.audit import entries
from doorward_server.audit.models import Decision
from doorward_server.clock import to_milliseconds
from doorward_server.console import describe, events, moments, pages
from doorward_server.console.texts import LANGUAGES, TEXTS, text
from doorward_server.handovers.models import HandoverEvent
from doorward_server.problems import ProblemAnswer
from doorward_server.security import sessions, users
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from sqlmodel import select

FOLDER = Path(console.__path__[0])
# Keys that are put together from a prefix and a value, and the values there are.
PREFIXES = (
    "role_",
    "person_",
    "run_",
    "stop_",
    "severity_",
    "step_",
    "door_",
    "door_event_",
    "state_",
    "guide_",
    "record_",
    "stage_",
    "kind_",
    "device_",
    "rows_",
    "duty_",
    "key_",
    "task_request_",
    "condition_",
    "aspect_",
    "measure_",
    "why_",
    "refused_",
    "entry_",
)


def _used_keys() -> set[str]:
    sources = [*FOLDER.rglob("*.html"), *FOLDER.glob("*.py")]
    found = set()
    for source in sources:
        if source.name.endswith("texts.py"):
            continue
        found |= set(re.findall(r"""["']([a-z]+(?:_[a-z]+)*)["']""", source.read_text()))
    return found


def test_every_text_stands_in_both_languages():
    for key, both in TEXTS.items():
        assert len(both) == 2, key
        assert all(both), key
        fields = [set(re.findall(r"{(\w+)}", one)) for one in both]
        assert fields[0] == fields[1], key


def test_templates_use_only_texts_that_exist():
    for template in FOLDER.rglob("*.html"):
        for key in re.findall(r"""\bt\('([a-z_]+)'[),]""", template.read_text()):
            assert key in TEXTS, f"{template.name}: {key}"


def test_no_text_is_left_over():
    used = _used_keys()
    for key in TEXTS:
        assert key in used or key.startswith(PREFIXES), key


def test_every_reason_has_a_phrase():
    assert set(errors.NAMES.values()) == set(reasons.PHRASES)
    assert reasons.phrase(errors.EARLY_VEHICLE, "en") == "vehicle is early"
    assert reasons.phrase(999, "zh") == "#999"


SAMPLES = {
    "uint": 1, "time": 1, "bool": True, "text": "x", "bytes": "e2", "hash": "00" * 32, "nonce": "00" * 8,
    "id16": "00" * 16, "unit": "00" * 8,
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(records.RECORDS))
def test_every_record_has_a_line(session, name, language):
    details = {}
    for field in records.RECORDS[name][1].split():
        field_name, kind = field.rstrip("?").split(":")
        details[field_name] = [] if kind.startswith("[") else SAMPLES[kind]
    event = HandoverEvent(
        id=1, unit_id=1, site_id=1, epoch=0, index=0, name=name, time=0, received=0, details=details
    )
    line = describe.Describer(session, language).line(event)
    assert line
    assert "{" not in line


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(-2001, ""), (-2000, "0.0 s"), (0, "0.0 s"), (1260, "1.3 s"), (99_999, "100.0 s"), (100_000, "1 min"),
     (5_999_999, "99 min"), (6_000_000, "1 h")],
)  # fmt: skip
def test_a_records_delay_is_shown_in_a_unit_of_its_size(milliseconds, shown):
    assert moments.delay(10_000, 10_000 + milliseconds) == shown


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-01-01T15:59:59+00:00", "23:59:59"),
        ("2025-12-31T16:00:00+00:00", "00:00:00"),
        ("2026-01-01T16:00:01+00:00", "01-02 00:00:01"),
        ("2025-12-31T15:59:59+00:00", "2025-12-31 23:59:59"),
    ],
)
def test_a_time_of_another_day_bears_its_date(moment, shown):
    zone, now = ZoneInfo("Asia/Shanghai"), datetime.fromisoformat("2026-01-01T04:00:00+00:00")
    then = datetime.fromisoformat(moment)
    assert moments.day_and_time(to_milliseconds(then), to_milliseconds(now), zone) == shown


@pytest.mark.parametrize(
    ("today", "shown"), [((2026, 1, 2), "00:30–01:00"), ((2026, 1, 1), "01-02 00:30–01:00")]
)
def test_a_window_of_another_day_bears_its_date(today, shown):
    begin = datetime.fromisoformat("2026-01-01T16:30:00+00:00")
    zone = ZoneInfo("Asia/Shanghai")
    assert moments.window_of_day(begin, begin + timedelta(minutes=30), date(*today), zone) == shown


def test_somebody_unknown_is_sent_to_the_login(client):
    answer = client.get("/wall", headers={"accept": "text/html"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?back=/wall")


def test_a_wrong_password_is_said_on_the_page_in_its_language(client):
    answer = client.post("/login?language=en", data={"login": "nobody", "password": "wrong wrong"})
    assert answer.status_code == 401
    assert "The login name or the password is wrong. Try again; check the keyboard" in answer.text
    answer = client.post("/login?language=zh", data={"login": "nobody", "password": "wrong wrong"})
    assert "用户名或密码不正确。请重试，并检查输入法。" in answer.text


@pytest.mark.parametrize(
    "back", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"]
)
def test_login_never_leads_to_another_site(client, back):
    answer = client.post("/login", data={"login": "a", "password": "b", "back": back}, follow_redirects=False)
    assert answer.status_code == 422


def test_each_role_lands_where_it_works(log_in, staffed):
    assert pages.first_page(staffed.users[Role.DUTY]) == "/wall"
    assert pages.first_page(staffed.users[Role.ADMINISTRATOR]) == "/approvals"
    north = staffed.sites["north"].id
    assert pages.first_page(staffed.users[Role.OFFICER]) == f"/host/{north}"
    page = log_in(staffed.users[Role.OFFICER]).get(f"/host/{north}")
    assert page.status_code == 200
    assert text("state_idle", "zh") in page.text


def test_who_has_no_page_is_told_so(session, log_in, staffed):
    officer = session.get(User, staffed.users[Role.OFFICER].id)
    officer.site_id = None
    session.commit()
    page = log_in(officer).get("/")
    assert (page.status_code, text("no_page", "zh") in page.text) == (200, True)


def test_the_centre_looks_at_a_branch_but_does_not_decide_there(log_in, staffed):
    site = staffed.sites["north"].id
    browser = log_in(staffed.users[Role.DUTY])
    assert browser.get(f"/host/{site}").status_code == 200
    form = {"handover": 1, "decision": "approve", "head_count": "2"}
    assert browser.post(f"/host/{site}/decide", data=form).status_code == 403


def test_an_officer_sees_neither_the_wall_nor_another_branch(log_in, staffed):
    browser = log_in(staffed.users[Role.OFFICER])
    assert browser.get("/wall").status_code == 403
    assert browser.get(f"/host/{staffed.sites['south'].id}").status_code == 404


def test_a_refusal_is_a_page_for_people_and_data_for_programs(log_in, staffed):
    browser = log_in(staffed.users[Role.OFFICER])
    page = browser.get("/wall", headers={"accept": "text/html"})
    assert (page.status_code, text("back_home", "zh") in page.text) == (403, True)
    assert browser.get("/wall").json()["reason"] == "not_allowed"


@pytest.mark.parametrize("path", ["/nowhere", "/host/north", "/host/999", f"/host/{10**30}"])
def test_a_mistyped_address_is_answered_by_a_page_in_the_users_language_alone(log_in, staffed, path):
    browser = log_in(staffed.users[Role.DUTY])
    assert browser.get(path).headers["content-type"] == "application/json"

    def main():
        page = browser.get(path, headers={"accept": "text/html"})
        assert page.status_code in (404, 422)
        return page.text.partition("<h1")[2].partition("</section>")[0]

    assert re.search(r"没有这个\w+.*请核对", main(), re.DOTALL)
    browser.post("/language", data={"language": "en", "back": "/wall"})
    assert re.search("There is no such .*Check the", main(), re.DOTALL)
    assert not re.search("[\u3400-\u9fff]", main())


@pytest.mark.parametrize(
    ("what_to_do", "language", "said"),
    [
        ("Wait a moment. 请按 OK 后稍等。", "zh", "离线。请按 OK 后稍等。"),
        ("Wait a moment. 请按 OK 后稍等。", "en", "Offline. Wait a moment."),
        ("Wait a moment.", "zh", "离线。Wait a moment."),
    ],
)
def test_a_refusal_is_told_with_its_remedy(what_to_do, language, said):
    answer = ProblemAnswer(
        reason="offline", message_zh="离线。", message_en="Offline.", what_to_do=what_to_do
    )
    assert pages.said_in_one(answer, language) == said


def test_the_wall_answers_in_the_users_language(log_in, staffed):
    browser = log_in(staffed.users[Role.DUTY])
    assert "运行总览" in browser.get("/wall").text
    browser.post("/language", data={"language": "en", "back": "/wall"})
    assert "Live wall" in browser.get("/wall").text


@pytest.mark.shows("F8")
def test_a_change_of_language_is_in_the_journal_like_any_other(log_in, staffed, services):
    duty = staffed.users[Role.DUTY]
    browser = log_in(duty)
    for language in ("en", "en"):
        answer = browser.post("/language", data={"language": language, "back": "/wall"})
        assert answer.url.path == "/wall"
    with services.database.reading() as session:
        query = select(Decision).where(Decision.kind == "user_changed")
        entry = entries.decode(session.exec(query).one().entry)
    assert (entry.subject, entry.actor) == (f"user:{duty.id}", duty.id)
    assert (entry.before, entry.after) == ({"language": "zh"}, {"language": "en"})


def test_approving_without_a_head_count_says_what_is_missing(log_in, staffed):
    north = staffed.sites["north"].id
    answer = log_in(staffed.users[Role.OFFICER]).post(
        f"/host/{north}/decide", data={"handover": 1, "picture": "", "decision": "approve"}
    )
    assert answer.status_code == 422
    assert text("head_count_missing", "zh") in answer.text


PAGES = {
    "/wall": Role.DUTY,
    "/alarms": Role.DUTY,
    "/approvals": Role.DUTY,
    "/planning": Role.DISPATCHER,
    "/planning/new": Role.DISPATCHER,
    "/import": Role.DISPATCHER,
    "/host/{north}": Role.OFFICER,
    "/host/{north}/requests": Role.OFFICER,
    "/login": Role.OFFICER,
    "/account": Role.OFFICER,
    "/audit": Role.AUDITOR,
    "/people": Role.DUTY,
    "/handovers": Role.AUDITOR,
    "/units": Role.DUTY,
    "/users": Role.ADMINISTRATOR,
}


@pytest.mark.parametrize("page", PAGES)
def test_pages_have_no_script_or_style_of_their_own(log_in, staffed, page):
    content = log_in(staffed.users[PAGES[page]]).get(page.format(north=staffed.sites["north"].id)).text
    assert "<style" not in content
    assert not re.search(r"""\s(style|on[a-z]+)=["']""", content)
    assert re.findall(r"<script(?! src=)", content) == []


def told(services, user, play):
    """What the page of a user is told while `play(token)` goes on: events, "alive", and "end"."""

    async def listen():
        with services.database.writing() as session:
            token = sessions.begin(session, user)
        stream = events.blocks(services, token)
        assert await anext(stream) == "retry: 2000\n\n"
        await asyncio.to_thread(play, token)
        heard = []
        while not heard or heard[-1] not in ("alive", "end"):
            block = await anext(stream, None)
            if block is None:
                heard.append("end")
            elif block.startswith("event: alive"):
                heard.append("alive")
            else:
                heard.append(json.loads(block.removeprefix("data: ")))
        return heard

    return asyncio.run(listen())


SPEECH = {"zh": ["/zh"], "en": ["/en"]}


def test_an_officer_is_told_of_the_own_site_alone(services, staffed, monkeypatch):
    monkeypatch.setattr(events, "KEEP_ALIVE_SECONDS", 0.1)
    north, south = (staffed.sites[name].id for name in ("north", "south"))

    def play(_token):
        services.live.publish("door", {"site": south, "name": "door"})
        services.live.publish("alarm", {"site": None, "alarm_site": north, "name": "duress"})
        services.live.publish(
            "door", {"site": north, "name": "door", "details": {"secret": 1}, "speech": SPEECH}
        )

    heard = told(services, staffed.users[Role.OFFICER], play)
    own = {"topic": "door", "site": north, "name": "door", "speech": ["/zh"]}  # nor that there was a third
    assert heard == [own, "alive"]
    assert len(told(services, staffed.users[Role.DUTY], play)) == 4


def test_what_happens_elsewhere_does_not_keep_a_page_from_hearing_that_it_is_connected(
    services, staffed, monkeypatch
):
    monkeypatch.setattr(events, "KEEP_ALIVE_SECONDS", 0.3)
    south, over = staffed.sites["south"].id, threading.Event()

    def go_on():
        while not over.wait(0.01):
            services.live.publish("door", {"site": south, "name": "door"})

    def heard():
        return told(services, staffed.users[Role.OFFICER], lambda _token: elsewhere.start())

    elsewhere = threading.Thread(target=go_on)
    patience = threading.Timer(5, over.set)
    patience.start()
    try:
        assert heard() == ["alive"]
        assert not over.is_set(), "it was heard only when nothing happened any more"
    finally:
        over.set()
        patience.cancel()
        elsewhere.join()


def test_the_stream_ends_with_the_login(services, staffed):
    def play(token):
        with services.database.writing() as session:
            sessions.log_out(session, token)
        services.live.publish("door", {"site": 1, "name": "door"})

    assert told(services, staffed.users[Role.DUTY], play) == ["end"]


def test_a_login_that_ends_in_silence_ends_the_stream_too(services, staffed, clock, monkeypatch):
    monkeypatch.setattr(events, "KEEP_ALIVE_SECONDS", 0.05)
    hours = services.settings.session_hours
    assert told(services, staffed.users[Role.DUTY], lambda _token: clock.pass_time(hours=hours)) == ["end"]


def test_the_stream_ends_with_the_server(services, staffed):
    assert told(services, staffed.users[Role.DUTY], lambda _token: services.live.close()) == ["end"]


def test_a_form_without_its_token_is_refused(app, log_in, staffed):
    browser = log_in(staffed.users[Role.DUTY])
    del browser.headers["x-csrf-token"]
    assert browser.post("/language", data={"language": "en"}).status_code == 403


@pytest.mark.parametrize("name", ["../routes.py", "..%2froutes.py", "nothing.css", "texts.py"])
def test_only_the_static_files_are_served(client, name):
    assert client.get(f"/static/{name}").status_code == 404


def test_the_login_leads_back_to_the_page_that_was_asked_for(client, services, staffed):
    with services.database.writing() as session:
        users.set_password(session, None, session.get(User, staffed.users[Role.DUTY].id), "a long password")
    page = client.get("/alarms", headers={"accept": "text/html"})
    assert '<input type="hidden" name="back" value="/alarms">' in page.text
    form = {"login": "duty", "password": "a long password", "back": "/alarms"}
    answer = client.post("/login", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/alarms")
    assert client.get("/login?back=//elsewhere.example").status_code == 422
