"""What waits for a second person, in words: who asks, until when, and all that the decision is about (F7)."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from doorward_server.backup import confirm
from doorward_server.clock import to_milliseconds
from doorward_server.console import import_gains, run_content
from doorward_server.console.describe import Describer, panel_name, site_name
from doorward_server.console.facts import Fact, fact
from doorward_server.console.moments import day_and_time
from doorward_server.console.texts import text
from doorward_server.fleet.models import Site, Vehicle
from doorward_server.planning.content import content_of_version
from doorward_server.planning.models import Run
from doorward_server.security import four_eyes
from doorward_server.security.models import Approval, User
from doorward_server.security.roles import allows
from doorward_server.security.users import SECOND_HALF
from doorward_server.services import services_of

# What only some kinds of request have beside their facts.
_NOTHING_MORE: dict[str, list] = {"stops": [], "people": [], "logins": []}


def build(session: Session, user: User) -> dict[str, Any]:
    """All open requests, the oldest first, and in how many ms the first one expires."""
    now = services_of(session).clock.now()
    waiting = four_eyes.open_approvals(session)
    return {
        "restore": _restore_to_confirm(session, user, now),
        "requests": [_shown(session, user, approval, now) for approval in waiting],
        "stale_in": min(((one.expires_at - now).total_seconds() * 1000 for one in waiting), default=None),
    }


def _restore_to_confirm(session: Session, user: User, now: datetime) -> dict[str, Any] | None:
    """The restore after which nobody has asked yet to go on; `may_ask`: whether this user can."""
    found = confirm.waiting(session)
    if found is None:
        return None
    facts = [
        fact("backup_made", _at(session, found.made, now)),
        fact("restored", _at(session, found.restored, now)),
    ]
    return {"facts": facts, "may_ask": allows(user.role, four_eyes.KINDS[confirm.KIND].ask)}


def _shown(session: Session, user: User, approval: Approval, now: datetime) -> dict[str, Any]:
    kind = four_eyes.KINDS[approval.kind]
    requester = session.get_one(User, approval.requested_by)
    own = requester.id == user.id
    return {
        "id": approval.id,
        "kind": approval.kind,
        "name": kind.name_zh if user.language == "zh" else kind.name_en,
        "requester": requester.name,
        "asked": _moment(session, approval.requested_at, now),
        "expires": _moment(session, approval.expires_at, now),
        "own": own,
        "half": SECOND_HALF if kind.joint else 0,
        "may_decide": allows(user.role, kind.decide) and not four_eyes.is_same_person(user, requester),
        **_NOTHING_MORE,
        **ABOUT[approval.kind](session, approval, user.language),
    }


def _moment(session: Session, then: datetime, now: datetime) -> str:
    return _at(session, to_milliseconds(then), now)


def _at(session: Session, then: int, now: datetime) -> str:
    return day_and_time(then, to_milliseconds(now), services_of(session).settings.zone)


def _run(session: Session, approval: Approval, language: str) -> dict[str, Any]:
    """The whole run as it will be; of a change also what it replaces."""
    run = session.get_one(Run, approval.payload["run_id"])
    after = four_eyes.content_of(session, approval)
    before = content_of_version(session, run.id, run.version) if approval.kind == "run_change" else after
    facts = run_content.facts(Describer(session, language), after, before)
    if run.note:
        facts.append(fact("note", run.note))
    return {"facts": facts, "stops": run_content.stops(session, after, language)}


def _import(_session: Session, approval: Approval, language: str) -> dict[str, Any]:
    rows = approval.payload["rows"]
    facts = [fact("file", approval.payload["name"]), fact("content", import_gains.counts(rows, language))]
    if more := approval.payload.get("not_listed"):
        facts.append(fact("not_listed", str(more)))
    return {
        "facts": facts,
        "people": [import_gains.person(one, language) for one in approval.payload.get("people", [])],
        "logins": [import_gains.login(one, language) for one in approval.payload.get("logins", [])],
    }


def _lockout(session: Session, approval: Approval, language: str) -> dict[str, Any]:
    about = four_eyes.content_of(session, approval)
    site = site_name(session.get(Site, about["site"]), language)
    return {"facts": [fact("site", site), fact("panel", panel_name(about["panel"], language))]}


def _restore(session: Session, approval: Approval, language: str) -> dict[str, Any]:
    about, now = four_eyes.content_of(session, approval), services_of(session).clock.now()
    rows = session.exec(
        select(Run, Vehicle)
        .join(Vehicle, col(Vehicle.id) == col(Run.vehicle_id))
        .where(col(Run.id).in_([int(number) for number in about["runs"]]))
        .order_by(col(Run.date), col(Vehicle.plate))
    )
    runs = [f"{run.date.isoformat()} {vehicle.plate}" for run, vehicle in rows]
    return {
        "facts": [
            fact("backup_made", _at(session, about["made"], now)),
            fact("restored", _at(session, about["restored"], now)),
            fact("issued_anew", ("、" if language == "zh" else ", ").join(runs) or "0"),
        ]
    }


def _new_user(session: Session, approval: Approval, language: str) -> dict[str, Any]:
    fields = approval.payload["fields"]
    site = session.get(Site, fields["site_id"]) if fields.get("site_id") else None
    facts = _who(fields["login"], fields["name"], fields["role"], language)
    if site is not None:
        facts.append(fact("site", site_name(site, language)))
    if fields.get("person_id"):
        facts.append(fact("person", Describer(session, language).person(fields["person_id"])))
    return {"facts": facts}


def _password(session: Session, approval: Approval, language: str) -> dict[str, Any]:
    user = session.get_one(User, approval.payload["user_id"])
    return {"facts": _who(user.login, user.name, user.role, language)}


def _who(login: str, name: str, role: str, language: str) -> list[Fact]:
    return [fact("login_name", login), fact("name", name), fact("role", text(f"role_{role}", language))]


ABOUT = {
    "run_release": _run,
    "run_change": _run,
    "run_cancel": _run,
    "import": _import,
    "lockout_release": _lockout,
    "restore_confirm": _restore,
    "user_create": _new_user,
    "user_password": _password,
}
