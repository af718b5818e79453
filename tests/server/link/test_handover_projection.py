"""Handovers as the journal tells them: every step, every way to go wrong, and a rebuild that is equal."""

import pytest
from doorward_protocol import errors
from doorward_server.alarms.models import Alarm
from doorward_server.console import host_view, wall_view
from doorward_server.handovers.models import Handover, HandoverEvent
from doorward_server.handovers.rebuild import Difference, rebuild
from doorward_server.planning import service as planning
from doorward_server.planning.models import Run, RunStatus, RunVersion, Stop, StopStatus
from doorward_server.reports import content
from doorward_server.security import four_eyes
from doorward_server.security.models import User
from sqlalchemy import inspect
from sqlmodel import SQLModel, col, select
from unit_client import Delivery, UnitClient

PROJECTED: tuple[type[SQLModel], ...] = (Handover, HandoverEvent, Alarm)


@pytest.fixture
def arrive(delivery, day):
    """arrive(**changes) -> the planned van is at the gate."""

    def begin(**changes) -> None:
        van = day.bank.vehicles[0]
        delivery.arrive(van.id, van.epc, van.tid, **changes)

    return begin


def play(delivery, arrive) -> None:
    """A whole delivery without trouble."""
    arrive()
    for person in delivery.crew:
        delivery.finger(person, picture=bytes([person]) * 32)
    delivery.crew_complete(picture=b"\x77" * 32)
    delivery.approve(picture=b"\x77" * 32)
    for event in (1, 3, 4, 2):
        delivery.unit.say("door", door=1, event=event, cause=1)
    delivery.read_boxes()
    delivery.close()
    delivery.leave()


def everything(session) -> list[dict]:
    """All rows of the projection, in the order of their keys."""
    return [
        row.model_dump()
        for model in PROJECTED
        for row in session.exec(select(model).order_by(*inspect(model).primary_key))
    ]


def rules(services) -> list[str]:
    with services.database.reading() as session:
        return sorted(session.exec(select(Alarm.rule)))


def stop_status(services, task) -> str:
    with services.database.reading() as session:
        return session.get(Stop, task).status


def handover(services) -> Handover:
    with services.database.reading() as session:
        return session.exec(select(Handover).order_by(col(Handover.id).desc())).first()


def test_a_delivery_from_the_tag_to_the_closed_handover(online, delivery, arrive, services, day, clock):
    play(delivery, arrive)
    online.store_all()
    done = handover(services)
    assert (done.state, done.task, done.order_version) == ("left", day.tasks[0], 1)
    assert (done.crew, done.approved, done.approved_by, done.head_count) == (
        delivery.crew,
        True,
        [delivery.officer],
        2,
    )
    assert (done.boxes_read, done.boxes_missing) == ([epc.hex() for epc in delivery.boxes], [])
    assert (done.officer_id, done.officer_sensor) == (delivery.officer, "inner_fingerprint")
    assert (done.crew_closer_id, done.crew_closer_sensor) == (delivery.crew[0], "inner_fingerprint")
    assert done.finished == clock.milliseconds()
    assert rules(services) == []  # a flow without trouble alarms nobody (S11)
    assert stop_status(services, day.tasks[0]) == "closed"


def test_the_stop_follows_the_handover(online, delivery, arrive, services, day):
    arrive()
    online.store_all()
    assert stop_status(services, day.tasks[0]) == "under_way"
    delivery.freeze(errors.MISSING_BOX)
    online.store_all()
    assert stop_status(services, day.tasks[0]) == "frozen"
    assert handover(services).reason == errors.MISSING_BOX
    online.say("restarted", task=delivery.task, nonce=delivery.nonce, reason=errors.RESTARTED_BY_CENTRE)
    online.store_all()
    assert stop_status(services, day.tasks[0]) == "planned"
    assert rules(services) == ["frozen", "restarted_by_centre"]
    with services.database.reading() as session:
        assert session.exec(select(Alarm.ended).where(Alarm.rule == "frozen")).one() is not None


def test_a_new_attempt_is_a_new_handover(online, delivery, arrive, services):
    arrive()
    online.say("restarted", task=delivery.task, nonce=delivery.nonce, reason=errors.TIMED_OUT)
    delivery.nonce = b"attempt2"
    arrive()
    online.store_all()
    with services.database.reading() as session:
        states = session.exec(select(Handover.state).order_by(col(Handover.id))).all()
    assert states == ["restarted", "arrived"]


@pytest.mark.shows("D3")
def test_a_twin_is_critical_and_marks_the_first(online, delivery, arrive, services, day):
    play(delivery, arrive)
    van = day.bank.vehicles[0]
    online.say("vehicle_refused", task=delivery.task, epc=van.epc, tid=van.tid, reason=errors.TASK_COMPLETED)
    online.store_all()
    first = handover(services)
    assert first.twin
    with services.database.reading() as session:
        alarm = session.exec(select(Alarm)).one()
    assert (alarm.rule, alarm.severity, alarm.handover_id) == ("twin_vehicle", "critical", first.id)


