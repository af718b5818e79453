"""The Merkle log: tree hash, inclusion and consistency proofs (RFC 6962 §2, the same as RFC 9162 §2.1).

A unit keeps only the `Frontier`, the roots of the perfect subtrees of its log, which is enough to append and
to sign a head. The server keeps every leaf hash and makes the proofs. Checking a proof needs neither.
"""

import hashlib

from doorward_protocol.errors import MALFORMED, ProtocolError

HASH = 32  # bytes of a SHA-256 digest


def leaf_hash(entry):
    """Return SHA-256(0x00 || entry) (§2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left, right):
    """Return SHA-256(0x01 || left || right) (§2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


EMPTY_ROOT = hashlib.sha256(b"").digest()


class Frontier:
    """The log as its writer needs it: size, and the roots of its perfect subtrees, the largest first."""

    __slots__ = ("nodes", "size")

    def __init__(self):
        self.size = 0
        self.nodes = []

    def append(self, leaf):
        """Add one leaf hash (32 bytes) to the log."""
        size = self.size
        while size & 1:
            leaf = node_hash(self.nodes.pop(), leaf)
            size >>= 1
        self.nodes.append(leaf)
        self.size += 1

    def root(self):
        """Return the tree hash of the log (32 bytes)."""
        return _fold(self.nodes) if self.nodes else EMPTY_ROOT

    def to_bytes(self):
        """Return the state: size as 8 bytes big-endian, then one hash for each bit set in it."""
        return self.size.to_bytes(8, "big") + b"".join(self.nodes)

    @staticmethod
    def from_bytes(data):
        """Return the Frontier that to_bytes wrote. Raises MALFORMED."""
        data = bytes(data)
        frontier = Frontier()
        frontier.size = int.from_bytes(data[:8], "big")
        frontier.nodes = [data[at : at + HASH] for at in range(8, len(data), HASH)]
        if len(data) != 8 + HASH * _bits(frontier.size):
            raise ProtocolError(MALFORMED, "frontier of a journal")
        return frontier


def _bits(number):
    count = 0
    while number:
        count += number & 1
        number >>= 1
    return count


def _fold(nodes):
    root = nodes[-1]
    for at in range(len(nodes) - 2, -1, -1):
        root = node_hash(nodes[at], root)
    return root


def root_of(leaves):
    """Return the tree hash of a list of leaf hashes (§2.1)."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


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
