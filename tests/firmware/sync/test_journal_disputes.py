"""A server that says another thing about the journal than the unit: a new epoch, and nothing lost."""

import pytest
from bench import Bench, Unit, play, seconds
from day import Day
from doorward_firmware.store.journal import CAUSE_DISAGREES
from doorward_protocol import errors, records


def epochs(unit):
    found = [records.decode(entry) for entry in unit.entries()]
    return [one.fields for one in found if one.name == "epoch"]


def test_a_receipt_for_another_root_begins_a_new_epoch_once():
    async def story(bench, unit):
        for _ in range(5):
            unit.append()
        await seconds(5)
        size, root = unit.journal.size, unit.journal.root()
        for _ in range(3):
            bench.server.send("stored", object=bench.server.receipt(1, 3, bytes(32)))
        await seconds(5)
        assert (unit.journal.epoch, unit.journal.previous) == (2, (1, size, root))
        assert [(one["previous_size"], one["cause"]) for one in epochs(unit)] == [(size, CAUSE_DISAGREES)]
        assert bench.server.heads[-1] == (2, unit.journal.size)
        assert unit.journal.acknowledged == unit.journal.size
        unit.append()
        await seconds(5)
        assert unit.journal.acknowledged == unit.journal.size

    play(story)


def test_a_server_that_disagrees_again_and_again_makes_one_epoch_per_connection():
    async def story(bench, unit):
        await seconds(3)
        for number in range(1, 9):
            bench.server.send("stored", object=bench.server.receipt(number, 10_000, bytes(32)))
        await seconds(5)
        assert unit.journal.epoch == 2
        assert ("stored", errors.BAD_HASH) in unit.refusals()

    play(story)


def test_a_restored_unit_finds_out_and_begins_again():
    bench = Bench()

    async def story(bench, unit):
        for _ in range(5):
            unit.append()
        await seconds(5)
        images = {name: bytes(flash.image) for name, flash in bench.flash.items()}
        for _ in range(20):
            unit.append()
        await seconds(5)
        old_size = unit.journal.size
        bench.plugged = False
        bench.cut()
        await unit.stop()
        for name, flash in bench.flash.items():
            flash.image[:] = images[name]
        bench.unit = unit = Unit(bench)
        assert unit.journal.size < old_size
        receipt = bench.server.receipt(1, old_size, bench.server_root(1, old_size))
        bench.server.offered.append(("receipt", receipt))
        bench.plugged = True
        unit.start()
        await seconds(10)
        assert unit.journal.epoch == 2
        assert unit.journal.acknowledged == unit.journal.size

    play(story, bench, may_fork=True)


def test_a_head_that_the_server_refuses_begins_a_new_epoch():
    async def story(bench, unit):
        unit.append()
        await seconds(5)
        root = unit.journal.root()
        bench.server.send("refused", what="head", reference=bytes(32), reason=errors.BAD_HASH, detail="")
        await seconds(1)
        assert unit.journal.epoch == 1, "this was about no head of ours"
        bench.server.send("refused", what="head", reference=root, reason=errors.BAD_HASH, detail="")
        await seconds(3)
        assert (unit.journal.epoch, unit.journal.previous[2]) == (2, root)

    play(story)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda bench: bench.server.receipt(1, 2, bytes(32), unit=b"somebody"), errors.WRONG_UNIT),
        (lambda bench: bench.server.receipt(1, 2, bytes(32))[:-1] + b"\x00", errors.BAD_SIGNATURE),
        (lambda bench: Day(bench).manifest(), errors.WRONG_KIND),
    ],
)
def test_a_wrong_receipt_acknowledges_nothing(make, reason):
    async def story(bench, unit):
        bench.server.receipts = False
        for _ in range(5):
            unit.append()
        await seconds(5)
        bench.server.send("stored", object=make(bench))
        await seconds(2)
        assert (unit.journal.epoch, unit.journal.acknowledged) == (1, 0)
        assert unit.refusals() == [("stored", reason)]

    play(story)
