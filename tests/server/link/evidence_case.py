"""A case for evidence packs: the faces that are taken, and packs in which something is not what it was."""

import hashlib

from doorward_server.evidence.pack import Pack

FACES = [b"\xff\xd8face %d" % number for number in range(3)]
HASHES = [hashlib.sha256(face).digest() for face in FACES]


def changed(made: Pack, **fields) -> Pack:
    return made.model_copy(update={"evidence": made.evidence.model_copy(update=fields)})


def with_record(made: Pack, at: int, **fields) -> Pack:
    records = list(made.evidence.records)
    records[at] = records[at].model_copy(update=fields)
    return changed(made, records=records)


def with_decision(made: Pack, at: int, **fields) -> Pack:
    decisions = list(made.evidence.decisions)
    decisions[at] = decisions[at].model_copy(update=fields)
    return changed(made, decisions=decisions)
