"""A manifest and its blobs: a delta, resumed after a cut, in force at once, never the wrong one."""

import pytest
from bench import HOUR, NOON, Bench, Unit, play, seconds
from day import Day, stuff
from doorward_protocol import errors, records


async def synced(bench, unit, version=0):
    """Wait until the unit holds all that a version (at least) lists."""
    for _ in range(240):
        if unit.desired.is_complete() and unit.desired.version >= version:
            return
        await seconds(0.5)
    raise AssertionError(f"still missing: {len(unit.desired.missing())}")


def check_day(unit, day):
    """The unit holds the day, whole."""
    desired = unit.desired
    assert desired.is_complete()
    assert desired.complete(day.task)
    assert desired.incomplete() == []
    assert sorted(desired.roster()) == [11, 12, 31]
    assert desired.roster()[11]["name"] == "张11"
    assert desired.order(day.task)["vehicle"][1] == "粤A12345"
    assert [order["task"] for order in desired.orders()] == [day.task]
    assert desired.configuration()["settings"] == [["DOOR_RELEASE_MS", 8000]]
    assert set(desired.prompts()) == {1, 2}
    template = desired.roster()[11]["fingers"][0][3]
    assert b"".join(unit.blobs.chunks(template)) == stuff(f"{day.bench.seed} template 11", 1536)
    for name in day.everything():
        assert unit.blobs.has(name)


def test_a_unit_fetches_what_it_lacks_and_says_so():
    bench = Bench()
    day = Day(bench)

    async def story(bench, unit):
        bench.server.offer("manifest", day.manifest())
        await synced(bench, unit)
        check_day(unit, day)
        await seconds(1)
        have = bench.server.saw("have")
        assert (have[0]["manifest"], have[0]["complete"], have[0]["missing"]) == (0, False, [])
        assert (have[1]["manifest"], have[1]["complete"]) == (1, False)
        assert len(have[1]["missing"]) == 4
        assert (have[-1]["manifest"], have[-1]["complete"], have[-1]["missing"]) == (1, True, [])
        names = [records.decode(entry).name for entry in unit.entries()]
        assert names.count("manifest") == 1
        assert unit.refusals() == []
        assert unit.news[-1] == 1
        asked = len(bench.server.saw("want"))
        await seconds(100)
        assert len(bench.server.saw("want")) == asked, "nothing is fetched twice"

    play(story, bench)


def test_a_restart_keeps_everything_and_asks_for_nothing():
    bench = Bench()
    day = Day(bench)

    async def story(bench, unit):
        bench.server.offer("manifest", day.manifest())
        await synced(bench, unit)
        bench.plugged = False
        bench.cut()
        unit = await bench.restart()
        check_day(unit, day)
        assert (unit.desired.version, unit.desired.fresh_until) == (1, NOON + 24 * HOUR)
        bench.plugged = True
        wants = len(bench.server.saw("want"))
        await seconds(60)
        assert len(bench.server.saw("want")) == wants
        assert unit.refusals() == []

    play(story, bench)


@pytest.mark.parametrize("seed", range(6))
def test_cuts_in_the_middle_of_a_blob_cost_almost_nothing(seed):
    bench = Bench(seed)
    day = Day(bench)
    total = sum(len(content) for content in bench.server.blobs.values())

    def break_soon(wire):
        sent = bench.random.randrange(20_000, 60_000)

        def mangle(data):
            if wire.down.carried > sent:
                wire.cut()
            return data

        wire.down.mangle = mangle

    async def story(bench, unit):
        bench.server.offer("manifest", day.manifest())
        bench.on_wire = break_soon
        for _ in range(40):
            await seconds(5)
            if bench.random.random() < 0.3:
                unit = await bench.restart()
            unit.link.connect_now()
        bench.on_wire = [].append
        await synced(bench, unit)
        check_day(unit, day)
        assert bench.server.sessions > 5
        assert bench.server.chunks_sent * 3500 < total * 3  # from the beginning each time it would be six

    play(story, bench, check=False)


@pytest.mark.shows("D11")
def test_a_newer_manifest_is_a_delta_and_the_rest_is_wiped():
    bench = Bench()
    day = Day(bench)

    async def story(bench, unit):
        bench.server.offer("manifest", day.manifest())
        await synced(bench, unit)
        gone = unit.desired.roster()[12]["fingers"][0][3]
        chunks = bench.server.chunks_sent
        entries = list(day.entries)
        entries[1] = day.list("roster", 1, 2, site=1, people=[day.people[0], day.people[2]])
        entries[2] = day.order(version=2, crew=[[11, 1]])
        bench.server.offered.clear()
        bench.server.offer("manifest", day.manifest(2, entries, issued=NOON + 1000))
        await seconds(10)
        assert unit.desired.version == 2
        assert unit.desired.is_complete()
        assert sorted(unit.desired.roster()) == [11, 31]
        assert unit.desired.order(7)["version"] == 2
        assert bench.server.chunks_sent - chunks == 2, "a roster and an order"
        assert not unit.blobs.has(gone)
        await seconds(60)
        image = bytes(bench.flash["blobs"].image)
        assert stuff("0 template 12", 1536)[:64] not in image, "who is not listed is wiped"
        assert stuff("0 template 11", 1536)[:64] in image

    play(story, bench)


