"""EDHOC: the trace of RFC 9529 §3 byte for byte in both roles, its invalid messages, what else must fail."""

from binascii import unhexlify

from doorward_protocol import cbor, edhoc, errors
from doorward_protocol.channel import Channel

from portable_support import hexed, refuses, refuses_later, vectors

NEEDS_SUITE = True

KID_I, KID_R = b"unit-kid", b"srv--kid"


class _Fixed:
    """A suite whose ephemeral key is given, and that notes every secret that it is asked for."""

    def __init__(self, suite, private, public):
        self._suite = suite
        self._key = (private, public)
        self.secrets = []
        for name in ("sha256", "hkdf_extract", "hkdf_expand", "seal", "open"):
            setattr(self, name, getattr(suite, name))

    async def new_key(self):
        return self._key

    async def shared_secret(self, private, public):
        secret = await self._suite.shared_secret(private, public)
        self.secrets.append(secret)
        return secret


def _trace_parties(s, v):
    creds = {v["kid_i"]: v["cred_i"], v["kid_r"]: v["cred_r"]}

    def credential(kid, public):
        assert public == {v["kid_i"]: v["g_i"], v["kid_r"]: v["g_r"]}[kid]
        return creds[kid]

    suite_i = _Fixed(s, v["x"], v["g_x"] + v["g_x_y"])
    suite_r = _Fixed(s, v["y"], v["g_y"] + v["g_y_y"])
    initiator = edhoc.Initiator(
        suite_i, v["i"], v["kid_i"], v["g_i"], {v["kid_r"]: v["g_r"]}.get, v["c_i"], credential
    )
    initiator.suites = [6, 2]  # the trace's initiator would rather have suite 6
    responder = edhoc.Responder(
        suite_r, v["r"], v["kid_r"], v["g_r"], {v["kid_i"]: v["g_i"]}.get, v["c_r"], credential
    )
    return initiator, responder, suite_i, suite_r


async def check_trace(s):
    """Messages, and every value between them, are those of the trace."""
    v = hexed(vectors("edhoc_rfc9529")["values"])
    initiator, responder, suite_i, suite_r = _trace_parties(s, v)
    assert await initiator.message_1() == v["message_1"]
    assert await responder.message_2(v["message_1"]) == v["message_2"]
    assert await initiator.message_3(v["message_2"]) == v["message_3"]
    await responder.finish(v["message_3"])
    for party in (initiator, responder):
        for name in ("th_2", "prk_2e", "prk_3e2m", "th_3", "prk_4e3m", "th_4", "prk_out", "prk_exporter"):
            assert getattr(party, "_" + name) == v[name], name
        assert party._key_3 == v["k_3"]
        assert party._iv_3 == v["iv_3"]
        assert party._aad_3 == v["a_3"]
        assert party.exporter(0, b"", 16) == v["master_secret"]
        assert party.exporter(1, b"", 8) == v["master_salt"]
        assert party.connection_i == v["c_i"] == v["responder_sender"]
        assert party.connection_r == v["c_r"] == v["initiator_sender"]
    assert suite_i.secrets == [v["g_xy"], v["g_rx"], v["g_iy"]]
    assert suite_r.secrets == [v["g_xy"], v["g_rx"], v["g_iy"]]
    assert initiator.peer_kid == v["kid_r"]
    assert responder.peer_kid == v["kid_i"]


async def check_key_schedule(s):
    """Each step of the trace's key schedule by itself, from the inputs that are printed before it."""
    v = hexed(vectors("edhoc_rfc9529")["values"])
    assert s.sha256(v["message_1"]) == v["h_message_1"]
    for number in ("2", "3", "4"):
        assert s.sha256(v["input_th_" + number]) == v["th_" + number]
    assert s.hkdf_extract(v["th_2"], v["g_xy"]) == v["prk_2e"]
    assert s.hkdf_extract(v["salt_3e2m"], v["g_rx"]) == v["prk_3e2m"]
    assert s.hkdf_extract(v["salt_4e3m"], v["g_iy"]) == v["prk_4e3m"]
    for prk, name in (
        ("prk_2e", "salt_3e2m"),
        ("prk_2e", "keystream_2"),
        ("prk_3e2m", "mac_2"),
        ("prk_3e2m", "salt_4e3m"),
        ("prk_3e2m", "k_3"),
        ("prk_3e2m", "iv_3"),
        ("prk_4e3m", "mac_3"),
        ("prk_4e3m", "prk_out"),
        ("prk_out", "prk_exporter"),
    ):
        assert s.hkdf_expand(v[prk], v["info_" + name], len(v[name])) == v[name], name
    assert edhoc._xor(v["plaintext_2"], v["keystream_2"]) == v["ciphertext_2"]
    assert s.seal(v["k_3"], v["iv_3"], v["a_3"], v["plaintext_3"]) == v["ciphertext_3"]


