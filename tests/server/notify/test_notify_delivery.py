"""What is given up and counted, what runs late, when people hear of failures, and that no secret gets out."""

import logging

import pytest
from doorward_server.alarms.models import Alarm
from doorward_server.audit.models import Decision
from doorward_server.notify import waiting as outbox_waiting
from doorward_server.notify.models import Notice
from doorward_server.security.roles import Role
from notify_receiver import ROBOT_KEY, SECRET, closed_port, raw, robot
from sqlmodel import select


def hours_ago(services, target, kind, key, hours=0.0):
    """Put a notice into the outbox that is so old."""
    with services.database.writing() as session:
        time = services.clock.milliseconds() - int(hours * 3_600_000)
        session.add(Notice(target=target, kind=kind, key=key, time=time))


def standing(services):
    with services.database.reading() as session:
        return session.exec(
            select(Alarm).where(Alarm.rule == "notify_failing", Alarm.ended == None)  # noqa: E711
        ).all()


@pytest.mark.parametrize("status", [400, 410, 413, 422])
def test_a_message_that_is_refused_for_good_is_given_up_and_counted(
    receiver, deliver, alarm, waiting, status
):
    tell = deliver(receiver.json_target(alarms="warning"))
    alarm("1")
    alarm("2")
    receiver.answers.append((status, "no"))
    assert tell() is None
    first, untold, second = receiver.messages()
    assert first["data"]["alarm"] != second["data"]["alarm"]
    assert (untold["type"], untold["data"]["arrivals"], untold["data"]["alarms"]) == ("notices.untold", 0, 1)
    assert waiting() == []


def test_of_several_only_the_one_that_is_refused_is_given_up(receiver, deliver, alarm, waiting):
    tell = deliver(receiver.wecom_target(alarms="warning"))
    for number in range(3):
        alarm(str(number))
    receiver.answers += [robot(40058), robot(40058)]
    assert tell() is None
    together, alone, untold, rest = (one["text"]["content"].count("\n") + 1 for one in receiver.messages())
    assert (together, alone, untold, rest) == (3, 1, 1, 2)
    assert waiting() == []


def test_a_count_that_is_refused_is_given_up_too(receiver, deliver, alarm, waiting):
    tell = deliver(receiver.json_target(alarms="warning"))
    alarm()
    receiver.usual = (400, "")
    assert tell() is None
    assert [one["type"] for one in receiver.messages()] == ["alarm.raised", "notices.untold"]
    assert tell() is None
    assert len(receiver.requests) == 2


@pytest.mark.shows("F13")
def test_what_is_too_old_is_given_up_and_what_is_late_says_so(
    receiver, deliver, alarm, services, clock, waiting
):
    tell = deliver(receiver.json_target(alarms="warning", arrivals=True))
    hours_ago(services, "soc", "arrival", "1", 1.01)
    hours_ago(services, "soc", "alarm", "server:x:0:1", 24 * 7.01)
    alarm()
    clock.pass_time(days=1)
    assert tell() is None
    untold, late = receiver.messages()
    assert (untold["data"]["arrivals"], untold["data"]["alarms"]) == (1, 1)
    assert late["data"]["late"]
    assert late["data"]["text"].endswith("03-02 06:00 (told late).")


def test_what_is_too_much_goes_oldest_arrivals_first(
    receiver, deliver, alarm, services, waiting, monkeypatch
):
    monkeypatch.setattr(outbox_waiting, "MOST_WAITING", 3)
    monkeypatch.setattr(outbox_waiting, "AT_ONCE_GIVEN_UP", 2)
    tell = deliver(receiver.json_target(alarms="warning", arrivals=True))
    kept = [alarm(f"alarm {number}") for number in range(5)]
    for number in range(4):
        hours_ago(services, "soc", "arrival", str(number), 2 * (number == 0))
    receiver.answers.append((500, ""))
    tell()
    assert waiting() == kept[2:]
    assert receiver.messages()[0]["data"]["text"] == (
        "Not told since 03-02 06:00, arrivals: 4, alarms: 2 (too many, too old or refused). "
        "See the page of alarms."
    )


def test_what_is_given_up_while_a_count_is_told_is_told_later(receiver, deliver, services, clock):
    def meanwhile(handler):
        clock.pass_time(seconds=1)
        hours_ago(services, "soc", "arrival", "2", 2)
        handler.send_response(204)
        handler.end_headers()

    tell = deliver(receiver.json_target(arrivals=True))
    hours_ago(services, "soc", "arrival", "1", 2)
    receiver.answers.append(meanwhile)
    assert tell() is None
    first, second = receiver.messages()
    assert (first["data"]["arrivals"], second["data"]["arrivals"]) == (1, 1)
    assert first["id"] != second["id"]


