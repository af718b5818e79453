"""Alarms: raised by records and by the server itself, ended by what comes later, heard and closed by people.

An alarm has one of four states: *new* (stands, nobody has heard it), *acknowledged* (stands, somebody
deals with it), *over* (has ended by itself, nobody has heard it), *closed*. Nothing is ever forgotten by
ending.
"""

from collections.abc import Iterable
from typing import Any

from doorward_protocol.records import Record
from sqlmodel import Session, and_, col, or_, select

from doorward_server import live
from doorward_server.alarms import seen
from doorward_server.alarms.ends import MAY_END, ended_by, subject_of
from doorward_server.alarms.models import Alarm, AlarmHandling
from doorward_server.alarms.rules import BY_NAME, Rule, rules_for
from doorward_server.audit import service as audit
from doorward_server.fleet.models import Site
from doorward_server.link.models import AnyLeaf
from doorward_server.notify import outbox
from doorward_server.planning.progress import place_of_box
from doorward_server.problems import Problem, not_found
from doorward_server.security.dependencies import site_bound
from doorward_server.security.models import User
from doorward_server.services import services_of
from doorward_server.units.models import Unit

NEW, ACKNOWLEDGED, OVER, CLOSED = "new", "acknowledged", "over", "closed"
_LONGEST_NOTE = 1000
_STANDING = "standing_alarms"


def project(
    session: Session, unit: Unit, leaf: AnyLeaf, record: Record, handover_id: int | None, extra: list[str]
) -> None:
    """Raise and end the alarms that a record means. `extra`: server rules that apply to it in its handover.

    May run twice for one record: at once when it came before its predecessors, and again in its place.
    """
    subject = subject_of(record.name, record.fields)
    for alarm in standing(session, unit.id, *ended_by(record.name, record.fields)):
        if alarm.details["subject"] == subject and _is_before(alarm, leaf):
            end(session, alarm, record.time)
    for rule in [*rules_for(record.name, record.fields), *(BY_NAME[name] for name in extra)]:
        key = f"record:{leaf.id}:{rule.name}"
        alarm = session.get(Alarm, key)
        if alarm is not None:
            alarm.handover_id = handover_id
            session.add(alarm)
            continue
        details = {"subject": subject, "record": record.name, "epoch": leaf.epoch, "index": leaf.index}
        if record.name == "foreign_box":
            details["epc"] = record.fields["epc"].hex()
        alarm = Alarm(
            key=key,
            rule=rule.name,
            severity=rule.severity,
            site_id=unit.site_id,
            unit_id=unit.id,
            handover_id=handover_id,
            task=record.fields.get("task"),
            reason=record.fields.get("reason"),
            time=record.time,
            received=leaf.received,
            details=details,
        )
        _add(session, alarm, rule)


def raise_alarm(
    session: Session,
    name: str,
    unit: Unit | None = None,
    occurrence: str | None = None,
    site_id: int | None = None,
    handover_id: int | None = None,
    **details: Any,
) -> Alarm:
    """Raise an alarm that the server sees itself. The same `occurrence` is raised once.

    Without one, a standing alarm of this rule and unit is enough.
    """
    now = services_of(session).clock.milliseconds()
    unit_id = None if unit is None else unit.id
    if occurrence is None:
        already = standing(session, unit_id, name)
        if already:
            return already[0]
        occurrence = str(now)
    rule = BY_NAME[name]
    key = seen.key_of(name, unit_id, occurrence)
    known = session.get(Alarm, key)
    if known is not None:
        return known
    alarm = Alarm(
        key=key,
        rule=name,
        severity=rule.severity,
        site_id=unit.site_id if unit is not None else site_id,
        unit_id=unit_id,
        handover_id=handover_id,
        time=now,
        received=now,
        details={"subject": "", **details},
    )
    seen.note_raised(session, alarm)
    _add(session, alarm, rule)
    return alarm


