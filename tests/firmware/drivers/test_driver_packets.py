"""EF01 packets and M100 and PN532 frames: by length, through splits, merges, truncation and damage."""

import random

import pytest
from doorward_firmware.drivers import ef01_packets, m100_frames, pn532_frames

ADDRESS = b"\xff\xff\xff\xff"
# R503 user manual 1.2.2: VfyPwd with password 0 and its answer; ReadSysPara's answer.
VERIFY = bytes.fromhex("ef01ffffffff01000713000000000 01b".replace(" ", ""))
OK = bytes.fromhex("ef01ffffffff07000300000a")
PARAMETERS = bytes.fromhex("ef01ffffffff0700130000000000 00c80003ffffffff000200 0604e9".replace(" ", ""))
# M100 firmware manual 2.2.2, 2.2.3, 2.4.2 and 2.8.2.
TAG = bytes.fromhex("bb02220011c9340030751feb705c5904e3d50d703a76ef7e")
NO_TAG = bytes.fromhex("bb01ff000115167e")
STOPPED = bytes.fromhex("bb01280001002a7e")
READING = bytes.fromhex("bb013900130e340030751feb705c5904e3d50d7012345678b07e")


def everything(parser):
    found = []
    while (item := parser.next()) is not None:
        found.append(item)
    return found


def test_ef01_packet_of_the_manual():
    assert ef01_packets.encode(ADDRESS, ef01_packets.COMMAND, b"\x13\0\0\0\0") == VERIFY
    parser = ef01_packets.Parser(ADDRESS)
    parser.feed(OK + PARAMETERS)
    assert everything(parser) == [(7, b"\0"), (7, PARAMETERS[9:-2])]
    assert parser.garbage == 0


def test_m100_frames_of_the_manual():
    assert m100_frames.encode(0x22) == bytes.fromhex("bb00220000227e")
    assert m100_frames.encode(0x27, b"\x22\x27\x10") == bytes.fromhex(
        "bb002700032227 10837e".replace(" ", "")
    )
    parser = m100_frames.Parser()
    parser.feed(TAG + NO_TAG + STOPPED + READING)
    kinds = [(kind, command, len(parameters)) for kind, command, parameters in everything(parser)]
    assert kinds == [(2, 0x22, 17), (1, 0xFF, 1), (1, 0x28, 1), (1, 0x39, 19)]


# A packet whose content holds its own header, and a frame whose parameters hold BB and 7E.
TRICKY_EF01 = ef01_packets.encode(
    ADDRESS, ef01_packets.DATA, b"\xef\x01" + ADDRESS + b"\x07\x00\x03\x00\x00\x0a"
)
TRICKY_M100 = bytes.fromhex("bb0222000ac91000bb7e01bb7e3a76") + bytes([0]) + b"\x7e"
TRICKY_M100 = TRICKY_M100[:-2] + bytes([sum(TRICKY_M100[1:-2]) & 255]) + b"\x7e"
PARSERS = {
    "ef01": (lambda: ef01_packets.Parser(ADDRESS), [OK, PARAMETERS, TRICKY_EF01, OK]),
    "m100": (m100_frames.Parser, [TAG, NO_TAG, TRICKY_M100, READING]),
}


@pytest.fixture(params=sorted(PARSERS))
def kind(request):
    return PARSERS[request.param]


def expected(make, frames):
    parser = make()
    parser.feed(b"".join(frames))
    return everything(parser)


def test_any_split_gives_the_same(kind):
    make, frames = kind
    whole = expected(make, frames)
    assert len(whole) == len(frames)
    data = b"".join(frames)
    for size in range(1, 25):
        parser, found = make(), []
        for start in range(0, len(data), size):
            parser.feed(data[start : start + size])
            found += everything(parser)
        assert found == whole


def test_garbage_between_frames_is_counted_and_passed_over(kind):
    make, frames = kind
    whole = expected(make, frames)
    chance = random.Random(7)
    parser, found, noise = make(), [], 0
    for frame in frames:
        junk = bytes(chance.randrange(0x20, 0x80) for _ in range(30))
        noise += len(junk)
        parser.feed(junk + frame)
        found += everything(parser)
    assert found == whole
    assert parser.garbage == noise


def test_a_damaged_byte_costs_its_frame_only(kind):
    make, frames = kind
    first, second = frames[1], frames[0]
    good = expected(make, [second])[0]
    for position in range(len(first)):
        for bit in range(8):
            damaged = bytearray(first)
            damaged[position] ^= 1 << bit
            parser = make()
            # Enough sound frames behind it satisfy a length that the damage made longer.
            parser.feed(bytes(damaged) + second * 30)
            found = everything(parser)
            assert found
            assert all(item == good for item in found), (position, bit)


def test_truncated_frames_wait_and_can_be_given_up(kind):
    make, frames = kind
    frame = frames[0]
    for length in range(1, len(frame)):
        parser = make()
        parser.feed(frame[:length])
        assert parser.next() is None
        parser.clear()
        parser.feed(frame)
        assert everything(parser) == expected(make, [frame])


def test_buffers_are_bounded(kind):
    make, frames = kind
    parser = make()
    for _ in range(200):
        parser.feed(frames[0][:5] * 40)
        parser.next()
    assert len(parser._buffer) <= 1024


def test_random_bytes_never_raise(kind):
    make, _ = kind
    chance = random.Random(3)
    parser = make()
    for _ in range(500):
        parser.feed(bytes(chance.choice((0xEF, 0x01, 0xBB, 0x7E, 0xFF, 0x00, 0x07)) for _ in range(40)))
        everything(parser)


def test_packets_of_another_address_and_from_hosts_are_passed_over():
    parser = ef01_packets.Parser(ADDRESS)
    parser.feed(ef01_packets.encode(b"\0\0\0\1", ef01_packets.ANSWER, b"\0") + VERIFY + OK)
    assert everything(parser) == [(7, b"\0")]


def test_pn532_frames_of_the_manual():
    # UM0701-02: GetFirmwareVersion and its answer.
    assert pn532_frames.encode(0x02) == bytes.fromhex("0000ff02fed4022a00")
    answer = bytes.fromhex("0000ff06fad50332010607e800")
    assert pn532_frames.decode(answer) == (0x03, b"\x32\x01\x06\x07")
    assert pn532_frames.decode(answer + bytes(20)) == (0x03, b"\x32\x01\x06\x07")
    for position in range(3, len(answer) - 1):
        damaged = bytearray(answer)
        damaged[position] ^= 0x10
        assert pn532_frames.decode(bytes(damaged)) is None
    for length in range(len(answer) - 1):
        assert pn532_frames.decode(answer[:length]) is None
    assert pn532_frames.decode(pn532_frames.ACK) is None
