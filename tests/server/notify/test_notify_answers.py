"""Telling one target: how a message is sent, what each answer means, when the next try comes."""

import base64
import hashlib
import hmac
import json
from functools import partial

import pytest
from notify_receiver import SECRET, Receiver, closed_port, raw, receiving, robot


@pytest.mark.shows("F13")
def test_a_message_is_signed_and_says_what_happened(receiver, deliver, alarm, waiting, services):
    tell = deliver(receiver.json_target(alarms="warning"))
    key = alarm()
    assert tell() is None
    ((headers, body),) = receiver.requests
    message = json.loads(body)
    assert message["type"] == "alarm.raised"
    assert message["timestamp"] == "2026-03-01T22:00:00.000+00:00"
    assert message["data"]["text"] == "[Warning] Centre: A report could not be printed, 03-02 06:00."
    assert (message["data"]["alarm"], message["data"]["rule"]) == (key, "printing_failed")
    # As docs/operations.md tells a receiver to check it.
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    secret = base64.b64decode(SECRET.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"
    assert headers["webhook-id"] == message["id"]
    assert int(headers["webhook-timestamp"]) == services.clock.milliseconds() // 1000
    assert waiting() == []


@pytest.mark.shows("F13")
def test_a_robot_gets_several_in_one_text(receiver, deliver, alarm, waiting):
    tell = deliver(receiver.wecom_target(alarms="warning"))
    for number in range(60):
        alarm(str(number))
    assert tell() is None
    contents = [message["text"]["content"] for message in receiver.messages()]
    assert receiver.messages()[0]["msgtype"] == "text"
    lines = "\n".join(contents).split("\n")
    assert set(lines) == {"【警告】管理中心：交接单打印失败，03-02 06:00。"}
    assert len(lines) == 60
    assert all(len(content.encode()) <= 2048 for content in contents)
    assert len(contents) <= 4
    assert waiting() == []


def test_a_robot_gets_twenty_messages_a_minute(receiver, deliver, alarm, clock, waiting):
    tell = deliver(receiver.wecom_target(alarms="warning"))
    for number in range(20):
        alarm(str(number))
        assert tell() is None
        clock.pass_time(seconds=1)
    alarm("one more")
    alarm("and another")
    assert tell() == 40
    assert len(receiver.requests) == 20
    clock.pass_time(seconds=40)
    assert tell() is None
    assert len(receiver.requests) == 21
    assert waiting() == []


@pytest.mark.parametrize(
    "answer",
    [
        (500, "broken"),
        (503, ""),
        (401, ""),
        (404, ""),
        (429, ""),
        (302, "", {"location": "/elsewhere"}),
        (307, "", {"location": "/elsewhere"}),
        raw(b"SSH-2.0-OpenSSH\r\n"),
        raw(b""),
        raw(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200_000),
    ],
)
def test_what_can_heal_is_tried_again_with_the_same_id(receiver, deliver, alarm, clock, waiting, answer):
    tell = deliver(receiver.json_target(alarms="warning"))
    alarm()
    receiver.answers.append(answer)
    assert tell() == 5
    assert len(receiver.requests) == 1, "redirects are not followed"
    clock.pass_time(seconds=4)
    assert tell() == 1
    assert len(receiver.requests) == 1, "it is too early"
    clock.pass_time(seconds=1)
    assert tell() is None
    first, second = receiver.messages()
    assert first["id"] == second["id"]
    assert waiting() == []


@pytest.mark.parametrize(
    "answer",
    [
        robot(93000, "invalid webhook url"),
        robot(-1, "busy"),
        robot("0"),
        robot(None),
        robot(False),
        (200, "<html>captive portal</html>"),
        (200, "[" * 4096),
        (200, "[]"),
        (200, ""),
        (204, ""),
        robot(10**400),
        (200, json.dumps({"errcode": 0, "errmsg": "x" * 9000})),
        (404, ""),
        (302, "", {"location": "/elsewhere"}),
    ],
)
def test_a_robots_http_200_alone_is_no_delivery(receiver, deliver, alarm, clock, waiting, answer):
    tell = deliver(receiver.wecom_target(alarms="warning"))
    alarm()
    receiver.answers.append(answer)
    assert tell() == 5
    assert len(waiting()) == 1
    clock.pass_time(seconds=5)
    assert tell() is None
    assert waiting() == []


def test_whoever_asks_for_a_pause_gets_it(receiver, deliver, alarm, clock):
    tell = deliver(receiver.wecom_target(alarms="warning"))
    alarm()
    receiver.answers += [robot(45009, "freq"), (503, "", {"retry-after": "99999999999"})]
    assert tell() == 60
    clock.pass_time(seconds=60)
    assert tell() == 10, "nonsense is not heeded"
    clock.pass_time(seconds=10)
    receiver.answers.append((503, "", {"retry-after": "86400"}))
    assert tell() == 600


def test_nobody_at_the_address_is_tried_again(deliver, alarm, waiting, receiver):
    receiver.port = closed_port()
    tell = deliver(receiver.json_target(alarms="warning"))
    alarm()
    assert tell() == 5
    assert len(waiting()) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(deliver, alarm, waiting, caplog):
    with receiving(tls=True) as receiver:
        tell = deliver(receiver.json_target(alarms="warning", address=f"https://localhost:{receiver.port}/"))
        alarm()
        assert tell() == 5
        assert receiver.requests == []
    assert "its certificate is not trusted" in caplog.text
    assert len(waiting()) == 1


@pytest.mark.parametrize("slow", [Receiver.hang, Receiver.drip])
def test_a_receiver_that_never_ends_is_left(receiver, deliver, alarm, waiting, slow):
    tell = deliver(receiver.json_target(alarms="warning"))
    alarm()
    receiver.answers.append(partial(slow, receiver))
    assert tell() == 5
    assert len(waiting()) == 1


def test_a_receiver_that_takes_it_and_then_hangs_has_it(receiver, deliver, alarm, waiting):
    def hang_behind_the_head(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
        receiver.hang(handler)

    tell = deliver(receiver.json_target(alarms="warning"))
    alarm()
    receiver.answers.append(hang_behind_the_head)
    assert tell() is None
    assert waiting() == []


def test_pauses_grow_up_to_five_minutes(receiver, deliver, alarm, clock):
    tell = deliver(receiver.json_target(alarms="warning"))
    alarm()
    receiver.usual = (500, "")
    pauses = []
    for _ in range(9):
        pauses.append(tell())
        clock.pass_time(seconds=pauses[-1])
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_a_clock_that_is_set_back_makes_nobody_wait(receiver, deliver, alarm, clock, waiting):
    tell = deliver(receiver.wecom_target(alarms="warning"))
    alarm()
    receiver.answers.append((500, ""))
    assert tell() == 5
    clock.pass_time(hours=-12)
    for number in range(20):
        alarm(f"next {number}")
        assert tell() is None
    alarm("one more")
    assert tell() == 60
    clock.pass_time(hours=-12)
    assert tell() is None
    assert waiting() == []
