"""Ingest: what is stored, what is acknowledged, and what happens when a unit contradicts itself."""

import hashlib
import time

import pytest
from doorward_protocol import errors, merkle
from doorward_protocol.suite import run
from doorward_server.alarms.models import Alarm
from doorward_server.handovers.models import Handover, HandoverEvent, Picture
from doorward_server.link import journal, leaves, links, state
from doorward_server.link.batch import Item, store
from doorward_server.link.models import Head, JournalConflict, JournalEpoch, Leaf
from doorward_server.link.received import ReceivedHead, ReceivedRecord
from doorward_server.units.models import Unit
from sqlalchemy import event
from sqlmodel import func, select
from unit_client import eventually


def rows(services, *columns):
    with services.database.reading() as session:
        return session.exec(select(*columns)).all()


def count(services, model) -> int:
    with services.database.reading() as session:
        return session.exec(select(func.count()).select_from(model)).one()


def door(unit, event: int = 1) -> int:
    return unit.append("door", door=1, event=event, cause=1)


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


@pytest.mark.shows("S25")
def test_a_changed_leaf_is_evidence_and_overwrites_nothing(online, services):
    online.send_record(door(online))
    original = online.entries[0]
    online.send_record(0, entry=online.entry("door", door=2, event=1, cause=1))
    refused = online.receive_until("refused")
    assert (refused["what"], refused["reason"]) == ("record", errors.BAD_HASH)
    assert rows(services, Leaf.entry) == [original]
    assert rows(services, JournalConflict.what) == ["journal_changed"]
    assert rows(services, Alarm.rule, Alarm.severity) == [("journal_changed", "critical")]


def test_a_unit_that_never_stops_contradicting_itself_fills_nothing(services, unit, monkeypatch):
    monkeypatch.setattr(journal, "KEPT_CONFLICTS", 3)
    batch: list[Item] = [
        ReceivedRecord(unit.id, unit.epoch, 0, unit.entry("door", door=1, event=1, cause=1), 1)
        for _ in range(9)
    ]
    for _ in range(2):
        with services.database.writing() as session:
            assert [name for _, name, _ in store(session, batch).replies] == ["refused"] * 8
    assert count(services, JournalConflict) == 3
    assert rows(services, Alarm.rule) == ["journal_changed"]
    assert rows(services, JournalEpoch.disputed) == [True]


@pytest.mark.shows("S25")
def test_a_fork_is_refused_and_kept_as_evidence(online, services):
    for _ in range(3):
        online.send_record(door(online))
    online.store_all()
    forked = [*online.entries[:2], online.entry("left", task=1, nonce=bytes(8))]
    object_ = online.head(entries=forked)
    online.send("head", object=object_)
    assert online.receive_until("refused")["reason"] == errors.BAD_HASH
    assert rows(services, JournalConflict.what, JournalConflict.evidence) == [("journal_fork", object_)]
    assert rows(services, Head.size) == [3]
    assert rows(services, JournalEpoch.disputed) == [True]
    online.send("head", object=object_)  # the same evidence is not counted twice
    online.receive_until("refused")
    assert count(services, JournalConflict) == 1


@pytest.mark.shows("S25")
@pytest.mark.parametrize("lie", ["key", "unit", "garbage"])
def test_a_head_nobody_could_have_signed_is_refused(online, services, lie):
    online.send_record(door(online))
    if lie == "garbage":
        object_ = b"\x84nonsense"
    elif lie == "key":
        object_ = online.head(key=run(online.suite.new_key())[0])
    else:
        object_ = online.head(unit=b"somebody")
    online.send("head", object=object_)
    refused = online.receive_until("refused")
    assert refused["what"] == "head"
    assert rows(services, Alarm.rule) == ["head_forged"]
    assert count(services, Head) == 0


