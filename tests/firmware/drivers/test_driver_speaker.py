"""The speaker driver against the emulated loudspeaker behind a transmitter with a ring, as on the port."""

import asyncio
import random
from collections.abc import Callable

import pytest
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.drivers.speaker import Speaker
from doorward_protocol.errors import SPEAKER_FAILED
from doorward_simulator.devices.speaker import Speaker as Loudspeaker
from driver_bench import Faults, Scheduler, run, wait

RING_MS = 8192 * 500 // 16_000


class I2S:
    """`machine.I2S` as transmitter: the callback comes when the buffer has gone into the ring."""

    def __init__(self, loudspeaker):
        self._loudspeaker = loudspeaker
        self._handler: Callable[[object], object] = lambda _i2s: None
        self.silent = False
        self.under_way = 0

    def irq(self, handler):
        self._handler = handler

    def write(self, data):
        assert not self.under_way, "the port drops a buffer that is written while another is under way"
        left = self._loudspeaker.write(bytes(data))
        if self.silent:
            return
        self.under_way += 1
        asyncio.get_running_loop().call_later(max(0, left - RING_MS) / 1000, self._taken)

    def _taken(self):
        self.under_way -= 1
        self._handler(self)


def clip(seed, milliseconds):
    return random.Random(seed).randbytes(milliseconds * 32)


def pieces(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


def with_speaker(test):
    async def go():
        loudspeaker = Loudspeaker(Scheduler())
        loudspeaker.power(True)
        transmitters = []

        def make():
            transmitters.append(I2S(loudspeaker))
            return transmitters[-1]

        speaker = Speaker(make)
        speaker.on_fault = Faults()
        await speaker.open()
        await test(speaker, loudspeaker, transmitters)
        assert loudspeaker.violations == []

    run(go())


@pytest.mark.parametrize("size", [2, 333, 4096, 100_000])
def test_a_prompt_is_heard_whole_however_it_comes(size):
    async def test(speaker, loudspeaker, _):
        prompt = clip(1, 700)
        speaker.play(pieces(prompt, size))
        await wait(5)
        assert speaker.playing
        await wait(1_500)
        assert not speaker.playing
        assert [bytes(each.pcm) for each in loudspeaker.recordings] == [prompt]

    with_speaker(test)


def test_prompts_follow_each_other():
    async def test(speaker, loudspeaker, _):
        for seed in (1, 2, 3):
            speaker.play([clip(seed, 400)])
        await wait(3_000)
        assert b"".join(bytes(each.pcm) for each in loudspeaker.recordings) == b"".join(
            clip(seed, 400) for seed in (1, 2, 3)
        )

    with_speaker(test)


def test_stop_ends_the_prompt_and_the_queue_and_the_next_is_heard_whole():
    async def test(speaker, loudspeaker, _):
        speaker.play([clip(1, 5_000)])
        speaker.play([clip(2, 5_000)])
        await wait(1_000)
        speaker.stop()
        speaker.play([clip(3, 300)])
        await wait(1_500)
        heard = b"".join(bytes(each.pcm) for each in loudspeaker.recordings)
        assert heard.endswith(clip(3, 300))
        assert len(heard) < 32 * (1_000 + RING_MS + 128 + 300 + 10)
        assert clip(2, 5_000)[:3000] not in heard

    with_speaker(test)


def test_the_queue_is_bounded():
    async def test(speaker, loudspeaker, _):
        for seed in range(20):
            speaker.play([clip(seed, 100)])
        await wait(5_000)
        assert sum(len(each.pcm) for each in loudspeaker.recordings) == 8 * len(clip(0, 100))

    with_speaker(test)


def test_half_a_sample_at_the_end_is_left_out():
    async def test(speaker, loudspeaker, _):
        speaker.play([clip(1, 10), b"\x01"])
        await wait(100)
        assert bytes(loudspeaker.recordings[0].pcm) == clip(1, 10)

    with_speaker(test)


def test_a_prompt_that_cannot_be_read_does_not_silence_the_next():
    async def test(speaker, loudspeaker, _):
        def broken():
            yield clip(1, 200)
            raise ValueError("flash")

        speaker.play(broken())
        speaker.play([clip(2, 200)])
        await wait(1_000)
        assert speaker.on_fault == [("speaker", SPEAKER_FAILED), ("speaker", 0)]
        assert loudspeaker.heard(clip(2, 200))

    with_speaker(test)


def test_a_transmitter_that_takes_nothing_is_reported_and_made_anew():
    async def test(speaker, loudspeaker, transmitters):
        transmitters[0].silent = True
        speaker.play([clip(1, 600)])
        await wait(3_000)
        assert speaker.on_fault == [("speaker", SPEAKER_FAILED)]
        speaker.play([clip(2, 200)])
        await wait(1_000)
        assert len(transmitters) == 2
        assert loudspeaker.heard(clip(2, 200))
        assert speaker.on_fault == [("speaker", SPEAKER_FAILED), ("speaker", 0)]

    with_speaker(test)


def test_a_missing_amplifier_fails_the_self_test():
    async def test(speaker, loudspeaker, _):
        assert (await speaker.self_test())[0]
        loudspeaker.fault = True
        ok, detail = await speaker.self_test()
        assert not ok
        assert "speaker_failed" in detail

    with_speaker(test)


def test_no_transmitter_at_all():
    async def go():
        def make():
            raise OSError(5, "no DMA channel")

        with pytest.raises(DriverError) as caught:
            await Speaker(make).open()
        assert caught.value.reason == SPEAKER_FAILED

    run(go())