def test_a_finished_task_that_begins_again_marks_both(online, delivery, arrive, services, day):
    play(delivery, arrive)
    delivery.nonce = b"attempt2"
    arrive()
    online.store_all()
    with services.database.reading() as session:
        assert session.exec(select(Handover.twin)).all() == [True, True]
    assert rules(services) == ["second_arrival"]
    assert stop_status(services, day.tasks[0]) == "closed"  # what was completed stays completed


@pytest.mark.shows("D3")
def test_an_early_van_alarms_and_begins_nothing(online, services, day):
    van = day.bank.vehicles[0]
    reason = errors.EARLY_VEHICLE
    online.say("vehicle_refused", task=day.tasks[0], epc=van.epc, tid=van.tid, reason=reason)
    online.store_all()
    assert rules(services) == ["early_vehicle"]
    assert handover(services) is None


@pytest.mark.shows("D9")
def test_a_duress_finger_alarms_the_centre_and_shows_nowhere_else(online, delivery, arrive, services):
    arrive()
    delivery.finger(delivery.crew[0], duress=True, picture=b"\x01" * 32)
    online.store_all()
    assert rules(services) == ["duress"]
    with services.database.reading() as session:
        for event in session.exec(select(HandoverEvent)):
            assert "duress" not in event.details
        alarm = session.exec(select(Alarm)).one()
    assert "duress" not in alarm.details


@pytest.mark.shows("D4")
def test_an_order_revoked_before_the_arrival_is_critical(online, delivery, arrive, services, day, clock):
    with services.database.writing() as session:
        content = session.exec(select(RunVersion.content)).one()
        revoked = RunVersion(run_id=day.run, version=2, content=content, released_at=clock.now())
        session.add(revoked)
    clock.pass_time(minutes=1)
    arrive()
    online.store_all()
    assert handover(services).revoked_version
    assert rules(services) == ["revoked_version"]


def test_a_task_nobody_planned_is_critical(online, delivery, arrive, services):
    delivery.task = 4711
    arrive()
    online.store_all()
    assert rules(services) == ["unknown_task"]


def test_a_task_of_another_site_is_critical(online, delivery, arrive, services, day):
    delivery.task = day.tasks[1]
    arrive()
    online.store_all()
    assert rules(services) == ["unknown_task"]
    assert stop_status(services, day.tasks[1]) == "planned"


def test_a_unit_changes_nothing_about_the_stops_of_other_sites(online, delivery, arrive, services, day):
    """Else one unit could have another site's order closed, and with it revoked."""
    delivery.task = day.tasks[1]
    for end in (lambda: delivery.freeze(errors.MISSING_BOX), delivery.close, delivery.leave):
        arrive()
        end()
        online.store_all()
        assert stop_status(services, day.tasks[1]) == "planned"


@pytest.mark.shows("D11")
def test_a_task_of_another_site_shows_nothing_of_it(online, delivery, arrive, services, day):
    delivery.task = day.tasks[1]
    arrive()
    online.store_all()
    with services.database.reading() as session:
        host = host_view.build(session, day.bank.sites["north"].id, "en", may_decide=True)
        report = content.collect(session, handover(services))
        stop = wall_view.build(session, "en")["runs"][0]["stops"][1]
    assert (host["at_door"], host["with_vehicle"], host["boxes"]) == ([], [], [])
    assert report.window is None
    assert stop["arrived"] == ""


@pytest.mark.shows("S9")
def test_a_stop_that_another_sites_unit_says_it_did_is_still_skipped(
    online, connect, services, day, delivery
):
    with services.database.writing() as session:
        south = UnitClient(services, seed=2).register(session, day.bank.sites["south"])
    connect(south)
    van = day.bank.vehicles[0]
    for task in day.tasks[:2]:
        one = Delivery(south, task, delivery.crew, day.bank.officers["south"].id, [])
        one.arrive(van.id, van.epc, van.tid)
        one.close()
        one.leave()
    south.store_all()
    assert rules(services) == ["skipped_stop", "unknown_task"]


@pytest.mark.shows("S9")
def test_a_skipped_stop_alarms(online, connect, services, day, delivery, arrive):
    with services.database.writing() as session:
        south = UnitClient(services, seed=2).register(session, day.bank.sites["south"])
    connect(south)
    van = day.bank.vehicles[0]
    early = Delivery(south, day.tasks[1], delivery.crew, day.bank.officers["south"].id, [])
    early.arrive(van.id, van.epc, van.tid)
    south.store_all()
    assert rules(services) == ["skipped_stop"]


