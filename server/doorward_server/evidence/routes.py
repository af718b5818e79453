"""Evidence packs over HTTP: made for auditors, and each of them noted in the journal of decisions."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlmodel import Session

from doorward_server.audit import service as audit
from doorward_server.database import SessionDependency
from doorward_server.evidence.collect import collect
from doorward_server.evidence.pack import write
from doorward_server.handovers.service import get_handover
from doorward_server.problems import problem_responses
from doorward_server.security.dependencies import needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission
from doorward_server.services import services_of

router = APIRouter(prefix="/api", tags=["evidence"], responses=problem_responses(401, 403, 404, 409, 422))

Auditor = Annotated[User, needs(Permission.AUDIT)]


@router.post(
    "/handovers/{handover_id}/evidence",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}}},
)
def make_evidence(
    handover_id: Annotated[int, Path(ge=1, le=2**53)], session: SessionDependency, user: Auditor
) -> Response:
    """The whole exchange in one file that can be verified without this server: `doorward verify FILE`."""
    return exported(session, user, handover_id)


def exported(session: Session, user: User, handover_id: int) -> Response:
    """The pack as a file to save. That it was taken away stands in the journal.

    Proofs in a journal of years and a drawn report take a second or more: that is done by a session that only
    reads, and the request's own lets go of the write lock, so that units store meanwhile.
    """
    session.commit()
    with services_of(session).database.reading() as looking:
        content = write(collect(looking, get_handover(looking, user, handover_id)))
    audit.record(session, user, "evidence_exported", f"handover:{handover_id}", None, {"bytes": len(content)})
    headers = {"content-disposition": f'attachment; filename="handover-{handover_id}.evidence.zip"'}
    return Response(content, media_type="application/zip", headers=headers)
