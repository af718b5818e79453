"""What each command of an M100/R200 reader does: one table from code to action.

Source: YRM100/M100 user protocol 2.3.3, chapter 2. An action gets the reader, its own code and the
parameters; parameters that do not fit raise and are answered with error 0x17.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from doorward_simulator.devices.tags import MEMORY_LOCKED, MEMORY_OVERRUN, Tag

if TYPE_CHECKING:
    from doorward_simulator.devices.m100 import UhfReader

NO_TAG_TO_READ, NO_TAG_TO_WRITE, NO_TAG_TO_KILL, NO_TAG_TO_LOCK = 0x09, 0x10, 0x12, 0x13
READ_ERROR, WRITE_ERROR, LOCK_ERROR, KILL_ERROR = 0xA0, 0xB0, 0xC0, 0xD0  # plus the tag's own code
ROUND_MS, ACCESS_MS = 18, 12
REGIONS = (1, 2, 3, 4, 6)
HARDWARE, SOFTWARE, MAKER = b"M100 26dBm V1.0", b"V2.3.5", b"MagicRF"

Action = Callable[["UhfReader", int, bytes], None]


def identity(tag: Tag) -> bytes:
    """Length, PC and EPC, as access responses name the tag."""
    return bytes([2 + len(tag.epc)]) + tag.protocol_control + tag.epc


def _information(reader: UhfReader, command: int, parameters: bytes) -> None:
    (kind,) = parameters
    reader.respond(command, parameters + (HARDWARE, SOFTWARE, MAKER)[kind])


def _poll(reader: UhfReader, _command: int, parameters: bytes) -> None:
    if parameters:
        raise ValueError
    reader.polling = 0
    reader.later(ROUND_MS, reader.poll_once)


def _poll_many(reader: UhfReader, _command: int, parameters: bytes) -> None:
    reserved, count = struct.unpack(">BH", parameters)
    if reserved != 0x22 or not count:
        raise ValueError
    reader.start_polling(count)


def _stop(reader: UhfReader, command: int, _parameters: bytes) -> None:
    reader.stop_polling()
    reader.respond(command)


def _set_select(reader: UhfReader, command: int, parameters: bytes) -> None:
    _, _, length, _ = struct.unpack_from(">BIBB", parameters)
    if len(parameters) != 7 + -(-length // 8):
        raise ValueError
    reader.select = parameters
    reader.select_mode = 2  # the protocol: setting parameters switches the mode to 2
    reader.respond(command)


def _get_select(reader: UhfReader, command: int, _parameters: bytes) -> None:
    reader.respond(command, reader.select)


def _set_select_mode(reader: UhfReader, command: int, parameters: bytes) -> None:
    (mode,) = parameters
    if mode > 2:
        raise ValueError
    reader.select_mode = mode
    reader.respond(command)


def _read(reader: UhfReader, command: int, parameters: bytes) -> None:
    password, bank, start, count = struct.unpack(">IBHH", parameters)
    if bank > 3:
        raise ValueError

    def answer() -> None:
        tag = reader.one_tag(NO_TAG_TO_READ, password)
        if tag is None:
            return
        memory = tag.bank(bank)
        end = (start + count) * 2 if count else len(memory)
        if end > len(memory) or start * 2 >= len(memory):
            reader.fail(READ_ERROR | MEMORY_OVERRUN, tag)
        else:
            reader.respond(command, identity(tag) + memory[start * 2 : end])

    reader.later(ACCESS_MS, answer)


def _refused(reader: UhfReader, missing: int, error: int) -> Callable[[], None]:
    def answer() -> None:
        tag = reader.one_tag(missing, 0)
        if tag is not None:
            reader.fail(error | MEMORY_LOCKED, tag)

    return answer


def _write(reader: UhfReader, _command: int, parameters: bytes) -> None:
    _, bank, _, count = struct.unpack_from(">IBHH", parameters)
    if bank > 3 or len(parameters) != 9 + 2 * count:
        raise ValueError
    reader.later(ACCESS_MS, _refused(reader, NO_TAG_TO_WRITE, WRITE_ERROR))


def _lock(reader: UhfReader, _command: int, parameters: bytes) -> None:
    struct.unpack(">I3s", parameters)
    reader.later(ACCESS_MS, _refused(reader, NO_TAG_TO_LOCK, LOCK_ERROR))


def _kill(reader: UhfReader, _command: int, parameters: bytes) -> None:
    struct.unpack(">I", parameters)
    reader.later(ACCESS_MS, _refused(reader, NO_TAG_TO_KILL, KILL_ERROR))


def _set_region(reader: UhfReader, command: int, parameters: bytes) -> None:
    (region,) = parameters
    if region not in REGIONS:
        raise ValueError
    reader.region = region
    reader.respond(command)


def _get_region(reader: UhfReader, command: int, _parameters: bytes) -> None:
    reader.respond(command, bytes([reader.region]))


def _set_power(reader: UhfReader, command: int, parameters: bytes) -> None:
    (power,) = struct.unpack(">H", parameters)
    if power > 3000:
        raise ValueError
    reader.power_cdbm = power
    reader.respond(command)


def _get_power(reader: UhfReader, command: int, _parameters: bytes) -> None:
    reader.respond(command, struct.pack(">H", reader.power_cdbm))


def _set_channel(reader: UhfReader, command: int, parameters: bytes) -> None:
    (reader.channel,) = parameters
    reader.respond(command)


def _get_channel(reader: UhfReader, command: int, _parameters: bytes) -> None:
    reader.respond(command, bytes([reader.channel]))


def _hop(reader: UhfReader, command: int, parameters: bytes) -> None:
    (setting,) = parameters
    if setting not in (0x00, 0xFF):
        raise ValueError
    reader.hopping = setting == 0xFF
    reader.respond(command)


def _set_query(reader: UhfReader, command: int, parameters: bytes) -> None:
    (reader.query,) = struct.unpack(">H", parameters)
    reader.respond(command)


def _get_query(reader: UhfReader, command: int, _parameters: bytes) -> None:
    reader.respond(command, struct.pack(">H", reader.query))


def _set_modem(reader: UhfReader, command: int, parameters: bytes) -> None:
    if len(parameters) != 4:
        raise ValueError
    reader.modem = parameters
    reader.respond(command)


def _get_modem(reader: UhfReader, command: int, _parameters: bytes) -> None:
    reader.respond(command, reader.modem)


def _set_baud(reader: UhfReader, _command: int, parameters: bytes) -> None:
    (hundreds,) = struct.unpack(">H", parameters)
    reader.baud = hundreds * 100  # at once and without an answer


def _sleep(reader: UhfReader, command: int, _parameters: bytes) -> None:
    reader.respond(command)
    reader.asleep = True


TABLE: dict[int, Action] = {
    0x03: _information,
    0x07: _set_region,
    0x08: _get_region,
    0x0B: _get_select,
    0x0C: _set_select,
    0x0D: _get_query,
    0x0E: _set_query,
    0x11: _set_baud,
    0x12: _set_select_mode,
    0x17: _sleep,
    0x22: _poll,
    0x27: _poll_many,
    0x28: _stop,
    0x39: _read,
    0x49: _write,
    0x65: _kill,
    0x82: _lock,
    0xAA: _get_channel,
    0xAB: _set_channel,
    0xAD: _hop,
    0xB6: _set_power,
    0xB7: _get_power,
    0xF0: _set_modem,
    0xF1: _get_modem,
}
