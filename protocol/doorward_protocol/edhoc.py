"""The handshake: EDHOC (RFC 9528) with static Diffie-Hellman keys on both sides, method 3, cipher suite 2.

    unit (Initiator)                                   server (Responder)
      message_1: method, suite, G_X, C_I        ->
                                                <-       message_2: G_Y, CIPHERTEXT_2(C_R, kid, MAC_2)
      message_3: AEAD(kid, MAC_3)               ->

Each side proves that it holds the static key which the other side knows by its kid; keys and kids never come
from the peer. The unit's kid is encrypted for the server alone. Both then export the secrets of the channel
(§4.2.1). The initiator cannot know that message_3 arrived until the first frame of the responder verifies, so
nothing of value leaves it before.

Messages go in and out as bytes; nothing here waits for a network. A step that fails ends the handshake for
good. Credentials are CWT claims sets that hold the key, known by kid (§3.5.2). There is no second method or
suite to fall back to.
"""

from doorward_protocol import cbor
from doorward_protocol.compat import const
from doorward_protocol.errors import (
    BAD_CIPHERTEXT,
    BAD_SEQUENCE,
    BAD_SIGNATURE,
    MALFORMED,
    NAMES,
    TOO_LARGE,
    UNKNOWN_KEY,
    ProtocolError,
)
from doorward_protocol.suite import COSE_EC2, COSE_P256, EDHOC_SUITE, HASH, KEY, NONCE, TAG

INITIATOR = "initiator"
RESPONDER = "responder"

METHOD = const(3)  # static DH on both sides (§3.2)
MAX_MESSAGE = const(512)  # bytes; ours are under 128, the rest is room for external authorization data
MAX_CONNECTION = const(7)  # bytes of C_I and C_R, so that they fit the channel's nonce (RFC 8613 §3.2.1)

EXPORT_SECRET = const(0)  # exporter labels (RFC 9528 §10.1)
EXPORT_SALT = const(1)
SECRET = const(16)  # bytes
SALT = const(8)

_CONNECTION_I = b"\x00"
_CONNECTION_R = b"\x01"


def credential(kid, public):
    """Return CRED_x for a key known by kid: a CWT claims set with the confirmation claim alone (§3.5.2)."""
    key = {1: COSE_EC2, 2: kid, -1: COSE_P256, -2: public[:32], -3: public[32:]}
    return cbor.encode({8: {1: key}})


def compact(identifier):
    """Return how C_x and kid travel (§3.3.2): a byte that is an encoded integer travels as that integer."""
    if len(identifier) == 1:
        byte = identifier[0]
        if byte <= 0x17:
            return byte
        if 0x20 <= byte <= 0x37:
            return 0x1F - byte
    return identifier


def expanded(item):
    """Return the identifier, bytes, that compact made into item. Raises MALFORMED."""
    if isinstance(item, int) and not isinstance(item, bool) and -24 <= item <= 23:
        return cbor.encode(item)
    if not isinstance(item, bytes) or compact(item) != item:
        raise ProtocolError(MALFORMED, "EDHOC identifier")
    return item


def _sequence(data, least):
    """The first items of an EDHOC message or plaintext, and the bytes of its external authorization data."""
    items = cbor.decode_sequence(data)
    if len(items) < least:
        raise ProtocolError(MALFORMED, "EDHOC message")
    at = least
    while at < len(items):  # ead_label: int, ? ead_value: bstr (§3.8)
        if not isinstance(items[at], int) or isinstance(items[at], bool):
            raise ProtocolError(MALFORMED, "EDHOC authorization data")
        if items[at] < 0:
            raise ProtocolError(MALFORMED, "critical EDHOC authorization data")
        at += 2 if at + 1 < len(items) and isinstance(items[at + 1], bytes) else 1
    return items[:least], cbor.encode_sequence(items[least:])


def _read_plaintext_2(data):
    """Return (C_R, kid, MAC_2, EAD_2). Nothing has authenticated the stream cipher yet: what makes no sense
    here was not encrypted for our message_1, a replay for instance. Raises BAD_CIPHERTEXT."""
    try:
        (connection_r, id_cred_r, mac_2), ead_2 = _sequence(data, 3)
        return expanded(connection_r), expanded(id_cred_r), _check_bytes(mac_2, TAG), ead_2
    except ProtocolError as error:
        raise ProtocolError(BAD_CIPHERTEXT, "EDHOC message_2: %s" % NAMES[error.reason]) from None


def _check_bytes(item, length=None):
    if not isinstance(item, bytes) or (length is not None and len(item) != length):
        raise ProtocolError(MALFORMED, "EDHOC message")
    return item


def _xor(first, second):
    return bytes([first[at] ^ second[at] for at in range(len(first))])


def _equal(first, second):
    """Compare two secrets of known, equal length in constant time."""
    difference = 0
    for byte in _xor(first, second):
        difference |= byte
    return difference == 0


