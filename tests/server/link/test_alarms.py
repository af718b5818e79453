"""Alarms as people deal with them: four states, silent ones, and who may see what."""

import pytest
from doorward_protocol import errors
from doorward_server.alarms import service
from doorward_server.alarms.models import Alarm, AlarmHandling
from doorward_server.audit.models import Decision
from doorward_server.security.roles import Role
from doorward_server.units.models import Unit
from sqlmodel import select


@pytest.fixture
def duty(log_in, day):
    return log_in(day.bank.users[Role.DUTY])


def alarms_seen_by(browser, **query) -> list[dict]:
    answer = browser.get("/api/alarms", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def camera(unit, reason: int) -> None:
    unit.say("sensor", name="camera", reason=reason, detail="")
    unit.store_all()


def test_a_standing_alarm_is_acknowledged_and_closed(online, duty, services):
    camera(online, errors.CAMERA_FAILED)
    (alarm,) = alarms_seen_by(duty)
    assert (alarm["rule"], alarm["state"], alarm["severity"]) == ("sensor_fault", "new", "high")
    assert alarm["title_zh"] == "传感器故障"
    answer = duty.post(f"/api/alarms/{alarm['key']}/acknowledge").json()
    assert (answer["state"], answer["acknowledged_by"] is not None) == ("acknowledged", True)
    answer = duty.post(f"/api/alarms/{alarm['key']}/close", json={"note": "camera replaced"}).json()
    assert (answer["state"], answer["note"]) == ("closed", "camera replaced")
    assert alarms_seen_by(duty) == []
    assert len(alarms_seen_by(duty, only_open=False)) == 1
    with services.database.reading() as session:
        kinds = session.exec(select(Decision.kind).where(Decision.kind.startswith("alarm"))).all()
    assert kinds == ["alarm_acknowledged", "alarm_closed"]


@pytest.mark.shows("S15")
def test_an_alarm_that_ended_still_has_to_be_heard(online, duty):
    camera(online, errors.CAMERA_FAILED)
    camera(online, 0)
    (alarm,) = alarms_seen_by(duty)
    assert alarm["state"] == "over"
    assert duty.post(f"/api/alarms/{alarm['key']}/acknowledge").json()["state"] == "closed"


def test_another_sensor_does_not_end_it(online, duty):
    camera(online, errors.CAMERA_FAILED)
    online.say("sensor", name="gate_reader", reason=0, detail="")
    online.store_all()
    assert alarms_seen_by(duty)[0]["state"] == "new"


def test_the_first_to_acknowledge_counts(online, duty, log_in, day, services, clock):
    camera(online, errors.CAMERA_FAILED)
    key = alarms_seen_by(duty)[0]["key"]
    first = duty.post(f"/api/alarms/{key}/acknowledge").json()
    clock.pass_time(minutes=1)
    again = log_in(day.bank.dispatcher).post(f"/api/alarms/{key}/acknowledge").json()
    assert again == first


def test_closing_needs_an_acknowledgement_and_a_note(online, duty):
    camera(online, errors.CAMERA_FAILED)
    key = alarms_seen_by(duty)[0]["key"]
    assert duty.post(f"/api/alarms/{key}/close", json={"note": "x"}).json()["reason"] == "not_acknowledged"
    duty.post(f"/api/alarms/{key}/acknowledge")
    assert duty.post(f"/api/alarms/{key}/close", json={"note": "  "}).json()["reason"] == "note_missing"
    assert duty.post("/api/alarms/server:nothing/acknowledge").status_code == 404


@pytest.mark.shows("D9")
def test_a_duress_alarm_is_for_the_centre_alone(online, delivery, duty, log_in, day):
    van = day.bank.vehicles[0]
    delivery.arrive(van.id, van.epc, van.tid)
    delivery.finger(delivery.crew[0], duress=True, picture=bytes(32))
    online.store_all()
    (alarm,) = alarms_seen_by(duty)
    assert (alarm["rule"], alarm["silent"]) == ("duress", True)
    officer = log_in(day.bank.users[Role.OFFICER])
    assert alarms_seen_by(officer) == []
    assert officer.get(f"/api/speech/alarms/{alarm['key']}").status_code == 404


def test_people_of_a_site_see_their_own_and_handle_none(online, log_in, day, duty):
    camera(online, errors.CAMERA_FAILED)
    key = alarms_seen_by(duty)[0]["key"]
    officer, keeper = (log_in(day.bank.users[role]) for role in (Role.OFFICER, Role.KEEPER))
    assert len(alarms_seen_by(officer)) == 1
    assert alarms_seen_by(keeper) == []
    assert officer.post(f"/api/alarms/{key}/acknowledge").status_code == 403


def test_a_server_alarm_stands_once(services, day, unit):
    with services.database.writing() as session:
        row = session.get(Unit, unit.id)
        first = service.raise_alarm(session, "unit_offline", row)
        assert service.raise_alarm(session, "unit_offline", row).key == first.key
        service.end_all(session, "unit_offline", row)
        session.flush()
        assert session.exec(select(Alarm)).one().ended is not None


def test_what_has_no_end_of_its_own_alarms_again_after_it_was_closed(services, unit, duty):
    def raise_again() -> str:
        with services.database.writing() as session:
            return service.raise_alarm(session, "link_abuse", session.get(Unit, unit.id)).key

    first = raise_again()
    services.clock.pass_time(minutes=1)
    assert raise_again() == first
    duty.post(f"/api/alarms/{first}/acknowledge")
    duty.post(f"/api/alarms/{first}/close", json={"note": "the unit was replaced"})
    assert raise_again() != first


def test_what_nothing_ends_is_not_read_with_each_batch(online, services):
    """It stands for ever: after years each batch would read thousands of alarms of each unit."""
    online.say("refusal", what="blob", reference=None, reason=errors.TOO_LARGE, detail="")
    camera(online, errors.CAMERA_FAILED)
    with services.database.writing() as session:
        service.prepare(session, [online.id])
        read = {row.rule for row in session.identity_map.values() if isinstance(row, Alarm)}
        assert read == {"sensor_fault"}
        assert len(service.standing(session, online.id, "sensor_fault")) == 1
        assert len(service.standing(session, online.id, "refusal")) == 1


def test_handling_survives_a_rebuild(online, duty, services):
    from doorward_server.handovers.rebuild import rebuild

    camera(online, errors.CAMERA_FAILED)
    key = alarms_seen_by(duty)[0]["key"]
    duty.post(f"/api/alarms/{key}/acknowledge")
    with services.database.writing() as session:
        rebuild(session)
        assert service.state_of(session.get(Alarm, key), session.get(AlarmHandling, key)) == "acknowledged"


def test_what_the_server_saw_itself_is_rebuilt_from_its_journal(unit, duty, services):
    from doorward_server.handovers.rebuild import rebuild

    # A rule that nothing watches: the link itself ends `unit_offline` when a unit is welcomed.
    def abused(session):
        return service.raise_alarm(session, "link_abuse", session.get(Unit, unit.id), last_seen=5).key

    with services.database.writing() as session:
        ended = abused(session)
        service.end_all(session, "link_abuse", session.get(Unit, unit.id))
    services.clock.pass_time(minutes=1)
    with services.database.writing() as session:
        standing = abused(session)
    with services.database.writing() as session:
        assert rebuild(session).differences == []
        assert session.get(Alarm, ended).ended is not None
        assert session.get(Alarm, standing).ended is None
        session.delete(session.get(Alarm, ended))
        session.get(Alarm, standing).details = {"subject": "", "last_seen": 6}
        session.flush()
        session.expire_all()
        found = rebuild(session).differences
        assert sorted((change.key, change.what) for change in found) == sorted(
            [(ended, "new"), (standing, "changed")]
        )
        assert session.get(Alarm, standing).details["last_seen"] == 5
