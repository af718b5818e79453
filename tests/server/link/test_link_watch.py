"""What the server waits for: heads over what has come, units that are away."""

import time

import pytest
from doorward_server.alarms.models import Alarm
from doorward_server.link import links, state
from doorward_server.link.batch import Item, store
from doorward_server.link.models import Leaf
from doorward_server.link.received import ReceivedHead, ReceivedRecord
from doorward_server.units.models import Unit
from stored import begin_epoch, door, rows
from unit_client import eventually


def test_records_without_a_head_alarm(monkeypatch, connect, unit, services):
    monkeypatch.setattr(links, "HEAD_SECONDS", 0.05)
    connect(unit)
    unit.send_record(door(unit))
    assert eventually(lambda: rows(services, Alarm.rule) == ["head_missing"])
    unit.store_all()
    assert rows(services, Alarm.ended) != [None]


def test_a_unit_that_comes_and_goes_has_to_sign_its_records_too(monkeypatch, server, unit, services):
    monkeypatch.setattr(links, "HEAD_SECONDS", 1)
    with server.websocket_connect("/link") as socket:
        unit.shake_hands(socket)
        unit.send_record(door(unit))
        assert eventually(lambda: rows(services, Leaf.index) == [0])
        time.sleep(0.1)
    assert eventually(lambda: rows(services, Alarm.rule) == ["head_missing"], seconds=5)


def test_a_unit_whose_leaving_could_not_be_written_down_is_missed_all_the_same(
    monkeypatch, server, services, unit
):
    def locked(*_):
        raise OSError("the database is locked")

    monkeypatch.setattr(links, "OFFLINE_SECONDS", 0.3)
    line = links.links_of(services)
    assert line is not None
    with server.websocket_connect("/link") as socket:
        unit.shake_hands(socket)
        assert eventually(lambda: rows(services, Unit.online) == [True])
        with monkeypatch.context() as patch:
            patch.setattr(state, "note_offline", locked)
            socket.close()
            assert eventually(lambda: not line.is_online(unit.id))
            time.sleep(0.1)
    assert eventually(lambda: rows(services, Alarm.rule) == ["unit_offline"], seconds=5)
    assert rows(services, Unit.online) == [False]


def test_a_head_over_some_of_the_records_is_none_over_the_others(monkeypatch, connect, unit, services):
    monkeypatch.setattr(links, "HEAD_SECONDS", 0.5)
    connect(unit)
    for _ in range(4):
        unit.send_record(door(unit))
    for _ in range(2):  # one that is new, and once more
        unit.send_head(size=2)
        unit.receive_until("stored")
    assert eventually(lambda: rows(services, Alarm.rule) == ["head_missing"], seconds=5)
    unit.store_all()
    assert rows(services, Alarm.ended) != [None]


@pytest.mark.shows("F6")
def test_a_unit_that_stays_away_alarms_until_it_is_back(monkeypatch, server, services, unit):
    monkeypatch.setattr(links, "OFFLINE_SECONDS", 0.05)
    with server.websocket_connect("/link") as socket:
        unit.shake_hands(socket)
    assert eventually(lambda: rows(services, Alarm.rule) == ["unit_offline"])
    with server.websocket_connect("/link") as socket:
        unit.shake_hands(socket)
        unit.status()
        unit.receive_until("object")
        assert rows(services, Alarm.ended) != [None]


def test_what_an_epoch_left_without_a_head_is_under_the_next_ones(online, services):
    for _ in range(3):
        online.send_record(door(online))
    begin_epoch(online, previous_size=3)
    online.store_all()
    with services.database.writing() as session:
        state.note_uncovered(session, online.id, gap=False)
    assert rows(services, Alarm.rule) == ["new_epoch"]


def test_records_and_their_head_in_one_batch_need_no_other(services, unit):
    batch: list[Item] = [ReceivedRecord(unit.id, unit.epoch, 0, unit.entries[door(unit)], 1)]
    batch += [ReceivedHead(unit.id, unit.head(), 1)]
    with services.database.writing() as session:
        assert store(session, batch).uncovered == {}
