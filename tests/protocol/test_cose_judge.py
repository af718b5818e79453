"""An independent COSE library, cwt, reads what we sign and encrypt, and we read what it does.

Our objects carry no tag, because their place says what they are; for cwt tag 18 (COSE_Sign1) or 16
(COSE_Encrypt0) is put before them. The kind is bound twice, in the header and in external_aad. A frame's
nonce comes from its partial IV (RFC 8613 §5.2), which cwt does not know; it is handed over as an IV instead,
in the unprotected header, which nothing authenticates.
"""

import random

import cbor2
import pytest
import table_checks  # pyright: ignore[reportMissingImports] - conftest.py puts it on the path
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cwt import COSE, COSEKey
from cwt.exceptions import DecodeError, VerifyError
from doorward_protocol import cbor, channel, cose, errors, objects, trust
from doorward_protocol.errors import ProtocolError
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite

KID = b"kid-0001"
ENCRYPT0, SIGN1 = 16, 18
ES256, AES_CCM = -7, 10
EC2, P256, SYMMETRIC = 2, 1, 4


@pytest.fixture
def suite():
    return OpenSSLSuite(random=random.Random(11).randbytes)


@pytest.fixture
def key(suite):
    return run(suite.new_key())


def judge_key(private, public, kid=KID):
    """The pair as cwt has it; without the private half if that is None."""
    parameters = {1: EC2, 2: kid, 3: ES256, -1: P256, -2: public[:32], -3: public[32:]}
    return COSEKey.new({**parameters, -4: private} if private else parameters)


def payload_of(name):
    """An object of this kind with all its fields filled."""
    fields = table_checks.sample_row(objects.OBJECT_TABLE, name)
    return fields, cbor.encode(objects.OBJECT_TABLE.pack(name, **fields))


def tagged(data, tag=SIGN1):
    """The same array with its tag before it."""
    return bytes([0xC0 | tag]) + data


def made(*arguments, **named):
    """The judge's signature as bytes, with headers that it encodes deterministically by itself."""
    data = COSE.new(deterministic_header=True).encode_and_sign(*arguments, **named)
    assert isinstance(data, bytes)
    return data


def binding(name):
    return f"doorward/{name}".encode()


@pytest.mark.shows("S25")
@pytest.mark.parametrize("name", objects.OBJECTS)
def test_the_judge_verifies_what_we_sign(name, suite, key):
    fields, payload = payload_of(name)
    signed = run(objects.sign(suite, key[0], KID, name, **fields))
    protected, unprotected, found = COSE.new(verify_kid=True).decode_with_headers(
        tagged(signed), judge_key(None, key[1]), external_aad=binding(name)
    )
    assert (protected, unprotected) == ({1: ES256, 4: KID, 16: f"doorward/{name}"}, {})
    assert found == payload


@pytest.mark.parametrize("name", objects.OBJECTS)
def test_we_verify_what_the_judge_signs(name, suite, key):
    fields, payload = payload_of(name)
    signed = made(
        payload,
        judge_key(*key),
        protected={1: ES256, 4: KID, 16: f"doorward/{name}"},
        external_aad=binding(name),
    )
    data = cbor2.dumps(cbor2.loads(signed).value)
    assert run(objects.verify(suite, name, data, {KID: key[1]})) == fields
    assert tagged(data) == signed


@pytest.mark.parametrize("name", objects.OBJECTS)
def test_neither_takes_one_kind_for_another(name, suite, key):
    """The judge does not know our header 16: it is external_aad that stops it."""
    fields, payload = payload_of(name)
    ours = run(objects.sign(suite, key[0], KID, name, **fields))
    for other in set(objects.OBJECTS) - {name}:
        with pytest.raises(VerifyError):
            COSE.new().decode(tagged(ours), judge_key(None, key[1]), external_aad=binding(other))
        protected = {1: ES256, 4: KID, 16: f"doorward/{name}"}
        theirs = made(payload, judge_key(*key), protected=protected, external_aad=binding(other))
        assert refused(suite, name, theirs[1:], key[1]) == errors.BAD_SIGNATURE
    with pytest.raises(VerifyError):
        COSE.new().decode(tagged(ours), judge_key(None, key[1]))


def refused(suite, name, data, public):
    with pytest.raises(ProtocolError) as caught:
        run(objects.verify(suite, name, data, {KID: public}))
    return caught.value.reason


@pytest.mark.shows("S25")
def test_both_refuse_what_was_changed(suite, key):
    """Every byte of a command, one bit each."""
    fields, _ = payload_of("command")
    signed = run(objects.sign(suite, key[0], KID, "command", **fields))
    verifier, public = COSE.new(verify_kid=True), judge_key(None, key[1])
    for position in range(len(signed)):
        changed = bytearray(signed)
        changed[position] ^= 1 << position % 8
        assert refused(suite, "command", bytes(changed), key[1]) in errors.NAMES
        with pytest.raises((DecodeError, VerifyError, ValueError, TypeError)):  # the last for a wrong shape
            verifier.decode(tagged(bytes(changed)), public, external_aad=binding("command"))


