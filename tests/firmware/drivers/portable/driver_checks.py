"""What of the drivers can be shown without an event loop; runs under CPython and the real MicroPython."""

from doorward_firmware import board
from doorward_firmware.drivers import ef01_codes, ef01_packets, m100_frames, pn532_frames
from doorward_firmware.drivers.doors import Doors
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.drivers.expander import Expander
from doorward_firmware.drivers.inputs import Inputs
from doorward_protocol.errors import POOR_IMAGE, SENSOR_SILENT, SPOOF_FINGER, sentence

ADDRESS = b"\xff\xff\xff\xff"
MODULES = (
    "camera card doors ef01_codes ef01_link ef01_packets errors expander fingerprint inputs interrupts "
    "m100_frames opening pn532_frames screen serial_port speaker uart_bridge uhf"
)


def check_every_driver_can_be_imported_without_the_board():
    for name in MODULES.split():
        __import__("doorward_firmware.drivers." + name)


def check_ef01_packets_through_every_split():
    first = ef01_packets.encode(ADDRESS, ef01_packets.ANSWER, b"\x00\xef\x01")
    second = ef01_packets.encode(ADDRESS, ef01_packets.LAST_DATA, bytes(range(64)))
    data = b"\x55noise\xef" + first + b"\xef\x01\xff" + second
    for size in range(1, len(data)):
        parser, found = ef01_packets.Parser(ADDRESS), []
        for start in range(0, len(data), size):
            parser.feed(data[start : start + size])
            packet = parser.next()
            while packet is not None:
                found.append(packet)
                packet = parser.next()
        assert found == [(7, b"\x00\xef\x01"), (8, bytes(range(64)))], size
        assert parser.garbage == 10


def check_m100_frames_through_every_split():
    notice = (
        b"\xbb\x02\x22\x00\x11\xc9\x34\x00\x30\x75\x1f\xeb\x70\x5c\x59\x04\xe3\xd5\x0d\x70\x3a\x76\xef\x7e"
    )
    data = b"\xbb\xbb\x00" + notice + b"\xbb\x01\xff\x00\x01\x15\x16\x7e"
    for size in range(1, len(data)):
        parser, found = m100_frames.Parser(), []
        for start in range(0, len(data), size):
            parser.feed(data[start : start + size])
            frame = parser.next()
            while frame is not None:
                found.append(frame)
                frame = parser.next()
        assert found == [(2, 0x22, notice[5:-2]), (1, 0xFF, b"\x15")], size


def check_pn532_frames():
    assert pn532_frames.encode(0x02) == b"\x00\x00\xff\x02\xfe\xd4\x02\x2a\x00"
    answer = b"\x00\x00\xff\x06\xfa\xd5\x03\x32\x01\x06\x07\xe8\x00\x00\x00"
    assert pn532_frames.decode(answer) == (3, b"\x32\x01\x06\x07")
    assert pn532_frames.decode(answer[:-5]) is None


def check_confirmation_codes():
    assert ef01_codes.meaning(0x34)[0] == SPOOF_FINGER
    assert ef01_codes.meaning(0x02)[0] == POOR_IMAGE
    assert "ab" in ef01_codes.meaning(0xAB)[1]
    assert str(DriverError(SENSOR_SILENT, "x")) == sentence(SENSOR_SILENT, "x")


class I2C:
    """Registers of an MCP23017; reading INTF, INTCAP and GPIO gives what the check put there."""

    def __init__(self):
        self.registers = bytearray(32)
        self.broken = False

    def writeto_mem(self, address, register, data):
        if self.broken or address != 0x20:
            raise OSError(19)
        for offset, value in enumerate(data):
            self.registers[register + offset] = value

    def readfrom_mem(self, address, register, count):
        if self.broken or address != 0x20:
            raise OSError(19)
        data = bytes(self.registers[register : register + count])
        if register + count > 0x10:
            self.registers[0x0E:0x10] = bytes(2)  # reading INTCAP or GPIO clears INTF
        return data

    def put(self, flags, captured, now):
        now |= int.from_bytes(self.registers[0x14:0x16], "little")  # the outputs
        self.registers[0x0E:0x14] = b"".join(
            [value.to_bytes(2, "little") for value in (flags, captured, now)]
        )


def finish(coroutine):
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def check_expander_inputs_and_doors():
    i2c = I2C()
    table = board.REFERENCE["expander"]
    expander = Expander(i2c, 0x20, table["inputs"], table["outputs"])
    inputs = Inputs(expander, table["inputs"])
    rest = 0
    for bit, active in table["inputs"].values():
        rest |= (1 - active) << bit
    finish(expander.open())
    assert i2c.registers[0x00:0x02] == bytes((0x7F, 0x07))
    assert i2c.registers[0x0A] == 0x44
    i2c.put(0, rest, rest)
    finish(inputs.open())
    assert not inputs["FIRE"].active
    events = []
    inputs.listen(lambda name, active: events.append((name, active)))
    relays = {1: [], 2: []}
    doors = Doors(
        {1: relays[1].append, 2: relays[2].append}, {1: "OUTER_CONTACT", 2: "INNER_CONTACT"}, inputs
    )
    changes = []
    doors.on_change = lambda door, is_open: changes.append((door, is_open))  # type: ignore
    contact = 1 << table["inputs"]["INNER_CONTACT"][0]
    i2c.put(contact, rest | contact, rest | contact)
    assert expander.service()
    assert events == [("INNER_CONTACT", True)]
    assert changes == [(2, True)]
    doors.release(1)
    doors.lock(1)
    assert relays == {1: [1, 0], 2: []}
    expander.output("SCREEN_DC")(0)
    assert not i2c.registers[0x15] & 0x20
    i2c.broken = True
    reason = 0
    try:
        expander.service()
    except DriverError as error:
        reason = error.reason
    assert reason == SENSOR_SILENT


def check_the_board_table():
    used = [entry[0] for entry in board.PINS.values()]
    assert len(used) == len(set(used)) == 31
    assert not [pin for pin in used if pin in board.RESERVED or not 0 <= pin <= 48]
    end = 0
    for _label, _kind, _subtype, offset, size in board.PARTITIONS:
        assert offset >= end
        assert (offset % 4096, size % 4096) == (0, 0)
        end = offset + size
    assert end == board.REFERENCE["flash_size"]
