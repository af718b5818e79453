"""The people's page: who may act at the doors, whose permit has lapsed, and the form to take somebody out."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, Response

from doorward_server.console import people_view
from doorward_server.console.pages import go, render, url
from doorward_server.database import SessionDependency
from doorward_server.people.removal import take_out
from doorward_server.security.dependencies import ServicesDependency, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission, allows

router = APIRouter(include_in_schema=False)

Viewer = Annotated[User, needs(Permission.SEE_PEOPLE)]
Remover = Annotated[User, needs(Permission.IMPORT)]
PersonId = Annotated[int, Path(ge=1, alias="person")]


@router.get("/people")
def people_page(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Viewer,
    find: Annotated[str, Query(max_length=80)] = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> HTMLResponse:
    """`find`: a part of a name or of a staff number."""
    return render(
        request,
        services,
        "people.html",
        user,
        find=find,
        shown=people_view.build(session, user.language, find.strip(), page),
        may_remove=allows(user.role, Permission.IMPORT),
        may_see_photos=allows(user.role, Permission.SEE_SITE),
    )


@router.post("/people/{person}/removal")
def remove(session: SessionDependency, user: Remover, person: PersonId) -> Response:
    take_out(session, user, person)
    return go(url("people"))
