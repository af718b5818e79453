"""`network` of MicroPython's ESP32 port: whether cable or radio have a link is the world's business."""
# ruff: noqa: A002, ARG002 - the names and signatures are MicroPython's

import simulated_bus  # pyright: ignore[reportMissingImports]

STA_IF, AP_IF = 0, 1
PHY_W5500 = 8
STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP = 1000, 1001, 1010
ETH_INITIALIZED, ETH_STARTED, ETH_STOPPED, ETH_CONNECTED, ETH_DISCONNECTED, ETH_GOT_IP = 0, 1, 2, 3, 4, 5


class _Interface:
    def __init__(self):
        self._active = False

    def active(self, on=None):
        if on is not None:
            self._active = bool(on)
        return self._active

    def isconnected(self):
        return self._active and simulated_bus.bus.call("net", "link")

    def ifconfig(self, settings=None):
        return None if settings else ("10.0.0.2", "255.255.255.0", "10.0.0.1", "10.0.0.1")

    def ipconfig(self, *names, **settings):
        if settings or not names:
            return None
        return {"addr4": ("10.0.0.2", "255.255.255.0"), "gw4": "10.0.0.1", "dhcp4": True}.get(names[0])

    def config(self, *names, **settings):
        return simulated_bus.bus.call("system", "unique_id") if "mac" in names and not settings else None


class WLAN(_Interface):
    """A radio that joins when asked to."""

    IF_STA, IF_AP = STA_IF, AP_IF

    def __init__(self, interface=STA_IF):
        super().__init__()

    def connect(self, *_arguments, **_settings):
        pass

    def disconnect(self):
        pass

    def status(self, *_names):
        return STAT_GOT_IP if self.isconnected() else STAT_CONNECTING


class LAN(_Interface):
    """The W5500's interface; its registers are not emulated, the sockets above them are."""

    def __init__(self, id=0, **_wiring):
        super().__init__()

    def status(self):
        return ETH_GOT_IP if self.isconnected() else ETH_DISCONNECTED


def hostname(name=None):
    return None if name else "doorward"


def country(code=None):
    return None if code else "CN"
