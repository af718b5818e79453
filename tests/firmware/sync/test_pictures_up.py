"""The unit's own pictures: the server fetches them in windows; live records do not wait for them."""

import asyncio
import hashlib
import random

import pytest
from bench import Bench, play
from day import Day
from doorward_protocol import errors, messages


def picture(seed=0, length=70_000):
    return random.Random(seed).randbytes(length)


async def fetch(bench, name, limit=60):
    """Fetch a picture as the server does: windows of 16 chunks, from where the last one ended."""
    server = bench.server
    offset = asked = None
    for _ in range(limit * 10):
        have = server.pictures.get(name, b"")
        total = [fields["total"] for fields in server.saw("blob") if fields["hash"] == name]
        if total and len(have) == total[0]:
            return have
        window = messages.CHUNKS_PER_WANT * messages.MAX_CHUNK
        if server.channel and (asked is not server.channel or len(have) >= offset + window):
            offset, asked = len(have), server.channel
            server.send("want", hash=name, offset=offset)
        await asyncio.sleep(0.1)
    raise AssertionError("no picture")


@pytest.mark.shows("F5")
def test_a_picture_is_fetched_whole_and_stays_until_room_is_needed():
    async def story(bench, unit):
        name = unit.blobs.put(picture())
        await asyncio.sleep(3)
        assert await fetch(bench, name) == picture()
        assert len(bench.server.saw("blob")) == 20
        assert unit.blobs.has(name)
        assert unit.refusals() == []

    play(story)


def test_a_picture_makes_room_only_when_the_server_has_it():
    """A line that breaks behind the last chunk loses it on the way."""
    bench = Bench()

    async def story(bench, unit):
        room = unit.blobs.room()
        name = unit.blobs.put(picture(length=3000))
        await asyncio.sleep(3)
        serve = unit.link._transfer._serve
        give = serve.next_chunk

        def give_and_cut():
            chunk = give()
            if chunk is not None:
                bench.cut()
            return chunk

        serve.next_chunk = give_and_cut
        bench.server.send("want", hash=name, offset=0)
        await asyncio.sleep(70)
        assert bench.server.saw("blob") == []
        assert unit.blobs.room() < room
        assert await fetch(bench, name) == picture(length=3000)
        await asyncio.sleep(70)
        assert unit.blobs.room() == room

    play(story, bench, check=False)


@pytest.mark.parametrize("seed", range(3))
def test_cuts_resume_a_picture(seed):
    bench = Bench(seed)

    async def story(bench, unit):
        name = unit.blobs.put(picture())
        fetching = asyncio.create_task(fetch(bench, name, 200))
        for _ in range(4):
            await asyncio.sleep(bench.random.uniform(0.5, 3))
            bench.cut()
            unit.link.connect_now()
        content = await fetching
        assert hashlib.sha256(content).digest() == name

    play(story, bench, check=False)


def test_live_records_do_not_wait_for_pictures():
    async def story(bench, unit):
        names = [unit.blobs.put(picture(number)) for number in range(3)]
        await asyncio.sleep(3)
        for name in names:
            bench.server.send("want", hash=name, offset=0)
        await asyncio.sleep(0.5)
        loop = asyncio.get_running_loop()
        index, appended = unit.append(), loop.time()
        await asyncio.sleep(10)
        assert bench.server.times[1, index] - appended < 1
        assert [len(bench.server.pictures[name]) for name in names] == [16 * 3500] * 3

    play(story, Bench(delay=0.02, largest=800))


def test_what_the_server_sent_is_not_for_fetching_back():
    bench = Bench()
    day = Day(bench)

    async def story(bench, unit):
        bench.server.offer("manifest", day.manifest())
        await asyncio.sleep(60)
        template = unit.desired.roster()[11]["fingers"][0][3]
        assert unit.blobs.has(template)
        own = unit.blobs.put(picture())
        bench.server.send("want", hash=template, offset=0)
        bench.server.send("want", hash=own, offset=1_000_000)
        await asyncio.sleep(2)
        assert bench.server.saw("blob") == []
        assert unit.refusals() == [("want", errors.NOT_WANTED)]
        assert [fields["reference"] for fields in bench.server.saw("refused")] == [template, own]

    play(story, bench)
