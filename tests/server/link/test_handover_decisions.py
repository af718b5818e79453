"""The officer's decision at the host screen: who may decide what, and the command that goes to the unit."""

from datetime import date

import pytest
from doorward_protocol import errors, objects
from doorward_protocol.suite import run
from doorward_server.audit.models import Decision
from doorward_server.handovers.models import Command, Handover
from doorward_server.people.models import Person
from doorward_server.people.service import remove_person
from doorward_server.security.roles import Role
from doorward_server.units import authority
from sqlmodel import select

PICTURE = b"\x77" * 32


@pytest.fixture
def waiting(online, delivery, day, services) -> int:
    """A crew that waits at the door; the handover's number."""
    van = day.bank.vehicles[0]
    delivery.arrive(van.id, van.epc, van.tid)
    delivery.crew_complete(picture=PICTURE)
    online.store_all()
    with services.database.reading() as session:
        return session.exec(select(Handover.id)).one()


@pytest.fixture
def officer(log_in, day):
    return log_in(day.bank.users[Role.OFFICER])


def decide(browser, handover, **changes):
    wish = {"approve": True, "head_count": 2, "picture": PICTURE.hex(), **changes}
    return browser.post(f"/api/handovers/{handover}/decide", json=wish)


def command_in(services, unit) -> dict:
    """The next command to the unit, verified as the unit does."""
    while (fields := unit.receive_until("object"))["kind"] != "command":
        pass
    key = authority.dispatch_key(services)
    return run(objects.verify(unit.suite, "command", fields["object"], {key.kid: key.public}))


@pytest.mark.shows("S3")
def test_an_approval_is_a_signed_command_and_a_decision_in_the_journal(
    waiting, officer, online, services, day, delivery, clock
):
    answer = decide(officer, waiting)
    assert answer.status_code == 200, answer.text
    person = day.bank.officers["north"].id
    now = clock.milliseconds()
    command = command_in(services, online)
    assert command == {
        "unit": online.kid,
        "id": bytes.fromhex(answer.json()["id"]),
        "verb": objects.APPROVE,
        "task": delivery.task,
        "nonce": delivery.nonce,
        "decided_by": [person],
        "picture": PICTURE,
        "head_count": 2,
        "panel": None,
        "issued": now,
        "expires": now + services.settings.command_seconds * 1000,
    }
    with services.database.reading() as session:
        journal = session.exec(select(Decision).where(Decision.kind == "entry_decided")).one()
        assert journal.subject == f"handover:{waiting}"


def test_a_refusal_has_a_reason(waiting, officer, online, services):
    assert (
        decide(officer, waiting, approve=False, head_count=None, reason="picture_mismatch").status_code == 200
    )
    assert command_in(services, online)["verb"] == objects.REFUSE


@pytest.mark.shows("D1")
def test_a_wrong_head_count_is_sent_as_it_was_counted(waiting, officer, online, services):
    assert decide(officer, waiting, head_count=3).status_code == 200
    assert command_in(services, online)["head_count"] == 3  # the unit freezes on it


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"head_count": None}, "head_count_missing"),
        ({"approve": False}, "reason_missing"),
        ({"reason": "picture_mismatch"}, "reason_missing"),
        ({"picture": "00" * 32}, "picture_changed"),
        ({"picture": ""}, "picture_changed"),
        ({"head_count": -1}, "invalid_request"),
        ({"approve": False, "head_count": None, "reason": "because"}, "invalid_request"),
    ],
)
def test_an_unfit_decision_is_refused_and_sends_nothing(waiting, officer, services, changes, reason):
    answer = decide(officer, waiting, **changes)
    assert answer.status_code in (409, 422)
    assert answer.json()["reason"] == reason
    with services.database.reading() as session:
        assert session.exec(select(Command)).all() == []


def test_nobody_decides_twice(waiting, officer):
    assert decide(officer, waiting).status_code == 200
    assert decide(officer, waiting).json()["reason"] == "already_decided"


def test_a_decision_the_unit_refused_may_be_made_again(waiting, officer, online, services):
    first = decide(officer, waiting).json()
    online.send(
        "refused", what="command", reference=bytes.fromhex(first["id"]), reason=errors.EXPIRED, detail=""
    )
    online.status()
    online.receive_until("object")
    assert decide(officer, waiting).status_code == 200


def test_only_an_officer_of_the_site_decides(waiting, log_in, day):
    for role in (Role.DISPATCHER, Role.DUTY, Role.AUDITOR, Role.ADMINISTRATOR):
        assert decide(log_in(day.bank.users[role]), waiting).status_code == 403
    assert decide(log_in(day.bank.users[Role.KEEPER]), waiting).status_code == 404  # of the vault


