"""An independent EDHOC implementation, lakers (Inria), on the other end of our handshakes, in both roles.

Method 3, suite 2, credentials by kid as our profile has them; lakers parses our credential by itself. What it
cannot judge: it takes C_I = C_R, which our profile refuses; it reads the first byte of message_3 loosely; and
exporter labels from 24 on it writes as one byte, which is no CBOR (RFC 9528 §4.1.2): they have another judge.
"""

# pyright: reportAttributeAccessIssue=false
# lakers is compiled and comes without stubs.

import random

import cbor2
import lakers
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from doorward_protocol import cbor, edhoc, errors
from doorward_protocol.channel import Channel
from doorward_protocol.errors import ProtocolError
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite

UNIT, SERVER = b"unit0001", b"serv0001"
SUITE_2 = 2
# (label, context, length): both of the channel, a last label of one byte, a long context, several blocks.
EXPORTS = [(0, b"", 16), (1, b"", 8), (2, b"\x00", 1), (7, b"c", 32), (22, b"cc", 33), (23, b"x" * 40, 200)]


class Side:
    """One side's static key and credential."""

    def __init__(self, suite, kid):
        self.kid = kid
        self.private, self.public = run(suite.new_key())
        self.credential = lakers.Credential(edhoc.credential(kid, self.public))


class Bench:
    """The keys of a unit and a server, and both roles made by us or by lakers."""

    def __init__(self, seed=1):
        self.suite = OpenSSLSuite(random.Random(seed).randbytes)
        self.unit, self.server = Side(self.suite, UNIT), Side(self.suite, SERVER)
        self.stranger = Side(self.suite, UNIT)

    def initiator(self, connection=None, known=None):
        known = {SERVER: self.server.public} if known is None else known
        return edhoc.Initiator(
            self.suite, self.unit.private, UNIT, self.unit.public, known.get, connection=connection
        )

    def responder(self, connection=None, known=None):
        known = {UNIT: self.unit.public} if known is None else known
        return edhoc.Responder(
            self.suite, self.server.private, SERVER, self.server.public, known.get, connection=connection
        )

    def lakers_responder(self):
        return lakers.EdhocResponder(self.server.private, self.server.credential)

    def to_message_3(self, ours, theirs, c_r=None):
        """Our Initiator and their responder as far as message_3."""
        theirs.process_message_1(run(ours.message_1()))
        by_kid = lakers.CredentialTransfer.ByReference
        return run(ours.message_3(theirs.prepare_message_2(by_kid, c_r)))

    def to_message_2(self, theirs, ours, c_i=None):
        """Their initiator and our Responder as far as message_2."""
        return run(ours.message_2(theirs.prepare_message_1(c_i)))

    def answer(self, theirs, message_2):
        """What their initiator answers to message_2, when it has verified it."""
        theirs.parse_message_2(message_2)
        theirs.verify_message_2(self.unit.private, self.unit.credential, self.server.credential)
        message_3, _ = theirs.prepare_message_3(lakers.CredentialTransfer.ByReference)
        return message_3


@pytest.fixture
def bench():
    return Bench()


def same_secrets(ours, theirs):
    theirs.completed_without_message_4()
    for label, context, length in EXPORTS:
        assert ours.exporter(label, context, length) == theirs.edhoc_exporter(label, context, length)


def test_lakers_reads_our_credential(bench):
    """The map, its kid and its key, found by lakers' own parser."""
    assert bench.unit.credential.kid() == UNIT
    assert bench.unit.credential.public_key() == bench.unit.public[:32]


# C_R of one byte travels as an integer or as a byte string, longer ones as byte strings (RFC 9528 §3.3.2).
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("c_r", [b"\x01", b"\x20", b"\x17", b"\x18", b"\xff", b"ab", b"1234567"])
def test_our_unit_and_their_server(seed, c_r):
    bench = Bench(seed)
    ours, theirs = bench.initiator(), bench.lakers_responder()
    message_3 = bench.to_message_3(ours, theirs, c_r)
    by_kid, authorization = theirs.parse_message_3(message_3)
    assert (by_kid, authorization) == (cbor.encode({4: UNIT}), [])
    theirs.verify_message_3(bench.unit.credential)
    assert ours.peer_kid == SERVER
    assert ours.connection_r == c_r
    same_secrets(ours, theirs)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("c_i", [b"\x00", b"\x01", b"\x37", b"\x18", b"\xff", b"ab", b"1234567"])
