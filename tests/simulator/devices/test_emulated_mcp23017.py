"""The port expander against its data sheet: addresses, directions, interrupts."""

import pytest
from doorward_simulator.devices.mcp23017 import PortExpander

IODIRA, IODIRB, GPINTENA, DEFVALA, INTCONA, IOCON, GPPUA, GPPUB = (
    0x00,
    0x01,
    0x04,
    0x06,
    0x08,
    0x0A,
    0x0C,
    0x0D,
)
INTFA, INTFB, INTCAPA, GPIOA, GPIOB, OLATA = 0x0E, 0x0F, 0x10, 0x12, 0x13, 0x14


@pytest.fixture
def chip(scheduler):
    expander = PortExpander(scheduler)
    expander.power(True)
    return expander


def read(chip, register: int, count: int = 1) -> bytes:
    assert chip.write(bytes([register]))
    return chip.read(count)


def test_after_power_up_all_pins_are_inputs(chip):
    assert read(chip, 0x00, 22) == b"\xff\xff" + bytes(20)
    assert chip.output(0) is None


def test_outputs_drive_once_they_are_outputs(chip):
    seen = []
    chip.on_output = lambda pin, level: seen.append((pin, level))
    chip.write(bytes([OLATA, 0x81]))
    assert seen == []
    chip.write(bytes([IODIRA, 0x7E]))
    assert seen == [(0, True), (7, True)]
    chip.write(bytes([GPIOA, 0x80]))  # writing GPIO writes the latch
    assert seen[2:] == [(0, False)]
    assert read(chip, OLATA) == b"\x80"


def test_power_loss_lets_every_output_go(chip):
    seen = []
    chip.write(bytes([IODIRB, 0xFE]))
    chip.write(bytes([OLATA + 1, 0x01]))
    assert chip.output(8) is True
    chip.on_output = lambda pin, level: seen.append((pin, level))
    chip.power(False)
    assert seen == [(8, None)]
    assert not chip.write(b"\x00")


def test_inputs_pull_ups_and_polarity(chip):
    chip.write(bytes([GPPUA, 0x03]))
    chip.set_input(1, False)
    assert read(chip, GPIOA) == b"\x01"
    chip.write(bytes([0x02, 0x03]))  # IPOLA
    assert read(chip, GPIOA) == b"\x02"
    chip.set_input(1, None)
    assert read(chip, GPIOA) == b"\x00"


def test_interrupt_on_change_captures_and_clears_by_reading(chip):
    active = []
    chip.interrupt = active.append
    chip.write(bytes([GPPUA, 0xFF]))
    chip.write(bytes([GPINTENA, 0x0F]))
    chip.set_input(2, False)
    assert active == [True]
    chip.set_input(2, True)  # a short pulse: the capture keeps what was
    assert (read(chip, INTFA), read(chip, INTCAPA)) == (b"\x04", b"\xfb")
    assert active == [True, False]
    assert read(chip, INTFA) == b"\x00"
    chip.set_input(6, False)  # not enabled
    assert active == [True, False]


def test_comparison_with_defaults_stays_while_the_level_differs(chip):
    chip.write(bytes([DEFVALA, 0x01]))
    chip.write(bytes([INTCONA, 0x01]))
    chip.set_input(0, True)
    chip.write(bytes([GPINTENA, 0x01]))
    assert not chip.interrupt_active
    chip.set_input(0, False)
    assert chip.interrupt_active
    read(chip, GPIOA)
    assert chip.interrupt_active
    chip.set_input(0, True)
    read(chip, GPIOA)
    assert not chip.interrupt_active


def test_mirrored_interrupts_show_both_ports_on_one_line(chip):
    b_line = []
    chip.interrupt_b = b_line.append
    chip.write(bytes([GPINTENA + 1, 0xFF]))
    chip.set_input(9, True)
    assert (chip.interrupt_active, b_line) == (False, [True])
    read(chip, GPIOB)
    chip.write(bytes([IOCON, 0x40]))
    chip.set_input(9, False)
    assert (chip.interrupt_active, b_line) == (True, [True, False, True])


def test_both_address_layouts(chip):
    chip.write(bytes([IOCON, 0x80]))
    chip.write(bytes([0x10, 0x0F]))  # IODIRB in the other layout
    assert read(chip, 0x00, 2) == b"\xff\x00"
    assert read(chip, 0x10) == b"\x0f"
    assert read(chip, 0x05) == b"\x80"  # IOCON moved as well
    chip.write(bytes([0x05, 0x00]))
    assert read(chip, 0x00, 2) == b"\xff\x0f"


def test_byte_mode_toggles_between_the_ports(chip):
    chip.write(bytes([IOCON, 0x20]))
    chip.set_input(0, True)
    chip.set_input(9, True)
    assert read(chip, GPIOA, 4) == b"\x01\x02\x01\x02"


def test_writes_that_no_chip_accepts_are_recorded(chip):
    chip.write(bytes([INTFA, 0xFF]))
    chip.write(bytes([0x16, 0xFF]))
    assert [violation.text for violation in chip.violations] == [
        "write to a read-only register",
        "no register at 0x16",
    ]