async def check_invalid_traces(s):
    """RFC 9529 §4: none of its invalid messages is accepted, and each fails for a reason of its own."""
    v = hexed(vectors("edhoc_rfc9529")["values"])
    wrong_point = {
        "Error in elliptic curve representation": errors.BAD_KEY,
        "Error in elliptic curve point": errors.BAD_KEY,
        "Unnecessary long encoding": errors.NOT_DETERMINISTIC,
        "Indefinite-length array encoding": errors.NOT_DETERMINISTIC,
    }
    for case in vectors("edhoc_invalid_rfc9529")["vectors"]:
        initiator, responder, _, _ = _trace_parties(s, v)
        reason = wrong_point.get(case["title"], errors.MALFORMED)
        data = unhexlify(case["data"])
        try:
            if case["what"] == "message_1":
                await refuses_later(reason, responder.message_2(data))
                continue
            await initiator.message_1()
            if case["what"] == "plaintext_2":  # only the right keystream brings it to light
                reason = errors.BAD_CIPHERTEXT
                initiator._keystream_2 = lambda length: bytes(length)
                data = cbor.encode(v["g_y"] + data)
            await refuses_later(reason, initiator.message_3(data))
        except AssertionError as error:
            raise AssertionError("%s: %s" % (case["title"], error)) from None


class _Pair:
    """A unit and a server with keys of their own, and the directories that know them."""

    def __init__(self, s):
        self.s = s

    async def make(self):
        self.private_i, self.public_i = await self.s.new_key()
        self.private_r, self.public_r = await self.s.new_key()
        return self

    def initiator(self, known=None, connection=None):
        lookup = ({KID_R: self.public_r} if known is None else known).get
        return edhoc.Initiator(self.s, self.private_i, KID_I, self.public_i, lookup, connection)

    def responder(self, known=None, connection=None):
        lookup = ({KID_I: self.public_i} if known is None else known).get
        return edhoc.Responder(self.s, self.private_r, KID_R, self.public_r, lookup, connection)


async def check_our_keys(s):
    """With kids of eight bytes: both know each other, and share a channel."""
    pair = await _Pair(s).make()
    initiator, responder = pair.initiator(), pair.responder()
    refuses(errors.BAD_SEQUENCE, initiator.exporter, 0, b"", 16)
    message_3 = await initiator.message_3(await responder.message_2(await initiator.message_1()))
    assert responder.peer_kid is None
    refuses(errors.BAD_SEQUENCE, responder.exporter, 0, b"", 16)
    await responder.finish(message_3)
    assert initiator.peer_kid == KID_R
    assert responder.peer_kid == KID_I
    assert initiator.exporter(7, b"c", 300) == responder.exporter(7, b"c", 300)
    unit, server = Channel.after(initiator), Channel.after(responder)
    assert unit.open(server.seal(b"time")) == b"time"
    assert server.open(unit.seal(b"status")) == b"status"


async def check_who(s):
    """Unknown, reflected and impersonated peers are refused by name."""
    pair = await _Pair(s).make()
    _, stranger = await s.new_key()
    responder = pair.responder()
    initiator = pair.initiator(known={})
    message_2 = await responder.message_2(await initiator.message_1())
    await refuses_later(errors.UNKNOWN_KEY, initiator.message_3(message_2))
    initiator = pair.initiator(known={KID_R: stranger})
    message_2 = await pair.responder().message_2(await initiator.message_1())
    await refuses_later(errors.BAD_SIGNATURE, initiator.message_3(message_2))
    for known, reason in (({}, errors.UNKNOWN_KEY), ({KID_I: stranger}, errors.BAD_SIGNATURE)):
        initiator, responder = pair.initiator(), pair.responder(known=known)
        message_3 = await initiator.message_3(await responder.message_2(await initiator.message_1()))
        await refuses_later(reason, responder.finish(message_3))
        assert responder.peer_kid is None
        refuses(errors.BAD_SEQUENCE, responder.exporter, 0, b"", 16)
    # Our own credential comes back: someone makes a party talk to itself.
    mirror = edhoc.Responder(s, pair.private_i, KID_I, pair.public_i, {}.get)
    initiator = pair.initiator(known={KID_I: pair.public_i})
    message_2 = await mirror.message_2(await initiator.message_1())
    await refuses_later(errors.UNKNOWN_KEY, initiator.message_3(message_2))


async def check_connections(s):
    """C_I and C_R are different and short, whoever chose them: equal ones would give one key."""
    pair = await _Pair(s).make()
    for connection in (b"\x00", b"\x01", b"", b"1234567", b"\x18"):
        initiator, responder = pair.initiator(connection=connection), pair.responder()
        await initiator.message_3(await responder.message_2(await initiator.message_1()))
        assert initiator.connection_r == responder.connection_r != connection == responder.connection_i
    message_1 = await pair.initiator(connection=b"12345678").message_1()
    await refuses_later(errors.MALFORMED, pair.responder().message_2(message_1))
    message_1 = await pair.initiator(connection=b"same").message_1()
    await refuses_later(errors.MALFORMED, pair.responder(connection=b"same").message_2(message_1))
    responder = pair.responder(connection=b"same")
    initiator = pair.initiator()
    message_2 = await responder.message_2(await initiator.message_1())
    initiator.connection_i = b"same"  # as a responder that does not look would make it
    await refuses_later(errors.MALFORMED, initiator.message_3(message_2))


