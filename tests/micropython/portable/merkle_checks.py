"""The Merkle log: the well-known 8-leaf log, and every proof of every log up to 64 leaves by brute force."""

from binascii import unhexlify

from doorward_protocol import errors, merkle

from portable_support import refuses, vectors


def _known():
    known = vectors("merkle_rfc6962")
    leaves = [merkle.leaf_hash(unhexlify(entry)) for entry in known["inputs"]]
    return known, leaves, [unhexlify(root) for root in known["roots"]]


def _log(size):
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
    known, leaves, roots = _known()
    frontier = merkle.Frontier()
    assert frontier.root() == unhexlify(known["empty_root"])
    for number, leaf in enumerate(leaves):
        frontier.append(leaf)
        frontier = merkle.Frontier.from_bytes(frontier.to_bytes())
        assert frontier.size == number + 1
        assert frontier.root() == roots[number] == merkle.root_of(leaves[: number + 1])


def check_known_inclusion():
    """The known audit paths are made, and hold."""
    known, leaves, roots = _known()
    for case in known["inclusion"]:
        index, size = case["index"], case["size"]
        proof = [unhexlify(node) for node in case["proof"]]
        assert merkle.inclusion_proof(leaves[:size], index) == proof, case
        assert merkle.verify_inclusion(leaves[index], index, size, proof, roots[size - 1]), case


def check_known_consistency():
    """The known consistency proofs are made, and hold."""
    known, leaves, roots = _known()
    for case in known["consistency"]:
        first, second = case["first"], case["second"]
        proof = [unhexlify(node) for node in case["proof"]]
        assert merkle.consistency_proof(leaves[:second], first) == proof, case
        assert merkle.verify_consistency(first, second, proof, roots[first - 1], roots[second - 1]), case


def check_all_inclusion():
    """Up to 64 leaves: the path of each leaf holds for it, and for no other place, size or leaf."""
    leaves, roots = _log(64)
    for size in range(1, 65):
        for index in range(size):
            proof = merkle.inclusion_proof(leaves[:size], index)
            root = roots[size]
            assert merkle.verify_inclusion(leaves[index], index, size, proof, root)
            assert not merkle.verify_inclusion(leaves[index], index + 1, size, proof, root)
            assert not merkle.verify_inclusion(leaves[index], index, size, proof, roots[size - 1])
            assert not merkle.verify_inclusion(leaves[index], index, size, proof + [root], root)
            if proof:
                assert not merkle.verify_inclusion(leaves[index], index, size, proof[:-1], root)
                assert not merkle.verify_inclusion(leaves[index - 1], index, size, proof, root)


def check_all_consistency():
    """Up to 64 leaves: each prefix is consistent, and any change of proof or roots is noticed."""
    leaves, roots = _log(64)
    for second in range(65):
        for first in range(second + 1):
            proof = merkle.consistency_proof(leaves[:second], first)
            assert merkle.verify_consistency(first, second, proof, roots[first], roots[second])
            if 0 < first < second:
                assert not merkle.verify_consistency(first, second, proof, roots[first - 1], roots[second])
                assert not merkle.verify_consistency(first, second, proof, roots[first], roots[second - 1])
                assert not merkle.verify_consistency(first, second, proof[:-1], roots[first], roots[second])
                longer = proof + [roots[1]]
                assert not merkle.verify_consistency(first, second, longer, roots[first], roots[second])


def check_nonsense():
    """Places that do not exist, and frontiers that cannot be."""
    leaves, roots = _log(4)
    refuses(errors.MALFORMED, merkle.inclusion_proof, leaves, 4)
    refuses(errors.MALFORMED, merkle.inclusion_proof, leaves, -1)
    refuses(errors.MALFORMED, merkle.consistency_proof, leaves, 5)
    assert not merkle.verify_inclusion(leaves[0], -1, 4, [], roots[4])
    assert not merkle.verify_consistency(3, 2, [], roots[3], roots[2])
    assert not merkle.verify_consistency(4, 4, [], roots[4], roots[3])
    assert not merkle.verify_consistency(0, 4, [roots[1]], roots[0], roots[4])
    assert not merkle.verify_consistency(3, 4, [], roots[3], roots[4])
    whole = merkle.Frontier()
    for leaf in leaves[:3]:
        whole.append(leaf)
    data = whole.to_bytes()
    assert len(data) == 8 + 2 * merkle.HASH
    for wrong in (b"", data[:-1], data + b"x", data + bytes(merkle.HASH), bytes(8) + bytes(merkle.HASH)):
        refuses(errors.MALFORMED, merkle.Frontier.from_bytes, wrong)