def test_what_is_no_longer_there_is_not_told(receiver, deliver, alarm, services, waiting):
    tell = deliver(receiver.json_target(alarms="warning", arrivals=True))
    hours_ago(services, "soc", "alarm", "record:4711:fire")
    hours_ago(services, "soc", "arrival", "4711")
    alarm()
    assert tell() is None
    assert len(receiver.requests) == 1
    assert waiting() == []


def test_one_target_does_not_wait_for_another(receiver, deliver, alarm, waiting):
    dead = deliver(receiver.json_target(alarms="warning", address=f"http://127.0.0.1:{closed_port()}/"))
    alive = deliver(receiver.json_target(alarms="warning", name="alive"))
    alarm()
    assert dead() == 5
    assert alive() is None
    assert len(waiting()) == 1


@pytest.mark.shows("F13")
def test_a_failure_that_lasts_is_an_alarm_that_is_told_to_no_target(
    receiver, deliver, alarm, services, clock, waiting, staffed, log_in
):
    tell = deliver(receiver.json_target(alarms="info"))
    other = deliver(receiver.wecom_target(alarms="info"))
    alarm()
    receiver.usual = (404, "")
    tell()
    clock.pass_time(minutes=4, seconds=59)
    tell()
    assert standing(services) == []
    clock.pass_time(minutes=5)
    tell()
    clock.pass_time(minutes=5)
    tell()
    (raised,) = standing(services)
    assert raised.details == {"subject": "", "target": "soc", "trouble": "status", "number": 404}
    page = log_in(staffed.users[Role.DUTY]).get("/alarms").text
    assert "soc：HTTP 404。请在服务器上运行 doorward notify-test 检查。" in page
    assert len(waiting()) == 2, "one alarm for each of two targets, and none about telling"
    receiver.usual = robot(0)
    other()
    assert len(standing(services)) == 1, "another target's delivery ends nothing"
    clock.pass_time(minutes=5)
    assert tell() is None
    assert standing(services) == []


def test_what_a_robot_answers_can_be_any_number(receiver, deliver, alarm, services, clock):
    tell = deliver(receiver.wecom_target(alarms="warning"))
    alarm()
    for number in (10**400, -(10**9)):
        receiver.usual = robot(number)
        tell()
        clock.pass_time(minutes=6)
    (raised,) = standing(services)
    assert (raised.details["trouble"], raised.details["number"]) == ("errcode", -(10**9))


def test_a_failure_after_a_restart_is_the_same_alarm(receiver, deliver, alarm, services, clock):
    given = receiver.json_target(alarms="warning")
    receiver.usual = (500, "")
    for _ in range(2):
        services.settings.notify = ()
        tell = deliver(given)
        alarm(str(clock.milliseconds()))
        tell()
        clock.pass_time(minutes=6)
        tell()
    assert len(standing(services)) == 1


@pytest.mark.shows("F13")
def test_key_and_secret_are_let_out_nowhere(
    receiver, deliver, alarm, services, clock, caplog, log_in, staffed
):
    """A robot's address is its key: not even a library that logs at its finest says it."""
    caplog.set_level(logging.DEBUG)
    echo = f"cannot POST /cgi-bin/webhook/send?key={ROBOT_KEY}"
    tell = deliver(receiver.wecom_target(alarms="warning"))
    tell_json = deliver(receiver.json_target(alarms="warning"))
    alarm()
    answers = [(500, echo), (302, "", {"location": echo}), raw(echo.encode())]
    for first, second in ((robot(93000, echo), answers[0]), *((answer, answer) for answer in answers)):
        receiver.answers += [first, second]
        tell()
        tell_json()
        clock.pass_time(minutes=6)
    assert len(standing(services)) == 2
    with services.database.reading() as session:
        decisions = repr(session.exec(select(Decision.entry)).all())
    browser = log_in(staffed.users[Role.DUTY])
    seen = caplog.text + decisions + browser.get("/alarms").text + browser.get("/api/alarms").text
    for private in (ROBOT_KEY, SECRET, "path-token"):
        assert private not in seen
    assert "notifications to soc: HTTP 500; look into the receiver's log" in caplog.text
