"""What a hostile network, a stranger's server and a broken server can do to a unit: nothing that lasts."""

import asyncio
import random

import pytest
import travel
from bench import Authorities, Bench, Unit, play, seconds
from doorward_protocol import cbor, errors, messages


def settled(bench, unit):
    """Everything is at the server, in one epoch."""
    leaves = [bench.server.leaves.get((1, index)) for index in range(unit.journal.size)]
    return leaves == unit.entries() and unit.journal.acknowledged == unit.journal.size


# The network


@pytest.mark.parametrize("seed", range(30))
def test_altered_bytes_end_the_connection_and_nothing_else(seed):
    bench = Bench(seed)
    choice = random.Random(seed)

    def spoil(wire):
        pipe = choice.choice([wire.up, wire.down])
        at = choice.randrange(3000)

        def mangle(data):
            offset = at - (pipe.carried - len(data))
            if 0 <= offset < len(data):
                data = data[:offset] + bytes([data[offset] ^ 1 << choice.randrange(8)]) + data[offset + 1 :]
            return data

        pipe.mangle = mangle

    bench.on_wire = spoil

    async def story(bench, unit):
        for _ in range(20):
            unit.append()
            await seconds(3)
            unit.link.connect_now()
        bench.on_wire = [].append
        if bench.wires:
            bench.cut()
        unit.link.connect_now()
        await seconds(60)
        assert settled(bench, unit)
        for what, reason in unit.refusals():
            assert what in ("handshake", "frame")
            assert reason in errors.NAMES

    play(story, bench, check=False)
    assert [one for one in bench.failures if isinstance(one, AssertionError)] == []


@pytest.mark.parametrize("seed", range(12))
def test_lost_and_repeated_bytes_end_the_connection_and_nothing_else(seed):
    bench = Bench(seed)
    choice = random.Random(seed)

    def spoil(wire):
        def mangle(data):
            if choice.random() < 0.05:
                return choice.choice([b"", data[:-1], data + data, data[1:]])
            return data

        wire.up.mangle = wire.down.mangle = mangle

    bench.on_wire = spoil

    async def story(bench, unit):
        for _ in range(20):
            unit.append()
            await seconds(4)
        bench.on_wire = [].append
        bench.cut()
        unit.link.connect_now()
        await seconds(60)
        assert settled(bench, unit)

    play(story, bench, check=False)
    assert [one for one in bench.failures if isinstance(one, AssertionError)] == []


def test_a_recorded_conversation_cannot_be_played_back():
    tape = []

    async def original(bench, unit):
        unit.append()
        await seconds(5)

    bench = Bench()
    bench.on_wire = lambda wire: setattr(wire.down, "mangle", lambda data: tape.append(data) or data)
    play(original, bench)
    assert len(b"".join(tape)) > 500

    async def replay(bench, unit):
        async def play_back(end):
            while await end.read(4096):
                for data in tape:
                    end.write(data)
                return

        bench.server.serve = play_back
        unit.append()
        await seconds(30)
        assert not unit.link.online
        assert unit.journal.acknowledged < unit.journal.size
        assert unit.refusals()[0][0] == "handshake"

    again = Bench()
    again.random = random.Random("another start of the same unit")
    play(replay, again, check=False)


def test_a_repeated_frame_ends_the_connection_and_is_recorded():
    async def story(bench, unit):
        await seconds(3)
        frame = bench.server.channel.seal(messages.encode("want", hash=bytes(32), offset=0))
        bench.server.socket.send(frame)
        bench.server.socket.send(frame)
        await seconds(10)
        assert unit.refusals() == [("want", errors.NOT_WANTED), ("frame", errors.BAD_SEQUENCE)]
        assert bench.server.sessions == 2

    play(story)


def test_an_altered_frame_ends_the_connection_and_is_recorded():
    async def story(bench, unit):
        await seconds(3)
        frame = bytearray(bench.server.channel.seal(b"\x00"))
        frame[-1] ^= 1
        bench.server.socket.send(bytes(frame))
        await seconds(10)
        assert unit.refusals() == [("frame", errors.BAD_CIPHERTEXT)]
        assert bench.server.sessions == 2

    play(story)


