"""EF01 instructions on prints: capture, features, templates, search.

Each function is the action of one row of `ef01_instructions.TABLE`: it gets the module and the bytes of its
arguments and acknowledges (R503 user manual 1.2.2, "Fingerprint-processing instructions").
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from doorward_simulator import finger_image
from doorward_simulator.devices.ef01_library import (
    LEAST_QUALITY,
    NO_FINGER,
    NO_IMAGE_UPLOAD,
    NO_UPLOAD,
    NOT_CAPTURED,
    OK,
    OUT_OF_RANGE,
    TOO_FEW,
)

if TYPE_CHECKING:
    from doorward_simulator.devices.ef01 import FingerprintModule


def buffer_of(number: int) -> int:
    """Buffers are 1 and 2; any other number means 2 (manual, note to Img2Tz)."""
    return 1 if number == 1 else 2


# --- capture and features


def capture_work(module: FingerprintModule, _arguments: bytes) -> int:
    return module.profile.capture_ms if module.finger else module.profile.empty_capture_ms


def generate_image(module: FingerprintModule, _arguments: bytes) -> None:
    if not module.sensor_works:
        module.acknowledge(NOT_CAPTURED)
    elif module.finger is None:
        module.acknowledge(NO_FINGER)
    else:
        module.acknowledge(module.library.take_image(module.finger))


def get_image_extended(module: FingerprintModule, arguments: bytes) -> None:
    if module.sensor_works and module.finger and module.finger.quality < LEAST_QUALITY:
        module.acknowledge(TOO_FEW)
    else:
        generate_image(module, arguments)


def extract(module: FingerprintModule, arguments: bytes) -> None:
    module.acknowledge(module.library.extract(buffer_of(arguments[0])))


def combine(module: FingerprintModule, _arguments: bytes) -> None:
    module.acknowledge(module.library.combine())


def upload_image(module: FingerprintModule, _arguments: bytes) -> None:
    touch = module.library.image
    if touch is None:
        module.acknowledge(NO_IMAGE_UPLOAD)
        return
    profile = module.profile
    pixels = finger_image.draw(touch, module.scheduler.random, profile.image_width, profile.image_height)
    module.acknowledge(OK)
    module.upload(finger_image.packed(pixels))


# --- templates


def store(module: FingerprintModule, arguments: bytes) -> None:
    buffer, slot = struct.unpack(">BH", arguments)
    module.acknowledge(module.library.store(buffer_of(buffer), slot))


def load(module: FingerprintModule, arguments: bytes) -> None:
    buffer, slot = struct.unpack(">BH", arguments)
    module.acknowledge(module.library.load(buffer_of(buffer), slot))


def upload_template(module: FingerprintModule, arguments: bytes) -> None:
    template = module.library.buffers[buffer_of(arguments[0])]
    module.acknowledge(OK if template else NO_UPLOAD)
    if template:
        module.upload(template)


def download_template(module: FingerprintModule, arguments: bytes) -> None:
    buffer = buffer_of(arguments[0])
    module.library.buffers[buffer] = None
    module.download = (buffer, bytearray())
    module.acknowledge(OK)


def delete(module: FingerprintModule, arguments: bytes) -> None:
    module.acknowledge(module.library.delete(*struct.unpack(">HH", arguments)))


def empty(module: FingerprintModule, _arguments: bytes) -> None:
    module.library.slots.clear()
    module.acknowledge(OK)


def match(module: FingerprintModule, _arguments: bytes) -> None:
    code, score = module.library.match(module.settings.security)
    module.passed = code == OK
    module.acknowledge(code, struct.pack(">H", score))


def search_work(module: FingerprintModule, arguments: bytes) -> int:
    _, first, count = struct.unpack(">BHH", arguments)
    profile = module.profile
    return profile.search_ms + profile.search_each_ms * len(module.library.occupied(first, count))


def search(module: FingerprintModule, arguments: bytes) -> None:
    buffer, first, count = struct.unpack(">BHH", arguments)
    code, slot, score = module.library.search(buffer_of(buffer), first, count, module.settings.security)
    module.passed = code == OK
    module.acknowledge(code, struct.pack(">HH", slot, score))


def count(module: FingerprintModule, _arguments: bytes) -> None:
    module.acknowledge(OK, struct.pack(">H", len(module.library.slots)))


def index(module: FingerprintModule, arguments: bytes) -> None:
    if arguments[0] > 3:
        module.acknowledge(OUT_OF_RANGE)
    else:
        module.acknowledge(OK, module.library.index_table(arguments[0]))
