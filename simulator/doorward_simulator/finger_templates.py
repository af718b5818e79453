"""The bytes a module keeps for a finger: opaque to everybody else, and to every other model.

Layout (big-endian): mark "DT", format 1, model (8 characters, zero-filled), number of touches merged,
quality 0..100, number of minutiae, reserved byte, then six bytes each (x, y signed 16 bit, direction,
kind), zeros up to two bytes before the end, and a CRC-16. The size is the model's: 1,536 bytes for an
R503, 512 for an AS608.
"""

import struct
from binascii import crc_hqx
from collections.abc import Sequence

from doorward_simulator.fingers import Minutia

_HEAD = struct.Struct(">2sB8sBBBx")
_MINUTIA = struct.Struct(">hhBB")


class TemplateError(ValueError):
    """Bytes that are no template of this model; says which and why."""


def encode(model: str, size: int, minutiae: Sequence[Minutia], touches: int, quality: float) -> bytes:
    """Pack minutiae into a template of exactly `size` bytes; those over its room (or 255) are left out."""
    kept = minutiae[: min(255, (size - _HEAD.size - 2) // _MINUTIA.size)]
    body = _HEAD.pack(b"DT", 1, model.encode("ascii")[:8], touches, round(100 * quality), len(kept))
    body += b"".join(_MINUTIA.pack(m.x, m.y, m.direction, m.kind) for m in kept)
    body = body.ljust(size - 2, b"\0")
    return body + struct.pack(">H", crc_hqx(body, 0xFFFF))


def decode(model: str, size: int, data: bytes) -> list[Minutia]:
    """Minutiae of a template of this model, or TemplateError."""
    if len(data) != size:
        raise TemplateError(f"{len(data)} bytes; a template of {model} has {size}")
    if struct.unpack(">H", data[-2:])[0] != crc_hqx(data[:-2], 0xFFFF):
        raise TemplateError("checksum is wrong: the template was damaged")
    mark, layout, owner, _, _, count = _HEAD.unpack_from(data)
    if mark != b"DT" or layout != 1:
        raise TemplateError("these bytes are no template")
    owner_name = owner.rstrip(b"\0").decode("ascii", "replace")
    if owner_name != model[:8]:
        raise TemplateError(f"template of {owner_name}, not of {model}")
    if _HEAD.size + count * _MINUTIA.size > size - 2:
        raise TemplateError(f"{count} minutiae do not fit")
    return [Minutia(*_MINUTIA.unpack_from(data, _HEAD.size + i * _MINUTIA.size)) for i in range(count)]
