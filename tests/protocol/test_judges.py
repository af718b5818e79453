"""Independent implementations judge ours: cbor2, and `cryptography` used without any of our code."""

import random

import cbor2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from doorward_protocol import cbor, channel, cose, errors, messages, objects, records, trust
from doorward_protocol.edhoc import Initiator, Responder
from doorward_protocol.suite import P256_N, run
from doorward_protocol.suite_openssl import OpenSSLSuite
from hypothesis import given
from hypothesis import strategies as st

ENDS = [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**64 - 1, -1, -24, -25, -256, -257, -(2**64)]
integers = st.integers(-(2**64), 2**64 - 1) | st.sampled_from(ENDS)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
scalars = st.none() | st.booleans() | integers | st.binary(max_size=300) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(integers | texts, inner, max_size=5),
    max_leaves=20,
)


def depth(item):
    if isinstance(item, dict):
        return 1 + max((depth(value) for value in item.values()), default=0)
    return 1 + max((depth(member) for member in item), default=0) if isinstance(item, list) else 0


@given(values)
def test_cbor2_reads_what_we_write(item):
    if depth(item) <= cbor.MAX_DEPTH:
        data = cbor.encode(item)
        assert cbor2.loads(data) == item
        assert cbor.decode(data) == item
    else:
        with pytest.raises(errors.ProtocolError, match="too_deep"):
            cbor.encode(item)


@given(scalars | st.lists(scalars, max_size=30))
def test_we_write_what_cbor2_writes(item):
    assert cbor.encode(item) == cbor2.dumps(item)


@given(st.binary(max_size=60))
def test_anything_decodes_to_itself_or_is_refused(data):
    try:
        item = cbor.decode(data)
    except errors.ProtocolError:
        return
    assert cbor.encode(item) == data
    assert cbor2.loads(data) == item


def test_a_lone_surrogate_has_no_encoding():
    with pytest.raises(errors.ProtocolError, match="malformed"):
        cbor.encode("\ud800")


PARSERS = [
    messages.decode,
    records.decode,
    cose.peek_kid,
    lambda data: objects.decode_blob("order", data),
    lambda data: run(objects.verify(OpenSSLSuite(), "manifest", data, {})),
    lambda data: run(trust.verify_trust(OpenSSLSuite(), data)),
    lambda data: channel.Channel(OpenSSLSuite(), bytes(16), bytes(8), "responder").open(data),
    lambda data: run(
        Responder(OpenSSLSuite(), bytes(31) + b"\1", b"responds", bytes(64), {}.get).message_2(data)
    ),
]


@given(values.filter(lambda item: depth(item) <= cbor.MAX_DEPTH).map(cbor.encode) | st.binary(max_size=200))
def test_parsers_refuse_by_name(data):
    for parse in PARSERS:
        with pytest.raises(errors.ProtocolError):
            parse(data)


@pytest.fixture
def suite():
    return OpenSSLSuite(random=random.Random(7).randbytes)


def numbers(public):
    x, y = int.from_bytes(public[:32], "big"), int.from_bytes(public[32:], "big")
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def test_signature_verifies_without_our_code(suite):
    private, public = run(suite.new_key())
    signed = run(cose.sign1(suite, private, b"kid-0001", "manifest", b"payload"))
    protected, unprotected, payload, signature = cbor2.loads(signed)
    assert unprotected == {}
    assert cbor2.loads(protected) == {1: -7, 4: b"kid-0001", 16: "doorward/manifest"}
    structure = cbor2.dumps(["Signature1", protected, b"doorward/manifest", payload])
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    numbers(public).verify(utils.encode_dss_signature(r, s), structure, ec.ECDSA(hashes.SHA256()))
    wrong = cbor2.dumps(["Signature1", protected, b"doorward/command", payload])
    with pytest.raises(InvalidSignature):
        numbers(public).verify(utils.encode_dss_signature(r, s), wrong, ec.ECDSA(hashes.SHA256()))


def test_signature_made_without_our_code_verifies(suite):
    private = ec.generate_private_key(ec.SECP256R1())
    x, y = private.public_key().public_numbers().x, private.public_key().public_numbers().y
    protected = cbor2.dumps({1: -7, 4: b"kid-0001", 16: "doorward/head"})
    structure = cbor2.dumps(["Signature1", protected, b"doorward/head", b"payload"])
    r, s = utils.decode_dss_signature(private.sign(structure, ec.ECDSA(hashes.SHA256())))
    signed = cbor2.dumps([protected, {}, b"payload", r.to_bytes(32, "big") + s.to_bytes(32, "big")])
    keys = {b"kid-0001": x.to_bytes(32, "big") + y.to_bytes(32, "big")}
    assert run(cose.verify1(suite, "head", signed, keys)) == b"payload"


