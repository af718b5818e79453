"""Records: at once and in order, heads in time, a backlog that disturbs nobody, none lost and none twice."""

import asyncio
import contextlib
import random

import pytest
from bench import Bench, Unit, play, seconds
from doorward_firmware.store.journal import JournalFull
from doorward_protocol import records


def now():
    return asyncio.get_running_loop().time()


def test_nothing_leaves_before_the_servers_first_frame():
    async def story(bench, unit):
        bench.server.speaks_first = lambda: None
        for _ in range(3):
            unit.append()
        await seconds(20)
        assert bench.server.said == []
        assert not unit.link.online
        bench.server.first_time()
        await seconds(1)
        assert bench.server.said[0][0] == "status"
        assert [name for name, _ in bench.server.said].count("record") == unit.journal.size
        assert unit.link.online

    play(story)


def test_a_record_leaves_at_once_and_its_head_within_two_seconds():
    async def story(bench, unit):
        await seconds(5)
        for _ in range(10):
            index, appended = unit.append(), now()
            await seconds(5)
            assert bench.server.times[1, index] - appended < 0.3
            assert bench.server.heads[-1] == (1, index + 1)
            assert bench.server.head_times[-1] - appended < 2
            assert unit.journal.acknowledged == index + 1

    play(story)


def test_many_records_at_once_share_a_head_and_keep_their_order():
    async def story(bench, unit):
        await seconds(5)
        before = len(bench.server.heads)
        for _ in range(30):
            unit.append()
        await seconds(2)
        sent = [(fields["epoch"], fields["index"]) for fields in bench.server.saw("record")]
        assert sent == sorted(sent)
        assert len(bench.server.heads) == before + 1
        assert unit.journal.acknowledged == unit.journal.size

    play(story)


def test_the_head_follows_at_once_when_a_handover_ends():
    async def story(bench, unit):
        await seconds(5)
        unit.append()
        unit.link.head_now()
        await seconds(0.3)
        assert bench.server.heads[-1] == (1, unit.journal.size)

    play(story)


@pytest.mark.shows("F1")
def test_a_unit_alone_keeps_everything_and_sends_it_later():
    async def story(bench, unit):
        bench.plugged = False
        for _ in range(700):
            unit.append()
        await seconds(100)
        assert bench.server.leaves == {}
        bench.plugged = True
        unit.link.connect_now()
        await seconds(60)
        assert [bench.server.leaves[1, index] for index in range(unit.journal.size)] == unit.entries()
        assert unit.journal.acknowledged == unit.journal.size
        assert (1, 256) in bench.server.heads, "a long backlog is acknowledged in steps"
        assert ("link", 0) not in unit.refusals()
        assert [kind for kind in unit.refusals() if kind[0] == "handshake"] == [], "no network is no refusal"

    play(story)


@pytest.mark.shows("F1")
def test_live_records_overtake_the_backlog():
    async def story(bench, unit):
        bench.plugged = False
        for _ in range(800):
            unit.append()
        bench.plugged = True
        while len(bench.server.leaves) < 100:
            await seconds(0.1)
        index, appended = unit.append(), now()
        while (1, index) not in bench.server.leaves:
            await seconds(0.1)
        assert now() - appended < 1
        assert len(bench.server.leaves) < 800, "the backlog was still on its way"
        order = [fields["index"] for fields in bench.server.saw("record") if fields["index"] < 800]
        assert order == sorted(order)
        await seconds(120)
        assert unit.journal.acknowledged == unit.journal.size == len(bench.server.leaves)

    play(story, Bench(delay=0.02, largest=600))


@pytest.mark.shows("F1")
@pytest.mark.parametrize("seed", range(8))
def test_cuts_and_restarts_lose_nothing_and_double_nothing(seed):
    choice = random.Random(seed)
    bench = Bench(seed, largest=400)

    async def story(bench, unit):
        for _ in range(40):
            for _ in range(choice.randrange(12)):
                unit.append("input", name=1, active=True)
            await seconds(choice.random() * 3)
            if bench.wires and choice.random() < 0.5:
                bench.cut()
            bench.plugged = choice.random() < 0.8
            if choice.random() < 0.15:
                unit = await bench.restart()
        bench.plugged = True
        unit.link.connect_now()
        await seconds(90)
        assert unit.journal.epoch == 1
        assert [bench.server.leaves[1, index] for index in range(unit.journal.size)] == unit.entries()
        assert unit.journal.acknowledged == unit.journal.size

    play(story, bench, check=False)
    assert bench.server.sessions > 5
    assert [failure for failure in bench.failures if isinstance(failure, AssertionError)] == []


