"""Blobs: content by hash, resumable, verified before shown, room given back, safe at every cut."""

import contextlib
import hashlib
import random

import pytest
from doorward_firmware.store.blobs import MAX_BLOB, Blobs
from doorward_protocol import errors
from doorward_protocol.errors import ProtocolError
from doorward_simulator.flash import SECTOR, PowerCut
from flash_board import Board

BLOBS_AT = 2  # sectors before the partition on these boards


def board_with(sectors=16, seed=0):
    return Board(state=2, journal=0, blobs=sectors, seed=seed)


def content(length, seed=0):
    return random.Random(seed).randbytes(length)


def name_of(data):
    return hashlib.sha256(data).digest()


def receive(blobs, data, piece=3500, until=None):
    """Take data in pieces from where the store has it to `until`."""
    name = name_of(data)
    blobs.begin(name, len(data))
    offset = blobs.progress(name)
    while offset < (len(data) if until is None else until):
        offset = blobs.write(name, offset, data[offset : offset + piece])
    if until is None:
        blobs.finish(name)
    return name


def all_of(blobs, name):
    return b"".join(blobs.chunks(name, 1000))


def refused(call, *arguments):
    with pytest.raises(ProtocolError) as refusal:
        call(*arguments)
    return refusal.value.reason


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 1536, 3839, 3840, 3841, 7936, 7937, 30_000])
def test_content_of_any_length_survives_a_restart(length):
    board, data = board_with(), content(length)
    blobs = Blobs(board.blobs)
    name = receive(blobs, data)
    for store in (blobs, Blobs(board.blobs)):
        assert store.has(name)
        assert store.size(name) == length
        assert all_of(store, name) == data
        assert store.read(name, length // 2, 10) == data[length // 2 :][:10]
        assert store.read(name, length + 5, 10) == b""
        assert store.names() == [name]


@pytest.mark.parametrize("piece", [1, 7, 16, 100, 3500, 9000])
def test_pieces_of_any_size(piece):
    blobs, data = Blobs(board_with().blobs), content(9_001)
    assert all_of(blobs, receive(blobs, data, piece)) == data


def test_nothing_is_shown_before_it_is_verified():
    blobs, data = Blobs(board_with().blobs), content(5000)
    name = receive(blobs, data, until=5000)
    assert not blobs.has(name)
    assert blobs.names() == []
    assert refused(blobs.read, name, 0, 10) == errors.ORDER_INCOMPLETE
    blobs.finish(name)
    assert blobs.has(name)


def test_room_for_own_blobs_is_what_can_be_put():
    board = board_with(sectors=40)
    blobs = Blobs(board.blobs)
    receive(blobs, content(9 * SECTOR))  # of a manifest: ten sectors with their header
    puts, mine = 0, []
    assert blobs.room() == 20 * SECTOR, "half of the partition"
    while blobs.room() >= 2 * SECTOR:
        mine.append(blobs.put(content(SECTOR, 100 + puts)))
        puts += 1
    assert puts == 10
    with pytest.raises(ProtocolError) as refusal:
        blobs.put(content(SECTOR, 99))
    assert refusal.value.reason == errors.FLASH_FULL
    blobs.delivered(mine[0])
    assert blobs.room() == 2 * SECTOR
    blobs.put(content(SECTOR, 99))
    assert blobs.room() == Blobs(board.blobs).room() == 0


def test_wrong_content_is_refused_and_given_up():
    blobs, data = Blobs(board_with().blobs), content(5000)
    name = name_of(data)
    blobs.begin(name, 5000)
    blobs.write(name, 0, content(5000, seed=1))
    assert refused(blobs.finish, name) == errors.BAD_HASH
    assert not blobs.has(name)
    assert blobs.progress(name) == 0
    assert all_of(blobs, receive(blobs, data)) == data


def test_pieces_out_of_place_are_refused_and_repeated_ones_ignored():
    blobs, data = Blobs(board_with().blobs), content(5000)
    name = name_of(data)
    assert refused(blobs.write, name, 0, data[:10]) == errors.NOT_WANTED
    blobs.begin(name, 5000)
    assert refused(blobs.write, name, 1, data[1:10]) == errors.NOT_WANTED
    assert refused(blobs.write, name, 0, data + b"x") == errors.MALFORMED
    blobs.write(name, 0, data[:1000])
    assert blobs.write(name, 0, data[:1000]) == 1000
    assert blobs.write(name, 500, data[500:1500]) == 1500
    assert refused(blobs.finish, name) == errors.NOT_WANTED
    blobs.write(name, 1500, data[1500:])
    blobs.finish(name)
    assert all_of(blobs, name) == data
    blobs.begin(name, 5000)
    assert refused(blobs.write, name, 0, data[:10]) == errors.NOT_WANTED


def test_another_length_begins_again():
    blobs, data = Blobs(board_with().blobs), content(5000)
    name = name_of(data)
    blobs.begin(name, 9000)
    blobs.write(name, 0, data)
    blobs.begin(name, 5000)
    assert blobs.progress(name) == 0
    assert all_of(blobs, receive(blobs, data)) == data


@pytest.mark.parametrize("length", [20_000, 60_000, 200_000])
def test_a_transfer_goes_on_after_a_restart(length):
    board, data = board_with(64), content(length)
    receive(Blobs(board.blobs), data, until=length * 3 // 4)
    blobs = Blobs(board.blobs)
    progress = blobs.progress(name_of(data))
    assert length * 3 // 4 - length // 9 <= progress + SECTOR
    assert progress <= length * 3 // 4 + 3500
    assert all_of(blobs, receive(blobs, data)) == data


def test_content_that_no_mark_vouches_for_is_not_built_upon():
    board, data = board_with(), content(3000)
    blobs = Blobs(board.blobs)
    blobs.begin(name_of(data), 3000)
    blobs.write(name_of(data), 0, content(1000, seed=1))  # a chunk that was wrong, then power fails
    blobs = Blobs(board.blobs)
    assert blobs.progress(name_of(data)) == 0
    assert all_of(blobs, receive(blobs, data)) == data


def test_what_is_not_kept_is_gone_and_wiped():
    board = board_with()
    blobs = Blobs(board.blobs)
    secret, kept, own = b"a finger's minutiae " * 500, content(100), content(200)
    gone = receive(blobs, secret)
    receive(blobs, kept)
    blobs.put(own)
    begun = receive(blobs, content(9000, 5), until=5000)
    blobs.keep_only({name_of(kept)})
    assert not blobs.has(gone)
    assert blobs.progress(begun) == 0
    assert blobs.has(name_of(kept))
    assert blobs.has(name_of(own)), "the unit's own pictures are evidence"
    blobs = Blobs(board.blobs)
    assert not blobs.has(gone)
    while blobs.idle_step():
        pass
    assert secret[:20] not in bytes(board.flash.image)
    assert all_of(blobs, name_of(kept)) == kept


def test_what_is_given_up_goes_in_the_order_of_its_names(monkeypatch):
    """Else flash would hold other things under an interpreter that keeps an index in another order."""
    blobs = Blobs(board_with().blobs)
    names = [receive(blobs, content(100, seed)) for seed in range(6)]
    given_up = []
    monkeypatch.setattr(blobs, "discard", given_up.append)
    blobs.keep_only(set())
    assert given_up == sorted(names) != names


def test_an_idle_step_erases_one_sector_at_most():
    board = board_with()
    blobs = Blobs(board.blobs)
    receive(blobs, content(30_000))
    blobs.keep_only(set())
    more, steps = True, 0
    while more:
        before = board.flash.erases
        more, steps = blobs.idle_step(), steps + 1
        assert board.flash.erases <= before + 1
    assert steps == 8
    assert board.flash.image[BLOBS_AT * SECTOR :] == b"\xff" * (16 * SECTOR)


def test_room_is_used_again_and_full_is_refused():
    board = board_with(8)
    blobs = Blobs(board.blobs)
    names = [receive(blobs, content(3000, seed)) for seed in range(8)]
    assert blobs.used() == (8 * SECTOR, 8 * SECTOR)
    assert refused(blobs.begin, bytes(32), 100) == errors.FLASH_FULL
    assert refused(blobs.begin, bytes(32), MAX_BLOB + 1) == errors.TOO_LARGE
    blobs.keep_only(set(names[:2] + names[6:]))
    assert refused(blobs.begin, bytes(32), 4 * SECTOR) == errors.FLASH_FULL
    data = content(3 * SECTOR)
    assert all_of(blobs, receive(blobs, data)) == data
    assert all(blobs.has(name) for name in names[:2] + names[6:])


def test_own_blobs_take_half_the_room_and_go_when_delivered_oldest_first():
    blobs = Blobs(board_with(8).blobs)
    names = [blobs.put(content(3000, seed)) for seed in range(4)]
    assert refused(blobs.put, content(3000, 4)) == errors.FLASH_FULL
    blobs.delivered(names[2])
    blobs.delivered(names[1])
    blobs.put(content(3000, 4))
    assert [blobs.has(name) for name in names] == [True, False, True, True]


def test_delivered_survives_a_restart():
    board = board_with(8)
    names = [Blobs(board.blobs).put(content(3000, seed)) for seed in range(4)]
    Blobs(board.blobs).delivered(names[3])
    blobs = Blobs(board.blobs)
    blobs.put(content(3000, 9))
    assert [blobs.has(name) for name in names] == [True, True, True, False]


def test_content_that_looks_like_a_header_is_never_taken_for_one():
    board = board_with()
    inner = Blobs(board_with().blobs)
    other = board_with()
    forged = receive(Blobs(other.blobs), content(1000, 8))
    header = bytes(other.flash.image[BLOBS_AT * SECTOR : (BLOBS_AT + 1) * SECTOR])
    assert inner.names() == []
    blobs = Blobs(board.blobs)
    outer = receive(blobs, bytes(SECTOR - 256) + header * 3)
    assert Blobs(board.blobs).names() == [outer]
    blobs.keep_only(set())
    for cut_at in range(12):
        board.flash.cut_after(cut_at)
        with contextlib.suppress(PowerCut):
            blobs.idle_step()
        board.flash.power_on()
        blobs = Blobs(board.blobs)
        assert not blobs.has(forged)


def history(seed, count):
    choice = random.Random(seed)
    for _ in range(count):
        yield (
            choice.choices(["receive", "put", "keep", "idle", "begin"], [4, 1, 1, 4, 1])[0],
            choice.randrange(6),
            choice.random(),
        )


@contextlib.contextmanager
def full_is_no_failure():
    try:
        yield
    except ProtocolError as refusal:
        if refusal.reason != errors.FLASH_FULL:
            raise


def step(blobs, operation, number, part, expected):
    """One operation on one of six contents; `expected` learns what is promised when it returns."""
    data = content([100, 3900, 9_000, 14_000, 3840, 1][number], number)
    name = name_of(data)
    if operation == "receive":
        receive(blobs, data)
        expected.add(number)
    elif operation == "begin" and not blobs.has(name):
        receive(blobs, data, until=int(len(data) * part))
    elif operation == "put" and number < 2:
        blobs.put(content(500 + number, 100 + number))
    elif operation == "keep":
        expected.discard(number)
        blobs.keep_only({name_of(content([100, 3900, 9_000, 14_000, 3840, 1][n], n)) for n in expected})
    elif operation == "idle":
        blobs.idle_step()


def check(blobs, expected):
    """What was promised is here, and what is shown has its hash, whatever it is."""
    for name in blobs.names():
        assert name_of(all_of(blobs, name)) == name
    for number in expected:
        assert blobs.has(name_of(content([100, 3900, 9_000, 14_000, 3840, 1][number], number)))


@pytest.mark.parametrize("seed", range(3))
def test_cut_at_every_piece_of_a_history(seed):
    cut_at, cut = 0, True
    while cut:
        board = board_with(sectors=14, seed=cut_at)
        blobs, expected, cut = Blobs(board.blobs), set(), False
        board.flash.cut_after(cut_at)
        for operation, number, part in history(seed, 14):
            try:
                with full_is_no_failure():
                    step(blobs, operation, number, part, expected)
            except PowerCut:
                cut = True
                board.flash.power_on()
                blobs = Blobs(board.blobs)
                check(blobs, expected)
        check(Blobs(board.blobs), expected)
        cut_at += 1
    assert cut_at > 50


@pytest.mark.parametrize("seed", range(8))
def test_many_cuts_in_a_row(seed):
    choice = random.Random(seed)
    board = board_with(sectors=14, seed=seed)
    blobs, expected, cuts = Blobs(board.blobs), set(), 0
    for operation, number, part in history(seed, 300):
        if choice.random() < 0.5:
            board.flash.cut_after(choice.randrange(20))
        try:
            with full_is_no_failure():
                step(blobs, operation, number, part, expected)
        except PowerCut:
            cuts += 1
            board.flash.power_on()
            blobs = Blobs(board.blobs)
            check(blobs, expected)
        board.flash.power_on()
    check(Blobs(board.blobs), expected)
    assert cuts > 10


def test_garbage_on_the_partition_is_no_blob():
    board = board_with()
    board.flash.image[:] = random.Random(4).randbytes(len(board.flash.image))
    blobs = Blobs(board.blobs)
    assert blobs.names() == []
    data = content(20_000)
    assert all_of(blobs, receive(blobs, data)) == data
