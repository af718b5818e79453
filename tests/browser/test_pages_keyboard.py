"""Without a mouse: from the login to the open door."""

import pytest
from playwright.sync_api import Locator, Page, expect
from steps import SECOND_VAN, crew_touches, expect_loaded, expect_state, van_arrives
from watched import password

INDEX = 2


@pytest.mark.shows("S19")
def test_the_keyboard_alone_suffices_to_log_in_and_approve(day, window):
    branch, street = window(), day.street
    page = branch.page
    page.goto("/login?language=en")
    expect(page.get_by_label("User name")).to_be_focused()  # a browser gives the focus when it has painted
    page.keyboard.type("o3003")
    page.keyboard.press("Tab")
    page.keyboard.type(password("o3003"))
    page.keyboard.press("Enter")
    expect_state(page, "idle")
    tab_to(page, page.get_by_role("button", name="English"))
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    van_arrives(street, "B02", SECOND_VAN)
    crew_touches(street, "B02", {"E1003": INDEX})
    crew_touches(street, "B02", {"E1004": INDEX, "E1003": None})
    expect_state(page, "crew")
    expect_loaded(page.locator("#decide img"))
    tab_to(page, page.get_by_label("Head count"))
    page.keyboard.type("2")
    branch.picture("host-comparing-english")
    street.wait("door", door="outer", state="locked", unit="B02", within="0s")
    tab_to(page, page.get_by_role("button", name="Approve"))
    page.keyboard.press("Enter")
    street.wait("door", door="outer", state="released", unit="B02")
    expect_state(page, "approved")


def tab_to(page: Page, target: Locator) -> None:
    """Go to an element with the Tab key alone."""
    for _ in range(40):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key never comes to {target}")
