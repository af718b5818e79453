"""The units' pages, live: one loses its power, comes to the top of the list, and is well again."""

import pytest
from playwright.sync_api import expect


@pytest.mark.shows("F3", "F6")
def test_a_unit_without_power_comes_to_the_top_and_says_since_when(day, window):
    watcher = window()
    page = watcher.log_in("duty1")
    rows = watcher.context.request.get("/api/units").json()
    third = next(row["id"] for row in rows if row["site"] == day.sites["B03"])
    page.get_by_role("link", name="在线单元").click()
    unit = page.locator(f"#unit-{third}")
    expect(unit).to_have_attribute("data-state", "good")
    expect(page.locator("section.unit")).to_have_count(3)
    watcher.picture("units")
    day.street.do("power_off", unit="B03")
    expect(unit.locator('[data-aspect="connection"]')).to_contain_text("起未连接")
    expect(page.locator("section.unit").first).to_have_id(f"unit-{third}")
    watcher.picture("units-one-away")
    unit.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.locator('tr[data-kind="roster"]')).to_contain_text("一致")
    watcher.picture("unit-away")
    day.street.do("power_on", unit="B03")
    expect(page.locator("#condition")).to_have_attribute("data-state", "good")
    expect(page.locator('[data-aspect="power"]')).to_contain_text("24 小时内启动 2 次")
    page.get_by_role("button", name="English").click()
    expect(page.locator('[data-aspect="tamper"]')).to_contain_text("not tampered with")
    watcher.picture("unit-english")
