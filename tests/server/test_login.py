"""Logging in: sessions, passwords, guessing, forged requests, users who are gone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from doorward_server.audit.models import Decision
from doorward_server.problems import Problem
from doorward_server.security import passwords, sessions, throttle, users
from doorward_server.security.models import LoginSession, LoginThrottle, User
from doorward_server.security.roles import Role
from sqlmodel import col, select

PASSWORD = "correct horse"


@pytest.fixture
def duty(services, staffed) -> User:
    """The duty operator, with a password."""
    with services.database.writing() as session:
        user = session.get(User, staffed.users[Role.DUTY].id)
        users.set_password(session, None, user, PASSWORD)
    return user


def attempt(client, login="duty", password=PASSWORD):
    return client.post("/api/login", json={"login": login, "password": password})


def test_a_login_tells_who_one_is_and_what_one_may_do(client, duty):
    answer = attempt(client)
    assert answer.status_code == 200
    assert answer.json()["user"]["login"] == "duty"
    assert "handle_alarms" in answer.json()["permissions"]
    assert client.get("/api/me").json() == answer.json()


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(client, duty):
    cookie = attempt(client).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie


def test_behind_https_the_cookie_is_secure(app, client, duty):
    app.state.doorward.settings.https = True
    assert "Secure" in attempt(client).headers["set-cookie"]


def test_the_database_does_not_hold_the_token(client, duty, services):
    attempt(client)
    token = client.cookies[sessions.COOKIE]
    stored = (services.settings.data / "doorward.sqlite").read_bytes()
    stored += (services.settings.data / "doorward.sqlite-wal").read_bytes()
    assert token.encode() not in stored
    assert PASSWORD.encode() not in stored


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("duty", "wrong"),
        ("nobody", PASSWORD),
        ("dispatcher", ""),  # has no password at all
        ("duty' OR '1'='1", "x' OR '1'='1"),
        ("duty'; DROP TABLE user; --", PASSWORD),
    ],
)
def test_a_wrong_login_is_refused_without_saying_what_was_wrong(client, duty, login, password):
    answer = attempt(client, login, password)
    assert (answer.status_code, answer.json()["reason"]) == (401, "wrong_login")
    assert client.get("/api/me").status_code == 401
    assert attempt(client).status_code == 200


def test_guessing_has_to_wait_longer_each_time(client, duty, clock):
    for _ in range(5):
        assert attempt(client, password="guess").status_code == 401
    refused = attempt(client)
    assert (refused.status_code, refused.json()["details"]) == (429, [{"wait_seconds": 30}])
    clock.pass_time(seconds=31)
    assert attempt(client, password="guess").status_code == 401
    assert attempt(client).json()["details"] == [{"wait_seconds": 60}]
    clock.pass_time(seconds=61)
    assert attempt(client).status_code == 200
    for _ in range(4):
        attempt(client, password="guess")
    assert attempt(client).status_code == 200, "a success clears the count"


def test_guessing_all_at_once_gets_no_further(services, duty, monkeypatch):
    many = 20
    together = threading.Barrier(many)

    def check(*asked):
        together.wait(10)
        return original(*asked)

    def guess(number):
        try:
            sessions.log_in(services, "duty", f"guess {number}", "10.0.0.1")
        except Problem as problem:
            return problem.status
        return 200

    original = passwords.is_password
    monkeypatch.setattr(passwords, "is_password", check)
    with ThreadPoolExecutor(many) as pool:
        answers = list(pool.map(guess, range(many)))
    assert (answers.count(401), answers.count(429)) == (5, many - 5)


@pytest.mark.parametrize(("new", "status"), [("another one", 401), (PASSWORD, 200)])
def test_a_password_that_is_replaced_while_it_is_checked_is_the_old_one(
    services, client, duty, monkeypatch, new, status
):
    def check(*asked):
        matches = original(*asked)
        if not replaced:
            replaced.append(True)
            with services.database.writing() as session:
                users.set_password(session, None, session.get(User, duty.id), new)
        return matches

    replaced: list[bool] = []
    original = passwords.is_password
    monkeypatch.setattr(passwords, "is_password", check)
    assert attempt(client).status_code == status


def test_guessing_many_names_from_one_address_has_to_wait_too(client, duty):
    for number in range(50):
        assert attempt(client, login=f"name{number}").status_code == 401
    assert attempt(client, login="another").status_code == 429


def test_without_an_address_only_names_are_counted(services, duty):
    for number in range(60):
        with pytest.raises(Problem, match="wrong_login"):
            sessions.log_in(services, f"name{number}", "guess", throttle.UNKNOWN_ADDRESS)
    user, _ = sessions.log_in(services, "duty", PASSWORD, throttle.UNKNOWN_ADDRESS)
    assert user.login == "duty"


def test_old_failures_are_forgotten(client, duty, services, clock):
    for number in range(3):
        attempt(client, login=f"name{number}")
    clock.pass_time(days=1, seconds=1)
    attempt(client, password="guess")
    with services.database.reading() as session:
        kept = {row.key for row in session.exec(select(LoginThrottle))}
    assert kept == {"pair:duty@testclient", "login:duty", "address:testclient"}


def test_a_login_expires(client, duty, clock):
    attempt(client)
    clock.pass_time(hours=11, minutes=59)
    assert client.get("/api/me").status_code == 200
    clock.pass_time(minutes=1)
    assert client.get("/api/me").status_code == 401


def test_logging_out_ends_the_login_for_good(client, duty):
    token = attempt(client).json()["csrf_token"]
    kept = client.cookies[sessions.COOKIE]
    assert client.post("/api/logout", headers={"x-csrf-token": token}).status_code == 200
    client.cookies.set(sessions.COOKIE, kept)
    assert client.get("/api/me").status_code == 401


def test_a_removed_user_is_out_at_once(log_in, staffed, services):
    browser = log_in(staffed.users[Role.DUTY])
    assert browser.get("/api/me").status_code == 200
    administrator = log_in(staffed.users[Role.ADMINISTRATOR])
    assert administrator.delete(f"/api/users/{staffed.users[Role.DUTY].id}").status_code == 204
    assert browser.get("/api/me").status_code == 401
    with services.database.reading() as session:
        left = session.exec(
            select(LoginSession).where(LoginSession.user_id == staffed.users[Role.DUTY].id)
        ).all()
    assert left == []


def test_nobody_removes_themselves(log_in, staffed):
    administrator = staffed.users[Role.ADMINISTRATOR]
    answer = log_in(administrator).delete(f"/api/users/{administrator.id}")
    assert (answer.status_code, answer.json()["reason"]) == (409, "own_user")


def test_a_new_password_ends_all_logins(client, log_in, duty):
    elsewhere = log_in(duty)
    token = attempt(client).json()["csrf_token"]
    change = {"current": "wrong one", "new": "another password"}
    headers = {"x-csrf-token": token}
    assert client.post("/api/me/password", json=change, headers=headers).json()["reason"] == "wrong_password"
    change["current"] = PASSWORD
    assert client.post("/api/me/password", json=change, headers=headers).status_code == 200
    assert elsewhere.get("/api/me").status_code == 401
    assert attempt(client).status_code == 401
    assert attempt(client, password="another password").status_code == 200


def test_a_short_password_is_refused(log_in, duty):
    answer = log_in(duty).post("/api/me/password", json={"current": PASSWORD, "new": "short"})
    assert (answer.status_code, answer.json()["reason"]) == (422, "password_length")


def test_stronger_hashing_reaches_a_user_at_the_next_login(client, duty, services):
    services.settings.argon2_memory_kib = 16
    assert attempt(client).status_code == 200
    with services.database.reading() as session:
        stored = session.get(User, duty.id).password_hash
    assert not passwords.is_outdated(services.settings, stored)


@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_a_change_without_the_pages_token_is_refused(log_in, staffed, token):
    browser = log_in(staffed.users[Role.DUTY])
    del browser.headers["x-csrf-token"]
    headers = {} if token is None else {"x-csrf-token": token}
    answer = browser.post("/api/logout", headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (403, "forged_request")
    assert browser.get("/api/me").status_code == 200


def test_another_logins_token_is_no_token(log_in, staffed):
    browser = log_in(staffed.users[Role.DUTY])
    other = log_in(staffed.users[Role.AUDITOR])
    answer = browser.post("/api/logout", headers={"x-csrf-token": other.headers["x-csrf-token"]})
    assert answer.json()["reason"] == "forged_request"


def test_a_form_may_carry_the_token_in_a_field(log_in, staffed):
    browser = log_in(staffed.users[Role.DUTY])
    token = browser.headers.pop("x-csrf-token")
    assert browser.post("/api/logout", data={"csrf_token": "wrong"}).status_code == 403
    assert browser.post("/api/logout", data={"csrf_token": token}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}],
)
def test_other_sites_cannot_even_log_somebody_in(client, duty, headers):
    answer = client.post("/api/login", json={"login": "duty", "password": PASSWORD}, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (403, "foreign_origin")


def test_logins_and_failures_are_in_the_journal(client, duty, services):
    attempt(client, password="guess")
    attempt(client)
    with services.database.reading() as session:
        kinds = [row.kind for row in session.exec(select(Decision).order_by(col(Decision.index)))]
    assert kinds[-2:] == ["login_failed", "logged_in"]
