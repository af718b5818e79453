"""The reference board as data: every pin, bus, address, speed and partition is named here and nowhere else.

ESP32-S3-WROOM-1-N16R8: 16 MB flash, 8 MB octal PSRAM. GPIO 26 to 37 belong to flash and PSRAM, 19 and 20 to
USB (the console), which leaves 31 pins, and the board uses all of them. Four of these are sampled at reset
(0, 3, 45, 46) and carry only signals that rest at the level the chip wants to see; GPIO 43 speaks during the
ROM's start and therefore feeds an input that does not listen unless its chip select is low.

What fits where, and why:

* The Ethernet chip has an SPI bus of its own. Its driver runs in another task of the chip and may use the bus
  at any moment; a screen whose chip select is held by Python would take those clocks for pixels.
* The screens' and the card slot's chip selects and the screens' data/command line are on the expander: they
  change a few times per picture, and one register write changes them together.
* The two door relays are directly on GPIO with pull-downs. A reset, a brown-out or a crash drops them without
  any bus having to work; an expander would keep its last output until somebody could write to it.
* The camera module has its own 24 MHz oscillator, so there is no XCLK pin.

Importing this file touches no hardware: the simulator builds its wiring from the same tables, and a test
holds `docs/hardware.md` against them row by row, comments included. `open_board` makes the drivers.
"""

# Signal: (GPIO, direction seen from the processor, level while nobody drives it), and what it goes to.
PINS = {
    "ethernet_cs": (0, "out", "up"),  # W5500 SCSn; sampled at reset, must rest high
    "outer_fingerprint_tx": (1, "out", "up"),  # outer fingerprint module RXD
    "outer_fingerprint_rx": (2, "in", "up"),  # outer fingerprint module TXD
    "ethernet_sck": (3, "out", "none"),  # W5500 SCLK; sampled at reset only if fuses ask for it
    "camera_d0": (4, "in", "none"),  # OV2640 D2 (its eight upper bits are used)
    "camera_d1": (5, "in", "none"),  # OV2640 D3
    "camera_d2": (6, "in", "none"),  # OV2640 D4
    "camera_d3": (7, "in", "none"),  # OV2640 D5
    "camera_pclk": (8, "in", "none"),  # OV2640 PCLK
    "camera_href": (9, "in", "none"),  # OV2640 HREF
    "camera_vsync": (10, "in", "none"),  # OV2640 VSYNC
    "screen_mosi": (11, "out", "none"),  # both ST7789 SDA and card slot DI
    "screen_sck": (12, "out", "none"),  # both ST7789 SCL and card slot SCLK
    "screen_miso": (13, "in", "up"),  # card slot DO
    "speaker_bclk": (14, "out", "none"),  # MAX98357A BCLK
    "camera_d4": (15, "in", "none"),  # OV2640 D6
    "camera_d5": (16, "in", "none"),  # OV2640 D7
    "camera_d6": (17, "in", "none"),  # OV2640 D8
    "camera_d7": (18, "in", "none"),  # OV2640 D9
    "outer_relay": (21, "out", "down"),  # outer door's relay driver, high energises
    "inner_fingerprint_tx": (38, "out", "up"),  # inner fingerprint module RXD
    "inner_fingerprint_rx": (39, "in", "up"),  # inner fingerprint module TXD
    "interrupt": (40, "in", "up"),  # open-drain line of MCP23017, SC16IS752 and PN532, low asks for service
    "i2c_sda": (41, "both", "up"),  # MCP23017, SC16IS752, PN532, OV2640
    "i2c_scl": (42, "both", "up"),  # MCP23017, SC16IS752, PN532, OV2640
    "ethernet_mosi": (43, "out", "none"),  # W5500 MOSI; the ROM speaks here at reset
    "ethernet_miso": (44, "in", "none"),  # W5500 MISO
    "speaker_lrclk": (45, "out", "down"),  # MAX98357A LRC; sampled at reset, must rest low
    "speaker_data": (46, "out", "down"),  # MAX98357A DIN; sampled at reset, must rest low
    "inner_relay": (47, "out", "down"),  # inner door's relay driver, high energises
    "ethernet_int": (48, "in", "up"),  # W5500 INTn
}


