"""EDHOC, the channel and bundles: what is accepted is what the peer made, byte for byte."""

import copy
from random import Random

from doorward_protocol import bundle, cbor, edhoc, messages
from doorward_protocol.channel import MAX_PLAINTEXT, Channel
from doorward_protocol.errors import BAD_SEQUENCE, ProtocolError
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite

from doorward_tools.fuzzing import samples
from doorward_tools.fuzzing.encoded import well_formed
from doorward_tools.fuzzing.mutation import mutated
from doorward_tools.fuzzing.subject import Subject, Target, require

UNIT, SERVER = b"unit0001", b"serv0001"
SECRET, SALT = bytes(range(16)), bytes(range(8))


def spoiled_items(rng: Random, data: bytes) -> bytes:
    """The plaintext of an EDHOC message as a peer with other ideas would write it."""
    if rng.random() < 0.4:
        return mutated(rng, data, [data])[:400]
    items = cbor.decode_sequence(data)
    at = rng.randrange(len(items) + 1)
    items[at : at + rng.randrange(2)] = [samples.item(rng, 1)]
    return cbor.encode_sequence(items)[:400]


def edhoc_subject(seed: int) -> Subject:
    """All three messages, each to a party that waits for it."""
    rng = Random(seed)  # noqa: S311 - repeats itself on purpose
    suite = OpenSSLSuite(random=rng.randbytes)
    (unit, unit_public), (server, server_public) = run(suite.new_key()), run(suite.new_key())

    def responder() -> edhoc.Responder:
        return edhoc.Responder(suite, server, SERVER, server_public, {UNIT: unit_public}.get)

    def initiator(connection: bytes | None = None) -> edhoc.Initiator:
        return edhoc.Initiator(suite, unit, UNIT, unit_public, {SERVER: server_public}.get, connection)

    waits_for_2, waits_for_3 = initiator(), responder()
    message_1 = run(waits_for_2.message_1())
    message_2 = run(waits_for_3.message_2(message_1))
    message_3 = run(copy.copy(waits_for_2).message_3(message_2))
    content = cbor.decode(message_2)
    plaintext_2 = edhoc._xor(content[32:], waits_for_3._keystream_2(len(content) - 32))
    plaintext_3 = suite.open(
        waits_for_3._key_3, waits_for_3._iv_3, waits_for_3._aad_3, cbor.decode(message_3)
    )

    def first(data: bytes, _rng: Random) -> object:
        party = responder()
        answer = run(party.message_2(data))
        require(party.connection_r != party.connection_i, "C_I and C_R differ")
        require(party.peer_kid is None, "nobody is known before message_3")
        return answer

    def second(data: bytes, _rng: Random) -> object:
        party = copy.copy(waits_for_2)  # all that a step changes is put in place of the old
        answer = run(party.message_3(data))
        require((data, answer) == (message_2, message_3), "message_2 was the server's")
        return answer

    def third(data: bytes, _rng: Random) -> object:
        party = copy.copy(waits_for_3)
        run(party.finish(data))
        require(data == message_3 and party.peer_kid == UNIT, "message_3 was the unit's")
        return party.peer_kid

    def under_keystream(rng: Random, _seed: bytes) -> bytes:
        """As a man in the middle could make it who knows the shared secret."""
        plaintext = spoiled_items(rng, plaintext_2)
        return cbor.encode(content[:32] + edhoc._xor(plaintext, waits_for_3._keystream_2(len(plaintext))))

    def sealed(rng: Random, _seed: bytes) -> bytes:
        plaintext = spoiled_items(rng, plaintext_3)
        key, nonce, aad = waits_for_3._key_3, waits_for_3._iv_3, waits_for_3._aad_3
        return cbor.encode(suite.seal(key, nonce, aad, plaintext))

    def items_of_1(rng: Random, seed: bytes) -> bytes:
        return spoiled_items(rng, seed)

    firsts = [run(initiator(name).message_1()) for name in (None, b"\x01", b"", b"\x18", b"ab", b"1234567")]
    return Subject(
        "edhoc",
        (ProtocolError,),
        [
            Target("message_1", [message_1, *firsts, message_1 + b"\x00\x41x"], first, [items_of_1]),
            Target("message_2", [message_2], second, [under_keystream]),
            Target("message_3", [message_3], third, [sealed]),
        ],
    )


def channel_subject(seed: int) -> Subject:
    """Frames and the messages in them; bundles."""
    rng = Random(seed)  # noqa: S311 - repeats itself on purpose
    suite = OpenSSLSuite(random=rng.randbytes)

    def sealed(plaintext: bytes) -> bytes:
        """As the server's first frame."""
        return Channel(suite, SECRET, SALT, "responder").seal(plaintext)

    def frame(data: bytes, _rng: Random) -> object:
        unit = Channel(suite, SECRET, SALT, "initiator")
        try:
            plaintext = unit.open(data)
        except ProtocolError:
            _stays_closed(unit, right)
            raise
        require(sealed(plaintext) == data, "a frame is what the peer sealed")
        return messages.decode(plaintext, messages.TO_UNIT)

    def sealed_nonsense(rng: Random, seed: bytes) -> bytes:
        plaintext = Channel(suite, SECRET, SALT, "initiator").open(seed)
        spoiled = well_formed(rng, plaintext) if rng.random() < 0.5 else mutated(rng, plaintext, [plaintext])
        return sealed(spoiled[:MAX_PLAINTEXT])

    right = sealed(messages.encode("time", time=0))
    frames = [sealed(samples.a_message(rng, messages.TO_UNIT)) for _ in range(40)]
    return Subject(
        "channel",
        (ProtocolError,),
        [
            Target("frame", [right, *frames], frame, [sealed_nonsense]),
            bundle_target(suite, rng),
        ],
    )


def _stays_closed(unit: Channel, right: bytes) -> None:
    """After a refusal the channel takes nothing more, not even the frame that would have been right."""
    require(unit.closed, "a refused frame closes the channel")
    try:
        unit.open(right)
    except ProtocolError as error:
        require(error.reason == BAD_SEQUENCE, "a closed channel says so")
    else:
        require(False, "a closed channel stays closed")


def bundle_target(suite: OpenSSLSuite, rng: Random) -> Target:
    """Bundles for a unit, read piece by piece as from a card."""
    dispatch, dispatch_public = run(suite.new_key())
    private, public = run(suite.new_key())
    header = {"unit": UNIT, "sequence": 1, "issued": 0, "expires": 1, "manifest": None}

    def written() -> bytes:
        writer = bundle.Writer(suite, "bundle")
        data = run(writer.start(dispatch, b"dispatch", public, UNIT, **header))
        for _ in range(rng.randrange(4)):
            data += writer.add(samples.a_message(rng, messages.TO_UNIT))
        return data + writer.end()

    def read(data: bytes, _rng: Random) -> object:
        at = 0

        def take(count: int) -> bytes:
            nonlocal at
            require(count <= MAX_PLAINTEXT + 8, "no chunk is longer than the longest")
            piece = data[at : at + count]
            at += len(piece)
            return piece

        reader, found = bundle.Reader(suite, "bundle", take), []
        run(reader.start(private, UNIT, {b"dispatch": dispatch_public}))
        while (message := reader.next()) is not None:
            found.append(message)
        require(data in whole, "a bundle is what dispatch wrote")
        return found

    seeds = [written() for _ in range(12)]
    whole = set(seeds)
    return Target("bundle", seeds, read)
