"""The journal's promises: durable, never changed, never forgotten unacknowledged, never a fork."""

import pytest
from doorward_firmware.store.journal import (
    CAUSE_DAMAGED,
    CAUSE_DISAGREES,
    CAUSE_LOST,
    Journal,
    JournalFull,
)
from doorward_firmware.store.leaves import MAX_ENTRY
from doorward_firmware.store.state import State
from doorward_protocol import merkle, records
from doorward_protocol.errors import FLASH_FULL, MALFORMED, TOO_LARGE, ProtocolError
from doorward_simulator.flash import SECTOR
from flash_board import Board


def open_journal(board):
    return Journal(board.journal, board.clock, board.suite, State(board.state))


def fill(journal, count, **fields):
    """Append count records of about 100 bytes; returns the entries as they can be read back."""
    entries = []
    for number in range(count):
        index = journal.append("refusal", what="frame", reason=1, detail="x" * 60 + str(number), **fields)
        entries.append(journal.entry(index))
    return entries


def fill_up(journal, kind="door", **fields):
    """Append records of one kind until the journal refuses; returns how many there were."""
    fields = fields or {"door": 1, "event": 3, "cause": 1}
    count = 0
    while True:
        try:
            journal.append(kind, **fields)
        except JournalFull:
            return count
        count += 1


def root_of(entries):
    return merkle.root_of([merkle.leaf_hash(entry) for entry in entries])


def test_an_entry_says_when_and_in_which_boot():
    board = Board()
    State(board.state).set("boot", 41)
    journal = open_journal(board)
    assert (journal.epoch, journal.size, journal.root()) == (1, 0, merkle.EMPTY_ROOT)
    board.clock.sure = False
    assert journal.append("left", task=7, nonce=bytes(8)) == 0
    record = records.decode(journal.entry(0))
    assert (record.name, record.clock, record.boot, record.fields["task"]) == ("left", 1, 41, 7)
    assert record.time == board.clock.time
    journal.append("left", task=7, nonce=bytes(8))
    assert records.decode(journal.entry(1)).salt != record.salt


def test_what_was_appended_is_there_after_a_restart():
    board = Board()
    journal = open_journal(board)
    entries = fill(journal, 100)
    again = open_journal(board)
    assert again.size == 100
    assert [again.entry(index) for index in range(100)] == entries
    assert again.root() == journal.root() == root_of(entries)
    assert again.entries(97, 10) == [(97, entries[97]), (98, entries[98]), (99, entries[99])]
    assert again.entries(0, 2) == [(0, entries[0]), (1, entries[1])]
    assert again.entry(100) is None


def test_the_root_of_any_kept_size():
    board = Board()
    journal = open_journal(board)
    entries = fill(journal, 80)
    for size in range(81):
        assert journal.root_at(1, size) == root_of(entries[:size])
    assert journal.root_at(1, 81) is None
    assert journal.root_at(2, 0) is None


def test_what_does_not_fit_a_record_is_refused_and_nothing_is_written():
    board = Board()
    journal = open_journal(board)
    with pytest.raises(ProtocolError) as refusal:
        journal.append("left", task=-1, nonce=bytes(8))
    assert refusal.value.reason == MALFORMED
    with pytest.raises(ProtocolError) as refusal:
        journal.append("refusal", what="x", reason=1, detail="x" * MAX_ENTRY)
    assert refusal.value.reason == TOO_LARGE
    assert journal.size == 0


@pytest.mark.shows("F2")
def test_a_full_journal_refuses_and_overwrites_nothing():
    board = Board()
    journal = open_journal(board)
    fill_up(journal)
    size = journal.size
    with pytest.raises(JournalFull) as refusal:
        journal.append("refusal", what="x", reason=1, detail="x" * 2000)
    assert refusal.value.reason == FLASH_FULL
    again = open_journal(board)
    assert again.size == size
    assert len(again.entries(0, size + 1)) == size


