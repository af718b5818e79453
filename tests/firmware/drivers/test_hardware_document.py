"""docs/hardware.md says what board.py says, row by row, and the board's tables agree with each other."""

import re
from pathlib import Path

import pytest
from doorward_firmware import board as board_file
from doorward_firmware.board import INPUTS, OUTPUTS, PARTITIONS, PINS, REFERENCE, RESERVED

SOURCE = Path(board_file.__file__).read_text()
DOCUMENT = Path(__file__).parents[3] / "docs" / "hardware.md"


def table(heading):
    """Rows of the table whose first column has this heading, as tuples of cells."""
    lines = DOCUMENT.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return rows
        rows.append(tuple(cell.strip().strip("`") for cell in line.strip("|").split("|")))
    return rows


def wired(name):
    """What board.py's comment says of an entry."""
    found = re.search(rf'^    "{name}": \([^)]*\),  # (.*)$', SOURCE, re.MULTILINE)
    assert found, name
    return found[1]


def pin_name(bit):
    return f"GP{'AB'[bit // 8]}{bit % 8}"


def level(value):
    return "high" if value else "low"


def test_pins():
    expected = [(str(pin), name, *rest, wired(name)) for name, (pin, *rest) in PINS.items()]
    assert table("GPIO") == sorted(expected, key=lambda row: int(row[0]))


@pytest.mark.parametrize(("heading", "entries"), [("pin | input", INPUTS), ("pin | output", OUTPUTS)])
def test_expander(heading, entries):
    assert table(heading) == [
        (pin_name(bit), name, level(active), wired(name)) for name, (bit, active) in entries.items()
    ]


def test_partitions():
    assert table("partition") == [
        (label, kind, subtype, f"0x{offset:06X}", f"{size // 1024} KiB")
        for label, kind, subtype, offset, size in PARTITIONS
    ]


def test_addresses_and_lines():
    rows = {row[3]: (row[1], row[2]) for row in table("part | where")}
    board, bus = REFERENCE, f"I2C {REFERENCE['i2c']['id']}"
    speed = f"{board['i2c']['frequency'] // 1000} kHz"
    expected = {
        name: (f"{bus}, 0x{board[name]['address']:02X}", speed)
        for name in ("expander", "card_reader", "camera", "bridge")
    }
    for name, entry in board["fingerprints"].items():
        expected[name] = (f"UART {entry['uart']}", f"{entry['baud']} baud")
    for name, entry in board["readers"].items():
        expected[name] = (f"SC16IS752 channel {'AB'[entry['bridge_channel']]}", f"{entry['baud']} baud")
    for name in board["screens"]:
        expected[name] = (f"SPI {board['spi']['id']}", f"{board['spi']['baud'] // 1_000_000} MHz")
    ethernet, speaker = board["ethernet"], board["speaker"]
    expected["network"] = (f"SPI {ethernet['id']}", f"{ethernet['baud'] // 1_000_000} MHz")
    expected["speaker"] = (f"I2S {speaker['i2s']}", f"{speaker['rate'] // 1000} kHz, 16 bit, mono")
    assert rows == expected


def test_no_pin_is_used_twice_or_reserved():
    used = [entry[0] for entry in PINS.values()]
    assert len(used) == len(set(used))
    assert not set(used) & set(RESERVED)
    assert set(used) | set(RESERVED) | {22, 23, 24, 25} == set(range(49))  # 22 to 25 do not exist


def test_pins_sampled_at_reset_rest_where_the_chip_wants_them():
    rest = {pin: (direction, resting) for pin, direction, resting in PINS.values()}
    assert rest[0] == ("out", "up")
    assert rest[45] == rest[46] == ("out", "down")
    assert rest[3][0] == "out"


def test_relays_rest_low_and_are_not_on_glitching_pins():
    for door in REFERENCE["doors"].values():
        _, direction, resting = next(entry for entry in PINS.values() if entry[0] == door["relay"])
        assert (direction, resting) == ("out", "down")
        assert not 1 <= door["relay"] <= 20


def test_expander_pins_are_used_once_and_those_that_cannot_be_inputs_are_outputs():
    bits = [entry[0] for entry in (*INPUTS.values(), *OUTPUTS.values())]
    assert sorted(bits) == sorted(set(bits)) == list(range(16))
    assert {7, 15} <= {entry[0] for entry in OUTPUTS.values()}


def test_every_name_in_the_tables_exists():
    board = REFERENCE
    for entry in board["fingerprints"].values():
        assert entry["touch"] in INPUTS
    for entry in board["doors"].values():
        assert entry["contact"] in INPUTS
    for entry in board["screens"].values():
        assert entry["cs"] in OUTPUTS
    assert {board["screen_dc"], board["screen_reset"], board["bus_reset"]} <= set(OUTPUTS)


def test_partitions_are_aligned_and_fill_the_flash():
    end = PARTITIONS[0][3]
    for _, kind, _, offset, size in PARTITIONS:
        assert offset >= end
        assert offset % (0x10000 if kind == "app" else 0x1000) == 0
        assert size % REFERENCE["sector_size"] == 0
        end = offset + size
    assert end == REFERENCE["flash_size"]


def test_the_bridge_meets_its_readers_speed_exactly():
    for entry in REFERENCE["readers"].values():
        assert REFERENCE["bridge"]["crystal"] % (16 * entry["baud"]) == 0
