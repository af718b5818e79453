"""Our CBOR against cbor2: what we write it reads, what it writes we read, and what we refuse has a name.

`rule` judges bytes by RFC 8949 and the profile of docs/protocol.md, written from those and not from our
decoder: it names the first rule that the bytes break, in the order of the bytes, each length judged before
what it announces. A difference between the decoders that no rule explains is a finding. cbor2 does not say
which bytes it left; it is asked through a stream, which does.
"""

import io
from collections import Counter
from random import Random
from typing import Any

from doorward_protocol import cbor
from doorward_protocol.errors import (
    DUPLICATE_KEY,
    MALFORMED,
    NOT_DETERMINISTIC,
    OUTSIDE_PROFILE,
    TOO_DEEP,
    ProtocolError,
)

from doorward_tools.fuzzing import samples
from doorward_tools.fuzzing.encoded import well_formed
from doorward_tools.fuzzing.mutation import mutated
from doorward_tools.fuzzing.subject import require

CHUNK = 1000

# The rules, and how our decoder says that one is broken. NOT_CBOR are RFC 8949's own: such bytes are not
# well-formed or not valid, and cbor2 must refuse them as well. A stray break is not well-formed either, but
# cbor2 hands it out as a value. The others are our profile's.
RULES = {
    "not well-formed": MALFORMED,
    "text is not UTF-8": MALFORMED,
    "bytes after the item": MALFORMED,
    "break without a beginning": MALFORMED,
    "integer or length not the shortest": NOT_DETERMINISTIC,
    "indefinite length": NOT_DETERMINISTIC,
    "keys out of order": NOT_DETERMINISTIC,
    "key twice": DUPLICATE_KEY,
    "key neither integer nor text": MALFORMED,
    "tag": OUTSIDE_PROFILE,
    "float or simple value": OUTSIDE_PROFILE,
    "deeper than eight": TOO_DEEP,
}
NOT_CBOR = ("not well-formed", "text is not UTF-8")
DEEPEST = 8


class _Broken(Exception):  # noqa: N818 - carries a rule's name to `rule`
    pass


def rule(data: bytes) -> str | None:
    """The first of RULES that data breaks; None if it is the one encoding of one value of the profile."""
    try:
        end = _walk(data, 0, DEEPEST, key=False)
    except _Broken as broken:
        return broken.args[0]
    return None if end == len(data) else "bytes after the item"


def _walk(data: bytes, at: int, room: int, key: bool) -> int:
    """Where the item that begins at `at` ends; `room` more arrays and maps may begin."""
    if at >= len(data):
        raise _Broken("not well-formed")
    major, low = data[at] >> 5, data[at] & 0x1F
    if major == 6:
        raise _Broken("tag")
    if major == 7:
        return _simple(at, low, key)
    if major in (4, 5) and room == 0:  # judged before its count: a tower needs no more reading
        raise _Broken("deeper than eight")
    at, number = _number(data, at + 1, low)
    if major in (0, 1):
        return at
    if major in (2, 3):
        if number > len(data) - at:
            raise _Broken("not well-formed")
        if major == 3:
            _text(data[at : at + number])
        elif key:
            raise _Broken("key neither integer nor text")
        return at + number
    if number * (major - 3) > len(data) - at:  # so many items cannot follow
        raise _Broken("not well-formed")
    previous = b""
    for _ in range(number):
        if major == 5:
            start, at = at, _walk(data, at, 0, key=True)
            encoded = data[start:at]
            if encoded <= previous:
                raise _Broken("key twice" if encoded == previous else "keys out of order")
            previous = encoded
        at = _walk(data, at, room - 1, key=False)
    return at


