"""Backups beside the running server; and the step after a restore, which two people take."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from doorward_server.backup import confirm, numbers, schedule
from doorward_server.database import SessionDependency
from doorward_server.problems import problem_responses
from doorward_server.security.dependencies import needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission

router = APIRouter(prefix="/api/restore", tags=["backup"], responses=problem_responses(401, 403))
prepare = numbers.give_from_here
lifespan = schedule.backing_up


class Asked(BaseModel):
    """The approval that waits for a second person."""

    approval: int


@router.post("/confirmation", responses=problem_responses(409))
def ask_to_go_on(session: SessionDependency, user: Annotated[User, needs(Permission.PLAN)]) -> Asked:
    """After a restore: ask a second person that units are given the plan as it stands."""
    return Asked(approval=confirm.request(session, user).id)
