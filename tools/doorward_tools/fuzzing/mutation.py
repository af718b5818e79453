"""Ways to spoil bytes. Each takes a source of randomness, the bytes and all seeds, and returns new bytes."""

from collections.abc import Callable
from random import Random

LARGEST = 16_384  # bytes of one input
Mutator = Callable[[Random, bytes, list[bytes]], bytes]

# Numbers at which lengths, counts and signs turn.
EDGES = (0, 1, 0x17, 0x18, 0x7F, 0x80, 0xFE, 0xFF)
# Heads of CBOR that promise what does not follow, or that the profile does not have.
HEADS = [
    bytes.fromhex(head)
    for heads in (
        "5bffffffffffffffff,7b7fffffffffffffff,9bffffffffffffffff,bb7fffffffffffffff,9a00ffffff,5a7fffffff",
        "59ffff,99ffff,b9ffff,58ff,1bffffffffffffffff,3bffffffffffffffff,1800,190000,1a00000000,5800",
        "f97e00,fa7fc00000,fb7ff8000000000000,f7,e0,f8ff,f800,c0,c24101,d9d9f7,d81c,d81d00",
        "5f,7f,9f,bf,ff,1f,1c,3e,5d,fc,f5,f6,a0,80,40,60,61c3,62c080,63eda080,64f4908080",
    )
    for head in heads.split(",")
]
NESTING = (b"\x81", b"\x9f", b"\xa1\x00", b"\xbf\x00", b"\xd8\x20", b"\xc1", b"\x82\x00", b"\x5f")


def _place(rng: Random, data: bytes) -> int:
    return rng.randrange(len(data) + 1)


def _range(rng: Random, data: bytes) -> tuple[int, int]:
    start = _place(rng, data)
    return start, min(len(data), start + rng.choice((1, 1, 2, 4, 8, 16, 64, 256)))


def flip_bit(rng: Random, data: bytes, _seeds: list[bytes]) -> bytes:
    if not data:
        return b"\x01"
    at = rng.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]


def set_byte(rng: Random, data: bytes, _seeds: list[bytes]) -> bytes:
    at = _place(rng, data)
    value = rng.choice(EDGES) if rng.random() < 0.5 else rng.randrange(256)
    return data[:at] + bytes((value,)) + data[at + 1 :]


def insert(rng: Random, data: bytes, _seeds: list[bytes]) -> bytes:
    at = _place(rng, data)
    return data[:at] + rng.randbytes(rng.choice((1, 1, 2, 3, 8, 40))) + data[at:]


def delete(rng: Random, data: bytes, _seeds: list[bytes]) -> bytes:
    start, end = _range(rng, data)
    return data[:start] + data[end:]


def duplicate(rng: Random, data: bytes, _seeds: list[bytes]) -> bytes:
    start, end = _range(rng, data)
    return data[:end] + data[start:end] * rng.choice((1, 1, 2, 30)) + data[end:]


def truncate(rng: Random, data: bytes, _seeds: list[bytes]) -> bytes:
    return data[: _place(rng, data)]


def splice(rng: Random, data: bytes, seeds: list[bytes]) -> bytes:
    """The beginning of one and the end of another."""
    other = rng.choice(seeds)
    return data[: _place(rng, data)] + other[_place(rng, other) :]


def overwrite(rng: Random, data: bytes, seeds: list[bytes]) -> bytes:
    """A piece of another seed over this one."""
    other = rng.choice(seeds)
    start, end = _range(rng, other)
    at = _place(rng, data)
    return data[:at] + other[start:end] + data[at + end - start :]


def lie(rng: Random, data: bytes, _seeds: list[bytes]) -> bytes:
    """A length or count that is not true, as CBOR's head or as a plain number of 2 or 4 bytes."""
    at = _place(rng, data)
    if rng.random() < 0.6:
        head = rng.choice(HEADS)
        return data[:at] + head + data[at + rng.choice((0, 1, len(head))) :]
    size = rng.choice((2, 2, 4, 8))
    top = (1 << 8 * size) - 1
    value = rng.choice((0, 1, 2, 3, 255, 256, 257, 258, 259, 4096, 8192, 65535, top, top >> 1, len(data)))
    return data[:at] + (value & top).to_bytes(size, "big") + data[at + size :]


def nest(rng: Random, data: bytes, _seeds: list[bytes]) -> bytes:
    """A tower of arrays, maps or tags."""
    at = _place(rng, data)
    return data[:at] + rng.choice(NESTING) * rng.choice((1, 7, 8, 9, 9, 40, 40, 400, 400, 5000)) + data[at:]


MUTATORS: tuple[Mutator, ...] = (
    flip_bit,
    flip_bit,
    set_byte,
    set_byte,
    insert,
    delete,
    duplicate,
    truncate,
    splice,
    overwrite,
    lie,
    lie,
    nest,
)


def mutated(rng: Random, data: bytes, seeds: list[bytes]) -> bytes:
    """`data` spoiled in one to four ways, at most LARGEST bytes."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        data = rng.choice(MUTATORS)(rng, data, seeds)[:LARGEST]
    return data


def split(rng: Random, data: bytes) -> list[bytes]:
    """`data` in pieces as a line may deliver it: single bytes, or some hundred at once."""
    largest = rng.choice((1, 8, 64, 64, 400, 1024))
    if largest == 1 and len(data) > 600:
        largest = 64
    pieces, at = [], 0
    while at < len(data):
        size = rng.randint(1, largest)
        pieces.append(data[at : at + size])
        at += size
    return pieces
