"""The units' pages: in words, for whom, from which other pages, and how they stay up to date."""

import re
from datetime import timedelta

import pytest
from doorward_protocol import errors, records
from doorward_server.backup.archive import Manifest
from doorward_server.backup.settle import settle
from doorward_server.console import unit_view
from doorward_server.console.texts import TEXTS, text
from doorward_server.link import state
from doorward_server.security.roles import Role
from doorward_server.units import service, thresholds
from doorward_server.units.thresholds import Finding, state_of


@pytest.fixture
def unit(branch):
    """The north branch's unit, connected: it is fetching."""
    now = branch.clock.milliseconds()
    state.note_online(branch.session, branch.unit.id, now)
    told(branch, health=["camera: camera_failed"])
    have(branch, bytes(32))
    branch.session.commit()
    return branch.unit


def told(branch, **changes):
    now = branch.clock.milliseconds()
    fields = {
        "manifest": 1, "epoch": 1, "size": 5, "acknowledged": 0, "clock": 0, "time": now, "firmware": "1.0",
        "health": [],
    }  # fmt: skip
    state.note_status(branch.session, branch.unit.id, {**fields, **changes}, now, first=False)


def have(branch, *missing):
    fields = {"manifest": 1, "complete": not missing, "missing": list(missing)}
    state.note_have(branch.session, branch.unit.id, fields)


def aspects(branch, language="en") -> dict[str, str]:
    shown = unit_view.build(branch.session, branch.unit.id, language)
    return {aspect["name"]: aspect["text"] for aspect in shown["aspects"]}


def whys(branch) -> dict[str, str]:
    shown = unit_view.build(branch.session, branch.unit.id, "en")
    return {entry["kind"]: entry["why"] for entry in shown["entries"]}


@pytest.mark.shows("F3", "F6")
def test_the_list_and_the_unit_say_what_is_wrong(log_in, staffed, unit):
    browser = log_in(staffed.users[Role.DUTY])
    page = browser.get("/units").text
    for said in ("north站", "摄像头：摄像头故障", "正在获取，还缺 1 项", "偏差 +0.0 秒", "已连接"):
        assert said in page, said
    assert f'href="/units/{unit.id}"' in page
    page = browser.get(f"/units/{unit.id}").text
    for said in ("名册", "任务单", "07:00–07:30", "第 1 版", unit.kid.hex(), "第 1 代，5 条"):
        assert said in page, said
    assert f'href="/host/{unit.site_id}"' in page


@pytest.mark.shows("F3")
def test_each_entry_says_why_it_differs(branch, unit):
    assert whys(branch) == dict.fromkeys(("manifest", "configuration", "order", "prompts", "roster"), "")
    roster = next(
        one for one in unit_view.build(branch.session, unit.id, "en")["entries"] if one["kind"] == "roster"
    )
    have(branch, bytes.fromhex(roster["desired"]["hash"]))
    assert {kind: why for kind, why in whys(branch).items() if why} == {
        "roster": "fetching, still missing: 1"
    }
    branch.record("refusal", what="blob", reference=None, reason=errors.FLASH_FULL, detail="")
    assert whys(branch)["roster"] == "refused a content: storage is full"
    branch.clock.pass_time(minutes=1)
    state.note_offline(branch.session, unit.id, branch.clock.milliseconds())
    assert whys(branch)["roster"] == "not connected since 06:01:00"
    assert aspects(branch)["connection"] == "not connected since 06:01:00"
    branch.clock.pass_time(days=3)
    service.refresh(branch.session, unit)
    assert whys(branch)["order"] == (
        "revoked, and the unit does not know yet · not connected since 03-02 06:01:00"
    )
    assert whys(branch)["manifest"] == "not connected since 03-02 06:01:00"


@pytest.mark.shows("F6")
def test_each_aspect_says_what_was_found(branch, unit):
    have(branch)
    said = aspects(branch)
    assert said["sensors"] == "camera: camera failed"
    assert said["contents"] == "holds all of manifest 1 · its manifest is fresh until 03-03 06:00:00"
    assert said["power"] == "starts in 24 h: 0"
    told(branch, health=["journal: flash_full", "secure_boot: unprotected", "a part of tomorrow"])
    branch.record("storage", name="journal", used=95, total=100)
    branch.record("input", name=records.INPUT_TAMPER, active=True)
    branch.record("boot", reason=3, firmware="1.0", tests=[["card_reader", False]], manifest=1)
    told(branch, health=["journal: flash_full", "secure_boot: unprotected", "a part of tomorrow"], clock=1)
    assert aspects(branch) == {
        "connection": "connected",
        "clock": "the unit does not trust its clock",
        "contents": said["contents"],
        "sensors": "a part of tomorrow · staff-card reader: failed the self-test of the last start",
        "storage": "journal store: storage is full · journal store: 95 % full",
        "power": "restarted by the watchdog in 24 h: 1",
        "tamper": "A unit is being tampered with",
        "protection": "secure boot: chip not protected",
    }
    about = {one["key"]: one["value"] for one in unit_view.build(branch.session, unit.id, "en")["about"]}
    assert (about["last_start"], about["firmware"]) == ("06:00:00 · watchdog", "1.0")


