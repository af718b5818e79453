"""The application as a whole: headers on every answer, refusals of one form, a complete description."""

import json
import re
import stat
import warnings
from contextlib import ExitStack
from pathlib import Path

import doorward_server
import pytest
from doorward_server.app import create_app
from doorward_server.clock import SystemClock, from_milliseconds, to_milliseconds
from doorward_server.problems import ProblemAnswer
from doorward_server.security.roles import Role
from doorward_server.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have another client library
    from fastapi.testclient import TestClient


def test_the_first_start_makes_everything_and_the_second_finds_it(tmp_path, clock):
    folder = tmp_path / "not" / "yet" / "there"
    keys = []
    for _ in range(2):
        app = create_app(Settings(data=folder), clock)
        assert TestClient(app).get("/api/health").status_code == 200
        keys.append(app.state.doorward.keys.pair("dispatch"))
        app.state.doorward.database.close()
    assert keys[0] == keys[1]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_health_tells_that_database_and_clock_work(client, clock):
    answer = client.get("/api/health")
    assert answer.json() == {"status": "ok", "time": clock.now().isoformat().replace("+00:00", "Z")}


@pytest.mark.parametrize("path", ["/api/health", "/api/me", "/api/nothing", "/login", "/nothing"])
def test_every_answer_carries_the_strict_headers(client, path):
    headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


@pytest.fixture
def serving(settings, clock):
    """serving(setting=value) -> a browser at a server with these settings."""
    with ExitStack() as stack:

        def serve(**changes):
            app = create_app(settings.model_copy(update=changes), clock)
            stack.callback(app.state.doorward.database.close)
            return TestClient(app, raise_server_exceptions=False)

        yield serve


def test_behind_https_browsers_are_told_to_stay(serving):
    answer = serving(https=True).get("/api/health")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/nothing", 404), ("DELETE", "/api/health", 405), ("POST", "/api/login", 422)],
)
def test_every_refusal_has_the_same_form(client, method, path, status):
    answer = client.request(method, path)
    assert answer.status_code == status
    problem = ProblemAnswer.model_validate(answer.json())
    assert problem.reason
    assert problem.message_zh
    assert problem.message_en
    assert problem.what_to_do


def test_a_page_sends_people_to_the_login_and_programs_get_their_refusal(client):
    page = client.get("/wall", headers={"accept": "text/html"}, follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/login?back=/wall")
    assert client.get("/wall").status_code == 401
    assert client.get("/api/me", headers={"accept": "text/html"}).status_code == 401


def test_a_body_that_is_too_large_is_refused_before_it_is_read(client):
    answer = client.post("/api/login", content=b"x", headers={"content-length": str(10**9)})
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")
    answer = client.post("/api/login", content=b"{}", headers={"content-length": "many"})
    assert answer.status_code == 413


def test_a_body_without_length_is_counted_as_it_comes(serving):
    sent = []

    def endless():
        while len(sent) < 1000:
            sent.append(bytes(64 * 1024))
            yield sent[-1]

    answer = serving(upload_megabytes=1).post("/api/login", content=endless())
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_large")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"login": 1}', b"\xff\xfe", b"[" * 5000])
def test_a_body_that_is_no_login_is_refused(client, body):
    answer = client.post("/api/login", content=body, headers={"content-type": "application/json"})
    assert answer.json()["reason"] in ("unreadable", "invalid_request")


@pytest.fixture
def description(app):
    return app.openapi()


def operations(description):
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_the_description_is_for_people_who_are_logged_in(client, log_in, staffed, description):
    assert client.get("/api/openapi.json").status_code == 401
    assert client.get("/docs").status_code == client.get("/openapi.json").status_code == 404
    served = log_in(staffed.users[Role.DUTY]).get("/api/openapi.json").json()
    assert served == json.loads(json.dumps(description))


def test_every_operation_is_described_with_its_refusals(description):
    for method, path, operation in operations(description):
        assert operation.get("description"), (method, path)
        assert operation.get("tags"), (method, path)
        declared = set(operation["responses"])
        if path not in ("/api/health", "/api/login"):
            assert "401" in declared, (method, path)
        if "parameters" in operation or "requestBody" in operation:
            assert "422" in declared, (method, path)


def test_every_refusal_is_described_as_it_is_answered(description):
    problem = {"$ref": "#/components/schemas/ProblemAnswer"}
    for method, path, operation in operations(description):
        for status, answer in operation["responses"].items():
            if status.startswith("4"):
                assert answer["content"]["application/json"]["schema"] == problem, (method, path, status)


def test_milliseconds_and_datetimes_are_the_same_moment(clock):
    assert from_milliseconds(to_milliseconds(clock.now())) == clock.now()
    with pytest.raises(ValueError, match="zone"):
        to_milliseconds(clock.now().replace(tzinfo=None))
    system = SystemClock()
    assert abs(to_milliseconds(system.now()) - system.milliseconds()) < 5000


def test_chinese_sentences_have_chinese_commas():
    """A half-width comma or colon between Chinese characters is a slip; texts are shown as they stand."""
    chinese = r"[\u3400-\u9fff]"
    slip = re.compile(rf"{chinese}[,;:?!](?={chinese}|\{{)")
    found = [
        f"{path.name}: {line.strip()}"
        for path in Path(doorward_server.__path__[0]).rglob("*.py")
        for line in path.read_text().splitlines()
        if slip.search(line)
    ]
    assert found == []