class _Party:
    """What both sides share: the key schedule (§4.1) and the order of steps."""

    def __init__(self, suite, private, kid, public, lookup, connection=None, credential=credential):
        """private, kid, public: our static key; lookup(kid) -> the peer's public key, or None.

        connection: our C_I or C_R, up to 7 bytes; credential(kid, public) -> CRED_x.
        """
        self._suite = suite
        self._private = private
        self._kid = kid
        self._public = public
        self._lookup = lookup
        self._credential = credential
        self._step = 0
        self._prk_exporter = None
        self.connection_i = None
        self.connection_r = None
        self.peer_kid = None  # set once the peer has proved its key
        self._connection = connection

    def _begin(self, step, message=b""):
        """Steps come in their order, each once; the handshake is dead until this one succeeds."""
        if self._step != step:
            raise ProtocolError(BAD_SEQUENCE, "EDHOC step")
        self._step = None
        if len(message) > MAX_MESSAGE:
            raise ProtocolError(TOO_LARGE, "EDHOC message")

    def _hash(self, items, raw=b""):
        return self._suite.sha256(cbor.encode_sequence(items) + raw)

    def _kdf(self, prk, label, context, length):
        """EDHOC_KDF (§4.1.2)."""
        return self._suite.hkdf_expand(prk, cbor.encode_sequence([label, context, length]), length)

    def _mac(self, prk, label, before, kid, transcript, cred, ead):
        """MAC_2 and MAC_3 over context_2 and context_3 (§5.3.2, §5.4.2); 8 bytes in method 3."""
        context = cbor.encode_sequence(before + [{4: kid}, transcript]) + cred + ead  # noqa: RUF005
        return self._kdf(prk, label, context, TAG)

    def _peer(self, kid):
        """The peer's key and credential, by the kid that it claims."""
        public = None if kid == self._kid else self._lookup(kid)
        if public is None:
            raise ProtocolError(UNKNOWN_KEY, "EDHOC peer")
        return public, self._credential(kid, public)

    def _keys_2(self, g_y, message_1, g_xy):
        """TH_2 and PRK_2e (§4.1.1.1, §5.3.2)."""
        self._th_2 = self._hash([g_y, self._suite.sha256(message_1)])
        self._prk_2e = self._suite.hkdf_extract(self._th_2, g_xy)

    def _keystream_2(self, length):
        return self._kdf(self._prk_2e, 0, self._th_2, length)

    def _keys_3(self, g_rx):
        """PRK_3e2m (§4.1.1.2)."""
        salt = self._kdf(self._prk_2e, 1, self._th_2, HASH)
        self._prk_3e2m = self._suite.hkdf_extract(salt, g_rx)

    def _transcript_3(self, plaintext_2, cred_r):
        """TH_3, and with it the key and nonce of message_3 (§5.4.2)."""
        self._th_3 = self._hash([self._th_2], plaintext_2 + cred_r)
        self._key_3 = self._kdf(self._prk_3e2m, 3, self._th_3, KEY)
        self._iv_3 = self._kdf(self._prk_3e2m, 4, self._th_3, NONCE)
        self._aad_3 = cbor.encode(["Encrypt0", b"", self._th_3])

    def _keys_4(self, g_iy):
        """PRK_4e3m (§4.1.1.3)."""
        salt = self._kdf(self._prk_3e2m, 5, self._th_3, HASH)
        self._prk_4e3m = self._suite.hkdf_extract(salt, g_iy)

    def _finish(self, plaintext_3, cred_i):
        """TH_4, PRK_out and PRK_exporter (§4.1.3, §4.2.1)."""
        self._th_4 = self._hash([self._th_3], plaintext_3 + cred_i)
        self._prk_out = self._kdf(self._prk_4e3m, 7, self._th_4, HASH)
        self._prk_exporter = self._kdf(self._prk_out, 10, b"", HASH)

    def exporter(self, label, context, length):
        """Return length bytes for one use of the completed handshake (EDHOC_Exporter, §4.2.1)."""
        if self._prk_exporter is None:
            raise ProtocolError(BAD_SEQUENCE, "EDHOC is not complete")
        return self._kdf(self._prk_exporter, label, context, length)


