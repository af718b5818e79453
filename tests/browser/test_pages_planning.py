"""Planning in the browser: two dispatchers plan, release and change a run; its branch sees what changed."""

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect
from steps import SECOND_VAN


@pytest.mark.shows("S4", "S19", "S21", "D4")
def test_a_run_is_planned_released_and_changed_and_its_branch_acknowledges(day, window):
    planner, approver, branch = window(), window(), window()
    page, second, officer = planner.log_in("dispatch1"), approver.log_in("dispatch2"), branch.log_in("o3001")
    page.get_by_role("link", name="线路编排").click()
    tomorrow = date.fromisoformat(page.get_by_label("日期", exact=True).input_value()) + timedelta(days=1)
    page.get_by_role("link", name="后一天").click()
    expect(page.locator("#run-none")).to_be_visible()
    page.get_by_role("link", name="新建线路").click()
    expect(page.get_by_label("日期", exact=True)).to_have_value(tomorrow.isoformat())
    page.get_by_label("车牌").fill(SECOND_VAN)
    type_crew(page, {"E1003": "door", "D2002": "vehicle"})
    stop = page.get_by_role("group", name="第 1 站")
    stop.get_by_label("网点编码").fill("B01")
    stop.get_by_label("最早到达").fill("00:01")
    stop.get_by_label("最晚到达").fill("00:31")
    stop.get_by_label("款箱和封签").fill("HX-0006 S-61\n")
    planner.picture("plan-typed")
    page.get_by_role("button", name="保存并申请发布").click()
    expect(page.locator("#run-against li")).to_have_text("押运组：至少需要两名下车押运员。")
    planner.picture("plan-draft")
    type_crew(page, {"E1003": "door", "E1004": "door", "D2002": "vehicle"})
    page.get_by_role("button", name="保存并申请发布").click()
    expect(page.locator("#run-waits")).to_be_visible()
    approve(second, "run_release")
    expect(page.locator("#version-1")).to_be_visible()  # without being asked for
    expect(officer.locator(".changed")).to_have_count(0)
    page.reload()
    page.locator("summary", has_text="变更车辆或押运组").click()
    type_crew(page, {"E1001": "door", "E1004": "door", "D2002": "vehicle"})
    page.get_by_role("button", name="申请变更").click()
    expect(page.locator("#run-waits")).to_be_visible()
    approve(second, "run_change")
    expect(page.locator("#version-2")).to_contain_text("王强")
    expect(page.locator("#run-content")).to_contain_text("网点未确认变更")
    planner.picture("plan-changed")
    changed = officer.locator(".changed")
    expect(changed).to_contain_text("赵敏")  # who was to come
    branch.picture("host-order-changed")
    changed.get_by_role("button", name="已核对变更").click()
    expect(changed).to_have_count(0)
    page.reload()
    expect(page.locator("#run-content")).not_to_contain_text("网点未确认变更")
    page.goto(f"/planning?date={tomorrow}")
    expect(page.locator("section.planned")).to_have_count(1)
    planner.picture("plan-day")


@pytest.mark.shows("S21", "S19")
def test_a_branch_asks_for_a_visit_and_hears_what_becomes_of_it(window):
    planner, branch = window(), window()
    page, officer = planner.log_in("dispatch1"), branch.log_in("o3001")
    page.goto("/planning")
    expect(page.locator("#open-requests")).to_have_count(0)
    officer.get_by_role("link", name="任务申请").click()
    for boxes in ("HX-0004 S-41", ""):
        officer.get_by_label("任务", exact=True).select_option("collect")
        officer.get_by_label("最早到达").fill("15:00")
        officer.get_by_label("最晚到达").fill("16:30")
        officer.get_by_label("款箱和封签").fill(boxes)
        officer.get_by_role("button", name="提交申请").click()
    asked = page.locator("#open-requests li")
    expect(asked).to_have_count(2)  # without being asked for
    planner.picture("plan-requests")
    asked.nth(1).get_by_label("原因").fill("当天没有空车")
    asked.nth(1).get_by_role("button", name="不接受").click()
    expect(asked).to_have_count(1)
    expect(officer.locator('[data-state="declined"]')).to_contain_text("当天没有空车")
    branch.picture("requests")
    asked.get_by_role("link", name="编入新线路").click()
    expect(page.get_by_label("款箱和封签").first).to_have_value("HX-0004 S-41")
    page.get_by_label("车牌").fill(SECOND_VAN)
    page.get_by_role("button", name="保存草稿").click()
    expect(officer.locator('[data-state="planned"]')).to_be_visible()
    page.locator("summary", has_text="放弃草稿").click()
    page.get_by_role("button", name="放弃草稿").click()
    expect(page.locator('#run-content[data-status="cancelled"]')).to_be_visible()
    officer.locator('[data-state="open"]').get_by_role("button", name="撤回申请").click()
    expect(officer.locator('[data-state="withdrawn"]')).to_be_visible()


def type_crew(page: Page, crew: dict[str, str]) -> None:
    """Type staff numbers and duties into the first rows; the others become empty."""
    numbers = page.get_by_label(re.compile(r"押运组第 \d+ 人的工号"))
    duties = page.get_by_label(re.compile(r"^第 \d+ 人的职责"))
    rows = [*crew.items(), *[("", "door")] * (numbers.count() - len(crew))]
    for row, (number, duty) in enumerate(rows):
        numbers.nth(row).fill(number)
        duties.nth(row).select_option(duty)


def approve(page: Page, kind: str) -> None:
    page.goto("/approvals")
    page.locator(f'[data-kind="{kind}"]').get_by_role("button", name="批准").click()
    expect(page.locator("#request-none")).to_be_visible()
