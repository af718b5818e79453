"""The serial bridge against its data sheet: FIFOs, interrupts, rates."""

import pytest
from doorward_simulator.devices.device import SerialDevice
from doorward_simulator.devices.sc16is752 import SerialBridge

RHR, IER, FCR, LCR, LSR, TXLVL, RXLVL = 0, 1, 2, 3, 5, 8, 9


class Part(SerialDevice):
    """A downstream part that remembers what it heard."""

    def __init__(self, scheduler):
        super().__init__(scheduler, "part", 115_200)
        self.heard = bytearray()

    def handle(self, data: bytes) -> None:
        self.heard += data


class Driver:
    """Registers by name."""

    def __init__(self, bridge, channel: int):
        self.bridge, self.channel = bridge, channel

    def write(self, register: int, *values: int) -> None:
        assert self.bridge.write(bytes([register << 3 | self.channel << 1, *values]))

    def read(self, register: int, count: int = 1) -> bytes:
        self.write(register)
        return self.bridge.read(count)

    def open(self, divisor: int = 8) -> None:
        self.write(LCR, 0x83)
        self.write(0, divisor & 0xFF)
        self.write(1, divisor >> 8)
        self.write(LCR, 0x03)
        self.write(FCR, 0x07)
        self.write(IER, 0x01)


@pytest.fixture
def bridge(scheduler):
    chip = SerialBridge(scheduler)
    chip.power(True)
    return chip


@pytest.fixture
def parts(bridge, scheduler):
    parts = [Part(scheduler), Part(scheduler)]
    for number, part in enumerate(parts):
        bridge.connect(number, part)
        part.power(True)
    return parts


@pytest.fixture
def driver(bridge, parts):
    chosen = Driver(bridge, 1)
    chosen.open()
    return chosen


def test_divisor_sets_the_rate_and_reads_back(bridge, driver):
    assert bridge.channels[1].baud == 115_200
    driver.write(LCR, 0x83)
    assert driver.read(0) + driver.read(1) == b"\x08\x00"
    driver.write(LCR, 0x03)
    assert bridge.channels[0].baud is None


def test_bytes_reach_the_part_of_their_channel_in_line_time(bridge, driver, parts, scheduler):
    driver.write(RHR, *b"0123456789" * 3)
    assert driver.read(TXLVL) == bytes([64 - 30])
    assert driver.read(LSR)[0] & 0x60 == 0
    scheduler.advance(2)
    assert parts[1].heard == b"0123456789012345"
    scheduler.advance(2)
    assert parts[1].heard == b"0123456789" * 3
    assert parts[0].heard == b""
    assert driver.read(TXLVL) == b"\x40"
    assert driver.read(LSR)[0] & 0x60 == 0x60


def test_received_bytes_interrupt_at_the_trigger_or_after_silence(bridge, driver, parts, scheduler):
    parts[1].transmit(b"abc")
    scheduler.run_until(lambda: driver.read(RXLVL) == b"\x03")
    assert not bridge.interrupt_active
    scheduler.advance(1)
    assert bridge.interrupt_active
    assert driver.read(FCR) == bytes([0xC0 | 0x0C])  # IIR: time-out
    assert driver.read(RHR, 3) == b"abc"
    assert not bridge.interrupt_active
    parts[1].transmit(b"12345678")
    scheduler.advance(1)
    assert driver.read(FCR) == bytes([0xC0 | 0x04])  # IIR: trigger of 8


def test_transmit_interrupt_tells_room_once(bridge, driver, scheduler):
    driver.write(IER, 0x02)
    assert bridge.interrupt_active
    assert driver.read(FCR) == bytes([0xC0 | 0x02])
    assert not bridge.interrupt_active
    driver.write(RHR, 1)
    scheduler.advance(1)
    assert bridge.interrupt_active


def test_what_is_not_fetched_is_lost_and_flagged(bridge, driver, parts, scheduler):
    parts[1].transmit(bytes(range(100)))
    scheduler.advance(50)
    assert driver.read(RXLVL) == b"\x40"
    assert driver.read(LSR)[0] & 0x02
    assert driver.read(LSR)[0] & 0x02 == 0  # cleared by reading
    assert driver.read(RHR, 64) == bytes(range(64))
    assert bridge.channels[1].overruns == 36


def test_overfilling_the_transmit_fifo_is_a_violation(bridge, driver):
    driver.write(RHR, *range(65))
    assert "overrun" in bridge.violations[0].text


def test_data_before_the_divisor_is_a_violation(bridge, parts):
    Driver(bridge, 0).write(RHR, 0x55)
    assert "divisor" in bridge.violations[0].text


def test_wrong_rate_is_noticed_in_both_directions(bridge, driver, parts, scheduler):
    driver.open(divisor=96)  # 9,600
    driver.write(RHR, 0x55)
    parts[1].transmit(b"x")
    scheduler.advance(10)
    assert parts[1].heard == b""
    assert "9600 baud" in parts[1].violations[0].text
    assert "its line at 115200" in bridge.violations[0].text


def test_reading_an_empty_fifo_is_a_violation(bridge, driver):
    assert driver.read(RHR) == b"\0"
    assert "empty" in bridge.violations[0].text


def test_channels_and_registers_that_do_not_exist(bridge):
    bridge.write(bytes([0x04, 1]))
    bridge.write(bytes([0x80, 1]))
    bridge.write(bytes([LSR << 3, 1]))
    assert len(bridge.violations) == 3


def test_software_reset_empties_everything(bridge, driver, parts, scheduler):
    parts[1].transmit(b"abc")
    driver.write(RHR, *bytes(40))
    scheduler.advance(1)
    driver.write(0x0E, 0x08)
    scheduler.advance(20)
    assert bridge.channels[1].baud is None
    assert not bridge.interrupt_active
    assert len(parts[1].heard) <= 16
