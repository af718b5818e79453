"""Makes the drivers from the board's tables and opens them, so that what is broken stops nobody else.

A part that cannot be made (no such module in the image, a bus that fails) is replaced by a `Missing`, which
has every method and raises the same `DriverError` from each. A part that can be made but does not answer
stays in place: its driver reports the failure and tries again when it is used.
"""

import asyncio

from doorward_protocol.errors import (
    CAMERA_FAILED,
    READER_SILENT,
    SCREEN_FAILED,
    SENSOR_SILENT,
)

from .camera import CameraDriver
from .card import CardReader
from .doors import Doors
from .errors import DriverError, ignore_fault, observed
from .expander import Expander
from .fingerprint import Fingerprint
from .inputs import Inputs
from .interrupts import InterruptLine
from .screen import Bus, Screen
from .serial_port import open_port
from .speaker import Speaker
from .uart_bridge import Bridge
from .uhf import UhfReader

_RESET_TIME = 20  # ms that the reset lines are held, and then waited for


class Missing:
    """Stands in for a part that could not be made."""

    def __init__(self, name: str, reason: int, detail: str):
        self.name = name
        self.on_fault = ignore_fault
        self._error = (reason, detail)

    async def open(self) -> None:
        raise DriverError(*self._error)

    async def self_test(self) -> tuple:
        return False, str(DriverError(*self._error))

    def __getattr__(self, method):
        def fail(*_arguments, **_named):
            raise DriverError(*self._error)

        return fail


