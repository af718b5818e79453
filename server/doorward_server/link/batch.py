"""Stores a batch of what units report, in one transaction: see `leaves.py` and `heads.py`."""

from sqlmodel import Session

from doorward_server.link.heads import store_head
from doorward_server.link.leaves import store_record
from doorward_server.link.received import Outcome, ReceivedHead, ReceivedRecord
from doorward_server.units.models import Unit


def store(
    session: Session, batch: list[ReceivedRecord | ReceivedHead], broken: frozenset = frozenset()
) -> Outcome:
    """Store a batch in its order. The caller commits, then carries the outcome out.

    Raises ProjectionError for a record that breaks the projection. The caller rolls back and tries again with
    its place in `broken`: then it is stored all the same, alarms, and stays out of the projection.
    """
    outcome = Outcome()
    early: dict[tuple[int, int], bool] = {}
    # Held here, or the session would forget and look a unit up again for each of its records.
    units = {item.unit_id: session.get_one(Unit, item.unit_id) for item in batch}
    for item in batch:
        unit = units[item.unit_id]
        if isinstance(item, ReceivedRecord):
            store_record(session, unit, item, outcome, broken, early)
        else:
            store_head(session, unit, item, outcome)
    # A head may have come before its leaves within this batch: nothing later need ever ask for it again.
    waiting, outcome.waiting = outcome.waiting, {}
    for _, head in waiting.values():
        store_head(session, units[head.unit_id], head, outcome)
    return outcome
