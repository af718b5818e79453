"""The connection: who gets in, what the server says first, and what closes it."""

import pytest
from doorward_protocol import messages
from doorward_protocol.suite import run
from doorward_server.alarms.models import Alarm
from doorward_server.units.models import Unit
from sqlmodel import select
from starlette.websockets import WebSocketDisconnect
from unit_client import UnitClient, eventually


def alarms_of(services) -> list[str]:
    with services.database.reading() as session:
        return sorted(session.exec(select(Alarm.rule)))


def unit_row(services, unit) -> Unit:
    with services.database.reading() as session:
        return session.get(Unit, unit.id)


def closed_with(socket) -> str:
    """The reason with which the server closes, after whatever it still says."""
    try:
        while True:
            socket.receive_bytes()
    except WebSocketDisconnect as gone:
        return gone.reason


def test_the_server_speaks_first_with_its_time(server, unit, clock):
    with server.websocket_connect("/link") as socket:
        assert unit.shake_hands(socket) == ("time", {"nonce": None, "time": clock.milliseconds()})


def test_a_connected_unit_is_online_and_a_gone_one_is_not(server, services, unit):
    with server.websocket_connect("/link") as socket:
        unit.shake_hands(socket)
        unit.status()
        assert unit.receive_until("time")["nonce"] == b"nonce-01"
        unit.receive_until("object")
        kept = unit_row(services, unit)
        assert (kept.online, kept.firmware, kept.clock_sure, kept.clock_offset) == (True, "test", True, 0)
    assert eventually(lambda: not unit_row(services, unit).online)


def test_an_unknown_unit_is_refused(server, services):
    with server.websocket_connect("/link") as socket:
        stranger = UnitClient(services, seed=5)
        with pytest.raises(WebSocketDisconnect) as gone:
            stranger.shake_hands(socket)
    assert gone.value.reason == "unknown_key"


def test_somebody_else_with_a_known_kid_is_refused(server, unit):
    with server.websocket_connect("/link") as socket, pytest.raises(WebSocketDisconnect) as gone:
        unit.shake_hands(socket, dh=run(unit.suite.new_key()))
    assert gone.value.code == 1008
    assert gone.value.reason in ("bad_ciphertext", "bad_signature")


@pytest.mark.parametrize("garbage", [b"", b"\x00", b"\xff" * 40, bytes(511)])
def test_garbage_instead_of_a_handshake_is_refused(server, garbage):
    with server.websocket_connect("/link") as socket:
        socket.send_bytes(garbage)
        assert closed_with(socket) != ""


def test_an_oversized_message_closes(server, online, services):
    online.socket.send_bytes(bytes(4097))
    assert closed_with(online.socket) == "too_large"


def test_text_closes(online):
    online.socket.send_text("hello")
    assert closed_with(online.socket) == "malformed"


def test_a_replayed_frame_closes(online):
    frame = online.channel.seal(messages.encode("have", manifest=0, complete=False, missing=[]))
    online.socket.send_bytes(frame)
    online.socket.send_bytes(frame)
    assert closed_with(online.socket) == "bad_sequence"


def test_an_altered_frame_closes(online):
    frame = bytearray(online.channel.seal(messages.encode("have", manifest=0, complete=False, missing=[])))
    frame[-1] ^= 1
    online.socket.send_bytes(bytes(frame))
    assert closed_with(online.socket) == "bad_ciphertext"


def test_a_message_for_the_other_direction_is_refused_and_closes(online, services):
    online.send("time", nonce=None, time=0)
    refused = online.receive_until("refused")
    assert refused["reason"] == 21
    assert closed_with(online.socket) == "wrong_direction"
    assert alarms_of(services) == ["link_abuse"]


@pytest.mark.parametrize("plaintext", [b"", b"\x81\x18\x63", b"\x80", b"\xf6", b"\x82\x01"])
def test_a_message_that_cannot_be_understood_is_refused_and_closes(online, plaintext):
    online.send_plain(plaintext)
    assert online.receive_until("refused")["what"] == "frame"
    assert closed_with(online.socket) in ("malformed", "unknown_message")


def test_the_newest_connection_wins(connect, unit):
    old = connect(unit).socket
    connect(unit)
    assert closed_with(old) == ""
    unit.status()
    assert unit.receive_until("time")["nonce"] == b"nonce-01"


def test_other_units_are_not_disturbed_by_a_bad_one(connect, day, services, online):
    with services.database.writing() as session:
        other = UnitClient(services, seed=2).register(session, day.bank.sites["south"])
    connect(other)
    online.send_plain(b"\xff")
    closed_with(online.socket)
    other.status()
    assert other.receive_until("time")["nonce"] == b"nonce-01"


@pytest.mark.shows("D16", "F6")
def test_a_clock_that_is_off_alarms_and_recovers(online, services, clock):
    online.status(time=clock.milliseconds() + 61_000, clock=1)  # it does not have our time yet
    online.receive_until("object")
    assert alarms_of(services) == []
    online.status(time=clock.milliseconds() + 61_000, clock=1)
    online.receive_until("object")
    assert alarms_of(services) == ["clock_off", "clock_unsure"]
    online.status(time=clock.milliseconds() - 61_000)
    online.receive_until("object")
    assert alarms_of(services) == ["clock_off", "clock_unsure"]
    online.status()
    online.receive_until("object")
    with services.database.reading() as session:
        assert all(alarm.ended is not None for alarm in session.exec(select(Alarm)))