class Initiator(_Party):
    """The unit's side: message_1() -> bytes, then message_3(message_2) -> bytes."""

    role = INITIATOR
    suites = EDHOC_SUITE  # SUITES_I as it stands in message_1

    async def message_1(self):
        """Return message_1 (§5.2)."""
        self._begin(0)
        self.connection_i = _CONNECTION_I if self._connection is None else self._connection
        self._x, g_x = await self._suite.new_key()
        self._g_x = g_x[:32]
        self._message_1 = cbor.encode_sequence([METHOD, self.suites, self._g_x, compact(self.connection_i)])
        self._step = 1
        return self._message_1

    async def message_3(self, message_2):
        """Check message_2 and return message_3 (§5.3.3, §5.4.2). Raises ProtocolError."""
        self._begin(1, message_2)
        (data,), ead = _sequence(message_2, 1)
        if ead or len(_check_bytes(data)) <= 32:
            raise ProtocolError(MALFORMED, "EDHOC message_2")
        g_y = data[:32]
        self._keys_2(g_y, self._message_1, await self._suite.shared_secret(self._x, g_y))
        plaintext_2 = _xor(data[32:], self._keystream_2(len(data) - 32))
        self.connection_r, kid, mac_2, ead_2 = _read_plaintext_2(plaintext_2)
        if self.connection_r == self.connection_i or len(self.connection_r) > MAX_CONNECTION:
            raise ProtocolError(MALFORMED, "EDHOC connection identifiers")
        public, cred_r = self._peer(kid)
        self._keys_3(await self._suite.shared_secret(self._x, public))
        expected = self._mac(self._prk_3e2m, 2, [compact(self.connection_r)], kid, self._th_2, cred_r, ead_2)
        if not _equal(expected, mac_2):
            raise ProtocolError(BAD_SIGNATURE, "MAC_2")
        self._transcript_3(plaintext_2, cred_r)
        self._keys_4(await self._suite.shared_secret(self._private, g_y))
        cred_i = self._credential(self._kid, self._public)
        mac_3 = self._mac(self._prk_4e3m, 6, [], self._kid, self._th_3, cred_i, b"")
        plaintext_3 = cbor.encode_sequence([compact(self._kid), mac_3])
        ciphertext_3 = self._suite.seal(self._key_3, self._iv_3, self._aad_3, plaintext_3)
        self._finish(plaintext_3, cred_i)
        self.peer_kid = kid
        return cbor.encode(ciphertext_3)


class Responder(_Party):
    """The server's side: message_2(message_1) -> bytes, then finish(message_3)."""

    role = RESPONDER

    async def message_2(self, message_1):
        """Check message_1 and return message_2 (§5.2.3, §5.3.2). Raises ProtocolError."""
        self._begin(0, message_1)
        (method, suites, g_x, connection_i), _ = _sequence(message_1, 4)
        if method != METHOD or isinstance(method, bool) or not _selects_our_suite(suites):
            raise ProtocolError(MALFORMED, "EDHOC method or cipher suite")
        g_x = _check_bytes(g_x, 32)
        self.connection_i = expanded(connection_i)
        if len(self.connection_i) > MAX_CONNECTION:
            raise ProtocolError(MALFORMED, "EDHOC connection identifiers")
        self._choose_connection()
        self._y, public = await self._suite.new_key()
        g_y = public[:32]
        self._keys_2(g_y, message_1, await self._suite.shared_secret(self._y, g_x))
        self._keys_3(await self._suite.shared_secret(self._private, g_x))
        cred_r = self._credential(self._kid, self._public)
        connection_r = compact(self.connection_r)
        mac_2 = self._mac(self._prk_3e2m, 2, [connection_r], self._kid, self._th_2, cred_r, b"")
        plaintext_2 = cbor.encode_sequence([connection_r, compact(self._kid), mac_2])
        ciphertext_2 = _xor(plaintext_2, self._keystream_2(len(plaintext_2)))
        self._transcript_3(plaintext_2, cred_r)
        self._step = 1
        return cbor.encode(g_y + ciphertext_2)

    def _choose_connection(self):
        if self._connection is not None:
            self.connection_r = self._connection
        else:
            self.connection_r = _CONNECTION_I if self.connection_i == _CONNECTION_R else _CONNECTION_R
        if self.connection_r == self.connection_i:
            raise ProtocolError(MALFORMED, "EDHOC connection identifiers")

    async def finish(self, message_3):
        """Check message_3 (§5.4.3); peer_kid and exporter are valid from here. Raises ProtocolError."""
        self._begin(1, message_3)
        (ciphertext_3,), ead = _sequence(message_3, 1)
        if ead:
            raise ProtocolError(MALFORMED, "EDHOC message_3")
        plaintext_3 = self._suite.open(self._key_3, self._iv_3, self._aad_3, _check_bytes(ciphertext_3))
        (id_cred_i, mac_3), ead_3 = _sequence(plaintext_3, 2)
        kid = expanded(id_cred_i)
        public, cred_i = self._peer(kid)
        self._keys_4(await self._suite.shared_secret(self._y, public))
        expected = self._mac(self._prk_4e3m, 6, [], kid, self._th_3, cred_i, ead_3)
        if not _equal(expected, _check_bytes(mac_3, TAG)):
            raise ProtocolError(BAD_SIGNATURE, "MAC_3")
        self._finish(plaintext_3, cred_i)
        self.peer_kid = kid


def _selects_our_suite(suites):
    """SUITES_I is the selected suite, or an array of two or more that ends with it (§5.2.1)."""
    if isinstance(suites, list):
        if len(suites) < 2:
            return False
        suites = suites[-1]
    return suites == EDHOC_SUITE and not isinstance(suites, bool)
