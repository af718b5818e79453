"""Ingest: what is stored, in which order, what is acknowledged, and what is refused."""

import hashlib

import pytest
from doorward_protocol import errors, merkle
from doorward_server.alarms.models import Alarm
from doorward_server.handovers.models import Handover, HandoverEvent, Picture
from doorward_server.link import journal, leaves, links
from doorward_server.link.batch import Item, store
from doorward_server.link.models import Head, Leaf
from doorward_server.link.received import ReceivedHead, ReceivedRecord
from sqlalchemy import event
from stored import count, door, rows
from unit_client import eventually


@pytest.mark.shows("S25")
def test_records_are_stored_and_a_head_is_answered_with_a_receipt_for_it(online, services, clock):
    for _ in range(5):
        online.send_record(door(online))
    receipt = online.store_all()
    assert receipt == {
        "unit": online.kid,
        "epoch": 1,
        "size": 5,
        "root": merkle.root_of([merkle.leaf_hash(entry) for entry in online.entries]),
        "time": clock.milliseconds(),
    }
    assert rows(services, Leaf.index, Leaf.entry) == list(enumerate(online.entries))
    assert rows(services, Head.size, Head.root) == [(5, receipt["root"])]


def test_a_receipt_is_sent_after_the_commit(online, services):
    online.send_record(door(online))
    online.send_head()
    online.receive_until("stored")
    assert count(services, Leaf) == 1  # another connection sees it


def test_duplicates_change_nothing(online, services):
    for _ in range(3):
        online.send_record(door(online))
    first = online.store_all()
    for index in (0, 1, 2, 1):
        online.send_record(index)
    assert online.store_all() == first
    assert (count(services, Leaf), count(services, HandoverEvent), count(services, Head)) == (3, 3, 1)


def test_records_may_come_in_any_order_and_are_projected_in_theirs(online, services):
    for _ in range(4):
        door(online)
    for index in (3, 1, 0, 2):
        online.send_record(index)
    assert online.store_all()["size"] == 4
    assert sorted(rows(services, HandoverEvent.index)) == [0, 1, 2, 3]


def test_records_far_ahead_of_their_place_do_not_pile_up(services, unit, monkeypatch):
    """Filling the gap before a hundred thousand of them would hold the writer for half a minute."""
    monkeypatch.setattr(leaves, "AHEAD", 3)
    for _ in range(7):
        door(unit)

    def send(*indices: int) -> list[int]:
        batch: list[Item] = [
            ReceivedRecord(unit.id, unit.epoch, index, unit.entries[index], 1) for index in indices
        ]
        with services.database.writing() as session:
            return [said["reason"] for _, _, said in store(session, batch).replies]

    assert send(6, 2, 4, 1, 2) == [errors.BAD_SEQUENCE]
    assert send(3) == [errors.BAD_SEQUENCE]  # it is known again after a restart
    assert send(0, 1, 3, 5) == []
    assert sorted(rows(services, HandoverEvent.index)) == list(range(7))


def test_a_head_may_cover_less_than_what_has_come(online):
    for _ in range(6):
        online.send_record(door(online))
    online.send_head(size=4)
    assert online.verify_receipt(online.receive_until("stored")["object"])["size"] == 4
    assert online.store_all()["size"] == 6
    online.send_head(size=2)  # an older head that was not answered yet
    assert online.verify_receipt(online.receive_until("stored")["object"])["size"] == 2


def test_older_heads_read_each_leaf_once_and_find_the_same_tree(services, unit, monkeypatch):
    """Else each would read the whole journal, and a unit that sends many of them hold the writer."""
    monkeypatch.setattr(journal, "BLOCK", 4)
    known: journal.Journals = {}
    for _ in range(23):
        door(unit)
    batch: list[Item] = [
        ReceivedRecord(unit.id, unit.epoch, index, entry, 1) for index, entry in enumerate(unit.entries)
    ]
    asked: list[tuple] = []
    heads: list[list[Item]] = [[ReceivedHead(unit.id, unit.head(size=size), 1)] for size in range(23, 0, -1)]
    for items in (batch, *heads):
        with services.database.writing() as session:
            journal.use(session, known)
            event.listen(session.connection(), "before_cursor_execute", lambda *said: asked.append(said[2:4]))
            assert all(name == "stored" for _, name, _ in store(session, items).replies)
    assert count(services, Head) == 23
    read = [
        limits[-1] - limits[-2] for question, limits in asked if question.startswith("SELECT leaf.leaf_hash")
    ]
    assert sum(read) <= 20 + 22 * 3  # each block once, and what a head covers besides


def test_a_head_ahead_of_its_records_waits_for_them(online):
    for _ in range(3):
        door(online)
    online.send_head()
    for index in range(3):
        online.send_record(index)
    assert online.verify_receipt(online.receive_until("stored")["object"])["size"] == 3


def test_a_head_before_its_records_in_one_batch_needs_no_later_message(services, unit):
    """Else it would wait for ever, and its gap would alarm though nothing is missing."""
    entries = [unit.entries[door(unit)] for _ in range(3)]
    batch: list[Item] = [ReceivedHead(unit.id, unit.head(), 1)]
    batch += [ReceivedRecord(unit.id, unit.epoch, index, entry, 1) for index, entry in enumerate(entries)]
    with services.database.writing() as session:
        outcome = store(session, batch)
    assert [name for _, name, _ in outcome.replies] == ["stored"]
    assert outcome.waiting == {}


