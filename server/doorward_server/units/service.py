"""Units as other domains ask about them: registration, fresh manifests, release of a lockout."""

from collections.abc import Iterable
from typing import Any

from doorward_protocol import objects
from sqlmodel import Session, col, select

from doorward_server.audit import service as audit
from doorward_server.database import after_commit
from doorward_server.fleet.models import Site
from doorward_server.problems import Problem, not_found
from doorward_server.security import four_eyes
from doorward_server.security.models import Approval, User
from doorward_server.services import services_of
from doorward_server.units import commands, manifests
from doorward_server.units.line import line_of
from doorward_server.units.models import ManifestVersion, Unit

KID_BYTES = 8
KEY_BYTES = 64


def register_unit(
    session: Session,
    kid: bytes,
    site: Site,
    dh_public: bytes,
    signing_public: bytes,
    bundle_public: bytes,
    actor: User | None = None,
) -> Unit:
    """Register a prepared unit at a site by its 8-byte kid and three public keys (x||y, 64 bytes each)."""
    keys = (dh_public, signing_public, bundle_public)
    if len(kid) != KID_BYTES or any(len(key) != KEY_BYTES for key in keys) or len(set(keys)) != len(keys):
        raise Problem(
            422,
            "unit_keys",
            "单元标识或公钥不正确。",
            "A unit has a kid of 8 bytes and three different public keys of 64 bytes.",
            "Prepare the unit again and register what it prints. 请重新准备单元并登记其输出。",
        )
    if session.exec(select(Unit.id).where(Unit.kid == kid)).first() is not None:
        raise Problem(
            409,
            "unit_known",
            "该单元已登记。",
            "This unit is registered already.",
            "Look it up in the list of units. 请在单元列表中查看。",
        )
    unit = Unit(
        kid=kid,
        site_id=site.id,
        dh_key=dh_public,
        signing_key=signing_public,
        bundle_key=bundle_public,
        registered=services_of(session).clock.milliseconds(),
    )
    session.add(unit)
    session.flush()
    audit.record(
        session,
        actor,
        "unit_registered",
        f"unit:{kid.hex()}",
        None,
        {"site": site.code, "signing": signing_public.hex()},
    )
    refresh(session, unit)
    return unit


def orders_changed(session: Session, site_ids: Iterable[int]) -> None:
    """Plans or people of these sites have changed: their units get new manifests, at once if connected."""
    for unit in session.exec(select(Unit).where(col(Unit.site_id).in_(list(site_ids)))).all():
        refresh(session, unit)


def refresh(session: Session, unit: Unit) -> ManifestVersion | None:
    """`renew`, for whoever has changed something: the keeper looks again when the next change is due."""
    made = renew(session, unit)
    keeper = services_of(session).parts.get("manifests")
    if keeper is not None:
        after_commit(session, keeper.wake)
    return made


def renew(session: Session, unit: Unit) -> ManifestVersion | None:
    """Make the unit's next manifest if it needs one, and send it once that is committed."""
    made = manifests.compile_manifest(session, unit)
    line = line_of(services_of(session))
    if made is not None and line is not None:
        listed = manifests.blobs_of(session, made)
        after_commit(session, lambda: line.offer_manifest(unit.id, made.object, listed))
    return made


def unit_at(session: Session, site_id: int) -> Unit | None:
    """The unit of a site, if it has one."""
    return session.exec(select(Unit).where(Unit.site_id == site_id)).first()


def get_unit(session: Session, unit_id: int) -> Unit:
    """The unit of this number. Raises 404."""
    unit = session.get(Unit, unit_id)
    if unit is None:
        raise not_found("单元", "unit")
    return unit


def request_lockout_release(session: Session, user: User, unit: Unit, panel: int) -> Approval:
    """Ask for the release of a locked panel (1 outer, 2 inner). Another person approves it (F7)."""
    subject = f"unit:{unit.id}:panel:{panel}"
    about = {"unit_id": unit.id, "site_id": unit.site_id, "panel": panel}
    return four_eyes.request(session, user, "lockout_release", subject, about)


@four_eyes.about("lockout_release")
def _about_lockout(session: Session, approval: Approval) -> dict[str, Any]:
    unit = get_unit(session, approval.payload["unit_id"])
    return {"unit": unit.kid.hex(), "site": unit.site_id, "panel": approval.payload["panel"]}


@four_eyes.on_approved("lockout_release")
def _release_lockout(session: Session, approval: Approval, decider: User) -> None:
    """Send the command that both stand for."""
    unit = get_unit(session, approval.payload["unit_id"])
    asker = session.get_one(User, approval.requested_by)
    both = [commands.number_of(user) for user in (asker, decider)]
    command = commands.send(session, unit, objects.RELEASE_LOCKOUT, both, panel=approval.payload["panel"])
    after = {"panel": approval.payload["panel"], "command": command.id.hex()}
    audit.record(session, decider, "lockout_released", f"unit:{unit.kid.hex()}", None, after)
