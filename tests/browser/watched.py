"""A browser window that notes whatever goes wrong in it: on its console, in its scripts, in its requests."""

from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, expect

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
LOOK = Path(__file__).with_name("look.js").read_text()
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
OLD_MONITOR = (1024, 768)
WALL = (1920, 1080)
# A telephone upright, and a desk's window of 1280 pixels at 200 % (WCAG 2.2 §1.4.4).
SMALL = {"telephone": (390, 844), "twice": (640, 400)}
# An independent judge of WCAG 2.2 at levels A and AA, and of what else helps those who do not see the page.
_JUDGE = """
async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const found = await axe.run({ runOnly: tags, resultTypes: ["violations"], preload: false });
  return found.violations.flatMap(({ id, help, nodes }) => nodes.map((one) => `${id}: ${help}: ${one.html}`));
}
"""
# What the browser itself calls off: a stream that ends with its page, a sound that another one replaces.
CALLED_OFF = "net::ERR_ABORTED"
# Keeps what the page hears, and which sentences have sounded to their end, where a test can look at them.
_LISTEN = """
window.heard = [];
document.addEventListener("doorward:event", (event) => window.heard.push(event.detail));
window.spoken = [];
window.Audio = class extends Audio {
  constructor() {
    super();
    this.addEventListener("ended", () => window.spoken.push(new URL(this.src).pathname));
  }
};
"""


class Watched:
    """One window. `page` is Playwright's; `problems` must be empty in the end."""

    def __init__(self, browser: Browser, url: str, size: tuple[int, int] = OLD_MONITOR):
        self.url, self.problems = url, []
        viewport = ViewportSize(width=size[0], height=size[1])
        self.context: BrowserContext = browser.new_context(base_url=url, viewport=viewport)
        self.context.add_init_script(_LISTEN)
        self.page = self.open()

    def open(self) -> Page:
        """Another page with the same login."""
        page = self.context.new_page()
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        return page

    def log_in(self, login: str, language: str = "zh") -> Page:
        """Log in through the form, with the mouse."""
        self.page.goto(f"/login?language={language}")
        self.page.fill("#login", login)
        self.page.fill("#password", password(login))
        self.page.click("main button")
        expect(self.page.locator("header.top")).to_be_visible()
        return self.page

    def log_in_unseen(self, login: str) -> None:
        """Log in without a click in any page, as a browser that was started with the computer."""
        answer = self.context.request.post("/login", form={"login": login, "password": password(login)})
        assert answer.ok, answer.text()

    def picture(self, name: str) -> None:
        """Write build/screenshots/NAME.png; what is seen is held to look.js and axe, in small windows too."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        wide = self.page.viewport_size
        assert wide is not None
        self._look_at(name)
        for size, (width, height) in SMALL.items():
            self.page.set_viewport_size(ViewportSize(width=width, height=height))
            self._look_at(f"{name}-{size}")
        self.page.set_viewport_size(wide)

    def _look_at(self, name: str) -> None:
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")
        problems = self.page.evaluate(LOOK) + self._judged()
        assert not problems, f"{name}: {problems}"

    def forgive(self, text: str) -> None:
        """Forget the problems that a test has caused on purpose; there must be some."""
        left = [problem for problem in self.problems if text not in problem]
        assert len(left) < len(self.problems), f"nothing about {text!r} in {self.problems}"
        self.problems[:] = left

    def _judged(self) -> list[str]:
        """What axe has against the page as it stands."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(axe_source())
        return self.page.evaluate(_JUDGE)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def _failed(self, request) -> None:
        if request.failure != CALLED_OFF:
            self.problems.append(f"{request.method} {request.url}: {request.failure}")

    def _answered(self, answer) -> None:
        if answer.status >= 400:
            self.problems.append(f"{answer.request.method} {answer.url}: {answer.status}")


@cache
def axe_source() -> str:
    """The script of axe-core, from the packages that `npm ci` installs."""
    if not AXE.exists():
        pytest.fail("axe-core is missing. Install it: npm ci", pytrace=False)
    return AXE.read_text()


def password(login: str) -> str:
    """As prepare() sets it."""
    return f"{login}-pass-word"
