"""The handover report over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from doorward_server.database import SessionDependency
from doorward_server.handovers.models import Handover
from doorward_server.problems import not_found, problem_responses
from doorward_server.reports import service
from doorward_server.security.dependencies import check_site, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission

router = APIRouter(tags=["reports"])
lifespan = service.printing_in_background


@router.get(
    "/api/handovers/{handover_id}/report",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}, **problem_responses(401, 403, 404, 422)},
)
def get_report(
    session: SessionDependency,
    user: Annotated[User, needs(Permission.SEE_SITE)],
    handover_id: Annotated[int, Path(ge=1, le=2**53)],
) -> Response:
    """The report of a handover as PDF."""
    handover = session.get(Handover, handover_id)
    if handover is None:
        raise not_found("交接", "handover")
    check_site(user, handover.site_id)
    headers = {"content-disposition": f'inline; filename="handover-{handover_id}.pdf"'}
    return Response(service.report(session, handover), media_type="application/pdf", headers=headers)
