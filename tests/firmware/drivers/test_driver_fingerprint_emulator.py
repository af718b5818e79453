"""The fingerprint driver against the emulated modules, on good, slow and bad lines."""

import random
from typing import Any

import pytest
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.drivers.fingerprint import Fingerprint
from doorward_firmware.drivers.inputs import Input
from doorward_firmware.drivers.serial_port import SerialPort
from doorward_protocol.errors import (
    NO_MATCH,
    POOR_IMAGE,
    SENSOR_GARBAGE,
    SENSOR_SILENT,
    SENSOR_TAMPERED,
    SPOOF_FINGER,
    WRONG_KIND,
)
from doorward_simulator.devices.ef01 import FingerprintModule
from doorward_simulator.devices.ef01_profiles import AS608, LIVE, R503
from doorward_simulator.enrolment import EnrolmentDesk
from doorward_simulator.fingers import make_finger
from driver_bench import Line, Scheduler, Uart, run, wait

PASSWORD = b"\xa1\xb2\xc3\xd4"
FINGERS = [make_finger(f"person {number}", 2, clarity=0.9) for number in range(4)]
STRANGER = make_finger("stranger", 2, clarity=0.9)


@pytest.fixture(scope="module")
def templates():
    """Templates of FINGERS by profile."""
    return {
        profile.model: [EnrolmentDesk(profile, seed=3).enrol(finger) for finger in FINGERS]
        for profile in (R503, AS608, LIVE)
    }


class Bench:
    def __init__(self, profile, line=None, up=None):
        self.scheduler = Scheduler(seed=5)
        self.module = FingerprintModule(self.scheduler, "outer", profile)
        self.module.settings.password = int.from_bytes(PASSWORD, "big")
        self.uart = Uart(self.module, line, up)
        self.module.power(True)
        self.sensor = Fingerprint(
            SerialPort(self.uart), Input("TOUCH", 0, 0), PASSWORD, "outer", random.Random(2).randbytes
        )

    async def prepare(self, templates):
        await self.sensor.open()
        for slot, template in enumerate(templates):
            await self.sensor.load(slot, template, self.module.profile.model)

    async def identify(self, finger, condition="normal") -> Any:
        """(slot, score), or the reason of the refusal."""
        self.module.press(finger.touch(self.scheduler.random, condition))
        try:
            return await self.sensor.identify(len(FINGERS))
        except DriverError as error:
            return error.reason
        finally:
            self.module.lift()


LINES = {
    "good": Line,
    "byte by byte": lambda: Line(pieces=1, delay_ms=1),
    "late": lambda: Line(pieces=7, delay_ms=3),
}


@pytest.mark.shows("D19")
@pytest.mark.parametrize("line", sorted(LINES))
@pytest.mark.parametrize("profile", [R503, AS608, LIVE], ids=lambda profile: profile.model)
def test_a_crew_is_loaded_told_apart_and_wiped(profile, line, templates):
    async def go():
        bench = Bench(profile, LINES[line]())
        await bench.prepare(templates[profile.model])
        assert (await bench.sensor.self_test())[1] == f"{profile.model}, {profile.capacity} slots"
        for slot, finger in enumerate(FINGERS):
            found, score = await bench.identify(finger)
            assert found == slot
            assert score > 0
        assert await bench.identify(STRANGER) == NO_MATCH
        assert await bench.sensor.read_back(2) == templates[profile.model][2]
        assert (await bench.sensor.self_test())[0]
        await bench.sensor.wipe()
        assert not bench.module.library.slots
        assert await bench.identify(FINGERS[0]) == NO_MATCH
        unsupported = [v for v in bench.module.violations if "unknown instruction" not in v.text]
        assert unsupported == []

    run(go())


@pytest.mark.shows("S2")
def test_spoofs_dry_and_absent_fingers(templates):
    async def go():
        bench = Bench(LIVE)
        await bench.prepare(templates["R503-LFD"])
        assert await bench.identify(FINGERS[0], "spoof") == SPOOF_FINGER
        with pytest.raises(DriverError) as caught:
            await bench.sensor.identify(4)
        assert caught.value.reason == POOR_IMAGE
        results = [await bench.identify(FINGERS[1], "dry") for _ in range(10)]
        assert all(result in (POOR_IMAGE, NO_MATCH) or result[0] == 1 for result in results)
        assert (await bench.identify(FINGERS[0]))[0] == 0

    run(go())


def test_templates_of_another_model_are_refused(templates):
    async def go():
        bench = Bench(R503)
        await bench.sensor.open()
        with pytest.raises(DriverError) as caught:
            await bench.sensor.load(0, templates["AS608"][0], "AS608")
        assert caught.value.reason == WRONG_KIND

    run(go())


def test_commissioning_a_new_module():
    async def go():
        bench = Bench(LIVE)
        bench.module.settings.password = 0
        await wait(500)
        with pytest.raises(DriverError) as caught:
            await bench.sensor.open()
        assert caught.value.reason == SENSOR_TAMPERED
        await bench.sensor.commission()
        assert (await bench.sensor.open()).model == "R503-LFD"
        assert bench.module.settings.password == int.from_bytes(PASSWORD, "big")

    run(go())


def test_a_module_that_loses_power_for_a_moment_goes_on(templates):
    async def go():
        bench = Bench(LIVE)
        await bench.prepare(templates["R503-LFD"])
        bench.module.power(False)
        await wait(50)
        bench.module.power(True)
        await wait(1_000)
        assert (await bench.identify(FINGERS[3]))[0] == 3

    run(go())


def test_a_swapped_module_is_noticed(templates):
    async def go():
        bench = Bench(LIVE)
        await bench.prepare(templates["R503-LFD"])
        other = FingerprintModule(bench.scheduler, "other", LIVE)
        other.settings.password = 1234
        bench.uart.part, other.send = other, bench.uart.arrive
        other.power(True)
        await wait(1_000)
        other.press(FINGERS[0].touch(bench.scheduler.random))
        with pytest.raises(DriverError) as caught:
            await bench.sensor.identify(4)
        assert caught.value.reason == SENSOR_TAMPERED

    run(go())


def test_a_dead_module_is_silent_and_comes_back(templates):
    async def go():
        bench = Bench(LIVE)
        await bench.prepare(templates["R503-LFD"])
        bench.module.power(False)
        assert await bench.identify(FINGERS[0]) == SENSOR_SILENT
        bench.module.power(True)
        await wait(1_000)
        assert (await bench.identify(FINGERS[0]))[0] == 0

    run(go())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("trouble", [{"loss": 0.01}, {"damage": 0.01}, {"loss": 0.004, "damage": 0.004}])
def test_a_bad_line_gives_named_failures_and_never_a_wrong_person(templates, trouble, seed):
    async def go():
        bench = Bench(LIVE)
        await bench.prepare(templates["R503-LFD"])
        bench.uart.line = Line(pieces=3, delay_ms=1, seed=seed, **trouble)
        bench.uart.up = Line(pieces=4096, seed=seed + 100, **trouble)
        results = []
        for number in range(12):
            who = number % len(FINGERS)
            result = await bench.identify(FINGERS[who])
            results.append(result)
            named = (SENSOR_SILENT, SENSOR_GARBAGE, POOR_IMAGE, NO_MATCH, SENSOR_TAMPERED)
            assert result in named or result[0] == who
        bench.uart.line, bench.uart.up = Line(), Line(pieces=4096)
        await wait(2_000)
        assert (await bench.identify(FINGERS[2]))[0] == 2  # the line is good again, and so is the sensor
        return sum(1 for result in results if isinstance(result, tuple))

    assert run(go()) >= 6  # single errors are asked again
