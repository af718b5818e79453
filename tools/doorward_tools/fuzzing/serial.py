"""Streams of bytes, in any pieces: EF01, M100, COBS. What is sound behind garbage comes."""

from collections.abc import Callable
from random import Random
from typing import Any

from doorward_firmware.drivers import ef01_packets, m100_frames
from doorward_protocol import cobs
from doorward_protocol.errors import ProtocolError
from doorward_simulator.devices import ef01_packets as module_packets
from doorward_simulator.devices import m100_frames as module_frames
from doorward_simulator.devices.device import SerialDevice, SteppedScheduler
from doorward_simulator.devices.ef01 import FingerprintModule
from doorward_simulator.devices.m100 import UhfReader
from doorward_simulator.devices.tags import Tag
from doorward_simulator.fingers import make_finger

from doorward_tools.fuzzing import samples
from doorward_tools.fuzzing.mutation import mutated, split
from doorward_tools.fuzzing.subject import Subject, Target, require

ADDRESS = b"\xff\xff\xff\xff"
BUFFER = 1024  # bytes that a parser of a module keeps at most
LONGEST_PACKET = 9 + 258
LONGEST_FRAME = 7 + 128


class Tape:
    """What a module sent, question by question."""

    def __init__(self, scheduler: SteppedScheduler, device: SerialDevice):
        self._scheduler, self._device = scheduler, device
        self._heard = bytearray()
        device.send = self._heard.extend
        device.power(True)
        scheduler.advance(500)

    def ask(self, data: bytes, wait_ms: int = 4000) -> bytes:
        """Send, wait, and return what came."""
        self._heard.clear()
        self._device.receive(data)
        self._scheduler.advance(wait_ms)
        return bytes(self._heard)


def fingerprint_traffic(seed: int) -> list[bytes]:
    """Answers of an emulated fingerprint module: enrolling, searching, a template on its way up, refusals."""
    scheduler = SteppedScheduler(seed)
    module = FingerprintModule(scheduler)
    tape = Tape(scheduler, module)
    finger = make_finger("anna", 2, 0.9)

    def ask(*content: int) -> bytes:
        return tape.ask(ef01_packets.encode(ADDRESS, ef01_packets.COMMAND, bytes(content)))

    heard = [ask(0x13, 0, 0, 0, 0), ask(0x0F), ask(0x1D), ask(0x36), ask(0x3C), ask(0x99), ask(0x01)]
    for buffer in (1, 2):
        module.press(finger.touch(scheduler.random, "normal"))
        heard += [ask(0x01), ask(0x02, buffer)]
        module.lift()
    heard += [ask(0x05), ask(0x06, 1, 0, 3), ask(0x04, 1, 0, 0, 0, 200), ask(0x07, 1, 0, 3), ask(0x08, 1)]
    heard += [ask(0x0C, 0, 3, 0, 1), ask(0x04, 1, 0, 0, 0, 200), ask(0x0D)]
    return [data for data in heard if data]


def reader_traffic(seed: int) -> list[bytes]:
    """Answers and notices of an emulated UHF reader with tags before it."""
    scheduler = SteppedScheduler(seed)
    reader = UhfReader(scheduler)
    tape = Tape(scheduler, reader)
    rng = scheduler.random

    def ask(command: int, parameters: bytes = b"") -> bytes:
        return tape.ask(m100_frames.encode(command, parameters), 300)

    heard = [ask(0x03, b"\x00"), ask(0x07, b"\x01"), ask(0xB7), ask(0x22), ask(0x28), ask(0x99)]
    for size in (2, 12, 12, 30):
        tag = Tag(rng.randbytes(size), rng.randbytes(12), reads=1.0)
        reader.enter(tag)
        heard += [ask(0x22), ask(0x27, b"\x22\x00\x03")]
        heard.append(ask(0x0C, b"\x01\x00\x00\x00\x20" + bytes((size * 8, 0)) + tag.epc))
        heard.append(ask(0x39, b"\0\0\0\0\x02\0\0\0\x06"))
    return [data for data in heard if data]


