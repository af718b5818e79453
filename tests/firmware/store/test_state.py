"""State: values survive power cuts at every flash operation, compaction, and wear is bounded."""

import random

import pytest
from doorward_firmware.store.state import State
from doorward_protocol.errors import FLASH_FULL, ProtocolError
from doorward_simulator.flash import SECTOR, PowerCut
from flash_board import Board


def test_values_survive_a_restart():
    board = Board()
    state = State(board.state)
    assert state.get("boot") is None
    assert state.get("boot", 7) == 7
    state.set("boot", 1)
    state.set("link", ["host", 8000, b"\x01"])
    state.set("boot", 2)
    state.set("gone", True)
    state.set("gone", None)
    again = State(board.state)
    assert (again.get("boot"), again.get("link")) == (2, ["host", 8000, b"\x01"])
    assert sorted(again.names()) == ["boot", "link"]
    assert again.used() == state.used()


def test_a_value_handed_out_is_a_copy():
    state = State(Board().state)
    state.set("ids", [1, 2])
    state.get("ids", []).append(3)
    assert state.get("ids") == [1, 2]


def test_the_same_value_again_costs_nothing():
    board = Board()
    state = State(board.state)
    state.set("floor", 5)
    before = board.flash.pieces
    state.set("floor", 5)
    assert board.flash.pieces == before


def test_full_refuses_and_keeps_the_old_value():
    board = Board(state=2)
    state = State(board.state)
    state.set("small", 1)
    state.set("large", bytes(1000))
    with pytest.raises(ProtocolError) as refusal:
        state.set("large", bytes(3500))
    assert refusal.value.reason == FLASH_FULL
    assert state.get("large") == bytes(1000)
    state.set("small", 2)
    assert State(board.state).get("small") == 2
    assert State(board.state).get("large") == bytes(1000)


def test_wear_is_even_and_small():
    board = Board(state=16)
    state = State(board.state)
    for count in range(10_000):
        state.set("failures", count)
        while state.idle_step():
            pass
    assert State(board.state).get("failures") == 9_999
    wear = board.flash.wear[:16]
    assert max(wear) - min(wear) <= 1
    assert max(wear) <= 6, "10,000 counted attempts wear a sector out by a sixteen-thousandth"


def test_the_idle_steps_leave_no_erase_to_a_set():
    board = Board()
    state = State(board.state)
    for count in range(2_000):
        before = board.flash.erases
        state.set("count", count)
        assert board.flash.erases == before or count == 0
        before = board.flash.erases
        state.idle_step()
        assert board.flash.erases <= before + 1
        while state.idle_step():
            pass


def apply(state, operation):
    name, value = operation
    if name == "idle":
        state.idle_step()
    else:
        state.set(name, value)


def operations(seed, count):
    """Sets of a few names with values of all sizes, removals, and idle steps."""
    choice = random.Random(seed)
    for _ in range(count):
        name = choice.choice(["a", "b", "c", "idle"])
        yield name, choice.choice([None, choice.randrange(1000), choice.randbytes(choice.randrange(500))])


def holds(state, expected):
    return {name: state.get(name) for name in state.names()} == expected


def test_cut_at_every_piece_of_a_long_history():
    """For each single piece that flash carries out in a history: tear it, mount, compare, go on."""
    history = list(operations(1, 60))
    cut_at, done = 0, False
    while not done:
        board = Board(state=2, seed=cut_at)
        state, expected = State(board.state), {}
        board.flash.cut_after(cut_at)
        done = True
        for name, value in history:
            after = {key: expected[key] for key in expected if key != name}
            if value is not None and name != "idle":
                after[name] = value
            if name == "idle":
                after = expected
            try:
                apply(state, (name, value))
            except PowerCut:
                done = False
                board.flash.power_on()
                state = State(board.state)
                assert holds(state, expected) or holds(state, after)
                if holds(state, expected):
                    apply(state, (name, value))
            expected = after
            assert holds(state, expected)
        assert holds(State(board.state), expected)
        cut_at += 1
    assert cut_at > 60, "the history has to move from half to half"


@pytest.mark.parametrize("seed", range(20))
def test_many_cuts_in_a_row(seed):
    choice = random.Random(seed)
    board = Board(state=4, seed=seed)
    state, expected = State(board.state), {}
    for name, value in operations(seed, 300):
        after = dict(expected)
        if name != "idle":
            after.pop(name, None)
            if value is not None:
                after[name] = value
        if choice.random() < 0.3:
            board.flash.cut_after(choice.randrange(6))
        try:
            apply(state, (name, value))
            expected = after
        except PowerCut:
            board.flash.power_on()
            state = State(board.state)
            assert holds(state, expected) or holds(state, after)
            if holds(state, after):
                expected = after
        board.flash.power_on()
    assert holds(State(board.state), expected)


def test_garbage_on_the_partition_is_an_empty_state():
    board = Board()
    board.flash.image[: 4 * SECTOR] = random.Random(3).randbytes(4 * SECTOR)
    state = State(board.state)
    assert state.names() == []
    state.set("boot", 1)
    assert State(board.state).get("boot") == 1
