"""The Merkle log and its tree hash (RFC 6962 §2, the same as RFC 9162 §2.1).

A unit keeps only the `Frontier`, the roots of the perfect subtrees of its log, which is enough to append and
to sign a head. The server keeps every leaf hash and makes proofs (`merkle_proofs`).
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