def module_stream(
    make: Callable[[], Any], sound: bytes, longest: int, check: Callable[[tuple], None]
) -> Callable[[bytes, Random], object]:
    """Feeds a module's parser in pieces. Never an error; and behind anything at all sound packets come again.

    A header in the garbage may claim what follows it, up to `longest` bytes; whatever ends it, the last of
    more sound packets than that is found.
    """
    parser = make()
    parser.feed(sound)
    expected = parser.next()
    require(expected is not None, "the sound packet is one")
    behind = sound * (longest // len(sound) + 2)

    def feed(data: bytes, rng: Random) -> object:
        parser, found = make(), []
        for piece in [*split(rng, data), *split(rng, behind)]:
            parser.feed(piece)
            while (one := parser.next()) is not None:
                check(one)
                found.append(one)
            require(len(parser._buffer) <= BUFFER, "the buffer is bounded")
        require(bool(found) and found[-1] == expected, "sound packets are found behind garbage")
        require(parser.garbage <= len(data) + len(behind), "garbage is counted once")
        return found

    return feed


def ef01_subject(seed: int) -> Subject:
    """Packets of the fingerprint modules."""

    def check(packet: tuple) -> None:
        kind, content = packet
        require(kind in (ef01_packets.DATA, ef01_packets.ANSWER, ef01_packets.LAST_DATA), "known kinds only")
        require(1 <= len(content) <= 256, "content within the limits")

    def summed(rng: Random, seed: bytes) -> bytes:
        """A packet whose sum is right and whose kind, address, length or content is anything."""
        content = mutated(rng, seed, [seed, b"\xef\x01"])[: rng.choice((0, 1, 3, 32, 256, 257, 600))]
        kind = rng.choice((0x02, 0x07, 0x08, 0x01, 0xFF))
        address = rng.choice((0xFFFFFFFF, 0xFFFFFFFF, 0, 0xEF01EF01))
        data = module_packets.Packet(address, kind, content).to_bytes()
        return data if rng.random() < 0.5 else seed + data + seed

    sound = ef01_packets.encode(ADDRESS, ef01_packets.ANSWER, b"\x00sound")
    feed = module_stream(lambda: ef01_packets.Parser(ADDRESS), sound, LONGEST_PACKET, check)
    return Subject("ef01", (), [Target("packets", fingerprint_traffic(seed), feed, [summed])])


def m100_subject(seed: int) -> Subject:
    """Frames of the UHF readers."""

    def check(frame: tuple) -> None:
        kind, _, parameters = frame
        require(kind in (m100_frames.ANSWER, m100_frames.NOTICE), "known kinds only")
        require(len(parameters) <= 128, "parameters within the limits")

    def summed(rng: Random, seed: bytes) -> bytes:
        parameters = mutated(rng, seed, [seed, b"\xbb\x7e"])[: rng.choice((0, 1, 12, 127, 128, 129, 400))]
        data = module_frames.Frame(rng.choice((1, 2, 0, 3)), rng.randrange(256), parameters).to_bytes()
        return data if rng.random() < 0.5 else seed + data + seed

    sound = module_frames.Frame(module_frames.RESPONSE, 0x28, b"\x00").to_bytes()
    feed = module_stream(m100_frames.Parser, sound, LONGEST_FRAME, check)
    return Subject("m100", (), [Target("frames", reader_traffic(seed), feed, [summed])])


def cobs_subject(seed: int) -> Subject:
    """Frames of a serial line: one by one, and as a stream with another frame behind it."""
    rng = Random(seed)  # noqa: S311 - repeats itself on purpose

    def one(data: bytes, _rng: Random) -> object:
        frame = cobs.decode(data)
        require(len(frame) <= cobs.MAX_FRAME, "a frame within the limit")
        require(cobs.decode(cobs.encode(frame)[:-1]) == frame, "a frame comes through again")
        return frame

    def stream(data: bytes, rng: Random) -> object:
        decoder, found = cobs.Decoder(), []
        for piece in split(rng, data + b"\x00" + sound):
            decoder.feed(piece)
            while True:
                try:
                    frame = decoder.next()
                except ProtocolError as error:
                    found.append(error.reason)
                    continue
                if frame is None:
                    break
                found.append(frame)
            require(len(decoder._begun) <= LONGEST_LINE and not decoder._fed, "the buffer is bounded")
        require(found[-1] == b"sound", "the frame behind a zero is found")
        return found

    sound = cobs.encode(b"sound")
    frames = [b"", b"\x00", bytes(300), b"\xff" * 254, b"\x01" * 255, rng.randbytes(4096), b"\x07" * 4096]
    frames += [samples.a_message(rng) for _ in range(30)]
    lines = [cobs.encode(frame) for frame in frames]
    streams = [b"".join(rng.choices(lines, k=4)) for _ in range(20)]
    return Subject(
        "cobs",
        (ProtocolError,),
        [Target("frame", [line[:-1] for line in lines], one), Target("stream", lines + streams, stream)],
    )


LONGEST_LINE = cobs.MAX_FRAME + cobs.MAX_FRAME // 254 + 1
