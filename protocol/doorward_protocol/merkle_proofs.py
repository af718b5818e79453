"""Inclusion and consistency proofs of the Merkle log (RFC 6962 §2.1; checked as in RFC 9162 §2.1.3, §2.1.4).

They are made by the server, which keeps every leaf hash. Checking one needs the roots alone.
"""

from doorward_protocol.errors import MALFORMED, ProtocolError
from doorward_protocol.merkle import EMPTY_ROOT, node_hash, root_of


def _split(size):
    """The largest power of two smaller than size, for size > 1 (§2.1)."""
    split = 1
    while split * 2 < size:
        split *= 2
    return split


def inclusion_proof(leaves, index):
    """Return the audit path, a list of hashes, of leaf number index in the tree of all leaves (§2.1.1)."""
    if not 0 <= index < len(leaves):
        raise ProtocolError(MALFORMED, "no leaf %d in a log of %d" % (index, len(leaves)))
    start, size, proof = 0, len(leaves), []
    while size > 1:
        split = _split(size)
        if index < split:
            proof.append(root_of(leaves[start + split : start + size]))
            size = split
        else:
            proof.append(root_of(leaves[start : start + split]))
            start, size, index = start + split, size - split, index - split
    proof.reverse()
    return proof


def verify_inclusion(leaf, index, size, proof, root):
    """True if leaf (a leaf hash) is number index in the tree of that size and root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    last = size - 1
    result = leaf
    for node in proof:
        if last == 0:
            return False
        if index & 1 or index == last:
            result = node_hash(node, result)
            while not index & 1 and index:
                index >>= 1
                last >>= 1
        else:
            result = node_hash(result, node)
        index >>= 1
        last >>= 1
    return last == 0 and result == root


def consistency_proof(leaves, first):
    """Return the proof that the first leaves are a prefix of all (§2.1.2); empty for none and for all."""
    size = len(leaves)
    if not 0 <= first <= size:
        raise ProtocolError(MALFORMED, "no prefix of %d in a log of %d" % (first, size))
    if first in (0, size):
        return []
    start, whole, proof = 0, True, []
    while first != size:
        split = _split(size)
        if first <= split:
            proof.append(root_of(leaves[start + split : start + size]))
            size = split
        else:
            proof.append(root_of(leaves[start : start + split]))
            start, size, first, whole = start + split, size - split, first - split, False
    if not whole:
        proof.append(root_of(leaves[start : start + size]))
    proof.reverse()
    return proof


def verify_consistency(first, second, proof, first_root, second_root):
    """True if the tree (first, first_root) is a prefix of (second, second_root) (RFC 9162 §2.1.4.2)."""
    if not 0 <= first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    node, last = first - 1, second - 1
    while node & 1:
        node >>= 1
        last >>= 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old = node_hash(step, old)
            new = node_hash(step, new)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, step)
        node >>= 1
        last >>= 1
    return last == 0 and old == first_root and new == second_root
