"""The lists at a desk, live: an alarm is heard and closed, a request waits for a second person."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect
from watched import Watched


@pytest.mark.shows("S15", "S19")
def test_an_alarm_comes_to_the_list_and_is_closed_with_a_note(window, stranger):
    duty = window()
    page = duty.log_in("duty1")
    page.get_by_role("link", name="报警").click()
    stranger("B02")
    newest = page.locator("article").first
    expect(newest).to_have_attribute("data-state", "new")
    duty.picture("alarms-new")
    newest.get_by_role("button", name="确认已知").click()
    expect(newest).to_have_attribute("data-state", "acknowledged")
    key = newest.get_attribute("id")
    alarm = page.locator(f'[id="{key}"]')
    alarm.get_by_label("处理说明").fill("路过的车")
    stranger("B02")  # another one comes while somebody types
    expect(page.locator("article").first).not_to_have_id(key or "")
    expect(alarm.get_by_label("处理说明")).to_have_value("路过的车")
    duty.picture("alarms-heard")
    alarm.get_by_role("button", name="关闭报警").click()
    expect(alarm).to_have_count(0)
    page.get_by_role("link", name="全部").click()
    expect(alarm).to_contain_text("路过的车")
    expect(alarm).to_have_attribute("data-state", "closed")
    duty.picture("alarms-all")


@pytest.mark.shows("F7", "S19")
def test_a_request_waits_for_somebody_else_and_is_decided(day, window):
    asker, decider = window(), window()
    first, second = asker.log_in("dispatch1"), decider.log_in("dispatch2")
    for page in (first, second):
        page.goto("/approvals")
        expect(page.locator("#request-none")).to_be_visible()
    ask_to_cancel(day, asker)
    expect(first.get_by_role("button", name="撤回申请")).to_be_visible()
    waiting = second.locator('[data-kind="run_cancel"]')
    expect(waiting).to_contain_text("陆瑶")
    expect(waiting).to_contain_text("HX-0005")
    decider.picture("approvals")
    waiting.get_by_label("备注").fill("线路照常")
    waiting.get_by_role("button", name="拒绝").click()
    for page in (first, second):
        expect(page.locator("#request-none")).to_be_visible()
    ask_to_cancel(day, asker)
    expect(second.locator('[data-kind="run_cancel"]')).to_be_visible()
    first.get_by_role("button", name="撤回申请").click()
    expect(second.locator("#request-none")).to_be_visible()


@pytest.mark.shows("S19")
def test_what_an_administrator_finds_after_the_login(window):
    visitor = window()
    page = visitor.log_in("admin")
    expect(page).to_have_url(f"{visitor.url}/approvals")
    expect(page.locator("#request-none")).to_be_visible()
    visitor.picture("approvals-none")
    page.get_by_role("link", name="用户").click()
    page.locator("summary", has_text="重置密码").first.click()
    page.locator("summary", has_text="删除用户").last.click()
    visitor.picture("users")
    page.get_by_role("link", name="人员").click()
    page.get_by_label("姓名或工号").fill("E100")
    page.get_by_role("button", name="查看").click()
    page.locator("summary").last.click()
    visitor.picture("people")
    page.get_by_role("link", name="批量导入").click()
    archive = {"name": "bank.zip", "mimeType": "application/zip", "buffer": b"no archive"}
    page.get_by_label("压缩包").set_input_files([archive])
    page.get_by_role("button", name="只检查").click()
    expect(page.locator("#findings")).to_contain_text("压缩包无法读取。")
    visitor.forgive("422")
    visitor.picture("import-refused")
    page.get_by_role("link", name="管理员").click()
    expect(page.get_by_label("当前密码")).to_be_visible()
    visitor.picture("account")


@pytest.mark.shows("F8", "S19")
def test_an_auditor_reads_the_journal_of_decisions_and_checks_it(window):
    visitor = window()
    page = visitor.log_in("auditor1")
    page.get_by_role("link", name="Journal").click()
    page.get_by_label("Kind").select_option("run_released")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".entries li").first).to_contain_text("status")
    visitor.picture("audit")
    page.get_by_role("link", name="Check the whole journal").click()
    expect(page.locator("#checked")).to_contain_text("All entries are whole")
    visitor.picture("audit-checked")
    page.get_by_role("link", name="Handovers").click()
    expect(page.get_by_role("heading", name="Handovers")).to_be_visible()
    visitor.picture("handovers")


def ask_to_cancel(day, asker: Watched) -> None:
    """The dispatcher asks for the cancellation of the run to B02, as programs do."""
    requests = asker.context.request
    today = datetime.now(ZoneInfo(zone_of(asker.page))).date().isoformat()
    runs = requests.get("/api/runs", params={"date": today}).json()
    run = next(one for one in runs if one["stops"][0]["site_id"] == day.sites["B02"])
    token = asker.page.locator("[name=csrf_token]").first.get_attribute("value") or ""
    answer = requests.post(f"/api/runs/{run['id']}/cancel-request", headers={"x-csrf-token": token})
    assert answer.status == 202, answer.text()


def zone_of(page: Page) -> str:
    return page.locator("#clock").get_attribute("data-zone") or ""
