"""What records of units say beyond their status, looked up for many at once, without an index of its own.

Trouble has raised an alarm, and alarms are few: they lead to their records. Starts raise none; those of the
last day stand at the end of the events, whose numbers grow with time.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, or_, select

from doorward_server.alarms.ends import MAY_END
from doorward_server.alarms.models import Alarm, AlarmHandling
from doorward_server.alarms.rules import PROTECTIONS, WATCHDOG
from doorward_server.handovers.models import HandoverEvent
from doorward_server.services import services_of
from doorward_server.units.condition import Fill, Recorded
from doorward_server.units.difference import Refusal

DAY = 86_400_000  # ms
LOOKED_AT = 16  # records behind alarms, the newest of each unit
_TAMPERING = ("tamper", "sensor_tampered", "tampered_search")
# Of what a unit refuses, what keeps it from holding what it should.
_WANTED = ("manifest", "blob")


def recorded(session: Session) -> dict[int, Recorded]:
    """What stands at each unit that has something of it, and what the last day has seen there."""
    fills, tampering, failed = _fills(session), _tampering(session), _failed(session)
    starts = _starts(session, services_of(session).clock.milliseconds() - DAY)
    return {
        unit_id: Recorded(
            tuple(fills[unit_id]),
            tuple(sorted(tampering[unit_id])),
            failed.get(unit_id, ()),
            sum(starts[unit_id].values()),
            starts[unit_id][str(WATCHDOG)],
        )
        for unit_id in {*fills, *tampering, *failed, *starts}
    }


def refusals(session: Session, since: Mapping[int, int]) -> dict[int, Refusal]:
    """The newest refusal of a manifest or content by each of these units, at or after its moment (ms)."""
    if not since:
        return {}
    found: dict[int, Refusal] = {}
    recent = col(Alarm.unit_id).in_(list(since)), col(Alarm.received) >= min(since.values())
    for event in _records(session, *recent, col(Alarm.rule).in_(("refusal", "forged"))):
        if event.received >= since[event.unit_id] and event.details["what"] in _WANTED:
            found[event.unit_id] = Refusal(event.details["what"], event.details["reason"])
    return found


def last_start(session: Session, unit_id: int) -> HandoverEvent | None:
    """The record of the unit's newest start. Looks through the unit's events back to it."""
    query = select(HandoverEvent).where(HandoverEvent.unit_id == unit_id, HandoverEvent.name == "boot")
    return session.exec(query.order_by(col(HandoverEvent.id).desc()).limit(1)).first()


def _fills(session: Session) -> dict[int, list[Fill]]:
    """The stores that are nearly full; of each what was recorded last."""
    newest: dict[tuple[int, str], Fill] = {}
    for event in _records(session, col(Alarm.rule) == "storage", col(Alarm.ended).is_(None)):
        said = event.details
        newest[event.unit_id, said["name"]] = Fill(said["name"], said["used"], said["total"])
    found: dict[int, list[Fill]] = defaultdict(list)
    for (unit_id, _), fill in sorted(newest.items()):
        found[unit_id].append(fill)
    return found


def _failed(session: Session) -> dict[int, tuple[str, ...]]:
    """The parts that failed the self-test of a unit's newest start, where some did."""
    starts = _records(session, col(Alarm.rule) == "self_test", col(Alarm.ended).is_(None))
    return {
        event.unit_id: tuple(
            name for name, ok in event.details["tests"] if not ok and name not in PROTECTIONS
        )
        for event in starts
    }


def _tampering(session: Session) -> dict[int, set[str]]:
    """The rules that stand; one that nothing can end stands until somebody has closed its alarm."""
    query = (
        select(Alarm.unit_id, Alarm.rule)
        .distinct()
        .join(AlarmHandling, col(AlarmHandling.key) == col(Alarm.key), isouter=True)
        .where(
            col(Alarm.rule).in_(_TAMPERING),
            col(Alarm.ended).is_(None),
            or_(col(AlarmHandling.closed).is_(None), col(Alarm.rule).in_(MAY_END)),
        )
    )
    found: dict[int, set[str]] = defaultdict(set)
    for unit_id, rule in session.exec(query):
        if unit_id is not None:
            found[unit_id].add(rule)
    return found


def _starts(session: Session, since: int) -> dict[int, Counter[str]]:
    """How often each unit has started since a moment (ms), by the reason of the reset.

    By the unit's own clock if it trusts that: what comes late, after an outage or a restore, is of days ago.
    """
    reason = col(HandoverEvent.details)["reason"].as_string()
    query = (
        select(HandoverEvent.unit_id, reason, func.count())
        .where(col(HandoverEvent.id) >= _first_since(session, since), HandoverEvent.name == "boot")
        .where(or_(col(HandoverEvent.time) >= since, col(HandoverEvent.clock_unsure)))
        .group_by(col(HandoverEvent.unit_id), reason)
    )
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for unit_id, why, count in session.exec(query):
        found[unit_id][why] = count
    return found


def _first_since(session: Session, moment: int) -> int:
    """The number of the first event that was received at or after a moment (ms), by halving."""
    low, high = 0, (session.exec(select(func.max(HandoverEvent.id))).one() or 0) + 1
    while low < high:
        middle = (low + high) // 2
        found = session.exec(
            select(HandoverEvent.id, HandoverEvent.received)
            .where(col(HandoverEvent.id) >= middle)
            .order_by(col(HandoverEvent.id))
            .limit(1)
        ).first()
        if found is None or found[1] >= moment:
            high = middle
        else:
            low = found[0] + 1
    return low


def _records(session: Session, *conditions: ColumnElement[bool]) -> Iterable[HandoverEvent]:
    """The records behind alarms, in the journals' order: of each unit a few, for it may raise any number."""
    place = func.row_number().over(partition_by=col(Alarm.unit_id), order_by=col(Alarm.received).desc())
    ranked = select(Alarm.key, place.label("place")).where(*conditions).subquery()
    keys = session.exec(select(ranked.c.key).where(ranked.c.place <= LOOKED_AT)).all()
    numbers = [int(key.split(":")[1]) for key in keys if key.startswith("record:")]
    query = select(HandoverEvent).where(col(HandoverEvent.id).in_(numbers))
    return session.exec(query.order_by(col(HandoverEvent.id))).all()