async def check_altered(s):
    """One bit turned in a message: message_3 never verifies, and no step gives another kind of error."""
    pair = await _Pair(s).make()
    for position in (0, 10, 24, 40, 270, 290, 300, 330, 360, 420):
        initiator, responder = pair.initiator(), pair.responder()
        message_2 = bytearray(await responder.message_2(await initiator.message_1()))
        message_2[(position >> 3) % len(message_2)] ^= 1 << (position & 7)
        try:
            await initiator.message_3(bytes(message_2))
        except errors.ProtocolError:
            continue
        raise AssertionError("message_2 with bit %d turned was accepted" % position)
    for position in (0, 8, 70, 130):
        initiator, responder = pair.initiator(), pair.responder()
        message_2 = await responder.message_2(await initiator.message_1())
        message_3 = bytearray(await initiator.message_3(message_2))
        message_3[position >> 3] ^= 1 << (position & 7)
        try:
            await responder.finish(bytes(message_3))
        except errors.ProtocolError:
            continue
        raise AssertionError("message_3 with bit %d turned was accepted" % position)


async def check_order(s):
    """Every step once and in its order; after a failure the handshake is dead."""
    pair = await _Pair(s).make()
    initiator, responder = pair.initiator(), pair.responder()
    await refuses_later(errors.BAD_SEQUENCE, initiator.message_3(b""))
    await refuses_later(errors.BAD_SEQUENCE, responder.finish(b""))
    message_1 = await initiator.message_1()
    await refuses_later(errors.BAD_SEQUENCE, initiator.message_1())
    message_2 = await responder.message_2(message_1)
    await refuses_later(errors.BAD_SEQUENCE, responder.message_2(message_1))
    message_3 = await initiator.message_3(message_2)
    await refuses_later(errors.BAD_SEQUENCE, initiator.message_3(message_2))
    await refuses_later(errors.BAD_CIPHERTEXT, responder.finish(message_3[:-1] + bytes([message_3[-1] ^ 1])))
    await refuses_later(errors.BAD_SEQUENCE, responder.finish(message_3))
    await refuses_later(errors.TOO_LARGE, pair.responder().message_2(bytes(edhoc.MAX_MESSAGE + 1)))


async def check_replayed(s):
    """An answer to an earlier message_1 does not decrypt, whatever its bytes turn into."""
    pair = await _Pair(s).make()
    old = await pair.responder().message_2(await pair.initiator().message_1())
    for _ in range(8):
        initiator = pair.initiator()
        await initiator.message_1()
        await refuses_later(errors.BAD_CIPHERTEXT, initiator.message_3(old))


async def check_one_item(s):
    """message_2 and message_3 are one byte string each, with nothing after it."""
    pair = await _Pair(s).make()
    for extra in (b"\x00", b"\x00\x41x", b"\x41x"):
        initiator, responder = pair.initiator(), pair.responder()
        message_2 = await responder.message_2(await initiator.message_1())
        await refuses_later(errors.MALFORMED, initiator.message_3(message_2 + extra))
        initiator, responder = pair.initiator(), pair.responder()
        message_3 = await initiator.message_3(await responder.message_2(await initiator.message_1()))
        await refuses_later(errors.MALFORMED, responder.finish(message_3 + extra))


async def check_authorization_data(s):
    """Authorization data: what is not critical is passed over, critical and nonsense refused (§3.8)."""
    pair = await _Pair(s).make()
    for extra, good in (
        ([0], True),
        ([0, bytes(9)], True),
        ([5, b"x", 6], True),
        ([-1], False),
        ([0, b"", -3, b"x"], False),
        ([b"x"], False),
        (["x"], False),
        ([True], False),
        ([5, b"x", b"y"], False),
    ):
        message_1 = await pair.initiator().message_1() + cbor.encode_sequence(extra)
        if good:
            await pair.responder().message_2(message_1)
        else:
            await refuses_later(errors.MALFORMED, pair.responder().message_2(message_1))


async def check_identifiers(s):
    """One byte that is an encoded integer travels as that integer, anything else as itself (§3.3.2)."""
    for data, item in (
        (b"\x00", 0),
        (b"\x17", 23),
        (b"\x20", -1),
        (b"\x37", -24),
        (b"\x18", b"\x18"),
        (b"\x38", b"\x38"),
        (b"", b""),
        (b"ab", b"ab"),
        (KID_I, KID_I),
    ):
        assert edhoc.compact(data) == item
        assert edhoc.expanded(item) == data
    for wrong in (24, -25, b"\x00", b"\x37", True, "a", None, [], {4: KID_I}):
        refuses(errors.MALFORMED, edhoc.expanded, wrong)


async def check_fresh(s):
    """Two handshakes with the same static keys have nothing in common."""
    pair = await _Pair(s).make()
    seen = []
    for _ in range(2):
        initiator, responder = pair.initiator(), pair.responder()
        message_3 = await initiator.message_3(await responder.message_2(await initiator.message_1()))
        await responder.finish(message_3)
        seen.append(initiator.exporter(0, b"", 16))
    assert seen[0] != seen[1]
