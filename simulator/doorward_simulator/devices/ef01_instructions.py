"""What each EF01 instruction does: one table from code to name, argument bytes, time and action.

Sources: R503 user manual 1.2.2 chapter "Module instruction system"; ZFM-20 manual chapter 6. Additions of
GROW (0x28, 0x30, 0x36, 0x39, 0x3A, 0x3C, 0x3D, 0x40) are unknown to modules without product information.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doorward_simulator.devices import ef01_prints as prints
from doorward_simulator.devices.ef01_library import OK
from doorward_simulator.devices.ef01_profiles import Profile
from doorward_simulator.devices.ef01_settings import Light

if TYPE_CHECKING:
    from doorward_simulator.devices.ef01 import FingerprintModule

WRONG_PASSWORD, WRONG_REGISTER, WRONG_VALUE, WRONG_PAGE, SENSOR_ABNORMAL = 0x13, 0x1A, 0x1B, 0x1C, 0x29
BAUD_FACTORS = range(1, 13)
NOTEPAD_PAGES = 16
QUICK_MS = 2  # of work for what only touches memory

Action = Callable[["FingerprintModule", bytes], None]
Duration = int | Callable[["FingerprintModule", bytes], int]


@dataclass(frozen=True)
class Instruction:
    """One row of the table."""

    name: str
    arguments: int
    action: Action
    work: Duration = QUICK_MS
    grow_only: bool = False
    ring_only: bool | None = None
    open: bool = False  # works without the password

    def known_to(self, profile: Profile) -> bool:
        """Whether a model has this instruction."""
        if self.ring_only is not None and self.ring_only != profile.ring:
            return False
        return profile.product_info or not self.grow_only

    def duration(self, module: FingerprintModule, arguments: bytes) -> int:
        """Milliseconds of work before the answer."""
        return self.work(module, arguments) if callable(self.work) else self.work

    def run(self, module: FingerprintModule, arguments: bytes) -> None:
        self.action(module, arguments)


# --- settings


def _verify_password(module: FingerprintModule, arguments: bytes) -> None:
    module.verified = int.from_bytes(arguments, "big") == module.settings.password
    module.acknowledge(OK if module.verified else WRONG_PASSWORD)


def _set_password(module: FingerprintModule, arguments: bytes) -> None:
    module.settings.password = int.from_bytes(arguments, "big")
    module.acknowledge(OK)


def _set_address(module: FingerprintModule, arguments: bytes) -> None:
    module.settings.address = int.from_bytes(arguments, "big")
    module.acknowledge(OK)  # already from the new address


def _set_parameter(module: FingerprintModule, arguments: bytes) -> None:
    register, value = arguments
    settings = module.settings
    allowed = {4: BAUD_FACTORS, 5: (1, 2, 3, 4, 5), 6: (0, 1, 2, 3)}.get(register)
    if allowed is None or value not in allowed:
        module.acknowledge(WRONG_REGISTER if allowed is None else WRONG_VALUE)
        return
    module.acknowledge(OK)  # still at the old rate
    if register == 4:
        settings.baud_factor = value
        module.baud = 9600 * value
    elif register == 5:
        settings.security = value
    else:
        settings.packet_code = value


def _parameters(module: FingerprintModule) -> bytes:
    settings = module.settings
    status = (module.passed << 1) | (module.verified << 2) | ((module.library.image is not None) << 3)
    return struct.pack(
        ">HHHHIHH",
        status,
        0x0009 if not module.profile.product_info else 0x0000,
        module.profile.capacity,
        settings.security,
        settings.address,
        settings.packet_code,
        settings.baud_factor,
    )


def _read_parameters(module: FingerprintModule, _arguments: bytes) -> None:
    module.acknowledge(OK, _parameters(module))


def _information_page(module: FingerprintModule, _arguments: bytes) -> None:
    """512 bytes: parameters, USB ids, three reserved words, then four names of eight characters."""
    names = (module.profile.model, "V1.2.2", "HZGROW" if module.profile.product_info else "Synochip")
    page = _parameters(module) + struct.pack(">HH6x", 0x0453, 0x9005)
    page += b"".join(name.encode("ascii")[:8].ljust(8, b"\0") for name in (*names, module.profile.sensor))
    page += bytes(8 + 4 + 54) + b"\x12\x34"  # password is not shown; lock flag; entries; table is valid
    module.acknowledge(OK)
    module.upload(page.ljust(512, b"\xff"))


def _product(module: FingerprintModule, _arguments: bytes) -> None:
    profile = module.profile
    module.acknowledge(
        OK,
        struct.pack(
            ">16s4s8s2B8sHHHH",
            profile.model.encode("ascii"),
            b"0001",
            module.serial.encode("ascii"),
            1,
            2,
            profile.sensor.encode("ascii"),
            profile.image_width,
            profile.image_height,
            profile.template_size,
            profile.capacity,
        ),
    )


def _text(text: bytes) -> Action:
    return lambda module, _arguments: module.acknowledge(OK, text.ljust(32, b"\0"))


def _write_notepad(module: FingerprintModule, arguments: bytes) -> None:
    if arguments[0] >= NOTEPAD_PAGES:
        module.acknowledge(WRONG_PAGE)
        return
    module.notepad[arguments[0]] = arguments[1:]
    module.acknowledge(OK)


def _read_notepad(module: FingerprintModule, arguments: bytes) -> None:
    if arguments[0] >= NOTEPAD_PAGES:
        module.acknowledge(WRONG_PAGE)
    else:
        module.acknowledge(OK, module.notepad.get(arguments[0], bytes(32)))


# --- the rest


def _ring(module: FingerprintModule, arguments: bytes) -> None:
    light = Light(*arguments)
    if not 1 <= light.mode <= 6 or not 1 <= light.colour <= 7:
        module.violation("ring: mode is 1 to 6, colour 1 to 7", arguments)
        module.acknowledge(WRONG_VALUE)
        return
    module.light = light
    module.acknowledge(OK)


def _light(mode: int) -> Action:
    def switch(module: FingerprintModule, _arguments: bytes) -> None:
        module.light = Light(mode=mode, colour=4)
        module.acknowledge(OK)

    return switch


def _random(module: FingerprintModule, _arguments: bytes) -> None:
    module.acknowledge(OK, module.scheduler.random.randbytes(4))


def _answer(code: int) -> Action:
    return lambda module, _arguments: module.acknowledge(code)


def _check_sensor(module: FingerprintModule, _arguments: bytes) -> None:
    module.acknowledge(OK if module.sensor_works else SENSOR_ABNORMAL)


def _soft_reset(module: FingerprintModule, _arguments: bytes) -> None:
    module.acknowledge(OK)
    module.restart()


TABLE: dict[int, Instruction] = {
    0x01: Instruction("GenImg", 0, prints.generate_image, prints.capture_work),
    0x02: Instruction("Img2Tz", 1, prints.extract, lambda module, _: module.profile.features_ms),
    0x03: Instruction("Match", 0, prints.match, 30),
    0x04: Instruction("Search", 5, prints.search, prints.search_work),
    0x05: Instruction("RegModel", 0, prints.combine, lambda module, _: module.profile.merge_ms),
    0x06: Instruction("Store", 3, prints.store, lambda module, _: module.profile.store_ms),
    0x07: Instruction("LoadChar", 3, prints.load, 10),
    0x08: Instruction("UpChar", 1, prints.upload_template),
    0x09: Instruction("DownChar", 1, prints.download_template),
    0x0A: Instruction("UpImage", 0, prints.upload_image),
    0x0C: Instruction("DeletChar", 4, prints.delete, 30),
    0x0D: Instruction("Empty", 0, prints.empty, 150),
    0x0E: Instruction("SetSysPara", 2, _set_parameter, 20),
    0x0F: Instruction("ReadSysPara", 0, _read_parameters),
    0x12: Instruction("SetPwd", 4, _set_password, 20),
    0x13: Instruction("VfyPwd", 4, _verify_password, open=True),
    0x14: Instruction("GetRandomCode", 0, _random),
    0x15: Instruction("SetAdder", 4, _set_address, 20),
    0x16: Instruction("ReadINFpage", 0, _information_page),
    0x18: Instruction("WriteNotepad", 33, _write_notepad, 20),
    0x19: Instruction("ReadNotepad", 1, _read_notepad),
    0x1B: Instruction("HiSpeedSearch", 5, prints.search, prints.search_work),
    0x1D: Instruction("TempleteNum", 0, prints.count),
    0x1F: Instruction("ReadIndexTable", 1, prints.index),
    0x28: Instruction("GetImageEx", 0, prints.get_image_extended, prints.capture_work, grow_only=True),
    0x30: Instruction("Cancel", 0, _answer(OK), grow_only=True),
    0x35: Instruction("AuraLedConfig", 4, _ring, ring_only=True),
    0x36: Instruction("CheckSensor", 0, _check_sensor, grow_only=True),
    0x39: Instruction("GetAlgVer", 0, _text(b"FPA-1.5.2"), grow_only=True),
    0x3A: Instruction("GetFwVer", 0, _text(b"FPM-1.2.2"), grow_only=True),
    0x3C: Instruction("ReadProdInfo", 0, _product, grow_only=True),
    0x3D: Instruction("SoftRst", 0, _soft_reset, grow_only=True, open=True),
    0x40: Instruction("HandShake", 0, _answer(OK), grow_only=True, open=True),
    0x50: Instruction("OpenLED", 0, _light(3), ring_only=False),
    0x51: Instruction("CloseLED", 0, _light(4), ring_only=False),
    0x53: Instruction("GetEcho", 0, _answer(0x55), open=True),
}