def oscore_key(secret, salt, identifier, kind, length):
    info = cbor2.dumps([identifier, None, 10, kind, length])
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


@pytest.mark.parametrize("number", [0, 1, 255, 256, 70000])
def test_frame_opens_without_our_code(suite, number):
    """RFC 8613 §3.2.1 and §5.2, RFC 9052 §5.3, with the library's HKDF and AES-CCM."""
    secret, salt, sender = bytes(range(16)), bytes(range(8)), b"\x01"
    unit = channel.Channel(suite, secret, salt, "initiator", b"\x00", sender)
    unit._out.number = number
    protected, header, ciphertext = cbor2.loads(unit.seal(b"status"))
    iv = oscore_key(secret, salt, b"", "IV", 13)
    padded = bytes([len(sender)]) + sender.rjust(7, b"\0") + header[6].rjust(5, b"\0")
    nonce = bytes(a ^ b for a, b in zip(padded, iv, strict=True))
    aad = cbor2.dumps(["Encrypt0", protected, b"doorward/channel/" + sender])
    key = oscore_key(secret, salt, sender, "Key", 16)
    assert AESCCM(key, tag_length=8).decrypt(nonce, ciphertext, aad) == b"status"
    assert int.from_bytes(header[6], "big") == number


def test_keys_are_those_of_the_library(suite):
    private, public = run(suite.new_key())
    other, other_public = run(suite.new_key())
    loaded = ec.derive_private_key(int.from_bytes(private, "big"), ec.SECP256R1())
    assert loaded.public_key() == numbers(public)
    assert loaded.exchange(ec.ECDH(), numbers(other_public)) == run(suite.shared_secret(other, public))


def test_injected_randomness_repeats_a_handshake():
    """The same seed gives the same bytes on the wire; what is out of range is drawn again."""

    def handshake():
        suite = OpenSSLSuite(random=random.Random(5).randbytes)
        unit, unit_public = run(suite.new_key())
        server, server_public = run(suite.new_key())
        initiator = Initiator(suite, unit, b"unit0001", unit_public, {b"serv0001": server_public}.get)
        responder = Responder(suite, server, b"serv0001", server_public, {b"unit0001": unit_public}.get)
        message_1 = run(initiator.message_1())
        message_2 = run(responder.message_2(message_1))
        return message_1, message_2, run(initiator.message_3(message_2))

    assert handshake() == handshake()
    draws = iter([bytes(32), P256_N.to_bytes(32, "big"), bytes(31) + b"\x05"])
    assert run(OpenSSLSuite(random=lambda _: next(draws)).new_key())[0] == bytes(31) + b"\x05"


def test_kept_keys_are_bounded(suite):
    """A peer that shows ten thousand keys does not fill the server's memory."""
    for number in range(1, 10_000):
        run(suite.public_key(number.to_bytes(32, "big")))
    assert len(suite._private._keys) == 8192
    assert run(suite.public_key((1).to_bytes(32, "big")))[:4].hex() == "6b17d1f2"


def test_run_needs_a_coroutine_that_never_waits():
    class Waits:
        def __await__(self):
            yield

    async def waits():
        await Waits()

    with pytest.raises(RuntimeError, match="needs a loop"):
        run(waits())


def test_text_is_judged_alike_by_both_interpreters():
    """compat's own UTF-8 decoder, which MicroPython uses, and CPython's accept the same bytes."""
    from doorward_protocol.compat import _strict_text

    generator = random.Random(3)
    samples = [
        bytes(generator.choices(range(0x70, 0x100), k=length)) for length in range(5) for _ in range(3000)
    ]
    samples += ["\u00e9\u6c34\U00010151\uffff\U0010ffff".encode()]
    accepted = 0
    for data in samples:
        try:
            expected = data.decode()
        except UnicodeDecodeError:
            with pytest.raises(UnicodeError):
                _strict_text(data)
            continue
        assert _strict_text(data) == expected
        accepted += 1
    assert accepted > 3000