def test_of_several_heads_that_wait_the_largest_is_kept(services, unit):
    for _ in range(4):
        door(unit)
    heads: list[Item] = [ReceivedHead(unit.id, unit.head(size=size), 1) for size in (2, 4, 3)]
    with services.database.writing() as session:
        outcome = store(session, heads)
    assert outcome.waiting[unit.id] == ((unit.epoch, 4), heads[1])


def test_records_missing_before_a_head_alarm_and_the_unit_is_told(monkeypatch, connect, unit, services):
    monkeypatch.setattr(links, "GAP_SECONDS", 0.05)
    connect(unit)
    for _ in range(3):
        door(unit)
    unit.send_record(0)
    unit.send_record(2)
    unit.send_head()
    refused = unit.receive_until("refused")
    assert (refused["what"], refused["reason"]) == ("head", errors.BAD_SEQUENCE)
    assert eventually(lambda: "journal_gap" in rows(services, Alarm.rule))
    unit.send_record(1)
    assert unit.store_all()["size"] == 3


def test_a_missed_receipt_is_sent_again(server, services, unit):
    with server.websocket_connect("/link") as socket:
        unit.shake_hands(socket)
        unit.send_record(door(unit))
        first = unit.store_all()
    with server.websocket_connect("/link") as socket:
        unit.shake_hands(socket)
        unit.status(acknowledged=0)
        assert unit.verify_receipt(unit.receive_until("stored")["object"]) == first


@pytest.mark.parametrize(
    "entry", [b"", b"\xff", b"\x86\x18\x63\x00\x00\x00\x40\x80", b"\x80", bytes(3800)], ids=range(5)
)
def test_an_unreadable_record_is_stored_and_alarms(online, services, entry):
    online.entries.append(entry)
    online.send("record", epoch=1, index=0, entry=entry)
    online.send_record(door(online))
    assert online.store_all()["size"] == 2
    assert rows(services, Alarm.rule) == ["unreadable_record"]
    assert rows(services, HandoverEvent.index) == [1]


def test_numbers_larger_than_the_database_holds_are_stored_as_unreadable(online, services):
    online.entries.append(online.entry("storage", name="journal", used=(1 << 64) - 1, total=1))
    online.entries.append(online.entry("storage", time=(1 << 64) - 1, name="journal", used=0, total=1))
    for index in range(2):
        online.send_record(index)
    assert online.store_all()["size"] == 2
    assert rows(services, Alarm.rule) == ["unreadable_record"] * 2


def test_a_record_that_breaks_the_projection_does_not_stop_the_journal(monkeypatch, online, services):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setitem(
        __import__("doorward_server.handovers.steps", fromlist=["_STEPS"])._STEPS, "left", broken
    )
    nonce = bytes(8)
    online.say("vehicle", task=1, nonce=nonce, vehicle=1, epc=b"e", tid=b"t", order_version=1, manifest=1,
               last_contact=0)  # fmt: skip
    online.say("left", task=1, nonce=nonce)
    online.send_record(door(online))
    assert online.store_all()["size"] == 3
    assert "unreadable_record" in rows(services, Alarm.rule)
    assert rows(services, HandoverEvent.index) == [0, 2]


def test_indices_out_of_range_are_refused(online, services):
    online.send("record", epoch=1, index=1 << 63, entry=b"x")
    assert online.receive_until("refused")["reason"] == errors.MALFORMED
    assert count(services, Leaf) == 0


@pytest.mark.shows("F5")
def test_a_picture_named_in_a_record_is_fetched_and_sealed(online, services, day, delivery):
    content = bytes(range(256)) * 300  # 22 chunks: more than one want
    name = hashlib.sha256(content).digest()
    bank = day.bank
    delivery.arrive(bank.vehicles[0].id, bank.vehicles[0].epc, bank.vehicles[0].tid)
    delivery.finger(bank.crew[0].id, picture=name)
    sent = 0
    while sent < len(content):
        want = online.receive_until("want")
        assert (want["hash"], want["offset"]) == (name, sent)
        for _ in range(16):
            data = content[sent : sent + 3500]
            if data:
                online.send("blob", hash=name, offset=sent, total=len(content), data=data)
            sent += len(data)
    assert eventually(lambda: rows(services, Picture.content) != [None])
    (kept,) = rows(services, Picture.content)
    assert content[:64] not in kept
    with services.database.reading() as session:
        from doorward_server.handovers import pictures

        assert pictures.content_of(session, session.get(Picture, name)) == content


def test_a_picture_that_is_not_what_its_hash_says_is_refused(online, services, delivery, day):
    vehicle = day.bank.vehicles[0]
    delivery.arrive(vehicle.id, vehicle.epc, vehicle.tid)
    delivery.finger(day.bank.crew[0].id, picture=bytes(32))
    online.receive_until("want")
    online.send("blob", hash=bytes(32), offset=0, total=3, data=b"abc")
    assert online.receive_until("refused")["reason"] == errors.BAD_HASH
    assert rows(services, Picture.content) == [None]


def test_what_nobody_asked_for_is_refused(online):
    online.send("blob", hash=bytes(32), offset=0, total=3, data=b"abc")
    assert online.receive_until("refused")["reason"] == errors.NOT_WANTED


def test_handovers_of_one_unit_are_its_sites(online, services, delivery, day):
    vehicle = day.bank.vehicles[0]
    delivery.arrive(vehicle.id, vehicle.epc, vehicle.tid)
    online.store_all()
    assert rows(services, Handover.site_id, Handover.task) == [(day.bank.sites["north"].id, day.tasks[0])]
