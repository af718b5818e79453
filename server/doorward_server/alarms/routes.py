"""Alarms over the JSON API: list, acknowledge, close."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlmodel import Session

from doorward_server.alarms import service
from doorward_server.alarms.models import Alarm, AlarmHandling
from doorward_server.alarms.rules import BY_NAME
from doorward_server.database import SessionDependency
from doorward_server.problems import problem_responses
from doorward_server.security.dependencies import needs
from doorward_server.security.models import User
from doorward_server.security.roles import Permission

router = APIRouter(prefix="/api/alarms", tags=["alarms"], responses=problem_responses(401, 403, 404))


class AlarmAnswer(BaseModel):
    """One alarm. `state`: new, acknowledged, over (ended, unheard) or closed. Times in ms since 1970 UTC.

    `details` of a foreign box hold its number as `box` and the site where it belongs as `belongs_to`.
    """

    key: str
    rule: str
    severity: str
    requirement: str
    title_zh: str
    title_en: str
    state: str
    silent: bool
    site: int | None
    unit: int | None
    handover: int | None
    task: int | None
    reason: int | None
    time: int
    received: int
    ended: int | None
    acknowledged: int | None
    acknowledged_by: int | None
    closed: int | None
    closed_by: int | None
    note: str
    details: dict


class Note(BaseModel):
    """How an alarm was dealt with."""

    note: str


def answer(session: Session, alarm: Alarm, handling: AlarmHandling | None) -> AlarmAnswer:
    """An alarm as the API gives it."""
    rule = BY_NAME[alarm.rule]
    handled = handling or AlarmHandling(key=alarm.key)
    return AlarmAnswer(
        key=alarm.key,
        rule=alarm.rule,
        severity=alarm.severity,
        requirement=rule.requirement,
        title_zh=rule.title_zh,
        title_en=rule.title_en,
        state=service.state_of(alarm, handling),
        silent=rule.silent,
        site=alarm.site_id,
        unit=alarm.unit_id,
        handover=alarm.handover_id,
        task=alarm.task,
        reason=alarm.reason,
        time=alarm.time,
        received=alarm.received,
        ended=alarm.ended,
        acknowledged=handled.acknowledged,
        acknowledged_by=handled.acknowledged_by,
        closed=handled.closed,
        closed_by=handled.closed_by,
        note=handled.note,
        details=alarm.details | service.belonging(session, alarm),
    )


@router.get("")
def list_alarms(
    session: SessionDependency,
    user: Annotated[User, needs(Permission.SEE_SITE)],
    only_open: bool = True,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[str | None, Query(max_length=200)] = None,
) -> list[AlarmAnswer]:
    """Alarms, the newest first. People of a site see their own, without silent ones.

    `before`: the key of the last alarm of an answer, for the next ones.
    """
    found = service.list_alarms(session, user, only_open, limit, before)
    return [answer(session, *one) for one in found]


@router.post("/{key}/acknowledge")
def acknowledge(
    session: SessionDependency, user: Annotated[User, needs(Permission.HANDLE_ALARMS)], key: str
) -> AlarmAnswer:
    """Say that the alarm was heard."""
    alarm = service.acknowledge(session, user, key)
    return answer(session, alarm, session.get(AlarmHandling, key))


@router.post("/{key}/close", responses=problem_responses(409, 422))
def close(
    session: SessionDependency, user: Annotated[User, needs(Permission.HANDLE_ALARMS)], key: str, note: Note
) -> AlarmAnswer:
    """Close an acknowledged alarm with a note."""
    alarm = service.close(session, user, key, note.note)
    return answer(session, alarm, session.get(AlarmHandling, key))