def test_the_second_stop_after_the_first_alarms_nobody(online, connect, services, day, delivery, arrive):
    play(delivery, arrive)
    online.store_all()
    with services.database.writing() as session:
        south = UnitClient(services, seed=2).register(session, day.bank.sites["south"])
    connect(south)
    van = day.bank.vehicles[0]
    Delivery(south, day.tasks[1], delivery.crew, 1, []).arrive(van.id, van.epc, van.tid)
    south.store_all()
    assert rules(services) == []


def test_a_task_begun_on_an_unsure_clock_alarms(online, delivery, arrive, services):
    arrive(clock=1)
    online.store_all()
    assert rules(services) == ["task_on_unsure_clock"]
    assert handover(services).clock_unsure


def test_a_van_that_leaves_before_the_close_alarms(online, delivery, arrive, services):
    arrive()
    delivery.leave()
    online.store_all()
    assert rules(services) == ["left_open"]


def test_a_foreign_box_is_kept_with_the_handover(online, delivery, arrive, services):
    arrive()
    online.say("foreign_box", task=delivery.task, nonce=delivery.nonce, epc=b"\xe2box", tid=None,
               reason=errors.FOREIGN_BOX)  # fmt: skip
    online.store_all()
    assert handover(services).boxes_foreign == [b"\xe2box".hex()]
    assert rules(services) == ["foreign_box"]


def test_a_rebuild_gives_the_same_rows(online, delivery, arrive, services, day):
    play(delivery, arrive)
    van = day.bank.vehicles[0]
    online.say("vehicle_refused", task=delivery.task, epc=van.epc, tid=van.tid, reason=errors.TASK_COMPLETED)
    online.say("sensor", name="camera", reason=errors.CAMERA_FAILED, detail="")
    online.say("sensor", name="camera", reason=0, detail="")
    first, last = (online.append("door", door=2, event=event, cause=1) for event in (6, 4))
    online.send_record(last)  # early
    online.send_record(first)
    waiting = online.append("input", name=3, active=True) + 1
    online.append("input", name=2, active=True)
    online.send_record(waiting)  # its predecessor never comes
    online.send_head(size=waiting - 1)
    online.receive_until("stored")
    with services.database.reading() as session:
        before = everything(session)
        status = [stop.model_dump() for stop in session.exec(select(Stop))]
    assert {row["rule"] for row in before if "rule" in row} == {
        "twin_vehicle", "sensor_fault", "door_forced", "fire",
    }  # fmt: skip
    with services.database.writing() as session:
        report = rebuild(session)
        assert (report.leaves, report.differences) == (waiting, [])
    with services.database.reading() as session:
        assert everything(session) == before
        assert [stop.model_dump() for stop in session.exec(select(Stop))] == status


def test_a_rebuild_tells_no_page_and_prints_nothing(online, delivery, arrive, services, server):
    play(delivery, arrive)
    online.store_all()
    told = []
    services.live.publish = lambda *event: told.append(event)
    with services.database.writing() as session:
        rebuild(session)
    assert told == []


def test_a_rebuild_puts_right_what_somebody_changed(online, delivery, arrive, services):
    play(delivery, arrive)
    online.store_all()
    with services.database.writing() as session:
        true = everything(session)
        found = session.exec(select(Handover)).one()
        stop = session.get_one(Stop, found.task)
        found.head_count, stop.status = 7, StopStatus.PLANNED
        session.add_all([found, stop])
    with services.database.writing() as session:
        report = rebuild(session)
    assert report.differences == [
        Difference("handover", found.id, "changed"), Difference("stop", stop.id, "changed"),
    ]  # fmt: skip
    with services.database.reading() as session:
        assert everything(session) == true


def test_a_rebuild_that_fails_leaves_everything_as_it_was(online, delivery, arrive, services, monkeypatch):
    play(delivery, arrive)
    online.store_all()
    with services.database.reading() as session:
        before = everything(session)

    def fail(_done, _all):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"), services.database.writing() as session:
        rebuild(session, fail)
    with services.database.reading() as session:
        assert everything(session) == before


def test_a_later_cancellation_changes_nothing_about_a_handover(
    online, delivery, arrive, services, clock, day
):
    """What was valid when it began stays valid, however often it is rebuilt."""
    arrive()
    delivery.freeze(errors.MISSING_BOX)
    online.store_all()
    clock.pass_time(minutes=1)
    with services.database.writing() as session:
        run = session.get_one(Run, day.run)
        asking = planning.cancel_request(session, session.get_one(User, day.bank.dispatcher.id), run)
        four_eyes.decide(session, session.get_one(User, day.bank.dispatcher2.id), asking, approve=True)
    with services.database.writing() as session:
        assert rebuild(session).differences == []
        assert session.get_one(Run, day.run).status == RunStatus.CANCELLED
    assert handover(services).revoked_version is False