def _number(data: bytes, at: int, low: int) -> tuple[int, int]:
    """(where the head ends, its number), RFC 8949 §3."""
    if low < 24:
        return at, low
    if low == 31:
        raise _Broken("indefinite length")
    if low > 27:
        raise _Broken("not well-formed")
    size = 2 ** (low - 24)
    if at + size > len(data):
        raise _Broken("not well-formed")
    number = int.from_bytes(data[at : at + size], "big")
    if number < {1: 24, 2: 2**8, 4: 2**16, 8: 2**32}[size]:
        raise _Broken("integer or length not the shortest")
    return at + size, number


def _simple(at: int, low: int, key: bool) -> int:
    if low in (20, 21, 22):
        if key:
            raise _Broken("key neither integer nor text")
        return at + 1
    if low == 31:
        raise _Broken("break without a beginning")
    raise _Broken("not well-formed" if low >= 28 else "float or simple value")


def _text(data: bytes) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise _Broken("text is not UTF-8") from None


def same(first: object, second: object) -> bool:
    """Equal in value and type: `True` is not 1, and a list is not a tuple."""
    if type(first) is not type(second):
        return False
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return (
            len(first) == len(second)
            and {(type(key), key) for key in first} == {(type(key), key) for key in second}
            and all(same(first[key], second[key]) for key in first)
        )
    return first == second


def in_order(item: Any) -> Any:
    """The same item with its maps in the order of RFC 8949 §4.2.1; cbor2's own canonical order is another."""
    if isinstance(item, list):
        return [in_order(member) for member in item]
    if isinstance(item, dict):
        import cbor2

        return {key: in_order(item[key]) for key in sorted(item, key=cbor2.dumps)}
    return item


def check_item(item: object) -> None:
    """Both write the same bytes for it, and both read them as the same value."""
    import cbor2

    ours = cbor.encode(item)
    require(cbor2.dumps(in_order(item)) == ours, "both write the same")
    require(same(cbor2.loads(ours), item), "cbor2 reads what we write")
    require(same(cbor.decode(ours), item), "we read what both write")
    require(rule(ours) is None, "what we write keeps the rules")


def check_bytes(data: bytes) -> str:
    """Both decoders on the same bytes: returns "accepted", or the rule that explains the refusal."""
    import cbor2

    broken = rule(data)
    try:
        ours, reason = cbor.decode(data), None
    except ProtocolError as error:
        ours, reason = None, error.reason
    require(reason == (None if broken is None else RULES[broken]), f"we say what is broken: {broken}")
    if broken in ("tag", "bytes after the item", "deeper than eight"):
        return broken  # cbor2 may do with these what it likes
    stream = io.BytesIO(data)
    try:
        theirs = cbor2.load(stream)
    except Exception:  # cbor2 has several kinds, and lets some of Python's own through
        require(broken is not None, "cbor2 reads what we accept")
        return broken or ""
    if broken is None:
        require(stream.tell() == len(data), "cbor2 ends where we do")
        require(same(theirs, ours), "both read the same value")
        return "accepted"
    require(broken not in NOT_CBOR, f"cbor2 refuses it too: {broken}")
    return broken


def run_chunk(seed: int, chunk: int, count: int = CHUNK) -> Counter:
    """`count` generated items and as many byte strings made from them; how the latter were judged."""
    rng = Random(f"{seed}/agreement/{chunk}")  # noqa: S311 - repeats itself on purpose
    judged = Counter()
    encoded = [cbor.encode(samples.item(rng)) for _ in range(20)]
    for number in range(count):
        item = samples.item(rng)
        seed_bytes = data = cbor.encode(item)
        roll = rng.random()
        if roll < 0.1:
            data = rng.randbytes(rng.randrange(1, 40))
        elif roll < 0.3:
            data = well_formed(rng, seed_bytes)
        else:
            data = mutated(rng, seed_bytes, encoded)
        try:
            check_item(item)
            judged[check_bytes(data)] += 1
        except Exception as error:
            raise AssertionError(
                f"agreement, seed {seed}, chunk {chunk}, item {number}: {type(error).__name__}: {error}; "
                f"item {seed_bytes.hex()}, bytes {data[:400].hex()}"
            ) from error
    return judged
