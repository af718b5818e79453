"""Targets of notifications as an operator sets them: what makes no sense is refused, and no secret shows."""

import json

import pytest
from doorward_server.notify.targets import MOST_TARGETS, Target
from doorward_server.settings import Settings
from notify_receiver import ROBOT_KEY, SECRET
from pydantic import ValidationError

JSON = {"name": "soc", "kind": "json", "address": "https://soc.example/in", "secret": SECRET}
WECOM = {"name": "duty", "kind": "wecom", "address": f"https://qyapi.weixin.qq.com/send?key={ROBOT_KEY}"}


def setting(monkeypatch, *targets):
    monkeypatch.setenv("DOORWARD_NOTIFY", json.dumps(targets))
    return Settings().notify


def lets_out(text, private):
    """Whether any piece of a secret stands in a text; pydantic shows both ends of what is long."""
    return any(private[begin : begin + 10] in text for begin in range(len(private) - 9))


def test_the_variable_holds_a_list_of_targets(monkeypatch):
    first, second = setting(monkeypatch, JSON, WECOM | {"arrivals": True, "alarms": "none"})
    assert (first.alarms, first.arrivals, first.silent, first.language) == ("high", False, False, None)
    assert first.signing_key == b"secret-key-of-32-bytes-for-tests"
    assert second.host == "qyapi.weixin.qq.com"
    monkeypatch.setenv("DOORWARD_NOTIFY", "")
    assert Settings().notify == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"address": "http://soc.example/in"}, "https://"),
        ({"address": "http://127.0.0.1.example/in"}, "https://"),
        ({"address": "ftp://soc.example/in"}, "https://"),
        ({"address": "https://me:word@soc.example/"}, "without user"),
        ({"address": "https://:443/"}, "HOST"),
        ({"address": "https://soc.example:port/"}, "no address"),
        ({"address": "https://[soc/"}, "no address"),
        ({"address": "https://soc.example/a b"}, "no address"),
        ({"address": "https://soc.example/in#there"}, "#"),
        ({"secret": ""}, "needs a secret"),
        ({"secret": "c2VjcmV0"}, "openssl rand -base64 32"),
        ({"secret": "whsec_c2VjcmV0"}, "openssl rand -base64 32"),
        ({"secret": "whsec_!" + "A" * 43}, "openssl rand -base64 32"),
        ({"alarms": "none"}, "told nothing"),
        ({"alarms": "none", "arrivals": True, "silent": True}, "silent needs alarms"),
        ({"alarms": "loud"}, "alarms"),
        ({"name": "The SOC"}, "name"),
        ({"kind": "pigeon"}, "kind"),
        ({"kind": "wecom"}, "no secret"),
        ({"kind": "wecom", "secret": ""}, "key="),
        ({"adress": "https://soc.example"}, "adress"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(monkeypatch, changes, said):
    with pytest.raises(ValidationError, match=said):
        setting(monkeypatch, JSON | changes)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "127.9.9.9"])
def test_this_machine_needs_no_tls(monkeypatch, host):
    assert setting(monkeypatch, JSON | {"address": f"http://{host}:8080/in"})


def test_names_are_there_once_and_there_are_not_too_many(monkeypatch):
    with pytest.raises(ValidationError, match="same name"):
        setting(monkeypatch, JSON, JSON)
    with pytest.raises(ValidationError, match="more than"):
        setting(monkeypatch, *(JSON | {"name": f"soc-{number}"} for number in range(MOST_TARGETS + 1)))


@pytest.mark.parametrize("text", ["[" + SECRET, '{"a": "' + SECRET + '"}', "[" * 100_000, '"' + SECRET + '"'])
def test_what_is_no_list_is_refused(monkeypatch, text):
    monkeypatch.setenv("DOORWARD_NOTIFY", text)
    with pytest.raises(ValidationError, match="no JSON list") as refused:
        Settings()
    assert not lets_out(str(refused.value), SECRET)


@pytest.mark.shows("F13")
def test_neither_secret_nor_address_shows(monkeypatch):
    for refused in (JSON | {"alarms": "loud"}, JSON | {"kind": "wecom"}, WECOM | {"secret": SECRET}):
        with pytest.raises(ValidationError) as error:
            setting(monkeypatch, refused)
        assert not lets_out(str(error.value), SECRET)
        assert not lets_out(str(error.value), ROBOT_KEY)
    shown = repr(setting(monkeypatch, JSON, WECOM)) + str(Settings()) + Settings().model_dump_json()
    assert not lets_out(shown, SECRET)
    assert not lets_out(shown, ROBOT_KEY)


def test_what_a_receiver_says_is_cut_and_cleaned():
    target = Target.model_validate(WECOM)
    said = target.redacted(f"\x1b[2J no {ROBOT_KEY}\r\nat {target.address.get_secret_value()} " + "x" * 999)
    assert ROBOT_KEY not in said
    assert said.isprintable()
    assert len(said) <= 200
