"""Stores a batch of what units report, in one transaction: see `leaves.py` and `heads.py`.

What the batch's units have in common is looked up first and together, what it adds is inserted last and
together (`bulk.py`): the rest of a record's way is arithmetic.
"""

from sqlmodel import Session, col, select

from doorward_server.alarms import service as alarms
from doorward_server.handovers import foreknown, newest, pictures
from doorward_server.link import journal
from doorward_server.link.heads import store_head
from doorward_server.link.leaves import store_record
from doorward_server.link.received import Outcome, ReceivedHead, ReceivedPicture, ReceivedRecord
from doorward_server.units.models import Unit

Item = ReceivedRecord | ReceivedHead | ReceivedPicture


def store(
    session: Session,
    batch: list[Item],
    broken: frozenset[tuple[int, int, int]] = frozenset(),
) -> Outcome:
    """Store a batch in its order. The caller commits, then carries the outcome out.

    Raises ProjectionError for a record that breaks the projection. The caller rolls back and tries again with
    the record's place in `broken`: then it is stored all the same, alarms, and stays out of the projection.
    """
    outcome = Outcome()
    ids = {item.unit_id for item in batch}
    units = {unit.id: unit for unit in session.exec(select(Unit).where(col(Unit.id).in_(ids)))}
    places = {(item.unit_id, item.epoch) for item in batch if isinstance(item, ReceivedRecord)}
    journal.prepare(session, places)
    newest.prepare(session, places)
    alarms.prepare(session, ids)
    foreknown.prepare(
        session,
        (item.entry for item in batch if isinstance(item, ReceivedRecord)),
        (item.hash for item in batch if isinstance(item, ReceivedPicture)),
    )
    for item in batch:
        unit = units[item.unit_id]
        if isinstance(item, ReceivedRecord):
            store_record(session, unit, item, outcome, broken)
        elif isinstance(item, ReceivedHead):
            store_head(session, unit, item, outcome)
        else:
            pictures.take(session, unit, item.hash, item.content)
    # A head may have come before its leaves within this batch: nothing later need ever ask for it again.
    waiting, outcome.waiting = outcome.waiting, {}
    for _, head in waiting.values():
        store_head(session, units[head.unit_id], head, outcome)
    return outcome
