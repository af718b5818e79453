"""Power fails at every single flash operation of a history: mount, compare with what was promised, go on."""

import random

import pytest
from doorward_firmware.store.journal import Journal, JournalFull
from doorward_firmware.store.state import State
from doorward_protocol import merkle, records
from doorward_simulator.flash import PowerCut
from flash_board import Board


class Model:
    """What the journal has promised: entries by index, and how many of them are acknowledged."""

    def __init__(self, board):
        self.board = board
        self.entries = []
        self.acknowledged = 0
        self.mount()

    def mount(self):
        """Mount until it succeeds, power permitting, and hold the result against the promises."""
        self.journal = self._mounted()
        self.check()

    def _mounted(self):
        while True:
            try:
                return Journal(
                    self.board.journal, self.board.clock, self.board.suite, State(self.board.state)
                )
            except PowerCut:
                self.board.flash.power_on()

    def check(self):
        journal, promised = self.journal, len(self.entries)
        assert journal.epoch == 1, "a power cut is no reason for a new epoch"
        assert journal.acknowledged <= self.acknowledged
        assert journal.size >= promised
        found = dict(journal.entries(self.acknowledged, 1000))
        for index in range(self.acknowledged, promised):
            assert found[index] == self.entries[index]
        # An append that had not returned, or a warning with it, may or may not be there.
        for index in range(promised, journal.size):
            self.entries.append(found[index])
        assert len(self.entries) - promised <= 2
        assert journal.root() == merkle.root_of([merkle.leaf_hash(entry) for entry in self.entries])
        journal.acknowledge(self.acknowledged)

    def append(self, length):
        try:
            index = self.journal.append("sensor", name="n", reason=0, detail="x" * length)
        except JournalFull:
            return
        assert index == len(self.entries), "an index is used once"
        self.entries.append(self.journal.entry(index))
        for warning in range(index + 1, self.journal.size):
            assert records.decode(self.journal.entry(warning)).name == "storage"
            self.entries.append(self.journal.entry(warning))

    def acknowledge(self, part):
        size = self.acknowledged + (len(self.entries) - self.acknowledged) * part // 100
        self.acknowledged = size
        self.journal.acknowledge(size)

    def step(self, operation, argument):
        if operation == "append":
            self.append(argument)
        elif operation == "acknowledge":
            self.acknowledge(argument)
        else:
            self.journal.idle_step()


def history(seed, count):
    choice = random.Random(seed)
    for _ in range(count):
        operation = choice.choices(["append", "acknowledge", "idle"], [6, 1, 2])[0]
        yield (
            operation,
            choice.choice([3, 100, 900, 2900]) if operation == "append" else choice.randrange(101),
        )


@pytest.mark.parametrize("seed", range(4))
def test_cut_at_every_piece_of_a_history_that_goes_round_a_small_ring(seed):
    cut_at, cut, rounds = 0, True, 0
    while cut:
        board = Board(state=2, journal=4, blobs=0, seed=cut_at)
        model, cut = Model(board), False
        board.flash.cut_after(cut_at)
        for operation, argument in history(seed, 45):
            try:
                model.step(operation, argument)
            except PowerCut:
                cut = True
                board.flash.power_on()
                model.mount()
        model.mount()
        rounds += model.journal.entry(0) is None
        cut_at += 1
    assert cut_at > 100
    assert rounds > cut_at // 2, "the history has to go round"


@pytest.mark.parametrize("seed", range(10))
def test_many_cuts_in_a_row_also_while_mounting(seed):
    choice = random.Random(seed)
    board = Board(state=2, journal=8, blobs=0, seed=seed)
    model, cuts = Model(board), 0
    for operation, argument in history(seed, 800):
        if choice.random() < 0.4:
            board.flash.cut_after(choice.randrange(8))
        try:
            model.step(operation, argument)
        except PowerCut:
            cuts += 1
            board.flash.power_on()
            if choice.random() < 0.3:
                board.flash.cut_after(choice.randrange(4))
            model.mount()
        board.flash.power_on()
    model.mount()
    assert cuts > 40


@pytest.mark.parametrize("seed", range(3))
def test_cut_at_every_piece_of_a_new_epoch(seed):
    cut_at, cut = 0, True
    while cut:
        board = Board(state=2, journal=6, blobs=0, seed=cut_at * 7 + seed)
        model, cut = Model(board), False
        for operation, argument in history(seed, 12):
            model.step(operation, argument)
        head = (1, model.journal.size, model.journal.root())
        board.flash.cut_after(cut_at)
        try:
            model.journal.new_epoch(3)
        except PowerCut:
            cut = True
        board.flash.power_on()
        journal = Journal(board.journal, board.clock, board.suite, State(board.state))
        if journal.epoch == 1:
            assert cut
            journal.new_epoch(3)
        assert (journal.epoch, journal.size, journal.previous) == (2, 1, head)
        assert records.decode(journal.entry(0)).name == "epoch"
        cut_at += 1
    assert cut_at > 3
