"""The screen driver against two emulated ST7789 on one bus, selected through the emulated expander."""

import asyncio

import pytest
from doorward_firmware.board import INPUTS, OUTPUTS, REFERENCE
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.drivers.expander import Expander
from doorward_firmware.drivers.screen import Bus, Screen
from doorward_protocol.errors import SCREEN_FAILED
from doorward_simulator.devices.mcp23017 import PortExpander
from doorward_simulator.devices.st7789 import Display
from driver_bench import I2c, Scheduler, run, wait

RED, GREEN = 0xF800, 0x07E0


class Bench:
    """Both screens; `write` is the SPI bus, which reaches whoever is selected."""

    def __init__(self):
        scheduler = Scheduler()
        self.chip = PortExpander(scheduler, address=REFERENCE["expander"]["address"])
        self.panels = {name: Display(scheduler, name) for name in REFERENCE["screens"]}
        self.levels = {}
        self.chip.on_output = self._output
        for part in (self.chip, *self.panels.values()):
            part.power(True)
        self.i2c = I2c(self.chip)
        self.expander = Expander(self.i2c, self.chip.address, INPUTS, OUTPUTS)
        names = REFERENCE["screens"]
        selects = [self.expander.output(entry["cs"]) for entry in names.values()]
        self.bus = Bus(self, self.expander, self.expander.output("SCREEN_DC"), selects)
        self.screens = [
            Screen(self.bus, self.expander.output(entry["cs"]), entry["width"], entry["height"], name)
            for name, entry in names.items()
        ]
        self.writes = []

    def _output(self, pin, level):
        name = next((name for name, (bit, _) in OUTPUTS.items() if bit == pin), None)
        self.levels[name] = level
        for panel, entry in REFERENCE["screens"].items():
            self.panels[panel].select(self.levels.get(entry["cs"]) is False)

    def write(self, data):
        self.writes.append(len(data))
        selected = [panel for panel in self.panels.values() if panel.selected]
        assert len(selected) == 1
        selected[0].transfer(bytes(data), int(bool(self.levels["SCREEN_DC"])))


def on_bench(test, opened=True):
    async def go():
        bench = Bench()
        await bench.expander.open()
        if opened:
            await asyncio.gather(*[screen.open() for screen in bench.screens])
        await test(bench)
        assert [panel.violations for panel in bench.panels.values()] == [[], []]
        assert not any(panel.selected for panel in bench.panels.values())

    run(go())


def test_open_gives_black_screens_in_true_colours():
    async def test(bench):
        for panel in bench.panels.values():
            assert panel.on
            assert not panel.asleep
            assert panel.inverted
            assert panel.image().getcolors() == [(240 * 320, (0, 0, 0))]

    on_bench(test)


def test_both_screens_draw_at_once_without_mixing():
    async def test(bench):
        outer, inner = bench.screens
        await asyncio.gather(outer.clear(RED), inner.clear(GREEN))
        await asyncio.gather(outer.rectangle(10, 20, 30, 40, GREEN), inner.rectangle(0, 319, 240, 1, RED))
        image = bench.panels["outer_screen"].image()
        assert sorted(image.getcolors()) == sorted([(1200, (0, 255, 0)), (240 * 320 - 1200, (255, 0, 0))])
        assert image.getpixel((10, 20)) == (0, 255, 0)
        assert image.getpixel((39, 59)) == (0, 255, 0)
        assert image.getpixel((40, 60)) == (255, 0, 0)
        image = bench.panels["inner_screen"].image()
        assert image.getpixel((0, 318)) == (0, 255, 0)
        assert image.getpixel((239, 319)) == (255, 0, 0)

    on_bench(test)


@pytest.mark.parametrize("size", [1, 7, 240, 5000, 40_000])
def test_a_bitmap_in_chunks_of_any_size(size):
    async def test(bench):
        pixels = b"".join(
            ((x * 7 + y * 13) & 0xFFFF).to_bytes(2, "big") for y in range(100) for x in range(120)
        )
        chunks = [pixels[start : start + size] for start in range(0, len(pixels), size)]
        await bench.screens[0].bitmap(60, 50, 120, 100, chunks)
        memory = bytes(bench.panels["outer_screen"].pixels)
        for row in range(100):
            start = 2 * ((50 + row) * 240 + 60)
            assert memory[start : start + 240] == pixels[row * 240 : row * 240 + 240]
        assert max(bench.writes) <= 4080

    on_bench(test)


@pytest.mark.parametrize(
    "window", [(-1, 0, 5, 5), (0, 0, 241, 5), (236, 0, 5, 5), (0, 316, 5, 5), (0, 0, 0, 5)]
)
def test_a_window_outside_the_screen_is_refused(window):
    async def test(bench):
        with pytest.raises(DriverError) as caught:
            await bench.screens[0].rectangle(*window, RED)
        assert caught.value.reason == SCREEN_FAILED

    on_bench(test)


@pytest.mark.parametrize("count", [0, 199, 201, 400])
def test_too_few_or_too_many_pixels_are_refused(count):
    async def test(bench):
        with pytest.raises(DriverError) as caught:
            await bench.screens[0].bitmap(0, 0, 10, 10, [bytes(count)])
        assert caught.value.reason == SCREEN_FAILED
        await bench.screens[0].rectangle(0, 0, 10, 10, RED)
        assert bench.panels["outer_screen"].image().getpixel((9, 9)) == (255, 0, 0)

    on_bench(test)


def test_other_tasks_run_while_a_screen_is_filled():
    async def test(bench):
        turns = 0

        async def count():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counter = asyncio.create_task(count())
        await bench.screens[0].clear(RED)
        counter.cancel()
        assert turns >= 240 * 320 * 2 // 4080

    on_bench(test)


def test_a_lost_expander_is_a_failed_screen_and_nothing_else():
    async def test(bench):
        bench.i2c.broken = True
        with pytest.raises(DriverError) as caught:
            await bench.screens[0].clear(RED)
        assert caught.value.reason == SCREEN_FAILED
        bench.i2c.broken = False
        await bench.screens[0].clear(RED)

    on_bench(test)


def test_a_cancelled_drawing_gives_the_bus_back():
    async def test(bench):
        task = asyncio.create_task(bench.screens[0].clear(RED))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await wait(1)
        await bench.screens[1].clear(GREEN)
        assert bench.panels["inner_screen"].image().getcolors() == [(240 * 320, (0, 255, 0))]

    on_bench(test)


def test_drawing_before_opening_is_refused():
    async def test(bench):
        with pytest.raises(DriverError):
            await bench.screens[0].clear(RED)
        assert not (await bench.screens[0].self_test())[0]

    on_bench(test, opened=False)
