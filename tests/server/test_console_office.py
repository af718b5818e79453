"""The pages of people in the office: one's own password, the users, and imports."""

import io
import re

import import_folder
import pytest
from doorward_server.console import import_view
from doorward_server.console.texts import text
from doorward_server.importing import workbook
from doorward_server.importing.columns import SHEETS
from doorward_server.security import four_eyes, passwords, users
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from openpyxl import load_workbook
from page_parts import part_of, problem_of
from sqlmodel import select

FORM = {
    "login": "qian.yi", "name": "钱一", "role": "officer", "site": "north", "person": "O-north",
    "first_half": "correct horse",
}  # fmt: skip


@pytest.fixture
def browser(log_in, staffed):
    """browser(role) -> a browser in which somebody of that role is logged in."""
    return lambda role: log_in(staffed.users[role])


@pytest.fixture
def user_of(services):
    """user_of(login) -> the user's row as it is kept, or None."""

    def look(login: str) -> User | None:
        with services.database.reading() as session:
            return session.exec(select(User).where(User.login == login)).first()

    return look


@pytest.fixture
def waiting(services):
    """waiting() -> the kinds of what waits for a second person."""

    def look() -> list[str]:
        with services.database.reading() as session:
            return [one.kind for one in four_eyes.open_approvals(session)]

    return look


@pytest.fixture
def with_password(session, staffed):
    """The auditor, who has a password."""
    auditor = session.get(User, staffed.users[Role.AUDITOR].id)
    users.set_password(session, None, auditor, "old password")
    session.commit()
    return auditor


@pytest.mark.shows("S19")
def test_somebody_changes_the_own_password_and_logs_in_again(with_password, log_in, settings, user_of):
    page = log_in(with_password)
    other = log_in(with_password)
    form = {"current": "old password", "new": "new password", "again": "new password"}
    answer = page.post("/account", data=form)
    assert answer.status_code == 200
    assert text("password_changed", "zh") in answer.text
    assert 'name="password"' in answer.text
    assert passwords.is_password(settings, user_of(with_password.login).password_hash, "new password")
    for browser in (page, other):  # all logins have ended
        assert browser.get("/account", follow_redirects=False).status_code == 401


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"current": "a wrong one"}, "当前密码不正确。"),
        ({"again": "another one"}, "两次输入的新密码不一致。"),
        ({"new": "short", "again": "short"}, "密码长度应为"),
    ],
)
def test_a_password_that_cannot_be_changed_stays(with_password, log_in, settings, user_of, changes, said):
    form = {"current": "old password", "new": "new password", "again": "new password"}
    answer = log_in(with_password).post("/account", data=form | changes)
    assert answer.status_code == 422
    assert problem_of(answer.text).startswith(said)
    assert passwords.is_password(settings, user_of(with_password.login).password_hash, "old password")


@pytest.mark.shows("F7", "S19")
def test_a_user_is_asked_for_at_the_page_and_made_by_a_second_person(browser, settings, user_of, staffed):
    answer = browser(Role.ADMINISTRATOR).post("/users", data=FORM)
    assert answer.url.path == "/approvals"
    assert user_of("qian.yi") is None
    duty = browser(Role.DUTY)
    decision = part_of(duty.get("/approvals").text, r"(/approvals/\d+/decision)")
    assert duty.post(decision, data={"decision": "approve", "second_half": " battery"}).status_code == 200
    made = user_of("qian.yi")
    assert made is not None
    assert (made.name, made.role, made.site_id) == ("钱一", "officer", staffed.sites["north"].id)
    assert made.person_id == staffed.officers["north"].id
    assert passwords.is_password(settings, made.password_hash, "correct horse battery")
    assert "qian.yi" in browser(Role.ADMINISTRATOR).get("/users").text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"login": "Qian Yi"}, "用户名“Qian Yi”不符合要求。"),
        ({"login": "dispatcher"}, "用户名 dispatcher 已被使用。"),
        ({"name": " "}, "请填写姓名。"),
        ({"site": "nowhere"}, "没有编码为“nowhere”的网点。"),
        ({"site": ""}, "营业专员和金库管理员必须属于一个网点。"),
        ({"person": "E999"}, "没有工号为“E999”的人员。"),
        ({"first_half": "short"}, "密码长度应为"),
    ],
)
def test_a_user_that_makes_no_sense_is_not_asked_for(browser, waiting, changes, said):
    typed = FORM | changes
    answer = browser(Role.ADMINISTRATOR).post("/users", data=typed)
    assert answer.status_code in (404, 409, 422)
    assert problem_of(answer.text).startswith(said)
    assert f'name="person" value="{typed["person"]}"' in answer.text
    assert "correct horse" not in answer.text  # half a password is typed again
    assert waiting() == []


def test_a_lost_password_is_asked_for_by_one_and_set_by_another(browser, staffed, settings, user_of):
    auditor = staffed.users[Role.AUDITOR]
    page = browser(Role.ADMINISTRATOR)
    assert "尚未设置密码" in page.get("/users").text
    short = page.post(f"/users/{auditor.id}/password", data={"first_half": "short"})
    assert (short.status_code, problem_of(short.text)[:6]) == (422, "密码长度应为")
    answer = page.post(f"/users/{auditor.id}/password", data={"first_half": "correct horse"})
    assert answer.url.path == "/approvals"
    duty = browser(Role.DUTY)
    decision = part_of(duty.get("/approvals").text, r"(/approvals/\d+/decision)")
    duty.post(decision, data={"decision": "approve", "second_half": " battery"})
    assert passwords.is_password(settings, user_of("auditor").password_hash, "correct horse battery")


