"""Imports over HTTP: handed in by one, let in by another, sealed while they wait."""

import threading

import import_folder
import pytest
from doorward_server.importing import service
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from import_folder import cell
from sqlmodel import select


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "bank"


@pytest.fixture
def browsers(log_in, staffed):
    return {role: log_in(user) for role, user in staffed.users.items()}


def upload(browser, content, address="/api/imports"):
    return browser.post(address, files={"archive": ("bank.zip", content, "application/zip")})


@pytest.mark.shows("S20", "F7")
def test_a_second_person_lets_people_in(browsers, folder, services):
    import_folder.write(folder, cell("sites", 1, "name_zh", "新城北"))
    answer = upload(browsers[Role.ADMINISTRATOR], import_folder.pack(folder))
    assert answer.status_code == 202
    decision = f"/api/approvals/{answer.json()['approval_id']}/decision"
    page = browsers[Role.DUTY].get("/approvals").text
    for said in ("K001", "孙库", "金库管理员", "指纹 1、2", "照片", "陈调度", "新增"):
        assert said in page, f"whoever approves sees {said}"
    (waiting,) = (services.settings.data / "imports").iterdir()
    assert b"bank.xlsx" not in waiting.read_bytes(), "what waits is sealed"
    before = {one["staff_number"] for one in browsers[Role.DUTY].get("/api/people").json()}
    assert "K001" not in before
    own = browsers[Role.ADMINISTRATOR].post(decision, json={"approve": True})
    assert own.json()["reason"] == "same_person"
    done = browsers[Role.DUTY].post(decision, json={"approve": True})
    assert (done.status_code, done.json()["state"]) == (200, "approved")
    sites = {site["code"]: site["name_zh"] for site in browsers[Role.DUTY].get("/api/sites").json()}
    assert sites["north"] == "新城北"
    assert not waiting.exists()


def test_whoever_approves_is_told_how_many_are_not_listed(browsers, folder, monkeypatch):
    monkeypatch.setattr(service, "LISTED", 2)
    import_folder.write(folder)
    upload(browsers[Role.ADMINISTRATOR], import_folder.pack(folder))
    page = browsers[Role.DUTY].get("/approvals").text
    assert "<dt>未列出</dt><dd>4</dd>" in page, "three of five people and one of three logins"
    assert "K001" in page, "who is new comes first"
    assert "张伟" not in page


@pytest.mark.shows("S20")
def test_a_refused_import_leaves_nothing_behind(browsers, folder, services):
    import_folder.write(folder)
    answer = upload(browsers[Role.DISPATCHER], import_folder.pack(folder))
    decision = f"/api/approvals/{answer.json()['approval_id']}/decision"
    browsers[Role.DUTY].post(decision, json={"approve": False})
    assert list((services.settings.data / "imports").iterdir()) == []
    assert "K001" not in {one["staff_number"] for one in browsers[Role.DUTY].get("/api/people").json()}


def test_a_bad_archive_is_not_even_asked_for(browsers, folder):
    import_folder.write(folder, cell("people", 0, "role", "boss"))
    answer = upload(browsers[Role.DISPATCHER], import_folder.pack(folder))
    assert (answer.status_code, answer.json()["reason"]) == (422, "import_invalid")
    (found,) = answer.json()["details"]
    assert (found["sheet"], found["row"], found["column"]) == ("people", 2, "role")
    assert browsers[Role.DISPATCHER].get("/api/approvals").json() == []


def test_a_check_keeps_nothing(browsers, folder, services):
    import_folder.write(folder)
    report = upload(browsers[Role.DISPATCHER], import_folder.pack(folder), "/api/imports/check").json()
    assert (report["findings"], report["rows"]["people"]) == ([], {"rows": 5})
    assert list((services.settings.data / "imports").iterdir()) == []


def test_what_is_asked_for_twice_is_kept_once(browsers, folder, services):
    import_folder.write(folder)
    answers = [upload(browsers[Role.DISPATCHER], import_folder.pack(folder)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 409]
    assert len(list((services.settings.data / "imports").iterdir())) == 1


@pytest.mark.parametrize("address", ["/api/imports", "/api/imports/check"])
def test_nobody_waits_with_writing_while_an_archive_is_looked_at(
    browsers, folder, services, monkeypatch, address
):
    import_folder.write(folder)
    written = threading.Event()

    def write():
        with services.database.writing() as session:
            session.exec(select(User.id)).all()
        written.set()

    def judge(session, source):
        threading.Thread(target=write, daemon=True).start()
        assert written.wait(5), "the request holds the write lock"
        return original(session, source)

    original = service.judge
    monkeypatch.setattr(service, "judge", judge)
    assert upload(browsers[Role.DISPATCHER], import_folder.pack(folder), address).status_code < 300


def test_what_waits_and_was_changed_is_not_imported(browsers, folder, services):
    import_folder.write(folder)
    answer = upload(browsers[Role.DISPATCHER], import_folder.pack(folder))
    (waiting,) = (services.settings.data / "imports").iterdir()
    waiting.write_bytes(waiting.read_bytes()[:-1] + b"\x00")
    decision = f"/api/approvals/{answer.json()['approval_id']}/decision"
    answer = browsers[Role.DUTY].post(decision, json={"approve": True})
    assert (answer.status_code, answer.json()["reason"]) == (409, "changed_since_request")


def test_archives_that_nobody_waits_for_are_deleted_at_start(services):
    orphan = services.settings.data / "imports" / "00.sealed"
    orphan.write_bytes(b"left over")
    service.forget_orphans(services)
    assert not orphan.exists()
