"""The runtime of the real MicroPython: its compiled files, its heap, its loop, and what it says when missing.

What both runtimes must do alike is in test_runtime.py.
"""

import json

import pytest
from doorward_simulator.participant import ParticipantGone
from doorward_simulator.process import HEAP_FIGURES, Runtime
from doorward_simulator.runtimes import micropython


@pytest.fixture
def bench(bench):
    bench.runtime = Runtime("micropython", heap_figures=True)
    return bench


def figures(bench):
    """One entry for each idle."""
    return [json.loads(line) for line in (bench.folder / HEAP_FIGURES).read_text().splitlines()]


def test_it_is_the_real_interpreter_with_the_devices_modules(bench):
    bench.start(
        """
        import asyncio, cryptolib, sys, doorward_firmware.main
        from doorward_firmware.crypto.suite import DeviceSuite
        print(sys.implementation.name, doorward_firmware.main.__file__)
        print(cryptolib.aes(bytes(16), cryptolib.MODE_ECB).encrypt(bytes(16)).hex())

        async def main():
            await asyncio.sleep_ms(10)

        asyncio.run(main())
        """
    )
    # AES-128 of nothing under no key: NIST's known answer tests begin from it.
    expected = ["micropython /slot_a/doorward_firmware/main.mpy", "66e94bd4ef8a2c3b884cfa59ca342b2e"]
    assert bench.said == expected


def test_the_heap_is_measured_after_a_collection_at_every_idle(bench):
    bench.start(
        """
        import asyncio

        async def main():
            kept = bytearray(0)
            for size in (300_000, 0, 0):
                kept = bytearray(size)
                for _ in range(50):
                    garbage = bytes(100_000)
                    garbage = None
                    await asyncio.sleep_ms(0)
                await asyncio.sleep_ms(100)

        asyncio.run(main())
        """
    )
    [first] = figures(bench)
    assert 300_000 < first["bytes"] <= first["peak"] < 500_000
    assert {"processor", "program"} <= set(first["modules"])
    bench.world.run_for(150)
    same, second = figures(bench)
    assert same == first
    assert second["at"] == first["at"] + 100
    assert second["bytes"] <= second["peak"] < 150_000
    assert second["modules"] == []


def test_garbage_within_a_long_turn_is_collected(bench):
    bench.runtime = Runtime("micropython")
    bench.start(
        """
        import asyncio, gc

        async def main():
            largest = 0
            for _ in range(200):
                garbage = bytes(200_000)
                largest = max(largest, gc.mem_alloc())
                await asyncio.sleep_ms(0)
            print(largest < 4_000_000)
            await asyncio.sleep_ms(100)

        asyncio.run(main())
        """
    )
    assert bench.said == ["True"]


def test_tasks_fail_are_cancelled_and_time_out_as_on_the_device(bench):
    bench.start(
        """
        import asyncio

        async def broken():
            raise ValueError("broken")

        async def rest(milliseconds):
            await asyncio.sleep_ms(milliseconds)

        async def main():
            try:
                await asyncio.gather(broken(), rest(5))
            except ValueError as error:
                print("gathered", error)
            sleeper = asyncio.create_task(rest(1000))
            await asyncio.sleep_ms(0)
            sleeper.cancel()
            try:
                await sleeper
            except asyncio.CancelledError:
                print("cancelled", sleeper.done())
            try:
                await asyncio.wait_for_ms(asyncio.Event().wait(), 20)
            except asyncio.TimeoutError:
                print("timed out")
            asyncio.create_task(broken())
            await asyncio.sleep_ms(10)
            print("still here")
            await asyncio.sleep_ms(100_000)

        asyncio.run(main())
        """
    )
    bench.world.run_for(100)
    said = bench.said
    assert said[:3] == ["gathered broken", "cancelled True", "timed out"]
    assert "Task exception wasn't retrieved" in said
    assert said[-1] == "still here"


def test_an_input_sets_a_flag_for_a_waiting_task(bench):
    bench.start(
        """
        import asyncio, time
        from machine import Pin

        async def main():
            flag = asyncio.ThreadSafeFlag()
            pin = Pin(40, Pin.IN)
            pin.irq(lambda _pin: flag.set(), Pin.IRQ_FALLING)
            while True:
                await flag.wait()
                print("flag", time.ticks_ms())

        asyncio.run(main())
        """
    )
    for moment, level in ((100, 0), (200, 1), (300, 0)):
        bench.world.call_later(moment, lambda level=level: bench.chip.set_input(40, level))
    bench.world.run_for(1000)
    assert bench.said == ["flag 100", "flag 300"]


def test_what_ends_the_program_is_on_the_console(bench):
    with pytest.raises(ParticipantGone, match="ZeroDivisionError"):
        bench.start(
            """
            import asyncio

            async def main():
                1 // 0

            asyncio.run(main())
            """
        )
    assert bench.said[0] == "Traceback (most recent call last):"
    assert "program.py" in "".join(bench.said)


def test_the_ports_own_timers_are_refused(bench):
    with pytest.raises(ParticipantGone, match="world_loop"):
        bench.start("import js; js.setTimeout(lambda: None, 10)")


def test_blinding_does_not_disturb_what_keys_are_made_of(bench):
    program = """
        import asyncio, os, simulated_bus
        simulated_bus.bus.call("random", "blinding", {count})
        print(os.urandom(8).hex())

        async def main():
            await asyncio.sleep_ms(10)

        asyncio.run(main())
        """
    bench.start(program.format(count=1000))
    other = type(bench)(bench.folder, bench.runtime)
    other.start(program.format(count=0))
    other.world.close()
    assert bench.said[0] == bench.said[1]


def test_files_are_compiled_once_for_each_content(tmp_path, monkeypatch):
    monkeypatch.setattr(micropython.tempfile, "gettempdir", lambda: str(tmp_path))
    source = tmp_path / "part.py"
    source.write_text("x = 1\n")
    monkeypatch.setattr(micropython, "device_files", lambda: {"package/part.py": source})
    monkeypatch.setattr(micropython, "STUBS", ())
    first = micropython.image()
    assert (first / "slot_a/package/part.mpy").read_bytes()[:1] == b"M"
    assert micropython.image() == first
    assert micropython.image(release=True) != first
    source.write_text("x = 2\n")
    assert micropython.image() != first


def test_a_missing_interpreter_names_the_command_that_brings_it(tmp_path, monkeypatch):
    monkeypatch.setattr(micropython, "__file__", str(tmp_path / "a" / "micropython.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(micropython.RuntimeMissingError, match="npm ci"):
        micropython.command()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(micropython.RuntimeMissingError, match=r"install Node\.js"):
        micropython.command()