def prepare(session: Session, unit_ids: Iterable[int]) -> None:
    """Look up together what stands at these units and may end, for as long as this session lasts.

    Most alarms stand for ever, because nothing ends them: over the years they would be thousands.
    """
    ids = list(unit_ids)
    known: dict[int, list[Alarm]] = {unit_id: [] for unit_id in ids}
    statement = select(Alarm).where(
        col(Alarm.unit_id).in_(ids), col(Alarm.ended).is_(None), col(Alarm.rule).in_(MAY_END)
    )
    for alarm in session.exec(statement.order_by(col(Alarm.received), col(Alarm.key))):
        known[alarm.unit_id or 0].append(alarm)
    session.info[_STANDING] = known


def standing(session: Session, unit_id: int | None, *names: str) -> list[Alarm]:
    """Alarms of these rules and this unit that have not ended."""
    if not names:
        return []
    known = session.info.get(_STANDING, {}).get(unit_id)
    if known is not None and MAY_END.issuperset(names):
        return [alarm for alarm in known if alarm.rule in names and alarm.ended is None]
    statement = select(Alarm).where(
        col(Alarm.rule).in_(names), Alarm.unit_id == unit_id, col(Alarm.ended).is_(None)
    )
    return list(session.exec(statement.order_by(col(Alarm.received), col(Alarm.key))))


def end(session: Session, alarm: Alarm, time: int) -> None:
    """The condition has ended, at `time` in ms since 1970 UTC. It still has to be acknowledged."""
    alarm.ended = time
    session.add(alarm)
    session.flush()
    if seen.is_own(alarm):
        seen.note_ended(session, alarm)
    _publish(session, alarm)


def end_all(session: Session, name: str, unit: Unit) -> None:
    """End the standing alarms of this rule and unit now."""
    for alarm in standing(session, unit.id, name):
        end(session, alarm, services_of(session).clock.milliseconds())


def end_occurrence(session: Session, name: str, occurrence: str, unit: Unit | None = None) -> None:
    """End one alarm that was raised with this occurrence, if it stands."""
    alarm = session.get(Alarm, seen.key_of(name, None if unit is None else unit.id, occurrence))
    if alarm is not None and alarm.ended is None:
        end(session, alarm, services_of(session).clock.milliseconds())


def state_of(alarm: Alarm, handling: AlarmHandling | None) -> str:
    """One of the four states."""
    if handling is not None and handling.closed is not None:
        return CLOSED
    heard = handling is not None and handling.acknowledged is not None
    if alarm.ended is not None:
        return CLOSED if heard else OVER
    return ACKNOWLEDGED if heard else NEW


def acknowledge(session: Session, user: User, key: str) -> Alarm:
    """Note that a person has heard an alarm. The first one counts; repeating it changes nothing."""
    alarm = get(session, user, key)
    handling = _handling(session, key)
    if handling.acknowledged is None:
        handling.acknowledged = services_of(session).clock.milliseconds()
        handling.acknowledged_by = user.id
        session.add(handling)
        session.flush()
        audit.record(session, user, "alarm_acknowledged", f"alarm:{key}", None, {"rule": alarm.rule})
        _publish(session, alarm)
    return alarm


def close(session: Session, user: User, key: str, note: str) -> Alarm:
    """Close an alarm that was acknowledged, saying how it was dealt with."""
    alarm = get(session, user, key)
    handling = _handling(session, key)
    if handling.acknowledged is None:
        raise Problem(
            409, "not_acknowledged", "请先确认该报警。", "This alarm has not been acknowledged.",
            "Acknowledge it first. 请先确认，再关闭。",
        )  # fmt: skip
    note = note.strip()
    if not 0 < len(note) <= _LONGEST_NOTE:
        raise Problem(
            422, "note_missing", "请填写处理说明。", "How it was dealt with is missing.",
            "Write one sentence, up to 1000 characters. 请填写处理说明。",
        )  # fmt: skip
    if handling.closed is None:
        handling.closed = services_of(session).clock.milliseconds()
        handling.closed_by = user.id
        handling.note = note
        session.add(handling)
        session.flush()
        audit.record(session, user, "alarm_closed", f"alarm:{key}", None, {"note": note})
        if alarm.ended is None and seen.is_own(alarm):
            end(
                session, alarm, handling.closed
            )  # what has no end of its own may be raised afresh from here on
        else:
            _publish(session, alarm)
    return alarm