def gpio(signal: str) -> int:
    """GPIO number of a signal of `PINS`."""
    return PINS[signal][0]


# Pins nobody may use: the module's flash and PSRAM, and the USB console.
RESERVED = (19, 20, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37)

# MCP23017 inputs: (bit, level that means active), and what is wired. Bits 0 to 7 are GPA0 to GPA7, 8 to 15
# are GPB0 to GPB7; all have pull-ups. GPA7 and GPB7 can only be outputs (data sheet DS20001952D, table 1-1).
# Loops that must be whole (fire, tamper, door contacts) are closed to ground at rest: a cut wire is an alarm.
INPUTS = {
    "APPROVE": (0, 0),  # approve button at the inner panel, normally open
    "REFUSE": (1, 0),  # refuse button at the inner panel, normally open
    "EGRESS": (2, 0),  # second contact of the egress button, normally open
    "FIRE": (3, 1),  # fire panel's loop, closed at rest
    "TAMPER": (4, 1),  # loop through both lids and round the sensor cables, closed at rest
    "OUTER_CONTACT": (5, 1),  # outer door's contact, closed while the door is closed
    "INNER_CONTACT": (6, 1),  # inner door's contact, closed while the door is closed
    "OUTER_TOUCH": (8, 0),  # outer fingerprint module WAKEUP, low while a finger rests on it
    "INNER_TOUCH": (9, 0),  # inner fingerprint module WAKEUP, low while a finger rests on it
    "CARD_PRESENT": (10, 0),  # card slot's switch, closed while a card is in
}

# MCP23017 outputs: (bit, level at rest), and what is wired.
OUTPUTS = {
    "CARD_SLOT_CS": (7, 1),  # card slot CS
    "OUTER_SCREEN_CS": (11, 1),  # outer ST7789 CS
    "INNER_SCREEN_CS": (12, 1),  # inner ST7789 CS
    "SCREEN_DC": (13, 1),  # both ST7789 D/C: low command, high data
    "SCREEN_RESET": (14, 1),  # both ST7789 RESX, low resets
    "BUS_RESET": (15, 1),  # SC16IS752 and PN532 reset, low resets
}

# Flash: (label, type, subtype, offset, size in bytes). esp32.Partition finds the raw ones by label.
PARTITIONS = (
    ("nvs", "data", "nvs", 0x9000, 0x4000),
    ("otadata", "data", "ota", 0xD000, 0x2000),
    ("phy_init", "data", "phy", 0xF000, 0x1000),
    ("ota_0", "app", "ota_0", 0x10000, 0x270000),
    ("ota_1", "app", "ota_1", 0x280000, 0x270000),
    ("state", "data", "0x40", 0x4F0000, 0x10000),
    ("vfs", "data", "fat", 0x500000, 0x200000),
    ("journal", "data", "0x41", 0x700000, 0x200000),
    ("blobs", "data", "0x42", 0x900000, 0x700000),
)

# Fuses of a production board, under the names that `boot` gives them: register, lowest bit, mask, and
# a bit for each value that protects (ESP32-S3 technical reference manual, eFuse controller, block 0).
FUSES = (
    ("flash_encryption", 0x60007034, 18, 7, 0x96),  # SPI_BOOT_CRYPT_CNT, an odd number of its three bits
    ("secure_boot", 0x60007038, 20, 1, 0x2),  # SECURE_BOOT_EN
    ("silent_rom", 0x6000703C, 6, 3, 0x8),  # UART_PRINT_CONTROL, both bits: the ROM prints nothing at reset
)

