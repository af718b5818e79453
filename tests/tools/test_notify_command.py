"""`doorward notify-test` as whoever types it sees it: each target, what came back, and no key."""

import json

import pytest
from doorward_tools.main import app
from notify_receiver import ROBOT_KEY, SECRET, receiving, robot
from typer.testing import CliRunner


@pytest.fixture
def receiver():
    with receiving() as running:
        yield running


@pytest.fixture
def run(monkeypatch):
    """run(targets, *names) -> (exit status, output)"""

    def begin(targets, *names):
        monkeypatch.setenv("DOORWARD_NOTIFY", json.dumps(targets))
        answer = CliRunner().invoke(app, ["notify-test", *names])
        return answer.exit_code, answer.output

    return begin


@pytest.mark.shows("F13")
def test_each_target_is_tried_and_what_came_back_is_told(run, receiver):
    targets = [receiver.json_target(), receiver.wecom_target()]
    receiver.usual = robot(93000, f"invalid webhook url, key={ROBOT_KEY}\x1b[2J")
    receiver.answers.append((404, "not here"))
    status, output = run(targets)
    assert status == 1
    first, second = output.splitlines()
    assert first.startswith(
        "soc (json, 127.0.0.1): not delivered: HTTP 404 (not here); look into the receiver"
    )
    assert second.startswith(
        "duty (wecom, 127.0.0.1): not delivered: WeCom errcode 93000 (invalid webhook url, … [2J); 93000: the"
    )
    receiver.usual = robot(0)
    assert run(targets) == (
        0,
        'soc (json, 127.0.0.1): delivered, HTTP 200 ({"errcode": 0, "errmsg": "ok"})\n'
        "duty (wecom, 127.0.0.1): delivered, HTTP 200 (errcode 0)\n",
    )
    assert receiver.messages()[-2]["type"] == "test"
    assert receiver.messages()[-1]["text"]["content"] == "守门人 Doorward：测试消息。"


def test_one_can_be_named(run, receiver):
    status, output = run([receiver.json_target(), receiver.wecom_target()], "duty")
    assert (status, output.count("\n"), len(receiver.requests)) == (0, 1, 1)
    assert run([receiver.json_target()], "other") == (
        2,
        "doorward notify-test: there is no target other; there are soc\n",
    )


def test_without_targets_it_says_where_to_read(run):
    status, output = run([])
    assert status == 2
    assert "docs/operations.md" in output


def test_a_senseless_target_is_refused_in_one_line_without_its_secret(run, receiver):
    status, output = run([receiver.wecom_target(), receiver.json_target(address=f"http://x/{ROBOT_KEY}")])
    assert status == 2
    assert output.startswith("doorward notify-test: DOORWARD_NOTIFY, 2, address: has to begin with https://")
    assert output.count("\n") == 1
    assert ROBOT_KEY not in output
    assert SECRET not in output
