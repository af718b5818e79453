"""A unit that contradicts itself, or begins another journal: evidence, alarms, and nothing overwritten."""

import pytest
from doorward_protocol import errors, merkle
from doorward_protocol.suite import run
from doorward_server.alarms.models import Alarm
from doorward_server.link import journal
from doorward_server.link.batch import Item, store
from doorward_server.link.models import Head, JournalConflict, JournalEpoch, Leaf
from doorward_server.link.received import ReceivedHead, ReceivedRecord
from sqlalchemy import event
from stored import begin_epoch, count, door, rows


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


def test_an_epoch_that_names_less_than_was_reported_went_back(online, services):
    """Also if no head covered the rest: a unit sends what it has stored, so nothing of it can be lost."""
    for _ in range(5):
        online.send_record(door(online))
    online.send_head(size=3)
    online.receive_until("stored")
    begin_epoch(online, previous_size=3)
    online.store_all()
    assert rows(services, JournalConflict.what, JournalConflict.position) == [("journal_back", 3)]
