"""Puts into the outbox what targets are to be told, in the transaction of the alarm or arrival itself.

So nothing is lost when the server is killed, and nothing told of what was rolled back. A quiet session, a
rebuild, puts nothing in: what it makes again has been told.
"""

from doorward_protocol import records
from doorward_protocol.records import Record
from sqlmodel import Session

from doorward_server.alarms.models import Alarm
from doorward_server.alarms.rules import SEVERITIES, Rule
from doorward_server.database import after_commit
from doorward_server.link.models import AnyLeaf
from doorward_server.notify.models import Notice
from doorward_server.notify.targets import Target
from doorward_server.services import services_of

ALARM, ARRIVAL = "alarm", "arrival"
FAILING = "notify_failing"  # the alarm about this; told by the pages alone, or it would run in circles
ARRIVAL_MS = 3_600_000  # who hears of an arrival after an hour can do nothing with it
ALARM_MS = 7 * 24 * 3_600_000
PART = "notify"

OLDEST_MS = {ARRIVAL: ARRIVAL_MS, ALARM: ALARM_MS}


def alarm_raised(session: Session, alarm: Alarm, rule: Rule) -> None:
    """Have an alarm told to those who want it."""
    time = min(alarm.time, alarm.received)
    for target in services_of(session).settings.notify:
        if wants(target, rule):
            _put(session, target, ALARM, alarm.key, time)


def arrived(session: Session, leaf: AnyLeaf, record: Record) -> None:
    """Have the arrival that begins a handover told to those who want it."""
    time = leaf.received if record.clock == records.CLOCK_UNSURE else min(record.time, leaf.received)
    for target in services_of(session).settings.notify:
        if target.arrivals:
            _put(session, target, ARRIVAL, str(leaf.id), time)


def wants(target: Target, rule: Rule) -> bool:
    """Whether a target is told of alarms of this rule; of silent ones only where it says so itself (D9)."""
    if rule.name == FAILING or target.alarms == "none" or (rule.silent and not target.silent):
        return False
    return SEVERITIES.index(rule.severity) >= SEVERITIES.index(target.alarms)


def _put(session: Session, target: Target, kind: str, key: str, time: int) -> None:
    """Add it, unless it is too old already: a unit that comes back brings what happened days ago."""
    services = services_of(session)
    if session.info.get("quiet") or time < services.clock.milliseconds() - OLDEST_MS[kind]:
        return
    session.add(Notice(target=target.name, kind=kind, key=key, time=time))
    part = services.parts.get(PART)
    if part is not None:
        after_commit(session, lambda: part.wake(target.name))
