"""CBOR and COSE: rows of the tables, signed objects, trust objects."""

from random import Random

from doorward_protocol import cbor, cose, messages, objects, records, trust
from doorward_protocol.errors import ProtocolError
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite

from doorward_tools.fuzzing import samples
from doorward_tools.fuzzing.mutation import mutated
from doorward_tools.fuzzing.subject import Own, Subject, Target, require

KID = b"kid-0001"


def altered(rng: Random, item: object, deep: int = 7) -> object:
    """A decoded item with one member changed, dropped, doubled or exchanged: well-formed and wrong."""
    if isinstance(item, list) and item and deep and rng.random() < 0.85:
        at, changed = rng.randrange(len(item)), list(item)
        roll = rng.random()
        if roll < 0.1:
            del changed[at]
        elif roll < 0.2:
            changed.insert(at, changed[at])
        else:
            changed[at] = altered(rng, changed[at], deep - 1)
        return changed
    if isinstance(item, dict) and item and deep and rng.random() < 0.85:
        key = rng.choice(list(item))
        changed = {**item, key: altered(rng, item[key], deep - 1)}
        return changed if rng.random() < 0.8 else {**changed, samples.key(rng): 0}
    if isinstance(item, bytes) and rng.random() < 0.5:
        return mutated(rng, item, [item])[:2000]
    return samples.item(rng, min(2, deep))


def well_formed(rng: Random, seed: bytes) -> bytes:
    """A seed altered as an item and encoded properly again, so that tables and shapes have to judge it."""
    try:
        return cbor.encode(altered(rng, cbor.decode(seed)))
    except ProtocolError:  # altered beyond the depth that can be encoded
        return seed


def cbor_subject(seed: int) -> Subject:
    """Decoder and tables."""
    rng = Random(seed)  # noqa: S311 - repeats itself on purpose

    def item(data: bytes, _rng: Random) -> object:
        found = cbor.decode(data)
        require(cbor.encode(found) == data, "one value has one encoding")
        return found

    def sequence(data: bytes, _rng: Random) -> object:
        found = cbor.decode_sequence(data)
        require(cbor.encode_sequence(found) == data, "one sequence has one encoding")
        return found

    def message(data: bytes, _rng: Random) -> object:
        name, fields = messages.decode(data)
        require(messages.encode(name, **fields) == data, "a message is what its table says")
        return name

    def record(data: bytes, _rng: Random) -> object:
        one = records.decode(data)
        again = records.encode(one.name, one.time, one.clock, one.boot, one.salt, **one.fields)
        require(again == data, "an entry is what its table says")
        return one

    def blob(data: bytes, _rng: Random) -> object:
        name = objects.BLOB_TABLE.names.get(data[1] if len(data) > 1 else 0, "order")
        fields = objects.decode_blob(name, data)
        require(objects.encode_blob(name, **fields) == data, "a blob is what its table says")
        return fields

    own: list[Own] = [well_formed]
    items = [cbor.encode(samples.item(rng)) for _ in range(200)]
    return Subject(
        "cbor",
        (ProtocolError,),
        [
            Target("item", items, item, own),
            Target("sequence", [b"".join(rng.choices(items, k=3)) for _ in range(50)], sequence),
            Target("message", [samples.a_message(rng) for _ in range(60)], message, own),
            Target("record", [samples.a_record(rng) for _ in range(120)], record, own),
            Target("blob", [samples.a_blob(rng) for _ in range(40)], blob, own),
        ],
    )


def cose_subject(seed: int) -> Subject:
    """Signed objects of all kinds, and trust objects. What verifies was signed by somebody who may."""
    rng = Random(seed)  # noqa: S311 - repeats itself on purpose
    suite = OpenSSLSuite(random=rng.randbytes)
    private, public = run(suite.new_key())
    roots = {b"root-%03d" % number: run(suite.new_key()) for number in range(3)}
    keys = {KID: public, **{kid: pair[1] for kid, pair in roots.items()}}
    payloads = set()  # that were ever signed

    def sign(kind: str, payload: bytes) -> bytes:
        payloads.add(payload)
        return run(cose.sign1(suite, private, KID, kind, payload))

    def kind_of(data: bytes) -> str:
        for kind in objects.OBJECTS:
            if f"doorward/{kind}".encode() in data:
                return kind
        return "manifest"

    def signed(data: bytes, _rng: Random) -> object:
        cose_payload = run(cose.verify1(suite, kind_of(data), data, keys))
        require(cose_payload in payloads, "what verifies was signed")
        return run(objects.verify(suite, kind_of(data), data, keys))

    def resigned(rng: Random, seed: bytes) -> bytes:
        """An altered payload under a true signature: a key owner with another idea of the tables."""
        kind = kind_of(seed)
        payload = well_formed(rng, cose.peek_payload(seed))
        return sign(rng.choice([kind, kind, kind, "command"]), payload)

    def a_trust() -> bytes:
        fields = samples.row(objects.OBJECT_TABLE, "trust", rng)
        fields.update(roots=[[kid, pair[1]] for kid, pair in roots.items()], threshold=2)
        signers = [(pair[0], kid) for kid, pair in roots.items()]
        one = run(trust.sign_trust(suite, signers[: rng.choice((2, 3))], **fields))
        trusted.add(cose.peek_payload(cbor.decode(one)[0]))
        return one

    def trust_object(data: bytes, _rng: Random) -> object:
        fields = run(trust.verify_trust(suite, data))
        require(cbor.encode(objects.OBJECT_TABLE.pack("trust", **fields)) in trusted, "roots signed it")
        return fields

    trusted: set[bytes] = set()
    kinds = [kind for kind in objects.OBJECTS for _ in range(8)]
    seeds = [
        sign(
            kind, cbor.encode(objects.OBJECT_TABLE.pack(kind, **samples.row(objects.OBJECT_TABLE, kind, rng)))
        )
        for kind in kinds
    ]
    return Subject(
        "cose",
        (ProtocolError,),
        [
            Target("signed", seeds, signed, [resigned, well_formed]),
            Target("trust", [a_trust() for _ in range(8)], trust_object, [well_formed]),
        ],
    )