@pytest.mark.shows("F2")
def test_it_refuses_tasks_before_it_is_full_and_warns_before_that():
    board = Board(journal=32)
    journal = open_journal(board)
    assert journal.reserve == 4
    while journal.room_for_task():
        journal.append("door", door=1, event=3, cause=1)
    names = [records.decode(entry).name for _, entry in journal.entries(0, journal.size)]
    assert names.count("storage") == 1
    refused = fill_up(journal, "vehicle_refused", epc=bytes(12), reason=40)
    assert refused > 0
    after = fill_up(journal)
    assert after * 48 > 7000, "outsiders must not use up what a running handover needs"


def test_noise_between_the_steps_of_a_task_takes_none_of_its_reserve():
    """Each step that opens a sector would otherwise open it for whoever makes noise."""
    board = Board(journal=32)
    journal = open_journal(board)
    while journal.room_for_task():
        journal.append("door", door=1, event=3, cause=1)
    fill_up(journal, "input", name=3, active=True)
    for _ in range(140):
        journal.append("door", door=1, event=3, cause=1)
        assert fill_up(journal, "input", name=3, active=True) == 0


def test_acknowledged_leaves_make_room_and_others_never():
    board = Board()
    journal = open_journal(board)
    fill_up(journal)
    entries = dict(journal.entries(0, 10_000))
    assert not journal.room_for_task()
    journal.acknowledge(300)
    used = journal.used()[0]
    assert journal.room_for_task()
    more = fill(journal, 40)
    assert journal.entry(0) is None
    assert all(journal.entry(index) == entries[index] for index in entries if index >= 300)
    assert journal.entry(journal.size - 1) == more[-1]
    assert journal.used()[0] > used
    again = open_journal(board)
    assert (again.epoch, again.acknowledged) == (1, 300)
    assert again.root() == journal.root()


def test_acknowledged_leaves_stay_while_there_is_room():
    board = Board()
    journal = open_journal(board)
    entries = fill(journal, 60)
    journal.acknowledge(60)
    while journal.idle_step():
        pass
    assert [journal.entry(index) for index in range(60)] == entries
    assert journal.kept_since() <= records.decode(entries[0]).time


def test_an_acknowledgement_is_bounded_and_only_grows():
    journal = open_journal(Board())
    fill(journal, 10)
    journal.acknowledge(8)
    journal.acknowledge(5)
    journal.acknowledge(11)
    journal.acknowledge(1, epoch=2)
    assert journal.acknowledged == 8
    assert journal.first_unacknowledged() == (1, 8)


def test_an_acknowledgement_is_remembered_in_steps():
    board = Board()
    journal = open_journal(board)
    fill(journal, 70)
    for size in range(1, 70):
        journal.acknowledge(size)
    assert 0 < open_journal(board).acknowledged <= 69
    assert 69 - open_journal(board).acknowledged <= 64


def test_many_rounds_of_the_ring_keep_root_order_and_wear():
    board = Board(journal=8)
    journal = open_journal(board)
    frontier = merkle.Frontier()
    for number in range(3000):
        index = journal.append("input", name=1, active=bool(number & 1))
        frontier.append(merkle.leaf_hash(journal.entry(index)))
        if number % 50 == 49:
            journal.acknowledge(number - 20)
            while journal.idle_step():
                pass
    assert journal.size == 3000
    assert journal.root() == frontier.root() == open_journal(board).root()
    wear = board.flash.wear[4:12]
    assert max(wear) - min(wear) <= 1


def test_idle_steps_leave_no_erase_to_an_append():
    board = Board(journal=8)
    journal = open_journal(board)
    for number in range(2000):
        state_erases = sum(board.flash.wear[:4])
        before = board.flash.erases - state_erases
        journal.append("input", name=1, active=True)
        assert board.flash.erases - sum(board.flash.wear[:4]) == before
        if number % 20 == 19:
            journal.acknowledge(number)
        while True:
            before = board.flash.erases
            more = journal.idle_step()
            assert board.flash.erases <= before + 1
            if not more:
                break


