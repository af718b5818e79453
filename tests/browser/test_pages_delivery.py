"""A run's morning as the officers at two branches and the duty operator at the centre see it, live.

At the first branch all goes well; at the second one an officer refuses the crew, one of whom gives the duress
finger. Then a second van comes to the first branch for the finished task.
"""

import pytest
from doorward_protocol.suite_openssl import OpenSSLSuite
from doorward_server.evidence import verifier
from doorward_server.evidence.pack import read
from playwright.sync_api import Page, expect
from steps import BOXES, FIRST_VAN, crew_touches, expect_loaded, expect_state, van_arrives
from street import Street
from watched import WALL, Watched

INDEX, DURESS = 2, 3
STRANGER = "30" * 12


@pytest.mark.shows("S1", "S3", "S15", "S19", "S21", "S22", "D9", "F9")
def test_a_run_is_followed_live_and_the_door_obeys_the_host_screen(day, window, muting):
    street = day.street
    branch, next_branch, centre = window(), window(), window(browser=muting, size=WALL)
    wall = wall_asks_for_sound(centre)
    host = branch.log_in("o3001")
    expect_state(host, "idle")
    expect(host.locator("#expected-large .plate")).to_have_text(FIRST_VAN)
    branch.picture("host-waiting")

    van_arrives(street, "B01", FIRST_VAN)
    van_and_crew_are_announced(host, wall)
    branch.picture("host-arrived")
    crew_touches(street, "B01", {"E1001": INDEX})
    expect_loaded(host.locator('[data-person="E1001"] img').nth(1))
    expect(host.locator('[data-person="E1002"] .missing')).to_have_text("等待按指纹")
    crew_touches(street, "B01", {"E1002": INDEX, "E1001": None})
    pictures_wait_for_the_officer(branch, centre)
    what_is_typed_survives_an_event(host, street)
    approving_opens_one_door_after_the_other(host, street)
    boxes_turn_green(host, street)
    branch.picture("host-boxes")
    street.do("touch", person="O3001", panel="inner", unit="B01")
    street.do("touch", person="E1001", panel="inner", unit="B01")
    expect_state(host, "closed")
    expect(wall.locator('[data-site="B01"]')).to_have_attribute("data-state", "closed")
    branch.picture("host-closed")
    report = branch.context.request.get(host.locator("#report a").get_attribute("href"))
    assert report.headers["content-type"] == "application/pdf"
    crew_leaves(street)

    # The van drives on; at the first branch its tag has to be gone for a while before it counts as left.
    refusal_at_the_next_branch(day, next_branch, centre)
    expect_state(host, "left", seconds=40)
    expect(wall.locator('[data-event="left"]')).to_have_count(1)
    centre.picture("wall-after")
    a_second_van_comes(branch, centre, street)
    the_centre_lets_a_frozen_task_begin_again(day, next_branch, centre)
    an_auditor_takes_the_evidence_away(window())
    heard = [event["name"] for event in wall.evaluate("window.heard") if event.get("speech")]
    assert set(heard) >= {"vehicle", "crew", "approval", "closed", "left", "twin_vehicle"}
    for page in (host, wall):  # S1 and S15: both speak
        spoken = page.evaluate("window.spoken")
        assert spoken[0] == "/api/speech/test"
        assert len([address for address in spoken if address.startswith("/api/speech/events/")]) >= 3


def an_auditor_takes_the_evidence_away(auditor: Watched) -> None:
    """What the units of this morning signed is proved far from the server: of the delivery that went well."""
    page = auditor.log_in("auditor1")
    page.get_by_role("link", name="Handovers").click()
    auditor.picture("handovers-of-a-day")
    done = page.locator("li", has_text=FIRST_VAN).filter(has=page.get_by_role("link", name="Handover report"))
    with page.expect_download() as download:
        done.first.get_by_role("button", name="Evidence pack").click()
    pack = read(download.value.path().read_bytes())
    assert verifier.check(pack, OpenSSLSuite()) == []
    assert len(pack.pictures) >= 3
    assert len(pack.evidence.commands) == 1


def wall_asks_for_sound(centre: Watched) -> Page:
    """The wall of a computer that nobody has touched is muted, says so, and sounds after a click."""
    centre.page.goto("/login?language=zh")
    centre.picture("login")
    centre.log_in_unseen("duty1")
    wall = centre.page
    wall.goto("/wall")
    expect(wall.locator("#muted")).to_be_visible()
    centre.picture("wall-muted")
    wall.click("#muted button")
    expect(wall.locator("#muted")).to_be_hidden()
    return wall


def van_and_crew_are_announced(host: Page, wall: Page) -> None:
    expect_state(host, "arrived")
    expect(host.locator("#now-plate")).to_have_text(FIRST_VAN)
    for staff_number, name in (("E1001", "王强"), ("E1002", "李建国"), ("D2001", "孙磊")):
        person = host.locator(f'[data-person="{staff_number}"]')
        expect(person).to_contain_text(name)
        expect(person).to_contain_text(staff_number)
        expect_loaded(person.locator("img").first)
    expect(wall.locator('[data-site="B01"]')).to_have_attribute("data-state", "under_way")
    expect(wall.locator('[data-event="vehicle"]').first).to_contain_text(FIRST_VAN)


def pictures_wait_for_the_officer(branch: Watched, centre: Watched) -> None:
    """Both pictures of everybody, the one to count heads in, and both buttons, without scrolling."""
    host = branch.page
    expect_state(host, "crew")
    for person in ("E1001", "E1002"):
        for side in (0, 1):
            expect_loaded(host.locator(f'[data-person="{person}"] img').nth(side))
    expect_loaded(host.locator("#decide img"))
    for button in ("放行", "拒绝"):
        expect(host.get_by_role("button", name=button)).to_be_in_viewport(ratio=1)
    expect(centre.page.locator('[data-site="B01"]')).to_contain_text("等待比对")
    branch.picture("host-comparing")
    centre.picture("wall-during")


