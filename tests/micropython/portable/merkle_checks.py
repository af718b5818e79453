"""The Merkle log: the well-known 8-leaf log, and every log up to 64 leaves by brute force.

Proofs are no matter of the device: see tests/protocol/test_merkle_proofs.py.
"""

from binascii import unhexlify

from doorward_protocol import errors, merkle

from portable_support import refuses, vectors


def known_log():
    known = vectors("merkle_rfc6962")
    leaves = [merkle.leaf_hash(unhexlify(entry)) for entry in known["inputs"]]
    return known, leaves, [unhexlify(root) for root in known["roots"]]


def log(size):
    """The leaves of a log, and the root after each of them, by the recursive definition (§2.1)."""
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(size)]
    return leaves, [_tree_hash(leaves[:count]) for count in range(size + 1)]


def _tree_hash(leaves):
    if not leaves:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.node_hash(_tree_hash(leaves[:split]), _tree_hash(leaves[split:]))


def check_known_roots():
    """The frontier has the known root after each append, and keeps it through its bytes."""
    known, leaves, roots = known_log()
    frontier = merkle.Frontier()
    assert frontier.root() == unhexlify(known["empty_root"])
    for number, leaf in enumerate(leaves):
        frontier.append(leaf)
        frontier = merkle.Frontier.from_bytes(frontier.to_bytes())
        assert frontier.size == number + 1
        assert frontier.root() == roots[number] == merkle.root_of(leaves[: number + 1])


def check_all_roots():
    """The frontier of every log up to 64 leaves has the root of the recursive definition."""
    leaves, roots = log(64)
    for size in range(65):
        assert merkle.root_of(leaves[:size]) == roots[size]


def check_nonsense():
    """Frontiers that cannot be."""
    leaves, _ = log(4)
    whole = merkle.Frontier()
    for leaf in leaves[:3]:
        whole.append(leaf)
    data = whole.to_bytes()
    assert len(data) == 8 + 2 * merkle.HASH
    for wrong in (b"", data[:-1], data + b"x", data + bytes(merkle.HASH), bytes(8) + bytes(merkle.HASH)):
        refuses(errors.MALFORMED, merkle.Frontier.from_bytes, wrong)
