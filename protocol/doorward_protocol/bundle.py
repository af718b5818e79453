"""The channel's messages in a file, for a unit without a network: orders on a card, records on the way back.

A CBOR sequence (RFC 8742) of byte strings:

    envelope    << [1, recipient's kid, ephemeral x] >>
    chunk 0     the signed header: unit, sequence, issued, expires, manifest hash, hash of the envelope
    chunk 1 …   one message each, as in `messages.py`
    last chunk  nothing; its nonce says that it is the last

Chunks are sealed with AES-CCM under a key from ephemeral-static Diffie-Hellman with the recipient's bundle
key; their number and the last flag are in the nonce, so that none can be cut off, repeated or exchanged. The
header is signed and names the ephemeral key: nobody can put it round other chunks. Kind `bundle` goes to a
unit and is signed by dispatch, kind `export` comes from a unit and is signed by it. Sequence numbers only go
up; gaps are allowed.
"""

from doorward_protocol import cbor, messages, objects
from doorward_protocol.channel import MAX_PLAINTEXT, derive, nonce_for
from doorward_protocol.compat import const
from doorward_protocol.errors import (
    BAD_HASH,
    BAD_SEQUENCE,
    EXPIRED,
    MALFORMED,
    REPLAYED,
    TOO_LARGE,
    WRONG_UNIT,
    ProtocolError,
)
from doorward_protocol.suite import KEY, NONCE, TAG

VERSION = const(1)

DIRECTIONS = {"bundle": messages.TO_UNIT, "export": messages.TO_SERVER}  # by the kind of the header

_AAD = b"doorward/bundle"
_MORE = b"\x00"
_LAST = b"\x01"


class _Sealing:
    """Key, nonces and number of the chunks that belong to one envelope."""

    def __init__(self, suite, secret, envelope):
        self._suite = suite
        salt = suite.sha256(envelope)
        self._key = derive(suite, secret, salt, b"bundle", "Key", KEY)
        self._iv = derive(suite, secret, salt, b"", "IV", NONCE)
        self.number = 0

    def _nonce(self, flag):
        nonce = nonce_for(self._iv, flag, self.number)
        self.number += 1
        return nonce

    def seal(self, plaintext, flag=_MORE):
        return cbor.encode(self._suite.seal(self._key, self._nonce(flag), _AAD, plaintext))

    def open(self, ciphertext, flag=_MORE):
        return self._suite.open(self._key, self._nonce(flag), _AAD, ciphertext)


class Writer:
    """Makes a bundle piece by piece: start(…), add(message) …, end(). Each returns bytes for the file."""

    def __init__(self, suite, kind):
        """kind: "bundle" (to a unit) or "export" (from one)."""
        self._suite = suite
        self._kind = kind
        self._sealing = None

    async def start(self, signer, signer_kid, recipient, recipient_kid, **header):
        """Return envelope and header; signer is a private key, recipient a public one (64 bytes).

        header: unit, sequence, issued, expires, and manifest (the hash of its signed object, or null).
        """
        ephemeral, ephemeral_public = await self._suite.new_key()
        envelope = cbor.encode([VERSION, recipient_kid, ephemeral_public[:32]])
        secret = await self._suite.shared_secret(ephemeral, recipient)
        header["envelope"] = self._suite.sha256(envelope)
        signed = await objects.sign(self._suite, signer, signer_kid, self._kind, **header)
        self._sealing = _Sealing(self._suite, secret, envelope)
        return cbor.encode(envelope) + self._sealing.seal(signed)

    def add(self, message):
        """Return the chunk of one encoded message. Raises WRONG_DIRECTION, TOO_LARGE, BAD_SEQUENCE …."""
        if self._sealing is None:
            raise ProtocolError(BAD_SEQUENCE, "the bundle is not open")
        if len(message) > MAX_PLAINTEXT:
            raise ProtocolError(TOO_LARGE, "bundle message")
        messages.decode(message, DIRECTIONS[self._kind])
        return self._sealing.seal(message)

    def end(self):
        """Return the last chunk."""
        if self._sealing is None:
            raise ProtocolError(BAD_SEQUENCE, "the bundle is not open")
        chunk = self._sealing.seal(b"", _LAST)
        self._sealing = None
        return chunk


class Reader:
    """Reads a bundle piece by piece: start(…) -> header, then next() -> message … None at the end."""

    def __init__(self, suite, kind, read):
        """read(count) -> up to count bytes of the file, b"" at its end."""
        self._suite = suite
        self._kind = kind
        self._read = read
        self._sealing = None

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            more = self._read(count - len(data))
            if not more:
                raise ProtocolError(MALFORMED, "the bundle ends too early")
            data += more
        return data

    def _item(self):
        """The next byte string of the sequence; its length is judged before it is read."""
        head = self._exactly(1)
        if not 0x40 <= head[0] <= 0x59:
            raise ProtocolError(MALFORMED, "no bundle")
        if head[0] >= 0x58:
            head += self._exactly(head[0] - 0x57)
            length = int.from_bytes(head[1:], "big")
        else:
            length = head[0] & 31
        if length > MAX_PLAINTEXT + TAG:
            raise ProtocolError(TOO_LARGE, "bundle chunk")
        return cbor.decode(head + self._exactly(length))

    async def start(self, private, kid, keys):
        """Return the header's fields; private and kid are ours, keys {kid: public} the signers for this kind.

        Raises WRONG_UNIT if it is for another recipient, else as objects.verify does. Then ask `judge`.
        """
        envelope = self._item()
        array = cbor.decode(envelope)
        if not isinstance(array, list) or len(array) != 3 or array[0] != VERSION or array[0] is True:
            raise ProtocolError(MALFORMED, "no bundle")
        if array[1] != kid:
            raise ProtocolError(WRONG_UNIT, "bundle")
        if not isinstance(array[2], bytes) or len(array[2]) != 32:
            raise ProtocolError(MALFORMED, "no bundle")
        sealing = _Sealing(self._suite, await self._suite.shared_secret(private, array[2]), envelope)
        header = await objects.verify(self._suite, self._kind, sealing.open(self._item()), keys)
        if header["envelope"] != self._suite.sha256(envelope):
            raise ProtocolError(BAD_HASH, "the header belongs to another bundle")
        self._sealing = sealing
        return header

    def next(self):
        """Return (name, fields) of the next message, None after the last. What raises ends the reading."""
        sealing, self._sealing = self._sealing, None
        if sealing is None:
            raise ProtocolError(BAD_SEQUENCE, "the bundle is not open")
        chunk = self._item()
        if len(chunk) == TAG:  # nothing but a tag: only the last chunk is empty
            sealing.open(chunk, _LAST)
            if self._read(1):
                raise ProtocolError(MALFORMED, "bytes after the end of the bundle")
            return None
        message = messages.decode(sealing.open(chunk), DIRECTIONS[self._kind])
        self._sealing = sealing
        return message


def judge(header, unit, floor, now):
    """Raise unless a verified header is for this unit, newer than sequence number floor, and not expired.

    now is in ms since 1970 UTC. Raises WRONG_UNIT, REPLAYED or EXPIRED.
    """
    if header["unit"] != unit:
        raise ProtocolError(WRONG_UNIT, "bundle")
    if header["sequence"] <= floor:
        raise ProtocolError(REPLAYED, "bundle %d" % header["sequence"])
    if now >= header["expires"]:
        raise ProtocolError(EXPIRED, "bundle %d" % header["sequence"])
