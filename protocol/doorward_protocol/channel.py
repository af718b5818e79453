"""The channel after the handshake: every message in one COSE_Encrypt0 frame (RFC 9052 §5.2).

    [ << {1: 10} >>, {6: partial IV}, ciphertext ]

Keys and nonces are those of RFC 8613 §3.2 and §5.2: one key per direction, named by the connection identifier
of its receiver, so that the two directions can never share a key and a nonce. The number of a frame is its
partial IV: 0, then exactly one more each time. A frame that is lost, repeated, reordered or altered closes
the channel for good; whoever wants to go on makes a new handshake.
"""

from doorward_protocol import cbor
from doorward_protocol.compat import const
from doorward_protocol.edhoc import EXPORT_SALT, EXPORT_SECRET, INITIATOR, SALT, SECRET
from doorward_protocol.errors import BAD_SEQUENCE, MALFORMED, TOO_LARGE, ProtocolError
from doorward_protocol.suite import COSE_AES_CCM_16_64_128, KEY, NONCE

MAX_FRAME = const(4096)  # bytes on the wire
OVERHEAD = const(24)  # bytes at most that a frame adds to its plaintext
MAX_PLAINTEXT = MAX_FRAME - OVERHEAD

_HEADER_PARTIAL_IV = const(6)  # RFC 9052 §3.1
_PROTECTED = cbor.encode({1: COSE_AES_CCM_16_64_128})
_LAST = (1 << 40) - 1  # the partial IV has at most 5 bytes (RFC 8613 §5.2)


def derive(suite, secret, salt, identifier, kind, length):
    """Return a key ("Key") or common IV ("IV", identifier b"") by RFC 8613 §3.2.1, without ID context."""
    info = cbor.encode([identifier, None, COSE_AES_CCM_16_64_128, kind, length])
    return suite.hkdf_expand(suite.hkdf_extract(salt, secret), info, length)


def nonce_for(common_iv, identifier, number):
    """Return the AEAD nonce (13 bytes) of frame number from the sender called identifier (RFC 8613 §5.2)."""
    padded = bytes(NONCE - 6 - len(identifier)) + identifier + number.to_bytes(5, "big")
    plain = bytes([len(identifier)]) + padded
    return bytes([plain[at] ^ common_iv[at] for at in range(NONCE)])


def _shortest(number):
    size = 1
    while number >> (8 * size):
        size += 1
    return number.to_bytes(size, "big")


class _Direction:
    __slots__ = ("aad", "identifier", "key", "number")

    def __init__(self, suite, secret, salt, identifier):
        self.identifier = identifier
        self.key = derive(suite, secret, salt, identifier, "Key", KEY)
        self.aad = cbor.encode(["Encrypt0", _PROTECTED, b"doorward/channel/" + identifier])
        self.number = 0  # of the next frame


class Channel:
    """One side of an encrypted connection: seal(plaintext) -> frame, open(frame) -> plaintext."""

    def __init__(self, suite, secret, salt, role, connection_i=b"\x00", connection_r=b"\x01"):
        """secret, salt: the exporter's labels 0 and 1; role: "initiator" (unit) or "responder" (server).

        connection_i, connection_r: C_I and C_R of the handshake. `after` takes all of them from it.
        """
        self._suite = suite
        self._common_iv = derive(suite, secret, salt, b"", "IV", NONCE)
        # The sender's identifier is the one that its receiver chose (RFC 9528 §A.1).
        to_responder = _Direction(suite, secret, salt, connection_r)
        to_initiator = _Direction(suite, secret, salt, connection_i)
        if connection_i == connection_r:
            raise ProtocolError(MALFORMED, "connection identifiers are equal")
        self._out, self._in = (
            (to_responder, to_initiator) if role == INITIATOR else (to_initiator, to_responder)
        )
        self.closed = False

    @staticmethod
    def after(party):
        """Return the channel of a complete handshake, an Initiator or a Responder."""
        secret = party.exporter(EXPORT_SECRET, b"", SECRET)
        salt = party.exporter(EXPORT_SALT, b"", SALT)
        return Channel(party._suite, secret, salt, party.role, party.connection_i, party.connection_r)

    def seal(self, plaintext):
        """Return the next frame. Raises TOO_LARGE, which changes nothing, or BAD_SEQUENCE when closed."""
        out = self._out
        if self.closed or out.number > _LAST:
            raise ProtocolError(BAD_SEQUENCE, "the channel is closed")
        if len(plaintext) > MAX_PLAINTEXT:
            raise ProtocolError(TOO_LARGE, "frame")
        number = out.number
        out.number = number + 1
        nonce = nonce_for(self._common_iv, out.identifier, number)
        ciphertext = self._suite.seal(out.key, nonce, out.aad, plaintext)
        return cbor.encode([_PROTECTED, {_HEADER_PARTIAL_IV: _shortest(number)}, ciphertext])

    def open(self, frame):
        """Return the plaintext of the next frame. Whatever is wrong with it closes the channel and raises."""
        if self.closed:
            raise ProtocolError(BAD_SEQUENCE, "the channel is closed")
        self.closed = True
        number, ciphertext = _parse(frame)
        source = self._in
        if number != source.number:
            raise ProtocolError(BAD_SEQUENCE, "frame %d instead of %d" % (number, source.number))
        nonce = nonce_for(self._common_iv, source.identifier, number)
        plaintext = self._suite.open(source.key, nonce, source.aad, ciphertext)
        source.number = number + 1
        self.closed = False
        return plaintext


def _parse(frame):
    """The number and the ciphertext of a frame."""
    if len(frame) > MAX_FRAME:
        raise ProtocolError(TOO_LARGE, "frame")
    array = cbor.decode(frame)
    if not isinstance(array, list) or len(array) != 3 or array[0] != _PROTECTED:
        raise ProtocolError(MALFORMED, "no COSE_Encrypt0 of this profile")
    header, ciphertext = array[1], array[2]
    if not isinstance(header, dict) or list(header) != [_HEADER_PARTIAL_IV]:
        raise ProtocolError(MALFORMED, "frame header")
    partial_iv = header[_HEADER_PARTIAL_IV]
    if not isinstance(partial_iv, bytes) or not 1 <= len(partial_iv) <= 5:
        raise ProtocolError(MALFORMED, "partial IV")
    number = int.from_bytes(partial_iv, "big")
    if _shortest(number) != partial_iv:
        raise ProtocolError(MALFORMED, "partial IV")
    if not isinstance(ciphertext, bytes):
        raise ProtocolError(MALFORMED, "ciphertext")
    return number, ciphertext
