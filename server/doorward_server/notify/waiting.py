"""What waits in the outbox for one target: the next messages, what was told, what is given up.

Only the target's own courier takes rows out, so between two of these functions nothing but new rows appear.
"""

from sqlmodel import Session, and_, col, delete, func, or_, select

from doorward_server.alarms import service as alarms
from doorward_server.alarms.models import Alarm
from doorward_server.notify import wording
from doorward_server.notify.models import Notice, UntoldCount
from doorward_server.notify.outbox import ALARM, ARRIVAL, FAILING, OLDEST_MS
from doorward_server.notify.targets import Target
from doorward_server.services import Services, services_of

MOST_WAITING = 1000  # for each target; beyond that the oldest arrivals go first, then the oldest alarms
AT_ONCE = 50
AT_ONCE_GIVEN_UP = 500


def give_up(services: Services, target: Target) -> None:
    """Give up what is too old or too much, and count it. Writes only where there is something."""
    while True:
        with services.database.reading() as session:
            if not _given_up(session, target):
                return
        with services.database.writing() as session:
            refused(session, target, _given_up(session, target))


def next_messages(session: Session, target: Target) -> tuple[list[wording.Message], list[Notice]]:
    """The next messages in their order, and notices before them of which nothing is left to tell."""
    count = session.get(UntoldCount, target.name)
    if count is not None:
        return [wording.untold(session, target, count)], []
    statement = select(Notice).where(Notice.target == target.name).order_by(col(Notice.id)).limit(AT_ONCE)
    composed = [(notice, wording.compose(session, target, notice)) for notice in session.exec(statement)]
    messages = [message for _, message in composed if message is not None]
    return messages, [notice for notice, message in composed if message is None]


def told(session: Session, messages: list[wording.Message]) -> None:
    """Forget what was told."""
    for message in messages:
        if isinstance(message.source, Notice):
            forget(session, [message.source])
        elif message.source is not None:
            session.delete(session.get_one(UntoldCount, message.source.target))


def refused(session: Session, target: Target, notices: list[Notice]) -> None:
    """Give up these notices, and have the target told how many they were."""
    if not notices:
        return
    count = session.get(UntoldCount, target.name) or UntoldCount(
        target=target.name, since=services_of(session).clock.milliseconds()
    )
    count.arrivals += sum(notice.kind == ARRIVAL for notice in notices)
    count.alarms += sum(notice.kind == ALARM for notice in notices)
    session.add(count)
    forget(session, notices)


def forget(session: Session, notices: list[Notice]) -> None:
    """Take notices out of the outbox."""
    session.exec(delete(Notice).where(col(Notice.id).in_([notice.id for notice in notices])))


def forget_others(services: Services, names: list[str]) -> int:
    """Forget what waits for targets no longer set, and end the alarms about them; how many waited."""
    with services.database.reading() as session:
        gone = session.exec(
            select(func.count()).select_from(Notice).where(col(Notice.target).not_in(names))
        ).one()
        counted = session.exec(select(UntoldCount).where(col(UntoldCount.target).not_in(names))).first()
        if not gone and counted is None and not _about_others(session, names):
            return 0
    with services.database.writing() as session:
        session.exec(delete(Notice).where(col(Notice.target).not_in(names)))
        session.exec(delete(UntoldCount).where(col(UntoldCount.target).not_in(names)))
        for alarm in _about_others(session, names):
            alarms.end(session, alarm, services.clock.milliseconds())
    return gone


def _about_others(session: Session, names: list[str]) -> list[Alarm]:
    standing = alarms.standing(session, None, FAILING)
    return [alarm for alarm in standing if alarm.details["target"] not in names]


def _given_up(session: Session, target: Target) -> list[Notice]:
    """What is to be given up next: some hundreds at most, for units wait while it is deleted."""
    now = services_of(session).clock.milliseconds()
    mine = Notice.target == target.name
    too_old = or_(
        *(and_(Notice.kind == kind, col(Notice.time) < now - oldest) for kind, oldest in OLDEST_MS.items())
    )
    if found := session.exec(select(Notice).where(mine, too_old).limit(AT_ONCE_GIVEN_UP)).all():
        return list(found)
    too_many = session.exec(select(func.count()).select_from(Notice).where(mine)).one() - MOST_WAITING
    for kind in (ARRIVAL, ALARM):
        some = min(too_many, AT_ONCE_GIVEN_UP)
        oldest = select(Notice).where(mine, Notice.kind == kind).order_by(col(Notice.id)).limit(some)
        if some > 0 and (found := session.exec(oldest).all()):
            return list(found)
    return []
