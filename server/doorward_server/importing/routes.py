"""Imports over HTTP: check an archive, or hand it in for a second person's approval."""

from typing import Annotated

from fastapi import APIRouter, File, UploadFile
from pydantic import BaseModel

from doorward_server.database import SessionDependency
from doorward_server.importing import service
from doorward_server.problems import problem_responses
from doorward_server.security.dependencies import needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission
from doorward_server.services import Services

router = APIRouter(prefix="/api/imports", tags=["importing"], responses=problem_responses(401, 403, 413, 422))

Importer = Annotated[User, needs(Permission.IMPORT)]
Archive = Annotated[UploadFile, File(description="A .zip with bank.xlsx, photos/ and fingers/")]


class PublicFinding(BaseModel):
    """One bad place in an import, in Chinese and English."""

    sheet: str
    row: int
    column: str
    reason: str
    message_zh: str
    message_en: str
    what_to_do_zh: str
    what_to_do_en: str


class PublicReport(BaseModel):
    """What an archive holds, and what is wrong with it."""

    findings: list[PublicFinding]
    rows: dict[str, dict[str, int]]
    digest: str


class Waiting(BaseModel):
    """An import that waits for a second person."""

    approval_id: int


def prepare(services: Services) -> None:
    """Tidy up behind requests that came to nothing."""
    service.forget_orphans(services)


@router.post("/check")
def check(archive: Archive, session: SessionDependency, _user: Importer) -> PublicReport:
    """Judge an archive; nothing is kept."""
    report = service.judge_upload(session, archive.file.read())
    findings = [PublicFinding(**found._asdict()) for found in report.findings]
    return PublicReport(findings=findings, rows=report.counts, digest=report.digest)


@router.post("", status_code=202, responses=problem_responses(409))
def request_import(archive: Archive, session: SessionDependency, user: Importer) -> Waiting:
    """Hand an archive in. It is imported once a second person approves at /api/approvals."""
    content = archive.file.read()
    report = service.judge_upload(session, content)
    name = archive.filename or ""
    return Waiting(approval_id=service.request_import(session, user, content, name, report).id)
