"""What waits for a second person, and the decisions about it."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from sqlmodel import Session

from doorward_server.database import SessionDependency
from doorward_server.problems import problem_responses
from doorward_server.security import four_eyes
from doorward_server.security.dependencies import needs
from doorward_server.security.models import Approval, User
from doorward_server.security.roles import Permission, allows

router = APIRouter(prefix="/api/approvals", tags=["approvals"], responses=problem_responses(401, 403))

Viewer = Annotated[User, needs(Permission.SEE_APPROVALS)]
ApprovalId = Annotated[int, Path(ge=1)]
_HIDDEN = ("first_half",)


class PublicApproval(BaseModel):
    """A request for a step that needs four eyes. `may_decide`: the user who asks may decide it."""

    id: int
    kind: str
    name_zh: str
    name_en: str
    subject: str
    state: str
    payload: dict[str, Any]
    requested_by: int
    requested_at: datetime
    expires_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    note: str
    may_decide: bool


class ApprovalDecision(BaseModel):
    """Yes or no, and why. Whoever approves a password chooses its second half, and tells the user alone."""

    approve: bool
    note: Annotated[str, Field(max_length=500)] = ""
    second_half: Annotated[str, Field(max_length=100)] = ""


@router.get("")
def list_approvals(session: SessionDependency, user: Viewer) -> list[PublicApproval]:
    """What waits for a decision now."""
    return [shown(session, user, approval) for approval in four_eyes.open_approvals(session)]


@router.get("/{approval_id}", responses=problem_responses(404, 422))
def show_approval(approval_id: ApprovalId, session: SessionDependency, user: Viewer) -> PublicApproval:
    """One request and what became of it."""
    return shown(session, user, four_eyes.get(session, approval_id))


@router.post("/{approval_id}/decision", responses=problem_responses(404, 409, 422))
def decide(
    approval_id: ApprovalId, decision: ApprovalDecision, session: SessionDependency, user: Viewer
) -> PublicApproval:
    """Approve or refuse; a yes carries the step out at once. Never for whoever asked."""
    approval = four_eyes.get(session, approval_id)
    four_eyes.decide(session, user, approval, decision.approve, decision.note, decision.second_half)
    return shown(session, user, approval)


@router.post("/{approval_id}/withdrawal", responses=problem_responses(404, 409, 422))
def withdraw(approval_id: ApprovalId, session: SessionDependency, user: Viewer) -> PublicApproval:
    """Take one's own request back."""
    approval = four_eyes.get(session, approval_id)
    four_eyes.withdraw(session, user, approval)
    return shown(session, user, approval)


def shown(session: Session, user: User, approval: Approval) -> PublicApproval:
    """The approval as this user sees it."""
    kind = four_eyes.KINDS[approval.kind]
    requester = session.get_one(User, approval.requested_by)
    state = four_eyes.state_of(approval, session)
    return PublicApproval(
        **approval.model_dump(exclude={"payload", "state", "digest"}),
        payload={name: value for name, value in approval.payload.items() if name not in _HIDDEN},
        state=state,
        name_zh=kind.name_zh,
        name_en=kind.name_en,
        may_decide=state == four_eyes.REQUESTED
        and allows(user.role, kind.decide)
        and not four_eyes.is_same_person(user, requester),
    )
