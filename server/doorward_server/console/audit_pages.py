"""The auditors' page: the journal of decisions, newest first, and whether it is whole (F8)."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from doorward_server.audit import export
from doorward_server.audit import service as audit
from doorward_server.console import audit_view
from doorward_server.console.pages import render, url
from doorward_server.database import SessionDependency
from doorward_server.security.dependencies import ServicesDependency, needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission

router = APIRouter(include_in_schema=False)

_FILE = "decisions.journal"

Auditor = Annotated[User, needs(Permission.AUDIT)]
Word = Annotated[str, Query(max_length=60)]
Before = Annotated[int | None, Query(ge=0, le=2**53)]


@router.get("/audit")
def audit_page(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    user: Auditor,
    kind: Word = "",
    subject: Word = "",
    before: Before = None,
) -> HTMLResponse:
    """`kind` and `subject` choose; `before`: the entries before this position."""
    shown = audit_view.build(session, user.language, kind, subject.strip(), before)
    return render(
        request,
        services,
        "audit.html",
        user,
        kind=kind,
        subject=subject.strip(),
        shown=shown,
        checked=None,
        newest=_address(kind, subject) if before is not None else "",
        older=_address(kind, subject, shown["older"]) if shown["older"] is not None else "",
    )


@router.get("/audit/check")
def check_page(
    request: Request, services: ServicesDependency, session: SessionDependency, user: Auditor
) -> HTMLResponse:
    """Look at every entry and every signed head from the first on: that takes a while."""
    shown = audit_view.build(session, user.language, "", "", None)
    checked = audit_view.check(session, user.language)
    older = _address("", "", shown["older"]) if shown["older"] is not None else ""
    return render(
        request, services, "audit.html", user,
        path=url("audit"), kind="", subject="", shown=shown, checked=checked, newest="", older=older,
    )  # fmt: skip


@router.post("/audit/export")
def take_away(session: SessionDependency, services: ServicesDependency, user: Auditor) -> StreamingResponse:
    """The whole journal as a file to save, which says itself that it was taken."""
    audit.record(session, user, "journal_exported", "server", None, {})
    session.commit()
    headers = {"content-disposition": f'attachment; filename="{_FILE}"'}
    return StreamingResponse(export.lines(services), media_type="application/x-ndjson", headers=headers)


def _address(kind: str, subject: str, before: int | None = None) -> str:
    asked = {"kind": kind, "subject": subject.strip(), "before": "" if before is None else str(before)}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{url('audit')}?{query}" if query else url("audit")