# Strangers


def test_a_stranger_with_another_key_learns_nothing_and_is_recorded_once():
    bench = Bench()
    bench.server.static = Authorities(99).server

    async def story(bench, unit):
        for _ in range(5):
            unit.append()
        await seconds(300)
        assert len(bench.wires) > 5
        assert bench.server.said == []
        assert bench.server.sessions == 0
        assert unit.refusals() == [("handshake", errors.BAD_SIGNATURE)], "not once per attempt"
        await seconds(3600)
        assert unit.refusals() == [("handshake", errors.BAD_SIGNATURE)] * 2

    play(story, bench)


@pytest.mark.parametrize(
    "answer", [b"", b"\x00", bytes(600), cbor.encode(bytes(60)), cbor.encode([1, 2, 3]), bytes(8192)]
)
def test_garbage_in_the_handshake_is_refused(answer):
    bench = Bench()

    async def serve(end):
        from judge import JudgedSocket

        socket = JudgedSocket(end)
        await socket.accept()
        await socket.receive()
        socket.send(answer)
        await socket.receive()

    bench.server.serve = serve

    async def story(bench, unit):
        await seconds(30)
        assert not unit.link.online
        assert {what for what, _ in unit.refusals()} == {"handshake"}
        assert len(set(unit.refusals())) == len(unit.refusals())

    play(story, bench)


def test_a_server_that_says_nothing_is_left():
    bench = Bench()

    async def serve(end):
        while await end.read(100):
            pass

    bench.server.serve = serve

    async def story(bench, unit):
        await seconds(100)
        assert len(bench.wires) in (2, 3, 4)
        assert unit.refusals() == []

    play(story, bench)


def test_the_first_message_has_to_be_a_time():
    bench = Bench()
    bench.server.speaks_first = lambda: bench.server.send("want", hash=bytes(32), offset=0)

    async def story(bench, unit):
        unit.append()
        await seconds(30)
        assert bench.server.said == []
        assert unit.refusals() == [("handshake", errors.WRONG_DIRECTION)]

    play(story, bench)


# A server that is ours, and broken


@pytest.mark.parametrize(
    ("plaintext", "what", "reason"),
    [
        (b"", "message", errors.MALFORMED),
        (b"\xff", "message", errors.MALFORMED),
        (messages.encode("want", hash=bytes(32), offset=0)[:-1], "message", errors.MALFORMED),
        (messages.encode("time", time=1) + b"\x00", "message", errors.MALFORMED),
        (cbor.encode([8, None]), "message", errors.MALFORMED),
        (cbor.encode([8, None, -1]), "message", errors.MALFORMED),
        (cbor.encode([8, None, True]), "message", errors.MALFORMED),
        (b"\x83\x08\xf6\x18\x01", "message", errors.NOT_DETERMINISTIC),
        (b"\x9f\x08\xf6\x01\xff", "message", errors.NOT_DETERMINISTIC),
        (b"\xa2\x01\x01\x01\x01", "message", errors.DUPLICATE_KEY),
        (b"\x81" * 9 + b"\x00", "message", errors.TOO_DEEP),
        (b"\x9b" + b"\xff" * 8, "message", errors.MALFORMED),
        (b"\xfb" + bytes(8), "message", errors.OUTSIDE_PROFILE),
        (cbor.encode([99]), "message", errors.UNKNOWN_MESSAGE),
        (messages.encode("record", epoch=1, index=0, entry=b""), "message", errors.WRONG_DIRECTION),
        (cbor.encode([5, bytes(32), 0, 4000, bytes(3501)]), "message", errors.TOO_LARGE),
        (messages.encode("object", kind="shell", object=b"rm"), "object", errors.WRONG_KIND),
        (messages.encode("object", kind="stored", object=b""), "object", errors.WRONG_KIND),
        (messages.encode("object", kind="manifest", object=b""), "manifest", errors.MALFORMED),
        (messages.encode("object", kind="trust", object=b"\x80"), "trust", errors.MALFORMED),
        (messages.encode("stored", object=b"\x00"), "stored", errors.MALFORMED),
        (messages.encode("want", hash=bytes(32), offset=0), "want", errors.NOT_WANTED),
    ],
)
def test_a_bad_message_is_refused_by_name_and_the_connection_goes_on(plaintext, what, reason):
    async def story(bench, unit):
        await seconds(3)
        for _ in range(3):
            bench.server.send_raw(plaintext)
        await seconds(1)
        assert unit.refusals() == [(what, reason)], "recorded once per connection"
        told = [(fields["what"], fields["reason"]) for fields in bench.server.saw("refused")]
        assert told == [(what, reason)] * 3
        assert unit.link.online
        unit.append()
        await seconds(3)
        assert settled(bench, unit)
        bench.cut()
        await seconds(10)
        bench.server.send_raw(plaintext)
        await seconds(1)
        assert unit.refusals() == [(what, reason)] * 2

    play(story)


