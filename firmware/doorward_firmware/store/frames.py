"""One written piece: length, kind and CRC in front, padded to whole units. Journal and state consist of
these.

    length u16 | kind u8 | 0 | CRC-32 of these four bytes and the payload u32 | payload | 0xFF up to 16 bytes

The CRC starts from a seed, the sequence number of the sector or log, so that no remainder of an earlier round
can be taken for a piece of this one.
"""

import struct
from binascii import crc32

from doorward_protocol.compat import const

from doorward_firmware.store.flash import UNIT, padded

HEADER = const(1)  # kinds: what begins a sector or log
ENTRY = const(2)  # and what follows

FRAME_HEAD = const(8)  # bytes in front of the payload


def frame(kind, payload, seed):
    """Return the bytes to program for a payload."""
    head = struct.pack(">HBB", len(payload), kind, 0)
    return padded(head + struct.pack(">I", crc32(payload, crc32(head, seed))) + payload)


def frame_size(length):
    """Bytes that a frame with a payload of length occupies."""
    return (FRAME_HEAD + length + UNIT - 1) // UNIT * UNIT


def read_frame(data, at, kind, seed):
    """Return the payload of the frame of kind that begins at data[at], or None where no whole one does."""
    if at + FRAME_HEAD > len(data):
        return None
    length, found, _, crc = struct.unpack_from(">HBBI", data, at)
    end = at + FRAME_HEAD + length
    if found != kind or end > len(data):
        return None
    payload = bytes(data[at + FRAME_HEAD : end])
    return payload if crc32(payload, crc32(bytes(data[at : at + 4]), seed)) == crc else None


def entries_from(data, at, seed):
    """Return (payloads, starts, end) of the whole entries that follow one another in data from at on."""
    payloads = []
    starts = []
    while True:
        payload = read_frame(data, at, ENTRY, seed)
        if payload is None:
            return payloads, starts, at
        payloads.append(payload)
        starts.append(at)
        at += frame_size(len(payload))
