"""Commands: obeyed once, within their seconds, by their unit; everything else is refused by its name."""

import pytest
from bench import HOUR, Bench, play, seconds
from doorward_protocol import errors, objects


def command(bench, number=1, lifetime=30_000, **changes):
    """A signed command of this moment; number makes its id."""
    now = bench.server.now()
    fields = {
        "unit": bench.unit_id, "id": bytes([number]) * 16, "verb": objects.APPROVE, "task": 7,
        "nonce": b"attempt1", "decided_by": [3, 4], "picture": bytes(32), "head_count": 2,
        "issued": now, "expires": now + lifetime,
    }  # fmt: skip
    fields.update(changes)
    return bench.authorities.sign("command", **fields)


def test_a_command_is_obeyed_at_once_and_only_once():
    async def story(bench, unit):
        await seconds(3)
        order = command(bench)
        bench.server.offer("command", order)
        await seconds(1)
        assert [one["id"] for one in unit.commands] == [bytes([1]) * 16]
        assert unit.commands[0]["decided_by"] == [3, 4]
        bench.cut()  # the server offers it again with the next status
        await seconds(10)
        assert len(unit.commands) == 1
        assert unit.refusals() == [("command", errors.REPLAYED)]
        told = bench.server.saw("refused")
        assert (told[0]["what"], told[0]["reference"]) == ("command", bytes([1]) * 16)

    play(story)


def test_a_replay_after_a_restart_is_refused():
    async def story(bench, unit):
        await seconds(3)
        bench.server.offer("command", command(bench))
        await seconds(1)
        unit = await bench.restart()
        await seconds(10)
        assert unit.commands == []
        assert unit.refusals() == [("command", errors.REPLAYED)]

    play(story)


def test_used_ids_are_forgotten_when_they_expire_and_stay_dead():
    async def story(bench, unit):
        await seconds(3)
        old = command(bench, 200, lifetime=5_000)
        bench.server.offer("command", old)
        bench.server.offered.clear()
        await seconds(10)
        for number in range(60):
            bench.server.send("object", kind="command", object=command(bench, number, lifetime=2_000))
            await seconds(3)
        assert len(unit.commands) == 61
        assert len(unit.state.get("commands")[1]) < 4
        bench.server.clock_error = -200_000  # the clock is put back to before the old command's end
        await seconds(40)
        bench.server.send("object", kind="command", object=old)
        await seconds(2)
        assert len(unit.commands) == 61
        assert unit.refusals() == [("command", errors.EXPIRED)]

    play(story)


def test_more_commands_at_a_time_than_can_be_remembered_are_refused():
    async def story(bench, unit):
        await seconds(3)
        for number in range(40):
            bench.server.send("object", kind="command", object=command(bench, number))
        await seconds(5)
        assert len(unit.commands) == 32
        assert unit.refusals() == [("command", errors.TOO_LARGE)]

    play(story)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda bench: command(bench, unit=b"somebody"), errors.WRONG_UNIT),
        (lambda bench: command(bench, lifetime=-1), errors.EXPIRED),
        (lambda bench: command(bench, issued=bench.server.now() + HOUR), errors.NOT_YET_VALID),
        (lambda bench: command(bench, verb=99), errors.MALFORMED),
        (lambda bench: command(bench)[:-1], errors.MALFORMED),
        (lambda bench: command(bench)[:-1] + b"\x00", errors.BAD_SIGNATURE),
        (lambda bench: command(bench) + b"\x00", errors.MALFORMED),
        (lambda bench: bench.server.receipt(1, 1, bytes(32)), errors.WRONG_KIND),
    ],
)
def test_a_wrong_command_is_refused_by_name(make, reason):
    async def story(bench, unit):
        await seconds(3)
        bench.server.send("object", kind="command", object=make(bench))
        await seconds(2)
        assert unit.commands == []
        assert unit.refusals() == [("command", reason)]

    play(story)


def test_a_command_signed_by_nobody_we_know_is_refused():
    async def story(bench, unit):
        await seconds(3)
        stranger = Bench(seed=9)
        stranger.unit_id = bench.unit_id
        bench.server.send("object", kind="command", object=command_of(stranger, bench))
        await seconds(2)
        assert unit.commands == []
        assert unit.refusals() == [("command", errors.BAD_SIGNATURE)]

    play(story)


def command_of(stranger, bench):
    now = bench.server.now()
    return stranger.authorities.sign(
        "command", unit=bench.unit_id, id=bytes(16), verb=1, task=7, nonce=bytes(8), decided_by=[1],
        issued=now, expires=now + 30_000,
    )  # fmt: skip


def test_no_command_is_obeyed_while_the_clock_is_unsure():
    async def story(bench, unit):
        bench.server.answers = False
        await seconds(1)
        bench.server.send("object", kind="command", object=command(bench))
        await seconds(2)
        assert unit.commands == []
        assert unit.refusals() == [("command", errors.CLOCK_UNSURE)]

    play(story)
