"""Changed orders, and that their sites have seen what changed (D4)."""

from typing import Any

from sqlmodel import Session, col, func, select

from doorward_server.audit import service as audit
from doorward_server.planning.content import content_of_version
from doorward_server.planning.models import ChangeSeen, RunVersion, Stop
from doorward_server.planning.progress import still_due, tell_pages
from doorward_server.problems import Problem, not_found
from doorward_server.security.dependencies import check_site
from doorward_server.security.models import User
from doorward_server.services import services_of


def unseen(session: Session, site_id: int) -> list[tuple[Stop, RunVersion]]:
    """Changed orders at a site for which a vehicle may still come and that nobody there has acknowledged."""
    query = (
        select(Stop, RunVersion)
        .join(RunVersion, col(RunVersion.run_id) == col(Stop.run_id))
        .where(Stop.site_id == site_id, still_due(services_of(session).clock.now()))
        .where(col(Stop.order_version) > 1, RunVersion.version == Stop.order_version)
        .order_by(col(Stop.window_from))
    )
    return [(stop, version) for stop, version in session.exec(query) if is_unseen(session, stop)]


def is_unseen(session: Session, stop: Stop) -> bool:
    """Whether the stop's present order is a changed one that its site has not acknowledged."""
    return stop.order_version > 1 and session.get(ChangeSeen, (stop.id, stop.order_version)) is None


def of_stop(changes: dict[str, Any], task: int) -> dict[str, Any]:
    """What of a version's changes is the business of one stop's site: the run's other stops are not (D11)."""
    ours = dict(changes)
    if "stops" in ours:
        sides = {
            side: [one for one in stops if one["task"] == task] for side, stops in ours.pop("stops").items()
        }
        if sides["before"] != sides["after"]:
            ours["stops"] = sides
    return ours


def last_seen(session: Session, stop: Stop) -> dict:
    """The content of the newest version that the site knows: one that it acknowledged, or the first."""
    query = select(func.max(ChangeSeen.order_version)).where(ChangeSeen.stop_id == stop.id)
    return content_of_version(session, stop.run_id, session.exec(query).one() or 1)


def acknowledge(session: Session, user: User, task: int, order_version: int) -> None:
    """Record that a site has seen a changed order; only the present version can be acknowledged."""
    stop = session.get(Stop, task)
    if stop is None:
        raise not_found("站点任务", "stop")
    check_site(user, stop.site_id)
    if stop.order_version != order_version:
        raise Problem(
            409,
            "old_version",
            f"任务单已是第 {stop.order_version} 版。",
            f"The order is version {stop.order_version} by now.",
            "Reload the page and look at the change again. 请刷新页面重新核对变更。",
        )
    if session.get(ChangeSeen, (task, order_version)) is None:
        now = services_of(session).clock.now()
        session.add(ChangeSeen(stop_id=task, order_version=order_version, user_id=user.id, seen_at=now))
        session.flush()
        audit.record(
            session, user, "change_acknowledged", f"stop:{task}", None, {"order_version": order_version}
        )
        tell_pages(session, [stop.site_id])