def get(session: Session, user: User, key: str) -> Alarm:
    """An alarm that this user may see. Raises 404."""
    alarm = session.get(Alarm, key)
    if alarm is None or not is_visible(alarm, user):
        raise not_found("报警", "alarm")
    return alarm


def is_visible(alarm: Alarm, user: User) -> bool:
    """Somebody bound to a site sees its alarms, but never a silent one (D9)."""
    bound = site_bound(user)
    return bound is None or (alarm.site_id == bound and not BY_NAME[alarm.rule].silent)


def belonging(session: Session, alarm: Alarm) -> dict[str, str]:
    """Of a box that is not in the order: its number and the site where it belongs now (S7), if known.

    Looked up when somebody looks: planning moves on, the alarm stays what the record said.
    """
    epc = alarm.details.get("epc")
    found = None if epc is None else place_of_box(session, bytes.fromhex(epc))
    if found is None:
        return {}
    box, stop = found
    site = session.get_one(Site, box.home_site_id if stop is None else stop.site_id)
    return {"box": box.number, "belongs_to": site.code}


def list_alarms(
    session: Session, user: User, only_open: bool, limit: int, before: str | None = None
) -> list[tuple[Alarm, AlarmHandling | None]]:
    """Alarms that this user may see, the newest first; `only_open` leaves out the closed ones.

    `before` is the key of an alarm: only what comes after it in this order. Raises 404 for an unknown one.
    """
    statement = select(Alarm, AlarmHandling).join(
        AlarmHandling, col(AlarmHandling.key) == col(Alarm.key), isouter=True
    )
    bound = site_bound(user)
    if bound is not None:
        silent = [rule.name for rule in BY_NAME.values() if rule.silent]
        statement = statement.where(Alarm.site_id == bound, col(Alarm.rule).not_in(silent))
    if only_open:
        unheard = col(AlarmHandling.acknowledged).is_(None)
        statement = statement.where(
            col(AlarmHandling.closed).is_(None), or_(col(Alarm.ended).is_(None), unheard)
        )
    if before is not None:
        last = get(session, user, before)
        same_moment = and_(col(Alarm.received) == last.received, col(Alarm.key) > last.key)
        statement = statement.where(or_(col(Alarm.received) < last.received, same_moment))
    statement = statement.order_by(col(Alarm.received).desc(), col(Alarm.key)).limit(limit)
    return list(session.exec(statement))


def _is_before(alarm: Alarm, leaf: AnyLeaf) -> bool:
    """Whether an alarm's record stands before this one in its journal, whichever came first."""
    return alarm.details["epoch"] != leaf.epoch or alarm.details["index"] < leaf.index


def _handling(session: Session, key: str) -> AlarmHandling:
    return session.get(AlarmHandling, key) or AlarmHandling(key=key)


def _add(session: Session, alarm: Alarm, rule: Rule) -> None:
    session.add(alarm)
    session.flush()
    session.info.get(_STANDING, {}).get(alarm.unit_id, []).append(alarm)
    outbox.alarm_raised(session, alarm, rule)
    _publish(session, alarm, rule)


def _publish(session: Session, alarm: Alarm, raised: Rule | None = None) -> None:
    """Tell the pages. Only a new alarm is spoken. A silent one names no site, so that no site hears it."""
    rule = BY_NAME[alarm.rule]
    payload = {
        "key": alarm.key,
        "name": alarm.rule,
        "severity": alarm.severity,
        "site": None if rule.silent else alarm.site_id,
        "alarm_site": alarm.site_id,
        "handover": alarm.handover_id,
        "time": alarm.time,
        "received": alarm.received,
        "ended": alarm.ended,
        "title_zh": rule.title_zh,
        "title_en": rule.title_en,
        "raised": raised is not None,
    }
    if raised is not None:
        payload["speech"] = {
            language: [f"/api/speech/alarms/{alarm.key}?language={language}"] for language in ("zh", "en")
        }
    live.publish(session, "alarm", payload)
