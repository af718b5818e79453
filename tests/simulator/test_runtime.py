"""Programs of the device in a real process of each runtime: time, one cause at a time, and every stub."""

import errno
import itertools
import json

import pytest
from doorward_simulator.flash import PowerCut
from doorward_simulator.participant import ParticipantGone
from doorward_simulator.process import HEAP_FIGURES, Runtime

pytestmark = pytest.mark.parametrize("bench", ["cpython", "micropython"], indirect=True)


def test_timers_run_in_order_in_world_time(bench):
    bench.start(
        """
        import asyncio, time

        async def tell(delay):
            await asyncio.sleep_ms(delay)
            print(delay, time.ticks_ms())

        async def main():
            await asyncio.gather(tell(3000), tell(10), tell(10), tell(1), tell(86_400_000 * 2))

        asyncio.run(main())
        """
    )
    bench.world.run_for(5000)
    assert bench.said == ["1 1", "10 10", "10 10", "3000 3000"]
    assert bench.world.now() == 5000
    with pytest.raises(ParticipantGone, match="has ended"):
        bench.world.run_for(86_400_000 * 3)
    assert bench.said[-1] == f"{86_400_000 * 2} {86_400_000 * 2}"


def test_a_timer_and_an_input_of_one_moment_are_two_turns(bench):
    bench.start(
        """
        import asyncio, time
        from machine import Pin

        pin = Pin(40, Pin.IN, Pin.PULL_UP)
        pin.irq(lambda p: print("input", time.ticks_ms()), Pin.IRQ_FALLING)

        async def main():
            for _ in range(3):
                await asyncio.sleep_ms(100)
                print("timer", time.ticks_ms())

        asyncio.run(main())
        """
    )
    bench.world.call_later(100, lambda: bench.chip.set_input(40, 0))
    bench.world.call_later(150, lambda: bench.chip.set_input(40, 1))  # rising: not asked for
    bench.world.call_later(200, lambda: bench.chip.set_input(40, 0))
    causes = bench.participant.causes
    bench.world.run_for(250)
    assert bench.said == ["timer 100", "input 100", "timer 200", "input 200"]
    assert bench.participant.causes - causes == 5


def test_pins_drive_outputs_and_float_without_power(bench):
    levels = []
    bench.chip.on_output = lambda number, level: levels.append((number, level))
    bench.start(
        """
        import asyncio
        from machine import Pin

        relay = Pin(21, Pin.OUT, value=0)
        sense = Pin(40, Pin.IN)

        async def main():
            relay.on()
            print(relay.value(), sense.value())
            await asyncio.sleep_ms(1000)

        asyncio.run(main())
        """
    )
    assert bench.said == ["1 1"]
    bench.chip.power_off()
    assert levels == [(21, 0), (21, 1), (21, 0)]


def test_flash_lives_in_the_world_and_a_torn_write_ends_the_process(bench):
    bench.start(
        """
        import asyncio, esp32

        async def main():
            state, = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="state")
            print(state.ioctl(4, 0), state.ioctl(5, 0), state.info()[4])
            state.writeblocks(1, b"hello", 10)
            buffer = bytearray(7)
            state.readblocks(1, buffer, 9)
            print(bytes(buffer))
            state.ioctl(6, 1)
            try:
                state.readblocks(2, buffer)
            except OSError as error:
                print("refused", error.args[0])
            await asyncio.sleep_ms(100)
            state.writeblocks(0, bytes(600), 0)
            print("not reached")

        asyncio.run(main())
        """
    )
    assert bench.said == ["2 4096 state", "b'\\xffhello\\xff'", f"refused {errno.EINVAL}"]
    flash = bench.flash["state"]
    flash.on_cut = bench.participant.kill
    flash.cut_after(1)
    bench.world.run_for(200)
    assert not bench.participant.alive
    assert len(bench.said) == 3
    with pytest.raises(PowerCut):
        flash.read(0, 1)