def test_what_is_not_listed_is_revoked_at_once():
    bench = Bench()
    day = Day(bench)

    async def story(bench, unit):
        bench.server.offer("manifest", day.manifest())
        await synced(bench, unit)
        entries = [*day.entries[:2], day.entries[3]]
        bench.server.offered.clear()
        bench.server.blobs.clear()  # nothing more can be fetched
        bench.server.offer("manifest", day.manifest(2, entries))
        await seconds(2)
        assert unit.desired.orders() == []
        assert unit.desired.order(7) is None
        assert not unit.desired.complete(7)
        assert unit.news[-1] == 2

    play(story, bench)


def test_an_order_is_incomplete_until_its_last_blob_is_here():
    bench = Bench()
    day = Day(bench)
    photo = day.people[1][7]
    withheld = bench.server.blobs.pop(photo)

    async def story(bench, unit):
        bench.server.offer("manifest", day.manifest())
        await seconds(60)
        assert unit.desired.order(7) is not None
        assert unit.desired.incomplete() == [7]
        assert unit.desired.missing() == [photo]
        assert bench.server.saw("have")[-1]["complete"] is False
        wants = [fields["hash"] for fields in bench.server.saw("want")]
        assert wants.count(photo) == 1, "what the server refuses is not asked for again at once"
        bench.server.blobs[photo] = withheld
        bench.cut()
        await seconds(10)
        assert unit.desired.incomplete() == []
        assert unit.desired.is_complete()

    play(story, bench)


# What is refused


def refused_manifest(make, accepted=0, offset=0):
    """Offer make(day) after version 1 was accepted (or before); returns (unit's refusals, what it holds)."""
    bench = Bench()
    day = Day(bench)
    result = []

    async def story(bench, unit):
        if accepted:
            bench.server.offer("manifest", day.manifest(accepted))
            await synced(bench, unit)
            bench.server.offered.clear()
        await seconds(1)
        bench.server.offer("manifest", make(day))
        await seconds(3)
        result.extend([unit.refusals(), unit.desired.version])
        told = [(fields["what"], fields["reason"]) for fields in bench.server.saw("refused")]
        assert set(told) == set(unit.refusals()), "the server is told what is recorded"
        assert Unit(bench).desired.version == unit.desired.version
        if accepted:
            check_day(unit, day)
        reasons = [one for one in unit.refusals() if one[0] == "manifest"]
        bench.server.offer("manifest", make(day))
        await seconds(3)
        assert [one for one in unit.refusals() if one[0] == "manifest"] == reasons, "recorded once"

    play(story, bench, clock_offset=offset)
    return tuple(result)


def other_key(day):
    return day.bench.authorities.roots[0]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda day: day.manifest(2, key=other_key(day)), errors.BAD_SIGNATURE),
        (lambda day: bytes(reversed(day.manifest(2))), errors.MALFORMED),
        (lambda day: b"\xd2" + day.manifest(2), errors.OUTSIDE_PROFILE),
        (lambda day: day.manifest(2)[:-1], errors.MALFORMED),
        (lambda day: day.manifest(2)[:40] + b"\x00" + day.manifest(2)[41:], errors.BAD_SIGNATURE),
        (lambda day: day.manifest(2, unit=b"somebody"), errors.WRONG_UNIT),
        (lambda day: day.manifest(2, fresh_until=NOON + 500), errors.EXPIRED),
        (lambda day: day.manifest(2, issued=NOON + HOUR), errors.NOT_YET_VALID),
        (lambda day: day.manifest(2, issued=NOON + HOUR, fresh_until=NOON), errors.MALFORMED),
        (lambda day: day.manifest(2, [*day.entries, day.entries[0]]), errors.MALFORMED),
        (lambda day: day.manifest(2, [*day.entries, [2, 8, 1, *day.entries[1][3:]]]), errors.MALFORMED),
        (lambda day: day.manifest(2, [[2, n, 1, bytes(32), 1] for n in range(91)]), errors.TOO_LARGE),
        (lambda day: day.manifest(1, []), errors.OLD_VERSION),
        (lambda day: day.bench.server.receipt(1, 1, bytes(32)), errors.WRONG_KIND),
        (lambda day: day.manifest(2, kid=b"nobody!!"), errors.UNKNOWN_KEY),
    ],
)  # fmt: skip
def test_a_wrong_manifest_is_refused_by_name_and_changes_nothing(make, reason):
    refusals, version = refused_manifest(make, accepted=1)
    assert refusals == [("manifest", reason)]
    assert version == 1


