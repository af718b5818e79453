"""Frames of the PN532 over I2C (user manual UM0701-02 rev. 02, chapters 6.2.1 and 6.2.4).

    00 | 00 FF | length | complement of length | D4 or D5 | content | complement of the sum | 00

Length counts from D4 or D5; "complement" means that both add up to 0 modulo 256. Every reading over I2C
begins with a status byte, 01 when a frame is ready. Frames of more than 255 bytes are not used.
"""

from doorward_protocol.compat import const

ACK = b"\x00\x00\xff\x00\xff\x00"
READY = const(0x01)
_TO_CHIP = const(0xD4)
_FROM_CHIP = const(0xD5)


def encode(command: int, parameters: bytes = b"") -> bytes:
    """A command frame."""
    body = bytes((_TO_CHIP, command)) + parameters
    length = len(body)
    frame = bytes((0, 0, 0xFF, length, -length & 255)) + body
    return frame + bytes((-sum(body) & 255, 0))


def decode(data: bytes) -> tuple | None:
    """(answer code, content) of the first sound frame in what was read behind the status byte, or None."""
    start = data.find(b"\x00\xff")
    while start >= 0:
        at = start + 2
        if at + 2 <= len(data):
            length = data[at]
            body = data[at + 2 : at + 2 + length]
            end = at + 2 + length
            sound = (length + data[at + 1]) & 255 == 0 and length >= 2 and end < len(data)
            if sound and body[0] == _FROM_CHIP and (sum(body) + data[end]) & 255 == 0:
                return body[1], body[2:]
        start = data.find(b"\x00\xff", start + 1)
    return None
