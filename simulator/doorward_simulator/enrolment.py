"""Enrols fingers through an emulated module, with real packets, as a desk with a sensor does.

The templates that come out are therefore templates of that module: two touches, RegModel, UpChar; or one
touch and UpChar for what a later touch is to be compared with.
"""

from doorward_simulator.devices.device import SteppedScheduler
from doorward_simulator.devices.ef01 import READY, FingerprintModule
from doorward_simulator.devices.ef01_packets import COMMAND, LAST_DATA, Packet, PacketReader
from doorward_simulator.devices.ef01_profiles import LIVE, Profile
from doorward_simulator.fingers import Finger

ATTEMPTS = 3
_GENERATE_IMAGE, _FEATURES, _COMBINE, _UPLOAD = 0x01, 0x02, 0x05, 0x08


class EnrolmentDesk:
    """A module of a profile on a desk, with its own time; equal seeds give equal templates."""

    def __init__(self, profile: Profile = LIVE, seed: int = 0):
        self.scheduler = SteppedScheduler(seed)
        self.module = FingerprintModule(self.scheduler, "desk", profile)
        self._reader = PacketReader()
        self._received: list[Packet] = []
        self.module.send = self._receive
        self.module.power(True)
        self.scheduler.advance(2 * profile.start_ms)

    def enrol(self, finger: Finger) -> bytes | None:
        """The finger's template, or None when the module could not make one in ATTEMPTS tries."""
        for _ in range(ATTEMPTS):
            if all(self._touch(finger, buffer) for buffer in (1, 2)) and self._ask(_COMBINE) == 0:
                return self._upload()
        return None

    def features(self, finger: Finger) -> bytes | None:
        """What the module makes of one touch, as a template of that touch; None when it refuses."""
        return self._upload() if self._touch(finger, 1) else None

    def _touch(self, finger: Finger, buffer: int) -> bool:
        self.module.press(finger.touch(self.scheduler.random))
        captured = self._ask(_GENERATE_IMAGE) == 0
        self.module.lift()
        return captured and self._ask(_FEATURES, buffer) == 0

    def _upload(self) -> bytes:
        if self._ask(_UPLOAD, 1):
            raise RuntimeError("module refuses to upload the template it made")
        data = bytearray()
        while True:
            packet = self._next()
            data += packet.content
            if packet.identifier == LAST_DATA:
                return bytes(data)

    def _ask(self, *content: int) -> int:
        """Send an instruction; returns its confirmation code."""
        self.module.receive(Packet(self.module.settings.address, COMMAND, bytes(content)).to_bytes())
        return self._next().content[0]

    def _next(self) -> Packet:
        if not self.scheduler.run_until(lambda: bool(self._received), 5000):
            raise RuntimeError("module does not answer")
        return self._received.pop(0)

    def _receive(self, data: bytes) -> None:
        if data != READY:
            self._received += [item for item in self._reader.feed(data) if isinstance(item, Packet)]