def test_a_unit_that_never_connected_says_so(branch):
    said = aspects(branch, "zh")
    assert said["connection"] == "06:00:00 登记后从未连接"
    assert said["contents"] == "从未连接"
    assert said["sensors"] == text("not_reported", "zh")


def test_what_a_hostile_unit_says_stays_text(branch, unit, log_in, staffed):
    told(branch, health=["<script>alert(1)</script>: camera_failed", "{since}", "x" * 3000], firmware="<b>")
    branch.session.commit()
    browser = log_in(staffed.users[Role.DUTY])
    for path in ("/units", f"/units/{unit.id}"):
        page = browser.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text


def test_who_sees_units_and_who_does_not(log_in, staffed, unit):
    for role in Role:
        may = role not in (Role.OFFICER, Role.KEEPER)
        for path in ("/units", f"/units/{unit.id}", "/units/part", f"/units/{unit.id}/part"):
            assert log_in(staffed.users[role]).get(path).status_code == (200 if may else 403), (role, path)
    assert log_in(staffed.users[Role.DUTY]).get("/units/999").status_code == 404


def test_who_is_told_of_nothing_sees_of_when_the_page_is(log_in, staffed, unit):
    """Administrators hear nothing of what happens: their page does not change by itself."""
    administrator, duty = (log_in(staffed.users[role]) for role in (Role.ADMINISTRATOR, Role.DUTY))
    for path in ("/units", f"/units/{unit.id}"):
        assert "截至 06:00:00" in administrator.get(path).text
        assert "截至" not in duty.get(path).text
    assert f"/host/{unit.site_id}" not in administrator.get(f"/units/{unit.id}").text


def test_the_wall_and_an_alarm_lead_to_the_unit(branch, unit, log_in, staffed):
    branch.record("input", name=records.INPUT_TAMPER, active=True)
    branch.session.commit()
    page = log_in(staffed.users[Role.DUTY]).get("/wall").text
    assert re.search(rf'<b><a href="/units/{unit.id}">north站</a></b>', page)
    assert re.search(r'<a href="/units">在线单元</a>', page)


def test_more_units_than_a_page_holds_stand_on_several(branch, unit, log_in, staffed, monkeypatch):
    monkeypatch.setattr(unit_view, "PAGE_LENGTH", 1)
    service.register_unit(
        branch.session, b"unit-002", staffed.sites["south"], b"\4" * 64, b"\5" * 64, b"\6" * 64
    )
    branch.session.commit()
    browser = log_in(staffed.users[Role.DUTY])
    first, second = browser.get("/units").text, browser.get("/units?page=2").text
    assert [page.count("<section") for page in (first, second)] == [1, 1]
    assert ('href="/units?page=2"' in first, 'data-part="/units/part?page=2"' in second) == (True, True)
    assert re.findall(rf'href="([^"]*)">{text("previous_page", "zh")}', second) == ["/units"]
    assert text("no_units", "zh") in browser.get("/units?page=9").text
    for page in ("0", "-1", "x", "9" * 30):
        assert browser.get(f"/units?page={page}").status_code == 422


def test_the_page_is_fetched_again_when_time_makes_something_worse(branch, unit):
    assert unit_view.build(branch.session, unit.id, "zh")["stale_in"] == 90_000
    branch.clock.pass_time(seconds=89)
    assert unit_view.build_list(branch.session, "zh", 1)["stale_in"] == 1000


def test_each_measure_has_words_for_each_of_its_states():
    for one in thresholds.THRESHOLDS:
        assert f"measure_{one.measure}" in TEXTS
        assert f"aspect_{one.aspect}" in TEXTS
        good = state_of(Finding(one.measure, None, {}))
        assert good == thresholds.GOOD
    assert {f"condition_{one}" for one in thresholds.STATES} == {
        key for key in TEXTS if key.startswith("condition_")
    }
    assert timedelta(minutes=15) == timedelta(milliseconds=thresholds.THRESHOLDS[0].bad or 0)


@pytest.mark.shows("F3", "S23")
def test_between_a_restore_and_its_confirmation_the_pages_say_why_nothing_reaches_the_units(
    branch, unit, log_in, staffed
):
    def told_on(address: str) -> str:
        return watching.get(address).text

    watching = log_in(staffed.users[Role.DUTY])
    said = text("restore_waits", "zh")
    assert said not in told_on("/units") + told_on("/planning")
    settle(branch.session, Manifest(branch.clock.milliseconds(), "", "", 0, {}), [], {})
    told(branch, manifest=7)
    branch.session.commit()
    watching = log_in(staffed.users[Role.DUTY])  # every login has ended
    for address in ("/units", "/units/part", "/planning", "/planning/part"):
        assert said in told_on(address), address
    page = told_on(f"/units/{unit.id}")
    assert page.count("服务器于 06:00:00 从备份恢复") == 6  # of the condition, and of each entry
    assert page.count(f"{text('held_unknown', 'zh')}</td>") == 5
    assert f"{text('not_there', 'zh')}</td>" not in page
