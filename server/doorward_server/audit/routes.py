"""The journal of decisions for auditors: read, prove, check, take away."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel
from sqlmodel import col, select

from doorward_server.audit import entries, service
from doorward_server.audit.models import Decision
from doorward_server.database import SessionDependency
from doorward_server.problems import problem_responses
from doorward_server.security.dependencies import needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission

router = APIRouter(prefix="/api/audit", tags=["audit"], responses=problem_responses(401, 403))

Auditor = Annotated[User, needs(Permission.AUDIT)]
MOST_ENTRIES = 1000


class PublicEntry(BaseModel):
    """One decision. Bytes are in hexadecimal; `deleted`: its content was deleted, its hash still stands."""

    index: int
    time: int
    kind: str
    subject: str
    actor_id: int | None
    deleted: bool
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class ExportedEntry(BaseModel):
    """One row as audit/verifier.py checks it far from the server; all in hexadecimal."""

    index: int
    leaf_hash: str
    entry: str | None
    head: str


class Export(BaseModel):
    """A stretch of the journal and the public key of its heads."""

    kid: str
    public_key: str
    size: int
    entries: list[ExportedEntry]


class PublicProof(BaseModel):
    """That a leaf is in the journal (RFC 6962 §2.1.1); all in hexadecimal."""

    index: int
    leaf_hash: str
    size: int
    root: str
    path: list[str]
    head: str


class PublicVerification(BaseModel):
    """The outcome of checking the whole journal: `findings` is empty if nothing was touched."""

    size: int
    findings: list[dict[str, Any]]


First = Annotated[int, Query(ge=0, le=2**53)]
Count = Annotated[int, Query(ge=1, le=MOST_ENTRIES)]


@router.get("/decisions", responses=problem_responses(422))
def list_decisions(
    session: SessionDependency,
    _user: Auditor,
    first: First = 0,
    count: Count = 100,
    kind: Annotated[str | None, Query(max_length=60)] = None,
    subject: Annotated[str | None, Query(max_length=60)] = None,
) -> list[PublicEntry]:
    """Decisions from a position on, optionally of one kind or about one thing."""
    query = select(Decision).where(col(Decision.index) >= first)
    if kind is not None:
        query = query.where(Decision.kind == kind)
    if subject is not None:
        query = query.where(Decision.subject == subject)
    rows = session.exec(query.order_by(col(Decision.index)).limit(count))
    return [_shown(decision) for decision in rows]


@router.get("/decisions/{index}/proof", responses=problem_responses(404, 422))
def prove(
    index: Annotated[int, Path(ge=0, le=2**53)], session: SessionDependency, _user: Auditor
) -> PublicProof:
    """The proof that one decision is in the journal."""
    proof = service.proof(session, index)
    return PublicProof(
        index=proof.position,
        leaf_hash=proof.leaf_hash.hex(),
        size=proof.size,
        root=proof.root.hex(),
        path=[node.hex() for node in proof.path],
        head=proof.head.hex(),
    )


@router.get("/verification")
def verify(session: SessionDependency, _user: Auditor) -> PublicVerification:
    """Check every entry and every signed head."""
    last = service.head(session)
    findings = [finding._asdict() for finding in service.verify(session)]
    return PublicVerification(size=0 if last is None else last.index + 1, findings=findings)


@router.get("/export", responses=problem_responses(422))
def export(session: SessionDependency, _user: Auditor, first: First = 0, count: Count = 1000) -> Export:
    """A stretch of the journal to check elsewhere."""
    key = service.journal_key(session)
    last = service.head(session)
    rows = session.exec(
        select(Decision).where(col(Decision.index) >= first).order_by(col(Decision.index)).limit(count)
    )
    return Export(
        kid=key.kid.hex(),
        public_key=key.public.hex(),
        size=0 if last is None else last.index + 1,
        entries=[
            ExportedEntry(
                index=row.index,
                leaf_hash=row.leaf_hash.hex(),
                entry=None if row.entry is None else row.entry.hex(),
                head=row.head.hex(),
            )
            for row in rows
        ],
    )


def _shown(decision: Decision) -> PublicEntry:
    before, after = entries.sides(decision.entry)
    return PublicEntry(
        **decision.model_dump(include={"index", "time", "kind", "subject", "actor_id"}),
        deleted=decision.entry is None,
        before=before,
        after=after,
    )
