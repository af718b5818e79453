"""What several browser tests do and look for."""

from playwright.sync_api import Locator, Page, expect
from street import Street

# Two vans, two stops each, all due now: tests at different branches do not depend on one another.
FIRST_VAN, SECOND_VAN = "京A·Y0316", "京A·Y0742"
BOXES = ["HX-0001", "HX-0004", "HX-0007"]


def van_arrives(street: Street, unit: str, vehicle: str) -> None:
    """A van stops at the gate, and the unit is ready for its crew's fingers."""
    street.do("van_arrives", vehicle=vehicle, unit=unit)
    street.wait("shown", prompt="touch_finger", panel="outer", unit=unit, within="30s")


def crew_touches(street: Street, unit: str, fingers: dict[str, int | None]) -> None:
    """Exactly these people {staff number: finger} stand at the outer panel; who has a finger lays it on."""
    street.do("stand", people=list(fingers), unit=unit)
    for person, finger in fingers.items():
        if finger is not None:
            street.do("touch", person=person, panel="outer", finger=finger, unit=unit)


def expect_state(page: Page, state: str, seconds: float = 10) -> None:
    """The host screen shows a handover in this state."""
    host = page.locator("#part-host > .host")
    expect(host).to_have_attribute("data-state", state, timeout=seconds * 1000)


def expect_loaded(image: Locator) -> None:
    """A picture is there and could be drawn."""
    expect(image).to_be_visible()
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") > 0
