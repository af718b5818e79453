"""True values: for the rows of the protocol's tables, and for CBOR at large."""

from random import Random

from doorward_protocol import messages, objects, records
from doorward_protocol.cbor import MAX_DEPTH
from doorward_protocol.schema import Table

ENDS = (0, 1, 23, 24, 255, 256, 65535, 65536, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1)
TEXTS = ("", "a", "押款车到达", "京A·Y0316", "x" * 23, "y" * 24, "z" * 255, "\u0000", "\U00010151")
LENGTHS = {"hash": 32, "unit": 8, "nonce": 8, "id16": 16, "key": 64}


def uint(rng: Random) -> int:
    return rng.choice(ENDS) if rng.random() < 0.4 else rng.getrandbits(rng.randrange(1, 65))


def text(rng: Random) -> str:
    return (
        rng.choice(TEXTS)
        if rng.random() < 0.6
        else "".join(rng.choices("aé水\U0001f510 ", k=rng.randrange(40)))
    )


def value(kind: str, parts: dict[str, str], rng: Random) -> object:
    """A value of a table's type, as `schema` writes types."""
    if kind.endswith("?"):
        return None if rng.random() < 0.3 else value(kind[:-1], parts, rng)
    if kind.startswith("["):
        return [value(kind[1:-1], parts, rng) for _ in range(rng.randrange(4))]
    if kind in parts:
        return [value(field.split(":")[1], parts, rng) for field in parts[kind].split()]
    if kind in LENGTHS:
        return rng.randbytes(LENGTHS[kind])
    return {
        "uint": uint,
        "time": uint,
        "int": lambda rng: uint(rng) if rng.random() < 0.5 else -1 - uint(rng),
        "bytes": lambda rng: rng.randbytes(rng.choice((0, 1, 12, 23, 24, 100, 300))),
        "text": text,
        "bool": lambda rng: rng.random() < 0.5,
        "any": lambda rng: rng.choice((text(rng), uint(rng))),
    }[kind](rng)


def row(table: Table, name: str, rng: Random) -> dict:
    """Fields for a row of a table."""
    return {
        field.name: value(field.type + "?" * field.optional, table.parts, rng) for field in table.fields(name)
    }


def a_message(rng: Random, direction: int = messages.BOTH) -> bytes:
    """An encoded message that may travel in a direction."""
    name = rng.choice([name for name in messages.MESSAGES if messages.MESSAGES[name][1] & direction])
    return messages.encode(name, **row(messages.TABLE, name, rng))


def a_record(rng: Random) -> bytes:
    """A journal entry."""
    name = rng.choice(list(records.RECORDS))
    fields = row(records.TABLE, name, rng)
    return records.encode(name, uint(rng), rng.randrange(2), uint(rng), rng.randbytes(16), **fields)


def a_blob(rng: Random) -> bytes:
    """The content of a blob that is a row."""
    name = rng.choice(list(objects.BLOBS))
    return objects.encode_blob(name, **row(objects.BLOB_TABLE, name, rng))


def item(rng: Random, depth: int = MAX_DEPTH) -> object:
    """A value of our profile of CBOR, `depth` arrays and maps deep at most."""
    roll = rng.random()
    if depth and roll < 0.42:
        count = rng.choice((0, 1, 2, 3, 24) if depth == MAX_DEPTH else (0, 1, 1, 2, 3))
        if roll < 0.22:
            return [item(rng, depth - 1) for _ in range(count)]
        return {key(rng): item(rng, depth - 1) for _ in range(count)}
    if roll < 0.65:
        return key(rng)
    if roll < 0.80:
        return rng.randbytes(rng.choice((0, 1, 2, 23, 24, 100, 255, 256)))
    return rng.choice((None, True, False, text(rng), uint(rng)))


def key(rng: Random) -> int | str:
    """A key that a map of our profile may have."""
    return text(rng) if rng.random() < 0.3 else uint(rng) if rng.random() < 0.5 else -1 - uint(rng)