@pytest.mark.parametrize("seed", range(10))
def test_random_messages_never_end_the_loop(seed):
    choice = random.Random(seed)
    good = [
        messages.encode("time", nonce=bytes(8), time=5),
        messages.encode("want", hash=bytes(32), offset=0),
        messages.encode("blob", hash=bytes(32), offset=0, total=5, data=b"12345"),
        messages.encode("refused", what="want", reference=bytes(32), reason=22, detail=""),
        messages.encode("object", kind="manifest", object=bytes(100)),
        messages.encode("stored", object=bytes(100)),
    ]

    async def story(bench, unit):
        await seconds(3)
        for _ in range(60):
            message = bytearray(choice.choice(good))
            for _ in range(choice.randint(1, 3)):
                message[choice.randrange(len(message))] = choice.randrange(256)
            bench.server.send_raw(bytes(message[: choice.randint(1, len(message))]))
        await seconds(2)
        unit.append()
        await seconds(5)
        assert bench.server.sessions == 1
        assert settled(bench, unit)

    play(story)


def test_answers_to_a_flood_are_bounded():
    async def story(bench, unit):
        await seconds(3)
        for _ in range(500):
            bench.server.send_raw(b"\xff")
        await seconds(20)
        assert unit.link.online
        assert unit.refusals() == [("message", errors.MALFORMED)]

    play(story)


# Trust


def test_trust_follows_its_roots_and_no_gap_and_nobody_else():
    async def story(bench, unit):
        authorities = bench.authorities
        bench.server.receipts = False
        await seconds(3)
        successor = Authorities(5)
        changed = {"dispatch_kid": b"dispatc2", "dispatch_key": successor.dispatch[1]}
        for trust in (
            authorities.trust(2, signers=(0,), **changed),
            authorities.trust(3, **changed),
            authorities.trust(1, **changed),
            authorities.trust(2, **changed)[:-1],
        ):
            bench.server.send("object", kind="trust", object=trust)
            await seconds(1)
        assert unit.refusals() == [
            ("trust", errors.BAD_SIGNATURE),
            ("trust", errors.OLD_VERSION),
            ("trust", errors.MALFORMED),
        ]
        assert unit.identity.trust["version"] == 1
        bench.server.send("object", kind="trust", object=authorities.trust())  # the present one
        bench.server.send("object", kind="trust", object=authorities.trust(2, **changed))
        await seconds(1)
        assert len(unit.refusals()) == 3
        assert Unit(bench).identity.trust["version"] == 2
        assert unit.identity.dispatch_keys() == {b"dispatc2": successor.dispatch[1]}
        bench.server.send("stored", object=bench.server.receipt(1, 1, bytes(32)))
        await seconds(1)
        assert unit.refusals()[-1] == ("stored", errors.UNKNOWN_KEY)

    play(story)


def test_the_travelling_loop_notices_what_never_ends():
    with pytest.raises(RuntimeError, match="nothing will ever happen"):
        travel.run(asyncio.Event().wait())
