"""Frames on a serial line, which by itself knows bytes and no messages: COBS.

    frame with its zeros taken out | 00

Consistent Overhead Byte Stuffing (Cheshire and Baker, IEEE/ACM Transactions on Networking 7(2), 1999) makes
a zero on the line mean the end of a frame and nothing else. A frame is a row of groups, each behind a code: n
from 1 to 254 stands for n - 1 bytes and a zero, 255 for 254 bytes without one; the zero that the last group
stands for is not part of the frame. So a receiver that has lost its place finds it again at the next zero,
and damage costs the frame that it hit, or two if it hit the zero between them.

A damaged frame may still look like one: COBS has no checksum. What travels in it, a message of the handshake
or a frame of the channel, detects every change by itself.
"""

from doorward_protocol.compat import const
from doorward_protocol.errors import MALFORMED, TOO_LARGE, ProtocolError

MAX_FRAME = const(4096)  # bytes: the channel's largest

_FULL = const(255)  # code of a group of 254 bytes with no zero behind it
_MAX_ENCODED = MAX_FRAME + MAX_FRAME // (_FULL - 1) + 1  # without the zero at its end


def encode(frame):
    """Return what goes out for frame, with the zero at its end. Raises TOO_LARGE."""
    if len(frame) > MAX_FRAME:
        raise ProtocolError(TOO_LARGE, "serial frame")
    out = bytearray(1)
    start = 0  # where the code of the present group stands
    for byte in frame:
        if len(out) - start == _FULL:
            out[start] = _FULL
            start = len(out)
            out.append(0)
        if byte:
            out.append(byte)
        else:
            out[start] = len(out) - start
            start = len(out)
            out.append(0)
    out[start] = len(out) - start
    out.append(0)
    return bytes(out)


def decode(data):
    """Return the frame that came as data, without the zero at its end. Raises MALFORMED, TOO_LARGE."""
    data = bytes(data)
    if not data or data.find(b"\x00") >= 0:
        raise ProtocolError(MALFORMED, "serial frame")
    out = bytearray()
    at = 0
    while at < len(data):
        code = data[at]
        out.extend(data[at + 1 : at + code])
        at += code
        if code != _FULL and at < len(data):
            out.append(0)
    if at > len(data):
        raise ProtocolError(MALFORMED, "serial frame cut short")
    if len(out) > MAX_FRAME:
        raise ProtocolError(TOO_LARGE, "serial frame")
    return bytes(out)


class Decoder:
    """Cuts what arrives into frames: feed(data), then next() until it gives None. Holds one frame at most."""

    def __init__(self):
        self._begun = b""  # of the frame whose end has not come
        self._fed = b""
        self._at = 0  # how much of it has been looked at
        self._overlong = False

    def feed(self, data):
        """Add received bytes."""
        self._fed = self._fed[self._at :] + data
        self._at = 0

    def next(self):
        """Return the next frame, or None until more bytes have come.

        Raises MALFORMED or TOO_LARGE for a frame that is none, once for each; the next call goes on behind
        it. Zeros with nothing between them are passed over.
        """
        while self._at < len(self._fed):
            zero = self._fed.find(b"\x00", self._at)
            end = len(self._fed) if zero < 0 else zero
            if len(self._begun) + end - self._at > _MAX_ENCODED:
                self._overlong = True
            self._begun = b"" if self._overlong else self._begun + self._fed[self._at : end]
            self._at = end + 1
            if zero >= 0 and (self._begun or self._overlong):
                return self._finish()
        self._fed = b""
        self._at = 0
        return None

    def _finish(self):
        overlong, data = self._overlong, self._begun
        self._overlong, self._begun = False, b""
        if overlong:
            raise ProtocolError(TOO_LARGE, "serial frame")
        return decode(data)
