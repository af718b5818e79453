"""Alarms that the server sees itself, as the journal of decisions tells of them, and made again from there.

What a unit records raises alarms that follow from its leaves. What no leaf can say, a silent connection or a
forged head, the server decides at one moment: it writes that down like any other decision.
"""

from sqlmodel import Session, col, delete, select

from doorward_server.alarms.models import Alarm
from doorward_server.audit import entries
from doorward_server.audit import service as audit
from doorward_server.audit.models import Decision

RAISED, ENDED = "alarm_raised", "alarm_ended"
_PREFIX = "server:"
_SUBJECT = "alarm:"


def key_of(name: str, unit_id: int | None, occurrence: str) -> str:
    """The key of an alarm of the server's own."""
    return f"{_PREFIX}{name}:{unit_id or 0}:{occurrence}"


def is_own(alarm: Alarm) -> bool:
    """Whether the server saw it itself."""
    return alarm.key.startswith(_PREFIX)


def note_raised(session: Session, alarm: Alarm) -> None:
    """Write down that the server raises this alarm."""
    columns = alarm.model_dump(exclude={"key", "ended"})
    audit.record(session, None, RAISED, _SUBJECT + alarm.key, None, columns)


def note_ended(session: Session, alarm: Alarm) -> None:
    """Write down when it ended."""
    audit.record(session, None, ENDED, _SUBJECT + alarm.key, None, {"ended": alarm.ended})


def make_again(session: Session) -> None:
    """Forget the server's own alarms and make them again from its journal, in the order of its decisions.

    One that the journal does not tell of, raised before it did or with its entry deleted, is left as it is.
    """
    for decision in session.exec(
        select(Decision).where(col(Decision.kind).in_((RAISED, ENDED))).order_by(col(Decision.index))
    ).all():
        if decision.entry is None:
            continue
        key, after = decision.subject.removeprefix(_SUBJECT), entries.decode(decision.entry).after or {}
        if decision.kind == RAISED:
            session.exec(delete(Alarm).where(col(Alarm.key) == key))
            session.add(Alarm(key=key, **after))
        elif (alarm := session.get(Alarm, key)) is not None:
            alarm.ended = after["ended"]
            session.add(alarm)
        session.flush()