def what_is_typed_survives_an_event(host: Page, street: Street) -> None:
    """Somebody else's van stops at the gate while the officer types: the page changes, the typing stays."""
    host.select_option("#reason", "head_count_mismatch")
    host.fill("#head_count", "2")
    photo = host.locator('[data-person="E1001"] img').first.element_handle()
    street.do("stranger_arrives", epc=STRANGER, tid="e2" * 12, unit="B01")
    expect(host.locator("#notice-vehicle_refused")).to_be_visible()
    expect(host.locator("#head_count")).to_have_value("2")
    expect(host.locator("#head_count")).to_be_focused()
    expect(host.locator("#reason")).to_have_value("head_count_mismatch")
    assert photo.evaluate("image => image.isConnected"), "the page was thrown away and made anew"
    street.do("van_leaves", vehicle=STRANGER, unit="B01")


def approving_opens_one_door_after_the_other(host: Page, street: Street) -> None:
    street.wait("door", door="outer", state="locked", unit="B01", within="0s")
    host.get_by_role("button", name="放行").click()
    street.wait("door", door="outer", state="released", unit="B01")
    street.do("push", door="outer", unit="B01")
    street.wait("door", door="outer", state="open", unit="B01")
    expect_state(host, "approved")
    expect(host.locator('[data-door="outer"]')).to_have_attribute("data-state", "opened")
    street.wait("door", door="inner", state="released", unit="B01")
    street.do("push", door="inner", unit="B01")
    expect(host.locator('[data-door="inner"]')).to_have_attribute("data-state", "opened")


def boxes_turn_green(host: Page, street: Street) -> None:
    expect(host.locator(".box")).to_have_text(BOXES)
    expect(host.locator(".box.good")).to_have_count(0)
    street.wait("shown", prompt="reading_boxes", panel="inner", unit="B01")
    street.do("put_boxes", boxes=BOXES, unit="B01")
    expect(host.locator(".box.good")).to_have_count(3)
    street.wait("shown", prompt="officer_finger", panel="inner", unit="B01")


def crew_leaves(street: Street) -> None:
    street.do("press", button="APPROVE", unit="B01")
    street.wait("door", door="inner", state="released", unit="B01")
    street.do("push", door="inner", unit="B01")
    street.wait("door", door="outer", state="released", unit="B01", within="20s")
    street.do("push", door="outer", unit="B01")
    street.wait("door", door="outer", state="open", unit="B01")
    street.do("van_leaves", vehicle=FIRST_VAN, unit="B01")


def refusal_at_the_next_branch(day, branch: Watched, centre: Watched) -> None:
    """A refused crew stays outside; a silent alarm shows at the centre and nowhere else."""
    host, wall, street = branch.log_in("o3004"), centre.page, day.street
    van_arrives(street, "B03", FIRST_VAN)
    crew_touches(street, "B03", {"E1001": DURESS})
    crew_touches(street, "B03", {"E1002": INDEX, "E1001": None})
    expect_state(host, "crew")
    expect(wall.locator('.alarm.critical[data-rule="duress"]')).to_be_visible()
    centre.picture("wall-duress")
    host.get_by_label("Refuse if something differs").select_option("picture_mismatch")
    host.get_by_role("button", name="Refuse").click()
    expect_state(host, "frozen")
    expect(host.locator("h1")).to_contain_text("a face is not the same")
    expect(wall.locator('[data-site="B03"]')).to_have_attribute("data-state", "frozen")
    street.wait("door", door="outer", state="locked", unit="B03", within="0s")
    branch.picture("host-frozen-english")
    heard = host.evaluate("window.heard")
    assert {event["site"] for event in heard} == {day.sites["B03"]}
    assert "duress" not in {event["name"] for event in heard}
    assert "uress" not in host.content()


def a_second_van_comes(branch: Watched, centre: Watched, street: Street) -> None:
    """It is refused, the centre is alarmed, and an alarm counts until somebody has acknowledged it."""
    wall = centre.page
    street.do("van_arrives", vehicle=FIRST_VAN, unit="B01")
    alarm = wall.locator('.alarm[data-rule="twin_vehicle"]')
    expect(alarm).to_be_visible()
    expect(branch.page.locator("#notice-vehicle_refused")).to_contain_text("任务已经完成")
    centre.picture("wall-critical")
    branch.picture("host-second-van")
    unheard = wall.locator(".figures .bad b")
    before = int(unheard.inner_text())
    alarm.get_by_role("button").click()
    expect(wall.locator('.alarm.heard[data-rule="twin_vehicle"]')).to_contain_text("宋岩")
    expect(unheard).to_have_text(str(before - 1))
    street.do("van_leaves", vehicle=FIRST_VAN, unit="B01")


def the_centre_lets_a_frozen_task_begin_again(day, branch: Watched, centre: Watched) -> None:
    """Nobody at the branch may; who watches does it at the branch's own screen, and says why."""
    host, page = branch.page, centre.open()
    expect(host.locator("#restart")).to_have_count(0)
    day.street.do("van_leaves", vehicle=FIRST_VAN, unit="B03")
    page.goto(f"/host/{day.sites['B03']}")
    page.get_by_label("原因").fill("照片重新核对过")
    page.get_by_role("button", name="重新开始任务").click()
    expect_state(host, "restarted")
    expect_state(page, "restarted")
    page.close()
