"""One bank's morning for the browser tests: the real server, three simulated units in real time, Chromium.

The bank lies in the zone where it is ten o'clock now, so that no plan meets midnight. These tests run in a
process of their own (`pytest tests/browser`): Playwright keeps an event loop running and people hurry, which
no other test must see.
"""

import time
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from doorward_simulator import site
from doorward_simulator.devices import door
from doorward_simulator.scenario_loader import Scenario
from doorward_simulator.stage import Stage
from doorward_tools.prepare import prepare
from doorward_tools.served import Server
from playwright.sync_api import expect, sync_playwright
from steps import BOXES, FIRST_VAN, SECOND_VAN
from street import Street
from watched import Watched

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE_MS = 10_000
UNITS = ["B01", "B02", "B03"]
_STRANGERS = count(1)


@pytest.fixture(scope="session")
def day(tmp_path_factory):
    """A prepared bank, its server running, and the street with the units powered on and ready.

    People are in a hurry and doors close quickly, for here they do so in real time.
    """
    folder = tmp_path_factory.mktemp("bank")
    hurry = pytest.MonkeyPatch()
    hurry.setattr(site, "TOUCH_MS", 1500)
    hurry.setattr(door, "CLOSING_MS", 1200)
    zone, begins = _mid_morning()
    settings = {"timezone": zone, "argon2_time_cost": 1, "argon2_memory_kib": 8}
    plan = [
        _run(begins, FIRST_VAN, ["E1001", "E1002"], "D2001", {"B01": BOXES, "B03": ["HX-0003"]}),
        _run(begins, SECOND_VAN, ["E1003", "E1004"], "D2002", {"B02": ["HX-0002", "HX-0005"]}),
    ]
    preparation = prepare(folder / "day", 1, begins, UNITS, plan, settings)
    server = Server(preparation.data, folder / "server.txt", {name: str(to) for name, to in settings.items()})
    server.start()
    try:
        preparation.epoch = time.time_ns() // 1_000_000
        scenario = Scenario("browser", {}, [], begins, UNITS, plan, [])
        address = ("127.0.0.1", server.port)
        with (
            Stage(scenario, preparation, None, folder / "world", 1.0, address) as stage,
            Street(stage) as street,
        ):
            for unit in UNITS:
                street.wait("ready", unit=unit, within="30s")
            yield SimpleNamespace(server=server, street=street, sites=preparation.sites)
    finally:
        server.stop()
        hurry.undo()
    assert not server.complaints()


@pytest.fixture(scope="session")
def chromium():
    """launch(*more arguments) -> a running Chromium."""
    if not Path(CHROMIUM).exists():
        pytest.fail("Chromium is missing. Install it: sudo apt-get install --yes chromium", pytrace=False)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        yield lambda *more: playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *more])


@pytest.fixture(scope="session")
def sounding(chromium):
    """A browser in which pages may sound at once."""
    browser = chromium("--autoplay-policy=no-user-gesture-required")
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def muting(chromium):
    """A browser that blocks sound nobody has asked for."""
    browser = chromium("--autoplay-policy=document-user-activation-required")
    yield browser
    browser.close()


@pytest.fixture
def window(day, sounding):
    """window(size=…, browser=…) -> a window; in the end nothing may have gone wrong in any."""
    windows = []

    def open_window(browser=None, **settings) -> Watched:
        windows.append(Watched(browser or sounding, day.server.url, **settings))
        return windows[-1]

    yield open_window
    for one in windows:
        one.context.close()
    assert [problem for one in windows for problem in one.problems] == []


@pytest.fixture
def stranger(day):
    """stranger(unit): a tag that no bank knows passes a gate, and the unit records it."""

    def pass_by(unit: str) -> None:
        epc = f"3100{next(_STRANGERS):020x}"
        day.street.do("stranger_arrives", epc=epc, tid="e2" * 12, unit=unit)
        day.street.wait("record", kind="vehicle_refused", having={"reason": "unknown_tag"}, unit=unit)
        day.street.do("van_leaves", vehicle=epc, unit=unit)

    return pass_by


def _mid_morning() -> tuple[str, datetime]:
    """The zone in which it is between ten and eleven now, and the time there, without its zone."""
    now = datetime.now(UTC)
    ahead = (10 - now.hour + 11) % 24 - 11
    # The names count the other way round (IANA database, "Etc" area).
    return f"Etc/GMT{-ahead:+d}", (now + timedelta(hours=ahead)).replace(tzinfo=None)


def _run(now: datetime, vehicle: str, door: list[str], driver: str, boxes: dict[str, list[str]]) -> dict:
    """A run as scenarios write it, each of its stops due now."""
    window = [f"{now - timedelta(minutes=5):%H:%M}", f"{now + timedelta(minutes=55):%H:%M}"]
    stops = [
        {"site": site, "kind": "deliver", "window": window, "boxes": found} for site, found in boxes.items()
    ]
    return {"vehicle": vehicle, "door": door, "drive": [driver], "stops": stops}
