"""The handovers' page: what took place on a day, with its reports and, for auditors, its evidence packs."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, Response

from doorward_server.console import handover_view
from doorward_server.console.days import Day, around
from doorward_server.console.pages import render
from doorward_server.database import SessionDependency
from doorward_server.evidence.routes import exported
from doorward_server.security.dependencies import ServicesDependency, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission, allows

router = APIRouter(include_in_schema=False)

Centre = Annotated[User, needs(Permission.SEE_CENTRE)]
Auditor = Annotated[User, needs(Permission.AUDIT)]
HandoverId = Annotated[int, Path(ge=1, le=2**53, alias="handover")]


@router.get("/handovers")
def handovers_page(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Centre,
    day: Day = None,
) -> HTMLResponse:
    shown = day or services.today()
    return render(
        request,
        services,
        "handovers.html",
        user,
        days=around("handovers", shown),
        handovers=handover_view.of_day(session, shown, user.language),
        may_export=allows(user.role, Permission.AUDIT),
    )


@router.post("/handovers/{handover}/evidence")
def make_evidence(session: SessionDependency, user: Auditor, number: HandoverId) -> Response:
    """The pack as a file to save."""
    return exported(session, user, number)