class Board:
    """All drivers. `on_fault(name, reason, detail)` hears of failures and recoveries (reason 0) later on."""

    def __init__(self, table: dict, passwords: dict, random, on_fault):
        self._table = table
        self._random = random
        self._on_fault = on_fault
        self._parts = []
        self._line = self._server = None
        # The relays first: nothing else may fail before they are at rest.
        relays = {door: _output(entry["relay"]) for door, entry in table["doors"].items()}
        self._i2c = _i2c(table["i2c"])
        expander = table["expander"]
        chip = Expander(self._i2c, expander["address"], expander["inputs"], expander["outputs"])
        self.expander = self._keep(chip)
        self.inputs = self._keep(Inputs(self.expander, expander["inputs"]))
        contacts = {door: entry["contact"] for door, entry in table["doors"].items()}
        self.doors = self._keep(Doors(relays, contacts, self.inputs))
        self.bridge = self._keep(Bridge(self._i2c, table["bridge"]["address"], table["bridge"]["crystal"]))
        self.outer_fingerprint = self._fingerprint("outer_fingerprint", passwords)
        self.inner_fingerprint = self._fingerprint("inner_fingerprint", passwords)
        self.gate_reader = self._reader("gate_reader")
        self.area_reader = self._reader("area_reader")
        self.card_reader = self._keep(CardReader(self._i2c, table["card_reader"]["address"]))
        self.camera = self._make("camera", CAMERA_FAILED, self._camera)
        self.speaker = self._keep(Speaker(self._i2s))
        self._screens = self._make("screens", SCREEN_FAILED, self._screen_bus)
        self.outer_screen = self._make("outer_screen", SCREEN_FAILED, self._screen, "outer_screen")
        self.inner_screen = self._make("inner_screen", SCREEN_FAILED, self._screen, "inner_screen")

    async def start(self) -> list:
        """Reset and open everything; returns [(name, reason, detail)], reason 0 for what works."""
        results = [await self._open(self.expander)]
        await self._pulse_resets()
        results.append(await self._open(self.inputs))
        self._serve_interrupts()
        rest = [part for part in self._parts if part not in (self.expander, self.inputs, self.bridge)]
        results.append(await self._open(self.bridge))
        results.extend(await asyncio.gather(*[self._open(part) for part in rest]))
        for part in self._parts:
            part.on_fault = self._on_fault
        return results

    async def self_tests(self) -> list:
        """[(name, ok, detail)] of all parts, one after the other."""
        results = []
        for part in self._parts:
            ok, detail = await part.self_test()
            results.append((part.name, ok, detail))
        return results

    def network(self):
        """The Ethernet interface, switched on; the radio's, not yet connected, if there is none."""
        import network

        entry = self._table["ethernet"]
        wiring = {"phy_addr": 0, "cs": _pin(entry["cs"]), "int": _pin(entry["interrupt"])}
        try:
            wiring["phy_type"] = network.PHY_W5500
            wiring["spi"] = _spi(entry)
            lan = network.LAN(**wiring)
            lan.active(True)
        except (OSError, ValueError, AttributeError) as error:
            self._on_fault("network", SENSOR_SILENT, "no Ethernet: %s" % error)
        else:
            return lan
        radio = network.WLAN(network.WLAN.IF_STA)
        radio.active(True)
        return radio

    def _keep(self, part):
        self._parts.append(part)
        return part

    def _make(self, name, reason, build, *arguments):
        try:
            part = build(*arguments)
        except (ImportError, OSError, ValueError, DriverError) as error:
            part = Missing(name, reason, observed(error))
        return self._keep(part) if name != "screens" else part

    def _fingerprint(self, name, passwords):
        entry = self._table["fingerprints"][name]

        def build():
            port = open_port(entry["uart"], entry["tx"], entry["rx"], entry["baud"])
            return Fingerprint(port, self.inputs[entry["touch"]], passwords[name], name, self._random)

        return self._make(name, SENSOR_SILENT, build)

    def _reader(self, name):
        entry = self._table["readers"][name]

        def build():
            return UhfReader(self.bridge.channel(entry["bridge_channel"], entry["baud"]), name)

        return self._make(name, READER_SILENT, build)

    def _camera(self):
        entry = self._table["camera"]
        return CameraDriver(
            {
                "data_pins": list(entry["data"]),
                "pclk_pin": entry["pclk"],
                "href_pin": entry["href"],
                "vsync_pin": entry["vsync"],
                "xclk_pin": -1,
                "xclk_freq": entry["oscillator"],
                "i2c": self._i2c,
            }
        )

    def _i2s(self):
        from machine import I2S

        entry = self._table["speaker"]
        return I2S(
            entry["i2s"],
            sck=_pin(entry["bclk"]),
            ws=_pin(entry["lrclk"]),
            sd=_pin(entry["data"]),
            mode=I2S.TX,
            bits=16,
            format=I2S.MONO,
            rate=entry["rate"],
            ibuf=entry["buffer"],
        )

    def _screen_bus(self):
        selects = [self.expander.output(entry["cs"]) for entry in self._table["screens"].values()]
        return Bus(
            _spi(self._table["spi"]), self.expander, self.expander.output(self._table["screen_dc"]), selects
        )

    def _screen(self, name):
        entry = self._table["screens"][name]
        if isinstance(self._screens, Missing):
            raise DriverError(*self._screens._error)
        return Screen(self._screens, self.expander.output(entry["cs"]), entry["width"], entry["height"], name)

    async def _pulse_resets(self):
        for level in (0, 1):
            for output in ("screen_reset", "bus_reset"):
                try:
                    self.expander.output(self._table[output])(level)
                except DriverError:
                    return  # reported by the expander's own opening
            await asyncio.sleep_ms(_RESET_TIME)

    def _serve_interrupts(self):
        if self._line is None:
            from machine import Pin

            self._line = InterruptLine(Pin(self._table["interrupt"], Pin.IN, Pin.PULL_UP))
            self._line.on_fault = self._on_fault
            for source in (self.expander, self.bridge, self.card_reader):
                self._line.add(source)
            self._line.ask(self.expander)  # what could not be read at the start
            self._server = asyncio.create_task(self._line.run())

    async def _open(self, part):
        try:
            await part.open()
        except DriverError as error:
            return part.name, error.reason, error.detail
        return part.name, 0, ""


def _pin(number):
    from machine import Pin

    return Pin(number)


def _output(number):
    """An output at rest."""
    from machine import Pin

    return Pin(number, Pin.OUT, value=0)


def _i2c(entry):
    from machine import I2C

    return I2C(entry["id"], sda=_pin(entry["sda"]), scl=_pin(entry["scl"]), freq=entry["frequency"])


def _spi(entry):
    from machine import SPI

    sck, mosi, miso = _pin(entry["sck"]), _pin(entry["mosi"]), _pin(entry["miso"])
    return SPI(entry["id"], baudrate=entry["baud"], polarity=0, phase=0, sck=sck, mosi=mosi, miso=miso)