def test_a_user_is_removed_and_nobody_removes_themselves(browser, staffed, user_of):
    page, auditor = browser(Role.ADMINISTRATOR), browser(Role.AUDITOR)
    own = staffed.users[Role.ADMINISTRATOR].id
    assert f"/users/{own}/removal" not in page.get("/users").text
    assert page.post(f"/users/{own}/removal").status_code == 409
    answer = page.post(f"/users/{staffed.users[Role.AUDITOR].id}/removal")
    assert answer.url.path == "/users"
    assert user_of("auditor").removed_at is not None
    assert "auditor" not in re.findall(r"<b>(.*?)</b>", answer.text)
    assert auditor.get("/wall", follow_redirects=False).status_code == 401
    assert page.post(f"/users/{staffed.users[Role.AUDITOR].id}/removal").status_code == 404


def test_only_administrators_come_to_the_users(browser):
    for role in set(Role) - {Role.ADMINISTRATOR}:
        page = browser(role)
        assert page.get("/users").status_code == 403
        assert 'href="/users"' not in page.get("/account").text
        assert page.post("/users", data=FORM).status_code == 403


@pytest.fixture
def packed(tmp_path):
    """packed(change) -> an archive of the sound bank, spoiled by `change`."""

    def pack(change=None) -> bytes:
        return import_folder.pack(import_folder.write(tmp_path / "bank", change))

    return pack


def hand_in(page, content: bytes, do: str):
    return page.post("/import", data={"do": do}, files={"archive": ("银行.zip", content, "application/zip")})


@pytest.mark.shows("S20", "S19")
def test_an_archive_is_checked_and_then_handed_in(browser, packed, waiting):
    page, content = browser(Role.ADMINISTRATOR), packed()
    answer = hand_in(page, content, "check")
    assert answer.status_code == 200
    for said in ("网点 2", "人员 5", "K001", "孙库", "陈调度"):
        assert said in answer.text
    assert waiting() == []
    assert hand_in(page, content, "request").url.path == "/approvals"
    assert waiting() == ["import"]
    again = hand_in(page, content, "request")
    assert (again.status_code, problem_of(again.text) != "") == (409, True)


@pytest.mark.parametrize("do", ["check", "request"])
def test_every_bad_place_of_an_archive_is_told(browser, packed, waiting, do):
    bad = import_folder.cell("sites", 1, "kind", "castle")
    answer = hand_in(browser(Role.DISPATCHER), packed(bad), do)
    assert answer.status_code == 422
    assert re.search(r"<td>sites</td><td class=\"number\">3</td><td>kind</td><td>.*castle", answer.text)
    assert waiting() == []


def test_what_is_no_archive_is_told(browser, waiting):
    answer = hand_in(browser(Role.DISPATCHER), b"no archive", "request")
    assert (answer.status_code, "压缩包无法读取。" in answer.text) == (422, True)
    assert "请重新打包为未加密的 .zip。" in answer.text
    assert waiting() == []


def test_an_archive_that_is_too_large_is_told_on_a_page(browser, waiting):
    page = browser(Role.ADMINISTRATOR)
    page.post("/language", data={"language": "en", "back": "/import"})
    headers = {"accept": "text/html", "content-length": str(10**9)}
    answer = page.post("/import", content=b"x", headers=headers)
    assert (answer.status_code, "<h1 data-said>The upload is too large.</h1>" in answer.text) == (413, True)
    assert answer.headers["content-security-policy"]
    foreign = page.post("/import", headers={"accept": "text/html", "origin": "https://elsewhere.example"})
    assert (foreign.status_code, "The request comes from another site" in foreign.text) == (403, True)


def test_more_bad_places_than_anybody_reads_are_counted(browser, packed, monkeypatch):
    monkeypatch.setattr(import_view, "MOST_SHOWN", 1)

    def two(rows, _headings):
        for row in rows["boxes"]:
            row[1] = "no hex"

    answer = hand_in(browser(Role.DISPATCHER), packed(two), "check")
    assert answer.text.count("<td>boxes</td>") == 1
    assert text("import_findings_more", "zh", count=1) in answer.text


def test_who_may_not_import_does_not(browser, packed):
    page = browser(Role.DUTY)
    assert page.get("/import").status_code == 403
    assert page.get("/import/workbook").status_code == 403
    assert hand_in(page, packed(), "check").status_code == 403
    assert 'href="/import"' not in page.get("/account").text


def test_the_empty_workbook_has_all_headings_and_can_be_read(browser):
    answer = browser(Role.ADMINISTRATOR).get("/import/workbook")
    assert 'filename="bank.xlsx"' in answer.headers["content-disposition"]
    sheets = load_workbook(io.BytesIO(answer.content))
    headings = {sheet.title: [cell.value for cell in sheet[1]] for sheet in sheets}
    assert headings == {name: [column.name for column in columns] for name, columns in SHEETS.items()}
    assert sheets["sites"]["A1"].font.bold
    assert not sheets["sites"]["F1"].font.bold  # a printer may be left out
    assert sheets["boxes"]["B2"].number_format == "@"  # digits of a tag stay as they are typed
    assert [found.reason for found in workbook.read(answer.content).findings] == ["empty_workbook"]
