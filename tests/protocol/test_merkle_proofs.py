"""Inclusion and consistency proofs: those of the well-known 8-leaf log, and all up to 64 leaves."""

from binascii import unhexlify

import pytest
from doorward_protocol import errors, merkle_proofs
from doorward_protocol.errors import ProtocolError
from merkle_checks import known_log, log  # pyright: ignore[reportMissingImports] - of tests/micropython


def refusal_of(call, *arguments):
    with pytest.raises(ProtocolError) as refusal:
        call(*arguments)
    return refusal.value.reason


def test_known_inclusion():
    """The known audit paths are made, and hold."""
    known, leaves, roots = known_log()
    for case in known["inclusion"]:
        index, size = case["index"], case["size"]
        proof = [unhexlify(node) for node in case["proof"]]
        assert merkle_proofs.inclusion_proof(leaves[:size], index) == proof, case
        assert merkle_proofs.verify_inclusion(leaves[index], index, size, proof, roots[size - 1]), case


def test_known_consistency():
    """The known consistency proofs are made, and hold."""
    known, leaves, roots = known_log()
    for case in known["consistency"]:
        first, second = case["first"], case["second"]
        proof = [unhexlify(node) for node in case["proof"]]
        assert merkle_proofs.consistency_proof(leaves[:second], first) == proof, case
        assert merkle_proofs.verify_consistency(first, second, proof, roots[first - 1], roots[second - 1]), (
            case
        )


def test_all_inclusion():
    """Up to 64 leaves: the path of each leaf holds for it, and for no other place, size or leaf."""
    leaves, roots = log(64)
    for size in range(1, 65):
        for index in range(size):
            proof = merkle_proofs.inclusion_proof(leaves[:size], index)
            root = roots[size]
            assert merkle_proofs.verify_inclusion(leaves[index], index, size, proof, root)
            assert not merkle_proofs.verify_inclusion(leaves[index], index + 1, size, proof, root)
            assert not merkle_proofs.verify_inclusion(leaves[index], index, size, proof, roots[size - 1])
            assert not merkle_proofs.verify_inclusion(leaves[index], index, size, [*proof, root], root)
            if proof:
                assert not merkle_proofs.verify_inclusion(leaves[index], index, size, proof[:-1], root)
                assert not merkle_proofs.verify_inclusion(leaves[index - 1], index, size, proof, root)


def test_all_consistency():
    """Up to 64 leaves: each prefix is consistent, and any change of proof or roots is noticed."""
    leaves, roots = log(64)
    for second in range(65):
        for first in range(second + 1):
            proof = merkle_proofs.consistency_proof(leaves[:second], first)
            assert merkle_proofs.verify_consistency(first, second, proof, roots[first], roots[second])
            if 0 < first < second:
                assert not merkle_proofs.verify_consistency(
                    first, second, proof, roots[first - 1], roots[second]
                )
                assert not merkle_proofs.verify_consistency(
                    first, second, proof, roots[first], roots[second - 1]
                )
                assert not merkle_proofs.verify_consistency(
                    first, second, proof[:-1], roots[first], roots[second]
                )
                longer = [*proof, roots[1]]
                assert not merkle_proofs.verify_consistency(
                    first, second, longer, roots[first], roots[second]
                )


def test_nonsense():
    """Places that do not exist."""
    leaves, roots = log(4)
    assert refusal_of(merkle_proofs.inclusion_proof, leaves, 4) == errors.MALFORMED
    assert refusal_of(merkle_proofs.inclusion_proof, leaves, -1) == errors.MALFORMED
    assert refusal_of(merkle_proofs.consistency_proof, leaves, 5) == errors.MALFORMED
    assert not merkle_proofs.verify_inclusion(leaves[0], -1, 4, [], roots[4])
    assert not merkle_proofs.verify_consistency(3, 2, [], roots[3], roots[2])
    assert not merkle_proofs.verify_consistency(4, 4, [], roots[4], roots[3])
    assert not merkle_proofs.verify_consistency(0, 4, [roots[1]], roots[0], roots[4])
    assert not merkle_proofs.verify_consistency(3, 4, [], roots[3], roots[4])