# The tables that drivers and simulator read. Devices stand under the names that records and self-tests use.
REFERENCE = {
    "name": "doorward-reference-1",
    "module": "ESP32-S3-WROOM-1-N16R8",
    "flash_size": 16 * 1024 * 1024,
    "sector_size": 4096,
    "interrupt": gpio("interrupt"),
    "i2c": {"id": 0, "sda": gpio("i2c_sda"), "scl": gpio("i2c_scl"), "frequency": 400_000},
    # The screens and the card slot; chip selects and D/C are expander outputs.
    "spi": {
        "id": 1,
        "sck": gpio("screen_sck"),
        "mosi": gpio("screen_mosi"),
        "miso": gpio("screen_miso"),
        "baud": 40_000_000,
    },
    "expander": {"address": 0x20, "inputs": INPUTS, "outputs": OUTPUTS},
    "bridge": {"address": 0x48, "crystal": 14_745_600},
    "card_reader": {"address": 0x24},
    "fingerprints": {
        "outer_fingerprint": {
            "uart": 1,
            "tx": gpio("outer_fingerprint_tx"),
            "rx": gpio("outer_fingerprint_rx"),
            "baud": 57_600,
            "touch": "OUTER_TOUCH",
        },
        "inner_fingerprint": {
            "uart": 2,
            "tx": gpio("inner_fingerprint_tx"),
            "rx": gpio("inner_fingerprint_rx"),
            "baud": 57_600,
            "touch": "INNER_TOUCH",
        },
    },
    # UHF readers on the bridge's channels (0 is A, 1 is B).
    "readers": {
        "gate_reader": {"bridge_channel": 0, "baud": 115_200},
        "area_reader": {"bridge_channel": 1, "baud": 115_200},
    },
    "camera": {
        "address": 0x30,
        "data": tuple(gpio("camera_d%d" % bit) for bit in range(8)),
        "pclk": gpio("camera_pclk"),
        "href": gpio("camera_href"),
        "vsync": gpio("camera_vsync"),
        "oscillator": 24_000_000,
    },
    "speaker": {
        "i2s": 0,
        "bclk": gpio("speaker_bclk"),
        "lrclk": gpio("speaker_lrclk"),
        "data": gpio("speaker_data"),
        "rate": 16_000,
        "buffer": 8_192,
    },
    "screens": {
        "outer_screen": {"cs": "OUTER_SCREEN_CS", "width": 240, "height": 320},
        "inner_screen": {"cs": "INNER_SCREEN_CS", "width": 240, "height": 320},
    },
    "screen_dc": "SCREEN_DC",
    "screen_reset": "SCREEN_RESET",
    "bus_reset": "BUS_RESET",
    # Doors by the protocol's numbers: OUTER 1, INNER 2.
    "doors": {
        1: {"name": "outer", "relay": gpio("outer_relay"), "contact": "OUTER_CONTACT"},
        2: {"name": "inner", "relay": gpio("inner_relay"), "contact": "INNER_CONTACT"},
    },
    "ethernet": {
        "id": 2,
        "sck": gpio("ethernet_sck"),
        "mosi": gpio("ethernet_mosi"),
        "miso": gpio("ethernet_miso"),
        "cs": gpio("ethernet_cs"),
        "interrupt": gpio("ethernet_int"),
        "baud": 20_000_000,
    },
    "partitions": PARTITIONS,
}


def open_board(passwords: dict, random, on_fault):
    """Make the drivers of this board: a `drivers.opening.Board`; `await board.start()` opens them.

    `passwords`: 4 bytes for each of "outer_fingerprint" and "inner_fingerprint". `random(n)` gives n random
    bytes. `on_fault(name, reason, detail)` hears of parts that fail (a code of the protocol's NAMES) and
    recover (0) while the board runs.
    """
    from doorward_firmware.drivers.opening import Board

    return Board(REFERENCE, passwords, random, on_fault)
