"""The import's page: an empty workbook, and the form that checks an archive or hands it in (S20, F7)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, Response

from doorward_server.console import import_view
from doorward_server.console.pages import go, render, said_in_one, url
from doorward_server.database import SessionDependency
from doorward_server.importing import service as importing
from doorward_server.importing.sources import WORKBOOK
from doorward_server.importing.template import empty_workbook
from doorward_server.problems import Problem
from doorward_server.security.dependencies import ServicesDependency, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission
from doorward_server.services import Services

router = APIRouter(include_in_schema=False)

Importer = Annotated[User, needs(Permission.IMPORT)]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/import")
def import_page(request: Request, services: ServicesDependency, user: Importer) -> HTMLResponse:
    return _page(request, services, user)


@router.get("/import/workbook")
def workbook(_user: Importer) -> Response:
    headers = {"content-disposition": f'attachment; filename="{WORKBOOK}"'}
    return Response(empty_workbook(), media_type=_XLSX, headers=headers)


@router.post("/import")
def hand_in(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Importer,
    archive: Annotated[UploadFile, File()],
    do: Annotated[Literal["check", "request"], Form()] = "check",
) -> Response:
    """Without a finding the archive waits for a second person, if that is wanted."""
    content = archive.file.read()
    try:
        report = importing.judge_upload(session, content)
        if do == "request" and not report.findings:
            importing.request_import(session, user, content, archive.filename or "", report)
            return go(url("approvals"))
    except Problem as problem:
        session.rollback()
        if not problem.answer.details:
            said = said_in_one(problem.answer, user.language)
            return _page(request, services, user, problem.status, problem=said)
        return _page(request, services, user, problem.status, **import_view.refused(problem, user.language))
    status = 422 if report.findings else 200
    return _page(request, services, user, status, **import_view.judged(report, user.language))


def _page(request: Request, services: Services, user: User, status: int = 200, **shown: Any) -> HTMLResponse:
    values = {**import_view.NOTHING, "largest": services.settings.upload_megabytes, **shown}
    return render(request, services, "import.html", user, status, path=url("import"), **values)
