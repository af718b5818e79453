"""Pages through thick and thin: a server that restarts, a login that ends, others' branches, refusals."""

from playwright.sync_api import expect


def test_a_wrong_password_is_answered_in_the_pages_language(window):
    visitor = window()
    page = visitor.page
    for language, said in (
        ("zh", "用户名或密码不正确。请重试，并检查输入法。"),
        (
            "en",
            "The login name or the password is wrong. Try again; check the keyboard's language.",
        ),
    ):
        page.goto(f"/login?language={language}")
        page.fill("#login", "nobody")
        page.fill("#password", "not the password")
        page.click("main button")
        expect(page.get_by_role("alert")).to_have_text(said)
        expect(page.locator("#login")).to_have_value("nobody")
        expect(page.locator("#password")).to_be_focused()
    visitor.picture("login-refused")
    visitor.forgive("401")


def test_an_officer_hears_of_the_own_branch_alone_until_the_login_ends(window, stranger):
    branch = window()
    page = branch.log_in("o3004")
    stranger("B02")
    stranger("B03")
    expect(page.locator("#notice-vehicle_refused")).to_be_visible()
    site = int(page.url.rsplit("/", 1)[1])
    assert {event["site"] for event in page.evaluate("window.heard")} == {site}

    second = branch.open()
    second.goto(page.url)
    second.get_by_role("button", name="Log out").click()
    expect(second).to_have_url(f"{branch.url}/login")
    stranger("B03")
    expect(page).to_have_url(f"{branch.url}/login?back=/host/{site}")
    branch.forgive("401")


def test_a_page_outlives_a_restart_of_the_server_and_says_so(day, window, stranger):
    centre = window()
    page = centre.log_in("duty1")
    banner = page.locator("#connection-lost")
    expect(page.locator(".figures")).to_contain_text("3 / 3")
    expect(banner).to_be_hidden()
    with page.expect_console_message(lambda said: "ERR_CONNECTION_REFUSED" in said.text):  # it tries again
        day.server.stop()
    expect(banner).to_be_visible()
    centre.picture("wall-disconnected")
    day.server.start()
    expect(banner).to_be_hidden()
    expect(page.locator(".figures")).to_contain_text("3 / 3", timeout=30_000)
    stranger("B03")
    expect(page.locator('[data-event="vehicle_refused"]').first).to_contain_text("火车站支行")
    centre.forgive("ERR_CONNECTION_REFUSED")


def test_a_connection_that_is_silent_for_too_long_counts_as_lost(window):
    """A pulled cable closes nothing: the page must notice by itself that not even `alive` comes."""
    centre = window()
    page = centre.page
    page.clock.install()
    with page.expect_response("**/wall/part"):  # once the stream is open, and not just asked for
        centre.log_in("duty1")
    banner = page.locator("#connection-lost")
    page.route("**/live", lambda route: route.abort())
    page.clock.fast_forward(45_000)
    expect(banner).to_be_hidden()
    page.clock.fast_forward(51_000)  # the stream of before may just have said something more
    expect(banner).to_be_visible()
    page.unroute("**/live")
    expect(banner).to_be_hidden()
    centre.forgive("ERR_FAILED")


def test_a_connection_that_never_opens_counts_as_lost_too(window):
    """A cable that is pulled while the page connects: no answer, and no failure either."""
    centre = window()
    page = centre.page
    page.clock.install()
    page.route("**/live", lambda _route: None)
    with page.expect_request("**/live"):  # from here on the page counts
        centre.log_in("duty1")
    banner = page.locator("#connection-lost")
    page.clock.fast_forward(45_000)
    expect(banner).to_be_hidden()
    page.clock.fast_forward(6_000)
    expect(banner).to_be_visible()
    page.unroute("**/live")
    page.clock.fast_forward(51_000)  # it has asked again, and with that question it is the same
    expect(banner).to_be_hidden()


def test_nothing_is_missed_while_an_answer_is_late_or_fails(window, stranger):
    """The answer to one event is an error, the next one is older than an event that comes meanwhile."""
    centre = window()
    page = centre.page
    with page.expect_response("**/wall/part"):  # what the page asks for when its stream opens
        centre.log_in("duty1")
    shown = page.locator('[data-event="vehicle_refused"]')
    before, troubles = shown.count(), ["fails", "late"]

    def answer(route):
        trouble = troubles.pop(0) if troubles else ""
        if trouble == "fails":
            route.fulfill(status=503)
        elif trouble == "late":
            old = route.fetch()
            stranger("B03")
            route.fulfill(response=old)
        else:
            route.continue_()

    page.route("**/wall/part", answer)
    stranger("B03")
    expect(shown).to_have_count(before + 2)
    assert troubles == []
    centre.forgive("503")


def test_who_may_not_see_a_page_is_told_so(window):
    visitor = window()
    page = visitor.log_in("admin")
    page.goto("/wall")
    expect(page.get_by_role("heading")).to_have_text("您的角色无权进行此操作。")
    visitor.picture("refused")
    visitor.forgive("403")
