"""After a restore: two people look at the plan, then units are given manifests again (F7).

The plan is older than the units. An order that was changed since the backup has its old crew again; so every
open order is issued anew, under a version above any that was lost, and approved by these two. Manifests go on
above all that were ever issued, else units would refuse them.
"""

from functools import partial
from typing import Any

from sqlmodel import Session, col, select, update

from doorward_server.alarms import service as alarms
from doorward_server.audit import service as audit
from doorward_server.backup import numbers, restorations
from doorward_server.backup.restorations import Restoration
from doorward_server.database import after_commit
from doorward_server.planning import service as planning
from doorward_server.planning.models import Run, RunStatus
from doorward_server.problems import Problem
from doorward_server.security import four_eyes
from doorward_server.security.models import Approval, User
from doorward_server.services import Services, services_of
from doorward_server.units.models import Unit

KIND = "restore_confirm"
# Versions of one order that may have been issued since the backup; people change a crew once or twice.
VERSIONS = 100


def request(session: Session, user: User) -> Approval:
    """Ask a second person to go on with the plan as it stands. Raises 409 if no restore waits for it."""
    if restorations.waiting(session) is None:
        raise _nothing_waits()
    return four_eyes.request(session, user, KIND, restorations.SUBJECT, {})


@four_eyes.about(KIND)
def about(session: Session, _approval: Approval) -> dict[str, Any]:
    """The restore, and every run that is issued anew with its version."""
    found = restorations.waiting(session)
    if found is None:
        raise _nothing_waits()
    runs = {str(run.id): run.version for run in _runs(session)}
    return {"made": found.made, "restored": found.restored, "runs": runs}


@four_eyes.on_approved(KIND)
def go_on(session: Session, approval: Approval, decider: User) -> None:
    """Issue everything anew and let the keeper make the manifests, a few units at a time."""
    services = services_of(session)
    found = restorations.waiting(session)
    if found is None:
        raise _nothing_waits()
    runs = _runs(session)
    for run in runs:
        planning.issue_anew(session, run, approval, VERSIONS)
    now = services.clock.milliseconds()
    units = list(session.exec(select(Unit)))
    for unit in units:
        version = numbers.following(unit.manifest_version, now)
        session.exec(update(Unit).where(col(Unit.id) == unit.id).values(manifest_version=version))
    after = {"made": found.made, "runs": len(runs), "units": len(units)}
    audit.record(session, decider, restorations.CONFIRMED, restorations.SUBJECT, None, after)
    for alarm in alarms.standing(session, None, "restored"):
        alarms.end(session, alarm, now)
    after_commit(session, partial(_let_units_know, services, [unit.id for unit in units]))


def waiting(session: Session) -> Restoration | None:
    """The restore that waits for two people, if one does and nobody has asked yet."""
    asked = any(one.kind == KIND for one in four_eyes.open_approvals(session, KIND))
    return None if asked else restorations.waiting(session)


def _let_units_know(services: Services, unit_ids: list[int]) -> None:
    restorations.forget(services.parts)
    keeper = services.parts.get("manifests")
    if keeper is not None:
        for unit_id in unit_ids:
            keeper.wake(unit_id)


def _runs(session: Session) -> list[Run]:
    """Those with something ahead, by number."""
    return list(session.exec(select(Run).where(Run.status == RunStatus.RELEASED).order_by(col(Run.id))))


def _nothing_waits() -> Problem:
    return Problem(
        409,
        "no_restore",
        "没有待确认的恢复。",
        "No restore waits for anybody.",
        "Nothing has to be done. 无需处理。",
    )