def test_their_unit_and_our_server(seed, c_i):
    bench = Bench(seed)
    theirs, ours = lakers.EdhocInitiator(), bench.responder()
    message_2 = bench.to_message_2(theirs, ours, c_i)
    assert theirs.selected_cipher_suite() == SUITE_2
    run(ours.finish(bench.answer(theirs, message_2)))
    assert ours.peer_kid == UNIT
    assert ours.connection_i == c_i != ours.connection_r
    same_secrets(ours, theirs)


def test_a_channel_stands_on_their_secrets(bench):
    """What lakers exports makes a channel that understands ours."""
    ours, theirs = bench.initiator(), bench.lakers_responder()
    theirs.parse_message_3(bench.to_message_3(ours, theirs, b"\x01"))
    theirs.verify_message_3(bench.unit.credential)
    theirs.completed_without_message_4()
    secret, salt = theirs.edhoc_exporter(0, b"", 16), theirs.edhoc_exporter(1, b"", 8)
    server, unit = Channel(bench.suite, secret, salt, "responder"), Channel.after(ours)
    assert unit.open(server.seal(b"time")) == b"time"
    assert server.open(unit.seal(b"status")) == b"status"


def test_labels_over_23_are_what_the_standard_says(bench):
    """EDHOC_Exporter (§4.2.1) with cbor2 and the library's HKDF."""
    ours, theirs = bench.initiator(), bench.responder()
    run(theirs.finish(run(ours.message_3(run(theirs.message_2(run(ours.message_1())))))))
    for label in (23, 24, 255, 256, 65536):
        info = cbor2.dumps(label) + cbor2.dumps(b"context") + cbor2.dumps(40)
        expected = HKDFExpand(hashes.SHA256(), 40, info).derive(ours._prk_exporter)
        assert ours.exporter(label, b"context", 40) == theirs.exporter(label, b"context", 40) == expected


def refused(step, *arguments):
    """Our refusal's reason."""
    with pytest.raises(ProtocolError) as caught:
        run(step(*arguments))
    return caught.value.reason


# Wrong credentials, on either side


def test_we_refuse_a_server_that_we_do_not_know(bench):
    assert refused(
        lambda: later(bench.to_message_3, bench.initiator(known={}), bench.lakers_responder())
    ) == (errors.UNKNOWN_KEY)


def test_we_refuse_a_server_with_another_key(bench):
    ours = bench.initiator(known={SERVER: bench.stranger.public})
    assert refused(lambda: later(bench.to_message_3, ours, bench.lakers_responder())) == errors.BAD_SIGNATURE


@pytest.mark.parametrize("known", ["nobody", "another key"])
def test_we_refuse_a_unit_that_we_do_not_know(bench, known):
    directory = {} if known == "nobody" else {UNIT: bench.stranger.public}
    theirs, ours = lakers.EdhocInitiator(), bench.responder(known=directory)
    message_3 = bench.answer(theirs, bench.to_message_2(theirs, ours))
    reason = errors.UNKNOWN_KEY if known == "nobody" else errors.BAD_SIGNATURE
    assert refused(ours.finish, message_3) == reason
    assert ours.peer_kid is None


def test_they_refuse_a_unit_with_another_key(bench):
    theirs = bench.lakers_responder()
    theirs.parse_message_3(bench.to_message_3(bench.initiator(), theirs))
    with pytest.raises(ValueError, match="MacVerificationFailed"):
        theirs.verify_message_3(bench.stranger.credential)