@pytest.mark.shows("D10")
@pytest.mark.parametrize("end", ["permit", "removal"])
def test_a_login_whose_person_may_act_no_more_decides_nothing(waiting, officer, day, services, end):
    with services.database.writing() as session:
        person = session.get_one(Person, day.bank.officers["north"].id)
        if end == "removal":
            remove_person(session, None, person)
        else:
            person.permit_until = date(2026, 3, 1)  # yesterday
            session.add(person)
    answer = decide(officer, waiting)
    assert (answer.status_code, answer.json()["reason"]) == (403, "permit_expired")
    with services.database.reading() as session:
        assert session.exec(select(Command)).all() == []


def test_only_a_waiting_crew_can_be_decided_on(online, officer, waiting, delivery):
    delivery.approve()
    online.store_all()
    assert decide(officer, waiting).json()["reason"] == "wrong_state"
    assert decide(officer, 999_999).status_code == 404


def test_while_the_unit_is_offline_the_decision_is_made_at_the_inner_panel(
    server, unit, delivery, day, services, officer
):
    van = day.bank.vehicles[0]
    with server.websocket_connect("/link") as socket:
        unit.shake_hands(socket)
        delivery.arrive(van.id, van.epc, van.tid)
        delivery.crew_complete(picture=PICTURE)
        unit.store_all()
    with services.database.reading() as session:
        number = session.exec(select(Handover.id)).one()
    from unit_client import eventually

    assert eventually(lambda: not services.parts["link"].is_online(unit.id))
    assert decide(officer, number).json()["reason"] == "unit_offline"


def test_a_frozen_task_is_restarted_by_the_centre(waiting, online, delivery, log_in, day, services):
    delivery.freeze(errors.HEAD_COUNT_MISMATCH)
    online.store_all()
    duty = log_in(day.bank.users[Role.DUTY])
    answer = duty.post(f"/api/handovers/{waiting}/restart", json={"why": "the driver had got out"})
    assert answer.status_code == 200, answer.text
    command = command_in(services, online)
    assert (command["verb"], command["nonce"]) == (objects.RESTART, delivery.nonce)


def test_it_is_restarted_at_the_branchs_page_too_and_not_by_the_branch(
    waiting, online, delivery, log_in, day, services, officer
):
    page = f"/host/{day.bank.sites['north'].id}"
    form = {"handover": waiting, "why": "the driver had got out"}
    duty = log_in(day.bank.users[Role.DUTY])
    early = duty.post(f"{page}/restart", data=form)
    assert (early.status_code, "该交接未冻结。" in early.text) == (409, True)
    delivery.freeze(errors.HEAD_COUNT_MISMATCH)
    online.store_all()
    assert officer.post(f"{page}/restart", data=form).status_code == 403
    elsewhere = f"/host/{day.bank.sites['south'].id}/restart"
    assert duty.post(elsewhere, data=form).status_code == 404
    assert f'action="{page}/restart"' in duty.get(page).text
    answer = duty.post(f"{page}/restart", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert command_in(services, online)["verb"] == objects.RESTART


def test_a_handover_and_its_records_over_the_api(waiting, officer, log_in, day):
    answer = officer.get(f"/api/handovers/{waiting}").json()
    assert (answer["state"], answer["crew_picture"]) == ("crew", PICTURE.hex())
    assert [event["name"] for event in answer["events"]] == ["vehicle", "crew"]
    assert [one["id"] for one in officer.get("/api/handovers").json()] == [waiting]
    keeper = log_in(day.bank.users[Role.KEEPER])
    assert keeper.get("/api/handovers").json() == []
    assert keeper.get(f"/api/handovers/{waiting}").status_code == 404
    assert keeper.get("/api/handovers?site=2").status_code == 404


def test_a_picture_is_shown_at_its_own_site_alone(waiting, online, officer, log_in, day, services):
    import hashlib

    from doorward_server.handovers import pictures
    from doorward_server.handovers.models import Picture

    content = b"\xff\xd8 a face"
    name = hashlib.sha256(content).digest()
    assert officer.get(f"/api/pictures/{PICTURE.hex()}").status_code == 404  # has not come yet
    with services.database.writing() as session:
        picture = Picture(hash=name, unit_id=online.id, time=0)
        session.add(picture)
        pictures.keep(session, picture, content)
    answer = officer.get(f"/api/pictures/{name.hex()}")
    assert (answer.content, answer.headers["content-type"]) == (content, "image/jpeg")
    assert log_in(day.bank.users[Role.KEEPER]).get(f"/api/pictures/{name.hex()}").status_code == 404
