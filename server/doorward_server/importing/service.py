"""Imports a bank: judge everything, then write everything or nothing, in one transaction.

People come only by four eyes: somebody asks, somebody else approves. At the pages the uploaded archive
waits, sealed, until the second person decides; in code both are given at once. A bank without a single user
is set up without either, by whoever has the machine; the journal says so.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from doorward_server.audit import service as audit
from doorward_server.database import after_commit
from doorward_server.fleet.models import Site
from doorward_server.importing import gains
from doorward_server.importing.apply import Writer
from doorward_server.importing.findings import Finding, finding
from doorward_server.importing.judge import judge
from doorward_server.importing.sources import ArchiveSource, BadFile, FolderSource, Source
from doorward_server.planning.progress import tell_units
from doorward_server.problems import Problem
from doorward_server.security import biometrics, four_eyes
from doorward_server.security.models import Approval, User
from doorward_server.security.roles import allows
from doorward_server.services import Services, services_of

# People, and logins, that a request lists by name; how many more there are it says.
LISTED = 1000


class Report(NamedTuple):
    """The outcome: what is wrong (then nothing was written), or how many rows were new, changed and the same.

    `without_password`: logins nobody can use until a password is set. `people` and `logins`: of an import
    that was only judged, who would gain what (see gains.py).
    """

    findings: list[Finding]
    counts: dict[str, dict[str, int]]
    digest: str
    without_password: list[str]
    people: list[dict[str, Any]] = []  # noqa: RUF012 - never changed
    logins: list[dict[str, Any]] = []  # noqa: RUF012

    @property
    def applied(self) -> bool:
        """Whether everything was written."""
        return not self.findings


def import_folder(
    session: Session, folder: Path, requester: User | None = None, approver: User | None = None
) -> Report:
    """Import bank.xlsx and its files from a folder; see `import_source`."""
    return import_source(session, FolderSource(folder), requester, approver)


def import_source(
    session: Session, source: Source, requester: User | None = None, approver: User | None = None
) -> Report:
    """Import everything a source holds, or report why not.

    Needs two different users, who may ask for and approve an import; or none while the bank has no user.
    """
    _refuse_single(session, requester, approver)
    bundle = judge(session, source)
    if bundle.findings:
        return Report(bundle.findings, {}, bundle.digest, [])
    writer = Writer(session, approver, bundle)
    writer.write()
    counts = {sheet: dict(counted) for sheet, counted in writer.counts.items() if counted}
    after = {
        "requested_by": requester.id if requester else None,
        "approved_by": approver.id if approver else None,
        "rows": counts,
    }
    audit.record(session, approver, "import_applied", f"import:{bundle.digest[:16]}", None, after)
    tell_units(session, session.exec(select(Site.id)))
    return Report([], counts, bundle.digest, _without_password(session))


def check(session: Session, source: Source) -> Report:
    """Judge a source without writing anything."""
    bundle = judge(session, source)
    rows: Mapping[str, Any] = {sheet: {"rows": len(rows)} for sheet, rows in bundle.rows.items() if rows}
    if bundle.findings:
        return Report(bundle.findings, dict(rows), bundle.digest, [])
    people, logins = gains.people_of(session, bundle), gains.logins_of(session, bundle)
    return Report([], dict(rows), bundle.digest, [], people, logins)


def judge_upload(session: Session, archive: bytes) -> Report:
    """What `check` says of an uploaded archive. Raises 422 if it is none.

    It is looked at by a session that only reads, and the request's own one lets go of the write lock that it
    has had since it looked the login up: that may take a minute, in which units store what they report.
    """
    session.commit()
    with services_of(session).database.reading() as looking:
        return check(looking, open_archive(archive))


def request_import(session: Session, user: User, archive: bytes, name: str, report: Report) -> Approval:
    """Keep an uploaded archive until a second person decides; `report` is what `check` says of it.

    Raises 422 with every finding if it is bad. It is judged again when it is decided.
    """
    if report.findings:
        raise refusal(report.findings)
    token = secrets.token_hex(16)
    payload = {"token": token, "name": name[:100], "digest": report.digest, "rows": report.counts}
    payload |= {"people": report.people[:LISTED], "logins": report.logins[:LISTED]}
    payload["not_listed"] = sum(max(0, len(gaining) - LISTED) for gaining in (report.people, report.logins))
    approval = four_eyes.request(session, user, "import", f"import:{report.digest[:16]}", payload)
    _staged(session, token).write_bytes(biometrics.seal_with_master(session, f"import:{token}", archive))
    return approval


def open_archive(content: bytes) -> Source:
    """An uploaded archive as a source. Raises 422 if it is none."""
    try:
        return ArchiveSource(content)
    except BadFile as bad:
        raise refusal([finding(bad.reason, limit="50000 files")]) from None


def refusal(findings: list[Finding]) -> Problem:
    """The refusal that carries every finding."""
    return Problem(
        422,
        "import_invalid",
        f"导入有 {len(findings)} 处问题，未写入任何内容。",
        f"The import has {len(findings)} findings; nothing was written.",
        "Correct what the details name and upload it again. 请按 details 更正后重新上传。",
        [found._asdict() for found in findings],
    )


def forget_orphans(services: Services) -> None:
    """Delete kept archives that no open request speaks of any more."""
    with services.database.reading() as session:
        query = select(Approval).where(Approval.kind == "import", Approval.state == four_eyes.REQUESTED)
        known = {approval.payload["token"] for approval in session.exec(query)}
    for kept in _folder(services).iterdir():
        if kept.stem not in known:
            kept.unlink()


@four_eyes.about("import")
def _about(_session: Session, approval: Approval) -> dict[str, Any]:
    return {name: approval.payload[name] for name in ("digest", "rows")}


@four_eyes.on_approved("import")
def _apply(session: Session, approval: Approval, decider: User) -> None:
    token = approval.payload["token"]
    try:
        sealed = _staged(session, token).read_bytes()
        archive = biometrics.unseal_with_master(session, f"import:{token}", sealed)
    except (OSError, biometrics.SealBroken):
        raise four_eyes.changed_since() from None
    requester = session.get(User, approval.requested_by)
    report = import_source(session, open_archive(archive), requester, decider)
    if report.findings:
        raise refusal(report.findings)
    if report.digest != approval.payload["digest"]:
        raise four_eyes.changed_since()
    _drop_staged(session, approval)


@four_eyes.on_dropped("import")
def _drop_staged(session: Session, approval: Approval) -> None:
    kept = _staged(session, approval.payload["token"])
    after_commit(session, lambda: kept.unlink(missing_ok=True))


def _refuse_single(session: Session, requester: User | None, approver: User | None) -> None:
    if requester is None and approver is None:
        if session.exec(select(User).limit(1)).first() is None:
            return
    elif requester is not None and approver is not None:
        kind = four_eyes.KINDS["import"]
        entitled = allows(requester.role, kind.ask) and allows(approver.role, kind.decide)
        if entitled and not four_eyes.is_same_person(requester, approver):
            return
    raise Problem(
        403,
        "four_eyes",
        "导入须由一人申请、另一人审批。",
        "An import needs one person who asks and another one who approves.",
        "Name two different users who may import. 请指定两位有权限的不同用户。",
    )


def _without_password(session: Session) -> list[str]:
    query = select(User.login).where(User.password_hash == "", col(User.removed_at).is_(None))
    return list(session.exec(query.order_by(User.login)))


def _staged(session: Session, token: str) -> Path:
    return _folder(services_of(session)) / f"{token}.sealed"


def _folder(services: Services) -> Path:
    folder = services.settings.data / "imports"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