def test_they_refuse_a_server_with_another_key(bench):
    theirs = lakers.EdhocInitiator()
    theirs.parse_message_2(bench.to_message_2(theirs, bench.responder()))
    other = lakers.Credential(edhoc.credential(SERVER, bench.stranger.public))
    with pytest.raises(ValueError, match="MacVerificationFailed"):
        theirs.verify_message_2(bench.unit.private, bench.unit.credential, other)


# Connection identifiers


def test_equal_connection_identifiers_are_refused_by_us_alone(bench):
    """Equal ones would give both directions of the channel one key; lakers takes them."""
    theirs = bench.lakers_responder()
    theirs.process_message_1(run((ours := bench.initiator(connection=b"\x05")).message_1()))
    message_2 = theirs.prepare_message_2(lakers.CredentialTransfer.ByReference, b"\x05")
    assert refused(ours.message_3, message_2) == errors.MALFORMED
    message_1 = lakers.EdhocInitiator().prepare_message_1(b"\x05")
    assert refused(bench.responder(connection=b"\x05").message_2, message_1) == errors.MALFORMED
    # Two of lakers' own.
    initiator, responder = lakers.EdhocInitiator(), bench.lakers_responder()
    responder.process_message_1(initiator.prepare_message_1(b"\x05"))
    by_kid = lakers.CredentialTransfer.ByReference
    responder.parse_message_3(bench.answer(initiator, responder.prepare_message_2(by_kid, b"\x05")))
    responder.verify_message_3(bench.unit.credential)


# Tampering: one bit at every position of every message, in both directions


def turned(message, position):
    changed = bytearray(message)
    changed[position] ^= 1 << (position % 8)
    return bytes(changed)


def rejects(step, *arguments):
    """True if the step refuses, by our named refusal or in one of lakers' two ways."""
    try:
        step(*arguments)
    except ProtocolError:
        return True
    except ValueError as error:
        if not str(error).startswith("EDHOCError"):
            raise
        return True
    except BaseException as panic:  # lakers' Rust panics at a G_X that is on no point
        if "not a good point" not in str(panic):
            raise
        return True
    return False


LENGTHS = {1: 37, 2: 53, 3: 28}  # bytes of each message
EVERYWHERE = [(number, position) for number in LENGTHS for position in range(LENGTHS[number])]


def on_the_way(which, message, number, position):
    """A message as it arrives when the one called number is changed at a position."""
    assert len(message) == LENGTHS[which]
    return turned(message, position) if which == number else message


@pytest.mark.parametrize(("number", "position"), EVERYWHERE)
def test_a_changed_byte_ends_our_unit_with_their_server(bench, number, position):
    """Wherever it is: nobody completes with somebody who saw other bytes."""
    ours, theirs = bench.initiator(), bench.lakers_responder()

    def handshake():
        theirs.process_message_1(on_the_way(1, run(ours.message_1()), number, position))
        message_2 = theirs.prepare_message_2(lakers.CredentialTransfer.ByReference, b"\x01")
        message_3 = run(ours.message_3(on_the_way(2, message_2, number, position)))
        theirs.parse_message_3(on_the_way(3, message_3, number, position))
        theirs.verify_message_3(bench.unit.credential)

    if (number, position) == (3, 0):  # the byte string's first byte, which lakers reads loosely: same content
        handshake()
        same_secrets(ours, theirs)
        return
    assert rejects(handshake)


@pytest.mark.parametrize(("number", "position"), EVERYWHERE)
def test_a_changed_byte_ends_their_unit_with_our_server(bench, number, position):
    theirs, ours = lakers.EdhocInitiator(), bench.responder()

    def handshake():
        message_1 = theirs.prepare_message_1(b"\x00")
        message_2 = run(ours.message_2(on_the_way(1, message_1, number, position)))
        message_3 = bench.answer(theirs, on_the_way(2, message_2, number, position))
        run(ours.finish(on_the_way(3, message_3, number, position)))

    assert rejects(handshake)
    assert ours.peer_kid is None


async def later(step, *arguments):
    """A plain step as a coroutine, for `refused`."""
    return step(*arguments)
