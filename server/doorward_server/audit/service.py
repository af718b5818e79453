"""The journal of decisions: append, prove, delete content, and check the whole of it.

Every decision is written in the transaction that carries it out: either both are there, or neither. The head
signed over each leaf makes a changed, dropped or forked history show against any head that somebody has kept.

A restore takes decisions away whose heads somebody may have kept. It says so in its own entry, with which an
epoch begins: from there on heads name the new epoch, and the root at which it left the old one.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from doorward_protocol import cose, merkle, merkle_proofs, objects
from doorward_protocol.suite import run
from sqlmodel import Session, col, select

from doorward_server.audit import entries
from doorward_server.audit.models import Decision
from doorward_server.audit.verifier import Finding, Leaf, check
from doorward_server.problems import not_found
from doorward_server.security.keys import KeyPair
from doorward_server.security.models import User
from doorward_server.services import services_of

FIRST_EPOCH = 1


class Proof(NamedTuple):
    """That one leaf is in the journal of `size` leaves with this `root` (RFC 6962 §2.1.1)."""

    position: int
    leaf_hash: bytes
    size: int
    root: bytes
    path: list[bytes]
    head: bytes


def journal_key(session: Session) -> KeyPair:
    """The pair that signs the journal's heads; its kid stands in them as the unit."""
    return services_of(session).keys.pair("journal")


def record(
    session: Session,
    actor: User | None,
    kind: str,
    subject: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    new_epoch: int | None = None,
) -> Decision:
    """Append a decision. `before` and `after` are the thing's fields; only those that differ are kept.

    `kind` is a verb phrase ("run_released"), `subject` names the thing ("run:7"), `actor` None is the server.
    `new_epoch`: the decision begins this epoch of the journal.
    """
    services = services_of(session)
    before, after = entries.difference(entries.plain(before), entries.plain(after))
    last = _last(session)
    entry = entries.Entry(
        kind=kind,
        time=services.clock.milliseconds(),
        actor=None if actor is None else actor.id,
        subject=subject,
        salt=services.random(entries.SALT_BYTES),
        before=before,
        after=after,
    )
    content = entries.encode(entry)
    leaf = merkle.leaf_hash(content)
    frontier = merkle.Frontier() if last is None else merkle.Frontier.from_bytes(last.frontier)
    epoch, previous = _epoch_of(last)
    if new_epoch is not None:
        epoch, previous = new_epoch, frontier.root()
    frontier.append(leaf)
    decision = Decision(
        index=frontier.size - 1,
        time=entry.time,
        kind=kind,
        subject=subject,
        actor_id=entry.actor,
        leaf_hash=leaf,
        entry=content,
        frontier=frontier.to_bytes(),
        head=_sign_head(session, frontier, entry.time, epoch, previous),
    )
    session.add(decision)
    session.flush()
    return decision


def epoch(session: Session) -> int:
    """The epoch in which the journal is."""
    return _epoch_of(_last(session))[0]


def head(session: Session) -> Decision | None:
    """The newest decision, with the newest signed head; None while the journal is empty."""
    return _last(session)


def proof(session: Session, index: int) -> Proof:
    """The inclusion proof of one leaf in the whole journal."""
    last = _last(session)
    if last is None or not 0 <= index <= last.index:
        raise not_found("日志条目", "journal entry")
    leaves = [bytes(leaf) for leaf in session.exec(select(Decision.leaf_hash).order_by(col(Decision.index)))]
    root = merkle.Frontier.from_bytes(last.frontier).root()
    path = merkle_proofs.inclusion_proof(leaves, index)
    return Proof(index, leaves[index], len(leaves), root, path, last.head)


def delete_content(session: Session, actor: User | None, decision: Decision, why: str) -> None:
    """Delete what an entry said and keep its hash: the journal still proves that something stood there."""
    decision.entry = None
    session.add(decision)
    record(session, actor, entries.DELETED, entries.subject_of(decision.index), None, {"why": why})


def verify(session: Session) -> list[Finding]:
    """Check every leaf and every signed head from the first on; an empty list means untouched.

    Also that the columns by which entries are found and shown say what the signed entries say.
    """
    key = journal_key(session)
    differing: list[Finding] = []

    def leaves() -> Iterator[Leaf]:
        for row in session.exec(select(Decision).order_by(col(Decision.index))).yield_per(500):
            if row.entry is not None and not _agrees(row, entries.readable(row.entry)):
                differing.append(Finding(row.index, "columns_differ"))
            yield Leaf(row.index, row.leaf_hash, row.entry, row.head)

    return check(leaves(), services_of(session).suite, key.kid, key.public) + differing


def fields_of(row: Any, *names: str) -> dict[str, Any]:
    """These fields of a model, for `before` and `after`."""
    return {name: getattr(row, name) for name in names}


def _agrees(row: Decision, entry: entries.Entry | None) -> bool:
    """Whether a row's columns are those of its entry; what cannot be read has been found by its hash."""
    said = (row.kind, row.time, row.subject, row.actor_id)
    return entry is None or said == (entry.kind, entry.time, entry.subject, entry.actor)


def _last(session: Session) -> Decision | None:
    return session.exec(select(Decision).order_by(col(Decision.index).desc()).limit(1)).first()


def _epoch_of(last: Decision | None) -> tuple[int, bytes | None]:
    """The epoch of a decision's head, and the root at which it left the epoch before."""
    if last is None:
        return FIRST_EPOCH, None
    said = objects.payload_fields("head", cose.peek_payload(last.head))
    return said["epoch"], said["previous"]


def _sign_head(
    session: Session, frontier: merkle.Frontier, time: int, epoch: int, previous: bytes | None
) -> bytes:
    key = journal_key(session)
    fields = {
        "unit": key.kid,
        "epoch": epoch,
        "size": frontier.size,
        "root": frontier.root(),
        "time": time,
        "previous": previous,
    }
    return run(objects.sign(services_of(session).suite, key.private, key.kid, "head", **fields))
