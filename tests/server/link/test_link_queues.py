"""The link's queues, without a network: what goes first, what is bounded, what survives a cut."""

import asyncio
import hashlib

import pytest
from doorward_protocol import errors, messages
from doorward_protocol.errors import ProtocolError
from doorward_server.link.outbox import MESSAGES, WANTS, Outbox
from doorward_server.link.pictures import LARGEST_PICTURE, PARTIALS, QUEUE, Partial, Pictures


def sent_by(fill, count: int) -> list[tuple[str, dict]]:
    """What an outbox sends first after `fill(outbox)`."""

    async def play():
        sent, enough = [], asyncio.Event()

        async def send(plaintext):
            sent.append(messages.decode(plaintext, messages.TO_UNIT))
            if len(sent) == count:
                enough.set()

        outbox = Outbox(send)
        fill(outbox)
        task = asyncio.create_task(outbox.run())
        await asyncio.wait_for(enough.wait(), 5)
        task.cancel()
        return sent[:count]

    return asyncio.run(play())


def test_a_small_message_does_not_wait_behind_a_blob():
    def fill(outbox):
        outbox.put_blob(bytes(32), 0, bytes(20_000))
        outbox.put("time", nonce=None, time=1)

    assert [name for name, _ in sent_by(fill, 3)] == ["time", "blob", "blob"]


def test_a_want_is_answered_with_sixteen_chunks_from_its_offset():
    content = bytes(100_000)

    def fill(outbox):
        outbox.put_blob(bytes(32), 7_000, content)
        outbox.put_blob(b"\x01" * 32, 0, b"end")

    sent = [fields for _, fields in sent_by(fill, 17)]
    chunks = [fields for fields in sent if fields["hash"] == bytes(32)]
    assert [fields["offset"] for fields in chunks] == [7_000 + 3_500 * number for number in range(16)]
    assert sent[-1]["data"] == b"end"


def test_a_repeated_want_takes_the_place_of_the_first():
    def fill(outbox):
        outbox.put_blob(bytes(32), 0, bytes(7_000))
        outbox.put_blob(bytes(32), 3_500, bytes(7_000))
        outbox.put_blob(b"\x01" * 32, 0, b"end")

    assert [fields["offset"] for _, fields in sent_by(fill, 2)] == [3_500, 0]


def test_a_unit_that_takes_nothing_is_given_up():
    async def never(_plaintext):
        await asyncio.Event().wait()

    outbox = Outbox(never)
    for _ in range(MESSAGES):
        outbox.put("time", nonce=None, time=1)
    with pytest.raises(ProtocolError) as refused:
        outbox.put("time", nonce=None, time=1)
    assert refused.value.reason == errors.TOO_LARGE
    for number in range(WANTS):
        outbox.put_blob(bytes([number]) * 32, 0, b"x")
    with pytest.raises(ProtocolError):
        outbox.put_blob(b"\xff" * 32, 0, b"x")


class Asked:
    """A unit's pictures, and what was asked for."""

    def __init__(self, partials=None):
        self.wants = []
        self.partials: dict[bytes, Partial] = {} if partials is None else partials
        self.pictures = Pictures(lambda name, offset: self.wants.append((name, offset)), self.partials)

    def give(self, name, content, start=0, end=None):
        """The unit answers in chunks; returns what the last one completed."""
        whole = None
        for offset in range(start, len(content) if end is None else end, messages.MAX_CHUNK):
            data = content[offset : offset + messages.MAX_CHUNK]
            whole = self.pictures.take({"hash": name, "offset": offset, "total": len(content), "data": data})
        return whole


def picture(size: int) -> tuple[bytes, bytes]:
    content = bytes(size % 251 for _ in range(size))
    return hashlib.sha256(content).digest(), content


def test_one_picture_at_a_time_the_newest_first():
    asked = Asked()
    pictures = [picture(size) for size in (100, 200, 300)]
    for name, _ in pictures:
        asked.pictures.want(name)
    for _ in range(3):
        name = asked.wants[-1][0]
        content = dict(pictures)[name]
        assert asked.give(name, content) == content
    assert [name for name, _ in asked.wants] == [pictures[0][0], pictures[2][0], pictures[1][0]]
    assert asked.partials == {}


def test_a_picture_goes_on_after_a_cut_where_it_stopped():
    name, content = picture(20_000)
    first = Asked()
    first.pictures.want(name)
    first.give(name, content, end=7_000)
    again = Asked(first.partials)
    again.pictures.want(name)
    assert again.wants == [(name, 7_000)]
    assert again.give(name, content, start=7_000) == content


def test_of_pictures_that_were_cut_the_newest_few_are_kept():
    """A unit that begins one after the other and ends none would fill the server's memory."""
    partials: dict[bytes, Partial] = {}
    pictures = [picture(7_000 + number) for number in range(PARTIALS + 2)]
    for name, content in pictures:
        asked = Asked(partials)
        asked.pictures.want(name)
        asked.give(name, content, end=3_500)
    assert list(partials) == [name for name, _ in pictures[-PARTIALS:]]
    oldest, content = pictures[-PARTIALS]
    asked = Asked(partials)
    asked.pictures.want(oldest)
    assert asked.wants == [(oldest, 3_500)]
    assert asked.give(oldest, content, start=3_500) == content


def test_after_sixteen_chunks_it_asks_on():
    name, content = picture(17 * messages.MAX_CHUNK)
    asked = Asked()
    asked.pictures.want(name)
    asked.give(name, content, end=16 * messages.MAX_CHUNK)
    assert asked.wants == [(name, 0), (name, 16 * messages.MAX_CHUNK)]


def test_a_repeated_chunk_changes_nothing():
    name, content = picture(7_000)
    asked = Asked()
    asked.pictures.want(name)
    asked.give(name, content, end=3_500)
    asked.give(name, content, end=3_500)
    assert asked.give(name, content, start=3_500) == content


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hash": bytes(32)}, errors.NOT_WANTED),
        ({"total": LARGEST_PICTURE + 1}, errors.TOO_LARGE),
        ({"total": 0}, errors.TOO_LARGE),
        ({"data": b"xyz"}, errors.BAD_HASH),
    ],
)
def test_what_does_not_fit_is_refused_and_the_next_is_asked_for(changes, reason):
    name, content = picture(3)
    asked = Asked()
    asked.pictures.want(picture(4)[0])
    asked.pictures.refused(picture(4)[0])
    asked.pictures.want(name)
    with pytest.raises(ProtocolError) as refused:
        asked.pictures.take({"hash": name, "offset": 0, "total": 3, "data": content, **changes})
    assert refused.value.reason == reason


def test_a_picture_of_two_sizes_is_given_up():
    name, content = picture(7_000)
    asked = Asked()
    asked.pictures.want(name)
    asked.give(name, content, end=3_500)
    with pytest.raises(ProtocolError):
        asked.pictures.take({"hash": name, "offset": 3_500, "total": 7_001, "data": b"x"})
    asked.pictures.want(name)
    assert asked.wants[-1] == (name, 0)


def test_too_many_wants_forget_the_oldest():
    asked = Asked()
    names = [hashlib.sha256(bytes([number // 256, number % 256])).digest() for number in range(QUEUE + 10)]
    for name in names:
        asked.pictures.want(name)
    asked.pictures.refused(names[0])
    seen = []
    while asked.wants[-1][0] not in seen:
        seen.append(asked.wants[-1][0])
        asked.pictures.refused(seen[-1])
    assert len(seen) == QUEUE
    assert names[1] not in seen
