"""Planning over HTTP: a day released by two browsers, changes seen at a site, nonsense refused."""

import pytest
import server_bank


@pytest.fixture
def told(monkeypatch):
    """The sites whose units were told to look at their orders again."""
    sites = []
    monkeypatch.setattr("doorward_server.units.service.orders_changed", lambda _, ids: sites.extend(ids))
    return sites


@pytest.fixture
def plan(staffed, clock):
    return server_bank.plan(staffed, clock.now())


@pytest.fixture
def browser(log_in, staffed):
    return log_in(staffed.dispatcher)


@pytest.fixture
def body(plan):
    return {
        "date": plan.date.isoformat(),
        "vehicle_id": plan.vehicle_id,
        "crew": [{"person_id": one.person_id, "duty": one.duty} for one in plan.crew],
        "stops": [
            {
                "site_id": stop.site_id,
                "window_from": stop.window_from.isoformat(),
                "window_until": stop.window_until.isoformat(),
                "boxes": [{"box_id": box.box_id, "seal": box.seal} for box in stop.boxes],
            }
            for stop in plan.stops
        ],
    }


@pytest.mark.shows("S4")
def test_a_day_is_planned_and_released(browser, log_in, staffed, body, told):
    run = browser.post("/api/runs", json=body).json()
    assert (run["status"], browser.get(f"/api/runs/{run['id']}/findings").json()) == ("draft", [])
    asked = browser.post(f"/api/runs/{run['id']}/release-request")
    assert asked.status_code == 202
    decision = f"/api/approvals/{asked.json()['approval_id']}/decision"
    assert browser.post(decision, json={"approve": True}).json()["reason"] == "same_person"
    assert log_in(staffed.dispatcher2).post(decision, json={"approve": True}).status_code == 200
    (listed,) = browser.get("/api/runs", params={"date": body["date"]}).json()
    assert (listed["status"], listed["version"], len(listed["stops"])) == ("released", 1, 2)
    assert len(told) == 2
    (version,) = browser.get(f"/api/runs/{run['id']}/versions").json()
    assert version["approved_by"] == [staffed.dispatcher.id, staffed.dispatcher2.id]


def test_findings_come_with_reasons(browser, body, clock):
    run = browser.post("/api/runs", json=body | {"crew": body["crew"][:1]}).json()
    refused = browser.post(f"/api/runs/{run['id']}/release-request")
    assert (refused.status_code, refused.json()["reason"]) == (422, "plan_invalid")
    assert refused.json()["details"][0]["reason"] == "crew_too_small"
    edited = browser.put(f"/api/runs/{run['id']}", json=body)
    assert len(edited.json()["crew"]) == 3


def test_a_draft_can_be_given_up(browser, body):
    run = browser.post("/api/runs", json=body).json()
    assert browser.delete(f"/api/runs/{run['id']}").status_code == 204
    assert browser.get(f"/api/runs/{run['id']}").json()["status"] == "cancelled"


def test_a_change_is_asked_for_and_seen_at_the_site(browser, log_in, staffed, body, services, told):
    run = browser.post("/api/runs", json=body).json()
    other = log_in(staffed.dispatcher2)
    crew = [{"person_id": staffed.crew[n].id, "duty": "door"} for n in (2, 3)]
    for address, change in (("release-request", None), ("change-request", {"crew": crew})):
        asked = browser.post(f"/api/runs/{run['id']}/{address}", json=change).json()
        answer = other.post(f"/api/approvals/{asked['approval_id']}/decision", json={"approve": True})
        assert answer.status_code == 200
    officer = log_in(staffed.users["officer"])
    north, south = staffed.sites["north"].id, staffed.sites["south"].id
    (change,) = officer.get(f"/api/sites/{north}/changes").json()
    assert change["order_version"] == 2
    assert officer.get(f"/api/sites/{south}/changes").status_code == 404
    seen = officer.post(f"/api/stops/{change['task']}/acknowledgement", json={"order_version": 2})
    assert seen.status_code == 204
    assert officer.get(f"/api/sites/{north}/changes").json() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("date", "tomorrow"),
        ("vehicle_id", "1; DROP TABLE run"),
        ("vehicle_id", 2**40),
        ("vehicle_id", -1),
        ("crew", [{"person_id": 1, "duty": "roof"}]),
        ("crew", "everybody"),
        (
            "stops",
            [{"site_id": 1, "window_from": "2026-03-02T07:00", "window_until": "2026-03-02T08:00"}],
        ),
        ("note", "x" * 501),
    ],
)
def test_nonsense_is_refused_by_name(browser, body, field, value):
    answer = browser.post("/api/runs", json=body | {field: value})
    assert (answer.status_code, answer.json()["reason"]) == (422, "invalid_request")
    assert field in answer.json()["details"][0]["where"]


@pytest.mark.parametrize("field", ["window_from", "window_until", "expires"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:00:00-08:00"])
def test_a_moment_at_the_end_of_the_calendar_is_refused_by_name(browser, body, field, moment):
    stops = [stop | {field: moment} for stop in body["stops"]]
    answer = browser.post("/api/runs", json=body | {"stops": stops})
    assert (answer.status_code, answer.json()["reason"]) == (422, "invalid_request")
    assert answer.json()["details"][0]["where"].endswith(field)


@pytest.mark.parametrize(
    "note", ["'; DROP TABLE run; --", "<script>alert(1)</script>", "{{7*7}}", "中文\n换行"]
)
def test_text_is_text(browser, body, note):
    run = browser.post("/api/runs", json=body | {"note": note}).json()
    assert browser.get(f"/api/runs/{run['id']}").json()["note"] == note


def test_a_run_that_is_not_there_is_not_found(browser):
    assert browser.get("/api/runs/999").json()["reason"] == "not_found"
    assert browser.post("/api/runs/999/release-request").status_code == 404