def test_a_receipt_that_never_comes_costs_nothing_but_repetition():
    bench = Bench()
    bench.server.receipts = False

    async def story(bench, unit):
        for _ in range(20):
            unit.append()
        await seconds(5)
        assert unit.journal.acknowledged == 0
        bench.cut()
        await seconds(10)
        bench.server.receipts = True
        bench.cut()
        await seconds(10)
        assert unit.journal.acknowledged == unit.journal.size
        sent = [fields["index"] for fields in bench.server.saw("record")]
        assert sent.count(0) == 3

    play(story, bench)


@pytest.mark.shows("F2")
def test_a_full_journal_empties_itself_and_tasks_may_start_again():
    async def story(bench, unit):
        bench.plugged = False
        with contextlib.suppress(JournalFull):
            for _ in range(10_000):
                unit.append("door", door=1, event=3, cause=1)
        assert unit.journal.size < 10_000
        assert not unit.journal.room_for_task()
        entries = unit.entries()
        bench.plugged = True
        unit.link.connect_now()
        await seconds(120)
        assert unit.clock.state() == records.CLOCK_SURE
        assert [bench.server.leaves[1, index] for index in range(len(entries))] == entries
        assert unit.journal.room_for_task()
        unit.append()
        await seconds(3)
        assert unit.journal.acknowledged == unit.journal.size

    play(story, Bench(delay=0.002))


def test_a_server_that_lost_its_records_gets_them_again():
    async def story(bench, unit):
        for _ in range(50):
            unit.append()
        await seconds(5)
        assert unit.journal.acknowledged == unit.journal.size
        bench.server.leaves.clear()
        bench.server.send("refused", what="head", reference=b"", reason=16, detail="records are missing")
        await seconds(5)
        assert [bench.server.leaves[1, index] for index in range(unit.journal.size)] == unit.entries()

    play(story)


def test_the_status_tells_what_there_is():
    async def story(bench, unit):
        unit.link.health = lambda: ["camera: camera_failed"]
        unit.append()
        await seconds(70)
        statuses = bench.server.saw("status")
        assert 3 <= len(statuses) <= 4
        last = statuses[-1]
        assert (last["epoch"], last["size"], last["acknowledged"]) == (
            1,
            unit.journal.size,
            unit.journal.size,
        )
        assert (last["firmware"], last["manifest"], last["clock"]) == ("0.1.0", 0, 0)
        assert last["health"] == ["camera: camera_failed"]
        assert len({status["nonce"] for status in statuses}) == len(statuses)

    play(story)


def test_a_silent_server_is_given_up_and_tried_again():
    async def story(bench, unit):
        await seconds(5)
        bench.wires[-1].down.stalled = True
        unit.append()
        await seconds(60)
        assert bench.server.sessions == 2
        assert unit.journal.acknowledged == unit.journal.size

    play(story)


def test_the_last_contact_survives_a_restart():
    async def story(bench, unit):
        await seconds(100)
        contact = unit.link.last_contact
        assert abs(contact - unit.clock.now()) < 40_000
        assert contact - Unit(bench).link.last_contact < 600_000
        assert Unit(bench).link.last_contact > 0

    play(story)


# The clock


@pytest.mark.parametrize("wrong", [-3_000_000_000, -70_000, 70_000, 3_000_000_000])
def test_the_clock_follows_the_servers(wrong):
    async def story(bench, unit):
        assert unit.clock.state() == records.CLOCK_UNSURE
        await seconds(5)
        assert unit.clock.state() == records.CLOCK_SURE
        assert abs(unit.clock.now() - bench.server.now()) < 100
        sets = [records.decode(entry) for entry in unit.entries()]
        sets = [one.fields for one in sets if one.name == "clock_set"]
        assert len(sets) == 1
        assert abs(sets[0]["after"] - sets[0]["before"] + wrong) < 100
        await seconds(200)
        assert [records.decode(entry).name for entry in unit.entries()].count("clock_set") == 1

    play(story, clock_offset=wrong)


def test_time_that_nobody_asked_for_sets_nothing():
    async def story(bench, unit):
        await seconds(5)
        used = bench.server.saw("status")[0]["nonce"]
        for nonce in (None, bytes(8), used):
            bench.server.send("time", nonce=nonce, time=5)
        await seconds(1)
        assert abs(unit.clock.now() - bench.server.now()) < 100
        assert unit.refusals() == [("time", 22)]
        assert [fields["what"] for fields in bench.server.saw("refused")] == ["time"] * 3

    play(story)


def test_an_answer_that_took_too_long_sets_nothing():
    async def story(bench, unit):
        bench.server.answers = False
        for _ in range(3):
            await seconds(10)
            if bench.server.channel:
                bench.server.first_time()
        nonce = bench.server.saw("status")[0]["nonce"]
        bench.server.send("time", nonce=nonce, time=bench.server.now())
        await seconds(1)
        assert unit.clock.state() == records.CLOCK_UNSURE

    play(story, check=False)