def test_both_refuse_another_key(suite, key):
    fields, _ = payload_of("head")
    _, stranger = run(suite.new_key())
    signed = run(objects.sign(suite, key[0], KID, "head", **fields))
    assert refused(suite, "head", signed, stranger) == errors.BAD_SIGNATURE
    with pytest.raises(VerifyError):
        COSE.new().decode(tagged(signed), judge_key(None, stranger), external_aad=binding("head"))


def test_the_judge_verifies_each_signature_of_a_trust_object(suite):
    fields, _ = payload_of("trust")
    pairs = {b"root-%03d" % number: run(suite.new_key()) for number in range(3)}
    fields["roots"] = [[kid, pair[1]] for kid, pair in pairs.items()]
    fields["threshold"] = 2
    data = run(trust.sign_trust(suite, [(pair[0], kid) for kid, pair in pairs.items()], **fields))
    signed = cbor2.loads(data)
    assert len(signed) == len(pairs)
    keys = [judge_key(None, pair[1], kid) for kid, pair in pairs.items()]
    payloads = [
        COSE.new(verify_kid=True).decode(tagged(one), keys, external_aad=binding("trust")) for one in signed
    ]
    assert len(set(payloads)) == 1
    assert run(trust.verify_trust(suite, data)) == fields
    joined = trust.join_trust(
        [
            made(
                payloads[0],
                judge_key(pair[0], pair[1], kid),
                protected={1: ES256, 4: kid, 16: "doorward/trust"},
                external_aad=binding("trust"),
            )[1:]
            for kid, pair in pairs.items()
        ]
    )
    assert run(trust.verify_trust(suite, joined)) == fields


# Frames of the channel

SECRET, SALT = bytes(range(16)), bytes(range(8))
SENDERS = {"initiator": b"\x01", "responder": b"\x00"}  # each by the identifier that its receiver chose


def derived(identifier, kind, length):
    """RFC 8613 §3.2.1 with the library's HKDF and cbor2."""
    info = cbor2.dumps([identifier, None, AES_CCM, kind, length])
    return HKDF(hashes.SHA256(), length, SALT, info).derive(SECRET)


def frame_key(sender):
    return COSEKey.new({1: SYMMETRIC, 3: AES_CCM, -1: derived(sender, "Key", 16)})


def nonce(sender, partial_iv):
    """RFC 8613 §5.2."""
    padded = bytes([len(sender)]) + sender.rjust(7, b"\0") + partial_iv.rjust(5, b"\0")
    return bytes(a ^ b for a, b in zip(padded, derived(b"", "IV", 13), strict=True))


def frame_binding(sender):
    return b"doorward/channel/" + sender


@pytest.mark.parametrize("role", SENDERS)
def test_the_judge_opens_our_frames(role, suite):
    ours, sender, frame = channel.Channel(suite, SECRET, SALT, role), SENDERS[role], b""
    for number in range(300):
        text = b"message %d" % number
        protected, header, ciphertext = cbor2.loads(ours.seal(text))
        assert set(header) == {6}
        unprotected = {5: nonce(sender, header[6])}
        frame = cbor2.dumps(cbor2.CBORTag(ENCRYPT0, [protected, unprotected, ciphertext]))
        assert COSE.new().decode(frame, frame_key(sender), external_aad=frame_binding(sender)) == text
    other = SENDERS["responder" if role == "initiator" else "initiator"]
    for key, bound in ((frame_key(other), sender), (frame_key(sender), other)):
        with pytest.raises(DecodeError):
            COSE.new().decode(frame, key, external_aad=frame_binding(bound))


@pytest.mark.parametrize("role", SENDERS)
def test_we_open_the_judges_frames(role, suite):
    receiver = channel.Channel(suite, SECRET, SALT, "responder" if role == "initiator" else "initiator")
    sender = SENDERS[role]
    for number in range(300):
        text = b"message %d" % number
        partial_iv = number.to_bytes(1 if number < 256 else 2, "big")
        sealed = COSE.new().encode_and_encrypt(
            text,
            frame_key(sender),
            protected={1: AES_CCM},
            unprotected={5: nonce(sender, partial_iv)},
            external_aad=frame_binding(sender),
        )
        protected, _, ciphertext = cbor2.loads(sealed).value
        assert receiver.open(cbor2.dumps([protected, {6: partial_iv}, ciphertext])) == text


def test_the_judges_headers_need_not_be_ours(suite, key):
    """Ours refuses what another profile of COSE allows: tags, an unprotected kid, no type, more headers."""
    _, payload = payload_of("receipt")
    kind = {16: "doorward/receipt"}
    for protected, unprotected in (
        ({1: ES256, **kind}, {4: KID}),
        ({1: ES256, 4: KID}, {}),
        ({1: ES256, 4: KID, 3: 0, **kind}, {}),
    ):
        signed = made(
            payload,
            judge_key(*key),
            protected=protected,
            unprotected=unprotected,
            external_aad=binding("receipt"),
        )
        COSE.new().decode(signed, judge_key(None, key[1]), external_aad=binding("receipt"))
        assert refused(suite, "receipt", signed[1:], key[1]) == errors.MALFORMED
    whole = tagged(run(cose.sign1(suite, key[0], KID, "receipt", payload)))
    assert refused(suite, "receipt", whole, key[1]) == errors.OUTSIDE_PROFILE