@pytest.mark.parametrize("field", ["epoch", "size", "time"])
def test_a_head_with_numbers_that_the_database_cannot_hold_fails_nobody_elses_batch(services, unit, field):
    unit.append("door", door=1, event=1, cause=1)
    batch: list[Item] = [ReceivedRecord(unit.id, unit.epoch, 0, unit.entries[0], 1)]
    batch += [ReceivedHead(unit.id, unit.head(**{field: 1 << 63}), 1)]
    with services.database.writing() as session:
        outcome = store(session, batch)
    assert [(name, said["reason"]) for _, name, said in outcome.replies] == [("refused", errors.MALFORMED)]
    assert rows(services, Leaf.index) == [0]


def test_a_journal_that_went_back_alarms(online, services):
    for _ in range(4):
        online.send_record(door(online))
    online.store_all()
    online.status(size=2)
    online.receive_until("object")
    assert rows(services, JournalConflict.what, JournalConflict.position) == [("journal_back", 2)]


def test_a_missed_receipt_is_sent_again(server, services, unit):
    with server.websocket_connect("/link") as socket:
        unit.shake_hands(socket)
        unit.send_record(door(unit))
        first = unit.store_all()
    with server.websocket_connect("/link") as socket:
        unit.shake_hands(socket)
        unit.status(acknowledged=0)
        assert unit.verify_receipt(unit.receive_until("stored")["object"]) == first


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


def test_a_unit_that_names_any_number_of_epochs_costs_no_more_for_each(services, unit, monkeypatch):
    """Else it would hold the one writer, and fill its memory with journals that have no leaf."""
    monkeypatch.setattr(journal, "KEPT", 3)
    entry = unit.entry("door", door=1, event=1, cause=1)
    known: journal.Journals = {}
    read: list[JournalEpoch] = []
    for epoch in range(1, 9):
        batch: list[Item] = [ReceivedRecord(unit.id, epoch, 0, entry, 1)]
        batch += [ReceivedHead(unit.id, unit.head(epoch=epoch + 100, size=1, root=bytes(32)), 1)]
        with services.database.writing() as session:
            event.listen(session, "loaded_as_persistent", lambda _, row: read.append(row))
            journal.use(session, known)
            store(session, batch)
        assert len(known) <= 3 + 2
    assert [row for row in read if isinstance(row, JournalEpoch)] == []


def test_a_new_epoch_goes_on_beside_the_old_one(online, services):
    online.send_record(door(online))
    online.store_all()
    root = merkle.root_of([merkle.leaf_hash(entry) for entry in online.entries])
    online.epoch, online.entries = 2, []
    online.say("epoch", previous_epoch=1, previous_size=1, previous_root=root, cause=1)
    assert online.store_all()["epoch"] == 2
    assert rows(services, Alarm.rule) == ["new_epoch"]
    assert sorted(rows(services, JournalEpoch.epoch)) == [1, 2]


def test_a_new_epoch_that_names_another_past_is_a_fork(online, services):
    online.send_record(door(online))
    online.store_all()
    online.epoch, online.entries = 2, []
    online.say("epoch", previous_epoch=1, previous_size=1, previous_root=bytes(32), cause=1)
    online.store_all()
    assert sorted(rows(services, Alarm.rule)) == ["journal_fork", "new_epoch"]


def begin_epoch(unit, previous_size: int) -> None:
    """The unit goes on in another epoch that names a head of this one."""
    root = merkle.root_of([merkle.leaf_hash(entry) for entry in unit.entries[:previous_size]])
    previous, unit.epoch, unit.entries = unit.epoch, unit.epoch + 1, []
    unit.say("epoch", previous_epoch=previous, previous_size=previous_size, previous_root=root, cause=2)


def test_an_epoch_that_names_less_than_was_reported_went_back(online, services):
    """Also if no head covered the rest: a unit sends what it has stored, so nothing of it can be lost."""
    for _ in range(5):
        online.send_record(door(online))
    online.send_head(size=3)
    online.receive_until("stored")
    begin_epoch(online, previous_size=3)
    online.store_all()
    assert rows(services, JournalConflict.what, JournalConflict.position) == [("journal_back", 3)]


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