def test_the_watchdog_bites_who_does_not_feed_it(bench):
    bench.start(
        """
        import asyncio
        from machine import WDT

        async def main():
            dog = WDT(timeout=1000)
            for _ in range(3):
                await asyncio.sleep_ms(900)
                dog.feed()
            await asyncio.sleep_ms(100_000)

        asyncio.run(main())
        """
    )
    bench.world.run_for(3699)
    assert bench.resets == []
    bench.world.run_for(1)
    assert bench.resets == [3]


def test_clock_and_randomness_are_the_worlds(bench):
    program = """
        import asyncio, os, random, time
        import machine

        async def main():
            print(machine.RTC().datetime(), time.time())
            machine.RTC().datetime((2030, 1, 2, 2, 3, 4, 5, 6000))
            print(machine.RTC().datetime()[:7])
            print(os.urandom(4).hex(), random.getrandbits(32), machine.unique_id().hex())
            await asyncio.sleep_ms(10)

        asyncio.run(main())
        """
    bench.start(program)
    first = bench.said
    assert first[0] == "(2026, 3, 2, 0, 1, 30, 0, 0) 1772415000"
    assert first[1] == "(2030, 1, 2, 2, 3, 4, 5)"
    bench.world.close()
    again = type(bench)(bench.folder, bench.runtime)
    again.start(program)
    assert again.said[5:] == first[2:]
    again.world.close()


def test_sleeping_the_whole_device_is_refused(bench):
    with pytest.raises(ParticipantGone):
        bench.start("import time; time.sleep(1)")
    assert "await asyncio.sleep_ms" in bench.said[-1]


def test_a_spinning_program_is_found(bench):
    bench.start(
        """
        import simulated_bus
        while True:
            simulated_bus.bus.idle(0)
        """
    )
    with pytest.raises(ParticipantGone, match="ever more turns"):
        bench.world.run_for(1)


@pytest.mark.parametrize(
    "call",
    [
        "call('pin', 'explode')",
        "call('nothing', 'read')",
        "call('flash:state', 'read', 0, 'x')",
        "call('flash:state', 'read', 0, 1 << 40)",
        "call('flash:state', 'erase')",
        "call('random', 'bytes', -1)",
        "call('rtc', 'set', 2026, 13, 1, 0, 0, 0, 0, 0)",
    ],
)
def test_wrong_questions_are_answered_with_an_error(bench, call):
    bench.start(
        f"""
        import asyncio, simulated_bus
        try:
            simulated_bus.bus.{call}
        except ValueError as error:
            print("ValueError")

        async def main():
            await asyncio.sleep_ms(10)

        asyncio.run(main())
        """
    )
    assert bench.said == ["ValueError"]


def test_what_the_heap_holds_is_written_now_and_then(bench):
    name = bench.runtime.name
    bench.runtime = Runtime(name, heap_figures=True, heap_interval=100)
    bench.start(
        """
        import asyncio

        async def main():
            kept = []
            while True:
                kept.append([[] for _ in range(500)])
                await asyncio.sleep_ms(40)

        asyncio.run(main())
        """
    )
    bench.world.run_for(300)
    lines = [json.loads(line) for line in (bench.folder / HEAP_FIGURES).read_text().splitlines()]
    assert [line["at"] for line in lines] == [0, 120, 240]
    held = [line["bytes" if name == "micropython" else "objects"] for line in lines]
    assert held[1] - held[0] > 1400
    assert held[2] - held[1] > 1400


def test_the_heap_is_still_written_when_the_ticks_have_come_round(bench):
    """After 2^30 ms: a month has two such moments."""
    bench.runtime = Runtime(bench.runtime.name, heap_figures=True, heap_interval=100)
    bench.start(
        """
        import asyncio

        async def main():
            while True:
                await asyncio.sleep_ms(40)

        asyncio.run(main())
        """
    )
    written = []
    for _ in range(5):  # no leap may be half a round: ticks_diff would take it for a step back
        bench.world.run_for(300)
        written.append(len((bench.folder / HEAP_FIGURES).read_text().splitlines()))
        bench.world.leap(2**28)
    assert all(later > earlier for earlier, later in itertools.pairwise([0, *written]))
