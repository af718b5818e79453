"""Frames of the bus, split, merged and hostile: a bad participant ends itself, never the world."""

import random
import socket

import pytest
from doorward_protocol import cbor
from doorward_simulator.bus import MAX_FRAME, BusClosedError, BusError, Endpoint, FrameReader, pack, unpack

MESSAGES = [
    ["write", "uart1", b"\xef\x01"],
    ["call", "pin", "level", [40]],
    ["idle", None],
    ["idle", 1 << 40],
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_frames_survive_any_split(size):
    stream = b"".join(pack(message) for message in MESSAGES)
    reader = FrameReader()
    found = []
    for start in range(0, len(stream), size):
        reader.feed(stream[start : start + size])
        while (frame := reader.next()) is not None:
            found.append(unpack(frame))
    assert found == MESSAGES


def test_an_oversized_frame_is_refused_before_it_is_read():
    reader = FrameReader()
    reader.feed((MAX_FRAME + 1).to_bytes(4, "big"))
    with pytest.raises(BusError, match="at most"):
        reader.next()


@pytest.mark.parametrize(
    "item",
    [
        [],
        {},
        "idle",
        ["shout", 1],
        ["idle"],
        ["idle", 1, 2],
        ["idle", True],
        ["idle", "soon"],
        ["write", "uart1", "text"],
        ["write", 1, b""],
        ["call", "pin", "level", 40],
        ["call", "pin", "level"],
        [b"idle", None],
    ],
)
def test_what_is_no_message_is_refused(item):
    with pytest.raises(BusError):
        unpack(cbor.encode(item))


def test_noise_is_refused():
    noise = random.Random(5)
    for _ in range(500):
        with pytest.raises(BusError):
            unpack(noise.randbytes(noise.randint(0, 40)))


def test_truncated_messages_are_refused():
    whole = cbor.encode(["call", "flash:journal", "program", [4096, bytes(64)]])
    for length in range(len(whole)):
        with pytest.raises(BusError):
            unpack(whole[:length])


def test_a_silent_participant_counts_as_hung():
    ours, theirs = socket.socketpair()
    with theirs, ours, pytest.raises(BusError, match="hung"):
        Endpoint(ours, patience=0.05).receive()


def test_the_end_of_a_process_is_noticed():
    ours, theirs = socket.socketpair()
    theirs.sendall(pack(MESSAGES[0])[:5])
    theirs.close()
    with ours, pytest.raises(BusClosedError):
        Endpoint(ours).receive()
