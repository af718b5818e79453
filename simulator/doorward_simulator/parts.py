"""Everything on and around one unit's board, wired as the firmware's own board table says.

`Parts` builds an emulator for each part of `doorward_firmware.board.REFERENCE` and connects it to the chip:
serial lines, the I2C and SPI buses, the expander's pins to buttons, contacts, touch outputs and chip selects,
relays to strikes. A pin that the table moves is moved here too; there is no second list.
"""

from typing import TypeVar

from .chip import Chip
from .devices.camera import Camera
from .devices.device import Device
from .devices.door import Door
from .devices.ef01 import FingerprintModule
from .devices.inputs import Input
from .devices.m100 import UhfReader
from .devices.mcp23017 import PortExpander
from .devices.pn532 import CardReader
from .devices.sc16is752 import SerialBridge
from .devices.speaker import Speaker
from .devices.st7789 import Display
from .faults import Tap
from .lens import Lens
from .wires import I2cBus, SerialLine, SpiBus, TappedSerial
from .world import World

Part = TypeVar("Part", bound=Device)


class Parts:
    """The parts of one unit by the board's names. `taps`: the wires for faults, by the part they lead to."""

    def __init__(self, world: World, unit: str, chip: Chip, board: dict):
        self._world, self._unit, self._chip = world, unit, chip
        self.taps: dict[str, tuple[Tap, ...]] = {}
        self.devices: dict[str, Device] = {}
        self.expander = self._add(PortExpander, "expander", address=board["expander"]["address"])
        self.buttons = self._contacts(board["expander"]["inputs"])
        self._wire_i2c(board)
        self._wire_screens(board)
        self._wire_fingerprints(board)
        self._wire_doors(board)
        self._wire_speaker(board["speaker"])
        ethernet = {"configure": (lambda _baud: None, (int,))}  # its registers are not emulated
        chip.attach(f"spi{board['ethernet']['id']}", ethernet)
        self.camera = self._add(Camera, "camera")
        self.lens = Lens(world.corner(f"{unit} lens"), self.camera, chip)
        self._pins = {bit: name for name, (bit, _) in board["expander"]["outputs"].items()}
        self._bus_reset = board["bus_reset"]
        self._high = dict.fromkeys(self._pins.values(), True)
        self.expander.on_output = self._expander_output

    def power(self, on: bool) -> None:
        """Switch the supply of everything that hangs on the unit's own."""
        for device in self.devices.values():
            device.power(on)

    def violations(self) -> list[str]:
        """What somebody did to parts that none would accept; those behind disturbed wires are left out."""
        disturbed = {name for name, taps in self.taps.items() if any(tap.disturbed for tap in taps)}
        everything = [*self.devices.values(), *self.doors.values(), *self.buttons.values()]
        judged = [device for device in everything if device.name not in disturbed]
        return [f"{self._unit} {violation}" for device in judged for violation in device.violations]

    def _add(self, kind: type[Part], name: str, **settings) -> Part:
        device = kind(self._world.corner(f"{self._unit} {name}"), name=name, **settings)
        self.devices[name] = device
        return device

    def _corner(self, name: str):
        return self._world.corner(f"{self._unit} {name} wire")

    def _contacts(self, table: dict) -> dict[str, Input]:
        """Buttons and loops: whatever the table calls neither contact, touch nor card."""
        found = {}
        for name, (bit, active) in table.items():
            self.expander.set_input(bit, bool(1 - active))
            if name.endswith(("_CONTACT", "_TOUCH", "_PRESENT")):
                continue
            contact = Input(self._world.corner(f"{self._unit} {name}"), name, normally_closed=bool(active))
            contact.on_level = lambda level, bit=bit: self.expander.set_input(bit, bool(level))
            found[name] = contact
        return found

    def _wire_i2c(self, board: dict) -> None:
        bus = I2cBus(
            self._corner("i2c"), "i2c", lambda low: self._chip.set_input(board["interrupt"], 1 - low)
        )
        self._chip.set_input(board["interrupt"], 1)
        bridge = self._add(SerialBridge, "bridge", **board["bridge"])
        self.card_reader = self._add(CardReader, "card_reader")
        self.readers: dict[str, UhfReader] = {}
        for name, settings in board["readers"].items():
            self.readers[name] = self._add(UhfReader, name)
            reader = TappedSerial(self._corner(name), self.readers[name])
            bridge.connect(settings["bridge_channel"], reader)
            self.taps[name] = (reader.up, reader.down)
        for device in (self.expander, bridge, self.card_reader):
            bus.add(device)
            self.taps[device.name] = bus.taps[device.address]
        self._chip.attach(
            f"i2c{board['i2c']['id']}",
            {
                "configure": (lambda _frequency: None, (int,)),
                "scan": (bus.scan, ()),
                "write": (bus.write, (int, bytes)),
                "read": (bus.read, (int, int)),
                "exchange": (bus.exchange, (int, bytes, int)),
            },
        )

    def _wire_screens(self, board: dict) -> None:
        self._spi = SpiBus(self._corner("spi"), "spi")
        self.taps["screens"] = (self._spi.up,)
        self.screens: dict[str, Display] = {}
        self._selects: dict[str, Display] = {}
        for name, settings in board["screens"].items():
            screen = self._add(Display, name, width=settings["width"], height=settings["height"])
            self.screens[name] = screen
            self._spi.add(screen)
            self._selects[settings["cs"]] = screen
        self._screen_pins = (board["screen_dc"], board["screen_reset"])
        self._chip.attach(
            f"spi{board['spi']['id']}",
            {
                "configure": (lambda _baud: None, (int,)),
                "transfer": (self._spi.transfer, (bytes,)),
            },
            self._spi.write,
        )

    def _wire_fingerprints(self, board: dict) -> None:
        inputs = board["expander"]["inputs"]
        self.fingerprints: dict[str, FingerprintModule] = {}
        for name, settings in board["fingerprints"].items():
            module = self.fingerprints[name] = self._add(FingerprintModule, name)
            channel, bit = f"uart{settings['uart']}", inputs[settings["touch"]][0]
            line = SerialLine(
                self._corner(name), name, module, lambda data, channel=channel: self._chip.post(channel, data)
            )
            self._chip.attach(channel, {"configure": (line.configure, (int, int, int, int))}, line.write)
            self.taps[name] = (line.up, line.down)
            module.on_touch = lambda level, bit=bit: self.expander.set_input(bit, bool(level))
            module.on_touch(module.touch_level)

    def _wire_doors(self, board: dict) -> None:
        """Doors stay powered: they are the building's. A relay that is energised releases its strike."""
        inputs, relays = board["expander"]["inputs"], {}
        self.doors: dict[str, Door] = {}
        for settings in board["doors"].values():
            name = settings["name"]
            door = Door(self._world.corner(f"{self._unit} {name} door"), f"{name} door")
            door.power(True)
            bit = inputs[settings["contact"]][0]
            door.on_contact = lambda closed, bit=bit: self.expander.set_input(bit, not closed)
            relays[settings["relay"]] = door
            self.doors[name] = door

        def drive(number: int, level: int) -> None:
            if number in relays:
                relays[number].energise(bool(level))

        self._chip.on_output = drive

    def _wire_speaker(self, settings: dict) -> None:
        speaker = self.speaker = self._add(Speaker, "speaker")
        channel = f"i2s{settings['i2s']}"
        self.taps["speaker"] = (Tap(self._corner("speaker"), "speaker"),)
        ring = {"ms": 0}

        def configure(rate: int, bits: int, channels: int, size: int) -> None:
            speaker.configure(rate, bits, channels)
            ring["ms"] = size * 500 // rate

        def play(data: bytes) -> None:
            """The transmitter asks for more as soon as what it has fits into its ring."""
            if self.taps["speaker"][0].cut:
                return  # nothing is ever taken
            left = speaker.write(data)
            self._world.call_later(max(0, left - ring["ms"]), lambda: self._chip.post(channel, b""))

        calls = {"configure": (configure, (int, int, int, int)), "stop": (speaker.stop, ())}
        self._chip.attach(channel, calls, play)

    def _expander_output(self, pin: int, level: bool | None) -> None:
        """A pin of the expander changed; one that drives nothing is pulled up."""
        name, high = self._pins.get(pin, ""), level is None or level
        if self._high.get(name) == high:
            return
        self._high[name] = high
        if name in self._selects:
            self._selects[name].select(not high)
        elif name == self._screen_pins[0]:
            self._spi.dc = int(high)
        elif name == self._screen_pins[1] and high:
            for screen in self._selects.values():
                screen.hardware_reset()
        elif name == self._bus_reset and not high:
            self.devices["bridge"].reset()
            self.devices["card_reader"].reset()
