"""Four eyes: asked by one, decided by another, once, in time, about the same thing."""

import pytest
from doorward_server.problems import Problem
from doorward_server.security import four_eyes, users
from doorward_server.security.models import Approval, User
from doorward_server.security.roles import Role

pytestmark = pytest.mark.shows("F7")

FIRST_HALF, SECOND_HALF = "a long password", " and more"
NEW_USER = {"login": "wang", "name": "王", "role": "duty", "password": FIRST_HALF}


@pytest.fixture
def people(log_in, staffed):
    """Browsers by role."""
    return {role: log_in(user) for role, user in staffed.users.items()}


def ask(people) -> int:
    answer = people[Role.ADMINISTRATOR].post("/api/users", json=NEW_USER)
    assert answer.status_code == 202
    return answer.json()["approval_id"]


def decide(browser, approval_id, approve=True, second_half=SECOND_HALF):
    answer = {"approve": approve, "second_half": second_half}
    return browser.post(f"/api/approvals/{approval_id}/decision", json=answer)


def logins(people):
    return {user["login"] for user in people[Role.ADMINISTRATOR].get("/api/users").json()}


def test_a_second_person_carries_the_step_out(people, client):
    approval_id = ask(people)
    assert "wang" not in logins(people)
    answer = decide(people[Role.DUTY], approval_id)
    assert (answer.status_code, answer.json()["state"]) == (200, "approved")
    assert "wang" in logins(people)
    credentials = {"login": "wang", "password": FIRST_HALF + SECOND_HALF}
    assert client.post("/api/login", json=credentials).status_code == 200


@pytest.mark.parametrize("known", [FIRST_HALF, SECOND_HALF])
def test_neither_of_the_two_can_log_in_as_whom_they_have_made(people, client, known):
    """Whoever could would be asker and decider in one from then on."""
    decide(people[Role.DUTY], ask(people))
    assert client.post("/api/login", json={"login": "wang", "password": known}).status_code == 401


def test_an_approver_chooses_the_second_half(people, client):
    approval_id = ask(people)
    answer = decide(people[Role.DUTY], approval_id, second_half="short")
    assert (answer.status_code, answer.json()["reason"]) == (422, "second_half_missing")
    assert "wang" not in logins(people)
    assert decide(people[Role.DUTY], approval_id).status_code == 200


def test_nobody_approves_what_they_asked_for(people):
    answer = decide(people[Role.ADMINISTRATOR], ask(people))
    assert (answer.status_code, answer.json()["reason"]) == (403, "same_person")
    assert "wang" not in logins(people)


def test_a_second_login_of_the_same_person_is_the_same_person(people, staffed, log_in, services, clock):
    person_id = staffed.driver.id
    with services.database.writing() as session:
        administrator = session.get(User, staffed.users[Role.ADMINISTRATOR].id)
        administrator.person_id = person_id
        session.add(administrator)
        alias = User(login="alias", name="甲", role=Role.DUTY, person_id=person_id, created_at=clock.now())
        session.add(alias)
    answer = decide(log_in(alias), ask(people))
    assert answer.json()["reason"] == "same_person"


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.AUDITOR, Role.OFFICER, Role.KEEPER])
def test_only_who_may_decide_this_kind_decides(people, role):
    assert decide(people[role], ask(people)).json()["reason"] == "not_allowed"


def test_a_refusal_is_final_and_forgets_the_password(people, services):
    approval_id = ask(people)
    assert decide(people[Role.DUTY], approval_id, approve=False).json()["state"] == "refused"
    assert decide(people[Role.DUTY], approval_id).json()["reason"] == "approval_closed"
    with services.database.reading() as session:
        assert "first_half" not in session.get(Approval, approval_id).payload
    assert "wang" not in logins(people)


def test_a_decision_is_made_once(people):
    approval_id = ask(people)
    decide(people[Role.DUTY], approval_id)
    assert decide(people[Role.DUTY], approval_id).json()["reason"] == "approval_closed"