def test_an_older_version_is_refused_for_ever():
    bench = Bench()
    day = Day(bench)

    async def story(bench, unit):
        bench.server.offer("manifest", day.manifest(5))
        await synced(bench, unit)
        bench.server.offered.clear()
        unit = await bench.restart()
        await seconds(3)
        bench.server.offer("manifest", day.manifest(4))
        await seconds(3)
        assert unit.refusals() == [("manifest", errors.OLD_VERSION)]
        assert unit.desired.version == 5

    play(story, bench)


def test_the_floor_survives_the_loss_of_all_blobs():
    bench = Bench()
    day = Day(bench)

    async def story(bench, unit):
        bench.server.offer("manifest", day.manifest(5))
        await synced(bench, unit)
        bench.server.offered.clear()
        for sector in range(128):
            bench.flash["blobs"].erase(sector)
        unit = await bench.restart()
        await seconds(3)
        assert unit.desired.version == 0
        assert bench.server.saw("status")[-1]["manifest"] == 0
        bench.server.offer("manifest", day.manifest(4))
        await seconds(3)
        assert unit.refusals() == [("manifest", errors.OLD_VERSION)]
        bench.server.offer("manifest", day.manifest(5))
        await synced(bench, unit)
        check_day(unit, day)

    play(story, bench)


def test_while_the_clock_is_unsure_the_version_alone_decides():
    bench = Bench()
    day = Day(bench)
    bench.server.answers = False  # the clock is never set

    async def story(bench, unit):
        await seconds(1)
        bench.server.offer("manifest", day.manifest(2))
        await seconds(8)
        assert unit.clock.state() == records.CLOCK_UNSURE
        assert unit.desired.version == 2

    play(story, bench, clock_offset=-50 * 24 * HOUR)


def test_a_list_of_the_wrong_form_is_refused_and_its_task_stays_shut():
    bench = Bench()
    day = Day(bench)
    wrong = bench.server.put(b"\x81\x02")
    entries = [*day.entries[:2], [2, 7, 1, wrong, 2], day.order(listed_as=8), day.entries[3]]

    async def story(bench, unit):
        bench.server.offer("manifest", day.manifest(1, entries))
        await seconds(60)
        assert unit.refusals() == [("blob", errors.MALFORMED)]
        assert unit.desired.orders() == [], "an order listed under another task is none"
        assert unit.desired.incomplete() == [7, 8]
        assert not unit.desired.is_complete()
        assert unit.desired.missing() == []
        unit = await bench.restart()
        assert unit.desired.incomplete() == [7, 8]
        assert sorted(unit.desired.roster()) == [11, 12, 31]

    play(story, bench)


def test_a_blob_of_the_wrong_content_is_refused_and_given_up():
    bench = Bench()
    day = Day(bench)
    photo = day.people[0][7]
    bench.server.blobs[photo] = b"something else entirely" * 100

    async def story(bench, unit):
        bench.server.offer("manifest", day.manifest())
        await seconds(60)
        assert unit.refusals() == [("blob", errors.BAD_HASH)]
        assert unit.desired.missing() == [photo]
        wants = [fields["hash"] for fields in bench.server.saw("want")]
        assert wants.count(photo) == 3

    play(story, bench)


def test_blobs_that_nobody_asked_for_are_refused():
    bench = Bench()
    day = Day(bench)

    async def story(bench, unit):
        bench.server.offer("manifest", day.manifest())
        await synced(bench, unit)
        bench.server.send("blob", hash=bytes(32), offset=0, total=5, data=b"12345")
        await seconds(1)
        assert unit.refusals() == [("blob", errors.NOT_WANTED)]
        assert not unit.blobs.has(bytes(32))

    play(story, bench)


def test_when_flash_is_full_of_yesterday_today_still_fits():
    bench = Bench()
    day = Day(bench)

    async def story(bench, unit):
        bench.server.offer("manifest", day.manifest())
        await synced(bench, unit)
        big = [[number, day.put(f"clip {number}", 90_000), None] for number in range(10)]
        entries = [*day.entries[:3], day.list("prompts", 1, 2, language="zh", prompts=big[:2])]
        bench.server.offered.clear()
        bench.server.offer("manifest", day.manifest(2, entries))
        await synced(bench, unit, 2)
        entries[3] = day.list("prompts", 1, 3, language="zh", prompts=big[2:4])
        bench.server.offer("manifest", day.manifest(3, entries))
        await synced(bench, unit, 3)
        assert set(unit.desired.prompts()) == {2, 3}
        entries[3] = day.list("prompts", 1, 4, language="zh", prompts=big)
        bench.server.offer("manifest", day.manifest(4, entries))
        await seconds(100)
        assert ("blob", errors.FLASH_FULL) in unit.refusals()
        assert unit.desired.complete(7), "what a task needs comes before prompts"

    play(story, bench)