def test_a_disagreeing_receipt_begins_an_epoch_that_names_the_old_head():
    board = Board()
    journal = open_journal(board)
    entries = fill(journal, 40)
    root = journal.root()
    journal.acknowledge(10)
    journal.new_epoch(CAUSE_DISAGREES)
    assert (journal.epoch, journal.size, journal.previous) == (2, 1, (1, 40, root))
    record = records.decode(journal.entry(0))
    assert record.name == "epoch"
    assert record.fields == {
        "previous_epoch": 1,
        "previous_size": 40,
        "previous_root": root,
        "cause": CAUSE_DISAGREES,
    }
    # What nobody has acknowledged is sent before the new epoch, and given up with its first receipt.
    sent, place = [], journal.first_unacknowledged()
    while leaf := journal.next_leaf(place):
        sent.append(leaf)
        place = (leaf[0], leaf[1] + 1)
    assert sent == [(1, index, entries[index]) for index in range(10, 40)] + [(2, 0, journal.entry(0))]
    again = open_journal(board)
    assert (again.epoch, again.size, again.root()) == (2, 1, journal.root())
    again.acknowledge(1)
    assert again.first_unacknowledged() == (2, 1)


def test_a_replaced_journal_begins_an_epoch():
    board = Board()
    journal = open_journal(board)
    fill(journal, 100)
    for sector in range(4, 12):
        board.flash.erase(sector)
    again = open_journal(board)
    assert again.epoch == 2
    assert records.decode(again.entry(0)).fields["cause"] == CAUSE_LOST
    assert again.previous[0] == 1
    assert again.previous[1] >= 60, "known to the last sector"
    assert open_journal(board).epoch == 2, "once"


def test_a_restored_older_journal_begins_an_epoch():
    board = Board()
    journal = open_journal(board)
    fill(journal, 20)
    image = bytes(board.flash.image[4 * SECTOR : 12 * SECTOR])
    fill(journal, 80)
    board.flash.image[4 * SECTOR : 12 * SECTOR] = image
    again = open_journal(board)
    assert again.epoch == 2
    assert records.decode(again.entry(0)).fields["cause"] == CAUSE_LOST
    assert again.previous[1] > 20


@pytest.mark.parametrize("sector", [0, 1])
def test_lost_bits_in_unacknowledged_leaves_begin_an_epoch(sector):
    board = Board()
    journal = open_journal(board)
    entries = fill(journal, 50)
    first = 5 + sector  # the journal's first sector is its second
    assert journal.entry(0) is not None
    board.flash.image[first * SECTOR + 700] ^= 0x10
    again = open_journal(board)
    assert again.epoch == 2
    assert records.decode(again.entry(0)).fields["cause"] == CAUSE_DAMAGED
    assert open_journal(board).epoch == 2, "once"
    place, kept = (1, 0), []
    while (leaf := again.next_leaf(place)) and leaf[0] == 1:
        assert entries[leaf[1]] == leaf[2], "what is left is what was written"
        kept.append(leaf[1])
        place = (1, leaf[1] + 1)
    assert 0 < len(kept) < 50


def test_lost_bits_in_acknowledged_leaves_cost_these_alone():
    board = Board()
    journal = open_journal(board)
    fill(journal, 100)
    journal.acknowledge(90)
    board.flash.image[5 * SECTOR + 700] ^= 0x10
    again = open_journal(board)
    assert (again.epoch, again.size) == (1, 100)


def test_a_mount_without_room_for_a_new_epoch_still_reads():
    board = Board(journal=4)
    journal = open_journal(board)
    fill_up(journal)
    journal.new_epoch(CAUSE_DISAGREES)  # the last sector is kept for this
    with pytest.raises(JournalFull):
        journal.new_epoch(CAUSE_DISAGREES)
    board.flash.image[5 * SECTOR + 700] ^= 0x10
    State(board.state).set("journal", [2, 99, bytes(32), 0, 0])  # and now more is missing
    again = open_journal(board)
    assert again.next_leaf((1, 0)) is not None
    assert not again.room_for_task()
    with pytest.raises(JournalFull):
        again.append("left", task=1, nonce=bytes(8))