def test_an_expired_request_cannot_be_decided_and_can_be_made_again(people, staffed, services, clock):
    with services.database.writing() as session:
        administrator = session.get(User, staffed.users[Role.ADMINISTRATOR].id)
        first = users.request_user(
            session, administrator, "a long password", {"login": "wang", "name": "王", "role": "duty"}
        )
    clock.pass_time(hours=24)
    with services.database.reading() as session:
        assert four_eyes.open_approvals(session) == []
        assert four_eyes.state_of(session.get(Approval, first.id), session) == four_eyes.EXPIRED
    with services.database.writing() as session:
        duty = session.get(User, staffed.users[Role.DUTY].id)
        with pytest.raises(Problem, match="approval_closed"):
            four_eyes.decide(session, duty, session.get(Approval, first.id), approve=True)
        administrator = session.get(User, staffed.users[Role.ADMINISTRATOR].id)
        second = users.request_user(
            session, administrator, "a long password", {"login": "wang", "name": "王", "role": "duty"}
        )
        assert second.id != first.id
        assert session.get(Approval, first.id).state == four_eyes.EXPIRED


def test_the_same_thing_is_not_asked_for_twice(people):
    ask(people)
    answer = people[Role.ADMINISTRATOR].post("/api/users", json=NEW_USER)
    assert (answer.status_code, answer.json()["reason"]) == (409, "already_requested")


def test_only_the_asker_withdraws(people):
    approval_id = ask(people)
    address = f"/api/approvals/{approval_id}/withdrawal"
    assert people[Role.DUTY].post(address).json()["reason"] == "not_allowed"
    assert people[Role.ADMINISTRATOR].post(address).json()["state"] == "withdrawn"
    assert decide(people[Role.DUTY], approval_id).json()["reason"] == "approval_closed"


def test_a_request_dies_with_the_user_who_made_it(people, staffed, services):
    approval_id = ask(people)
    with services.database.writing() as session:
        users.remove_user(session, None, session.get(User, staffed.users[Role.ADMINISTRATOR].id))
    assert decide(people[Role.DUTY], approval_id).json()["reason"] == "approval_closed"


def test_a_request_dies_with_the_role_in_which_it_was_made(people, staffed, services):
    approval_id = ask(people)
    with services.database.writing() as session:
        session.get(User, staffed.users[Role.ADMINISTRATOR].id).role = Role.AUDITOR
    assert decide(people[Role.DUTY], approval_id).json()["reason"] == "approval_closed"
    assert decide(people[Role.DUTY], approval_id, approve=False).json()["state"] == "refused"


def test_the_list_shows_what_waits_and_for_whom_but_no_password(people):
    ask(people)
    (for_duty,) = people[Role.DUTY].get("/api/approvals").json()
    (for_asker,) = people[Role.ADMINISTRATOR].get("/api/approvals").json()
    assert (for_duty["may_decide"], for_asker["may_decide"]) == (True, False)
    assert for_duty["payload"]["fields"]["login"] == "wang"
    assert "first_half" not in for_duty["payload"]


def test_a_reset_password_needs_four_eyes_too(people, staffed, client):
    auditor = staffed.users[Role.AUDITOR]
    answer = people[Role.ADMINISTRATOR].post(
        f"/api/users/{auditor.id}/password", json={"password": "brand new one"}
    )
    credentials = {"login": auditor.login, "password": "brand new one" + SECOND_HALF}
    assert client.post("/api/login", json=credentials).status_code == 401
    decide(people[Role.DUTY], answer.json()["approval_id"])
    assert client.post("/api/login", json=credentials).status_code == 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"login": "duty"}, "login_taken"),
        ({"password": "short"}, "password_length"),
        ({"login": "Upper Case"}, "invalid_request"),
        ({"role": "root"}, "invalid_request"),
        ({"role": "officer"}, "site_missing"),
        ({"site_id": 999}, "not_found"),
        ({"person_id": 999}, "not_found"),
    ],
)
def test_a_user_that_makes_no_sense_is_not_even_asked_for(people, change, reason):
    answer = people[Role.ADMINISTRATOR].post("/api/users", json=NEW_USER | change)
    assert answer.json()["reason"] == reason
    assert people[Role.DUTY].get("/api/approvals").json() == []


def test_what_somebody_may_not_do_they_may_not_ask_for(staffed, session):
    duty = session.get(User, staffed.users[Role.DUTY].id)
    with pytest.raises(Problem, match="not_allowed"):
        four_eyes.request(session, duty, "run_release", "run:1", {"run_id": 1})


def test_an_approval_that_is_not_there_is_not_found(people):
    assert decide(people[Role.DUTY], 999).json()["reason"] == "not_found"


def test_an_unknown_kind_of_step_cannot_be_registered():
    with pytest.raises(ValueError, match="no kind of approval"):
        four_eyes.on_approved("open_the_vault")
