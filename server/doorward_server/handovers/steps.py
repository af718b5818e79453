"""What each kind of record does to its handover: one small function per kind, found by the record's name.

A handover is one attempt at a task, known by its nonce. After a restart the unit begins a new attempt
with a new nonce, and so a new handover.
"""

from collections.abc import Callable
from typing import Any

from doorward_protocol import errors, records
from doorward_protocol.records import Record
from sqlmodel import Session, col, select

from doorward_server.backup import restorations
from doorward_server.clock import from_milliseconds, to_milliseconds
from doorward_server.handovers import foreknown, newest
from doorward_server.handovers.models import Handover
from doorward_server.link.models import AnyLeaf
from doorward_server.planning.models import Stop, StopStatus
from doorward_server.planning.progress import set_stop_status, stop_at, stops_of_run, was_cancelled
from doorward_server.units.models import Unit

DONE = ("closed", "left")


Step = Callable[[Session, Handover, AnyLeaf, Record], list[str]]
Outcome = tuple[Handover | None, list[str]]


def apply(session: Session, unit: Unit, leaf: AnyLeaf, record: Record) -> Outcome:
    """The handover a record belongs to, brought up to date, and the server rules it breaks."""
    if record.name == "vehicle":
        return _vehicle(session, unit, leaf, record)
    if record.name == "vehicle_refused":
        return _vehicle_refused(session, unit, record), []
    handover = _handover_of(session, unit, leaf, record)
    if handover is None or record.name not in _STEPS:
        return handover, []
    return handover, _STEPS[record.name](session, handover, leaf, record)


def current(session: Session, unit: Unit, epoch: int) -> Handover | None:
    """The unit's handover that has not finished, if there is one."""
    last = newest.newest(session, unit.id, epoch)
    return last if last is not None and last.finished is None else None


def _handover_of(session: Session, unit: Unit, leaf: AnyLeaf, record: Record) -> Handover | None:
    nonce = record.fields.get("nonce")
    if nonce is None:
        return current(session, unit, leaf.epoch)
    return newest.by_nonce(session, unit.id, leaf.epoch, nonce)


def _vehicle(session: Session, unit: Unit, leaf: AnyLeaf, record: Record) -> Outcome:
    fields = record.fields
    known = _handover_of(session, unit, leaf, record)
    if known is not None:
        return known, []
    handover = Handover(
        id=leaf.id,
        unit_id=unit.id,
        site_id=unit.site_id,
        epoch=leaf.epoch,
        task=fields["task"],
        nonce=fields["nonce"],
        state="arrived",
        started=record.time,
        received=leaf.received,
        clock_unsure=record.clock == records.CLOCK_UNSURE,
        vehicle_id=fields["vehicle"],
        epc=fields["epc"],
        tid=fields["tid"],
        order_version=fields["order_version"],
        manifest_version=fields["manifest"],
        last_contact=fields["last_contact"],
        **_no_lists(),
    )
    trouble = ["task_on_unsure_clock"] if handover.clock_unsure else []
    stop = stop_at(session, handover.task, unit.site_id)
    if stop is None:
        lost = restorations.was_lost(session, "stop", handover.task)
        trouble.append("lost_plan" if lost else "unknown_task")
    else:
        handover.revoked_version = _was_revoked(session, stop, handover)
        if handover.revoked_version:
            trouble.append("revoked_version")
        if _skips_a_stop(session, stop, handover.started):
            trouble.append("skipped_stop")
        if _mark_twins(session, unit, handover.task):
            handover.twin = True
            trouble.append("second_arrival")
        else:
            _set_status(session, handover, StopStatus.UNDER_WAY, leaf, record)
    session.add(handover)
    newest.begun(session, handover)
    foreknown.begun(session, handover)
    return handover, trouble


def _no_lists() -> dict[str, Any]:
    """Given to each new handover: to find out how defaults are made costs ten times as much as the rest."""
    names = ("crew", "approved_by", "boxes_expected", "boxes_read", "boxes_missing", "boxes_foreign")
    return {name: [] for name in names}


def _vehicle_refused(session: Session, unit: Unit, record: Record) -> Handover | None:
    """A refused vehicle begins no handover. A twin marks the one that was completed before it (D3)."""
    if record.fields["reason"] != errors.TASK_COMPLETED or record.fields["task"] is None:
        return None
    twins = _mark_twins(session, unit, record.fields["task"])
    return twins[-1] if twins else None


def _mark_twins(session: Session, unit: Unit, task: int) -> list[Handover]:
    if not foreknown.may_be_begun(session, task):
        return []
    statement = select(Handover).where(
        Handover.site_id == unit.site_id, Handover.task == task, col(Handover.state).in_(DONE)
    )
    completed = list(session.exec(statement.order_by(col(Handover.id))))
    for handover in completed:
        handover.twin = True
        session.add(handover)
    session.flush()
    return completed


def _crew(_session: Session, handover: Handover, _leaf: AnyLeaf, record: Record) -> list[str]:
    handover.state = "crew"
    handover.crew = record.fields["people"]
    handover.crew_picture = record.fields["picture"]
    return []


def _approval(_session: Session, handover: Handover, _leaf: AnyLeaf, record: Record) -> list[str]:
    fields = record.fields
    handover.state = "approved" if fields["approved"] else "refused"
    handover.approved = fields["approved"]
    handover.approved_by = fields["by"]
    handover.approved_where = fields["where"]
    handover.head_count = fields["head_count"]
    handover.reason = fields["reason"]
    return []


def _boxes(_session: Session, handover: Handover, _leaf: AnyLeaf, record: Record) -> list[str]:
    fields = record.fields
    handover.state = "boxes"
    handover.boxes_expected = [epc.hex() for epc in fields["expected"]]
    handover.boxes_read = [epc.hex() for epc in fields["read"]]
    handover.boxes_missing = [epc.hex() for epc in fields["missing"]]
    handover.boxes_foreign = [epc.hex() for epc in fields["foreign"]]
    handover.box_attempts = fields["attempt"]
    return []


def _foreign_box(_session: Session, handover: Handover, _leaf: AnyLeaf, record: Record) -> list[str]:
    epc = record.fields["epc"].hex()
    if epc not in handover.boxes_foreign:
        handover.boxes_foreign = [*handover.boxes_foreign, epc]
    return []


def _closed(session: Session, handover: Handover, leaf: AnyLeaf, record: Record) -> list[str]:
    handover.state = "closed"
    handover.finished = None
    officer, crew = record.fields["officer"], record.fields["crew"]
    handover.officer_id, handover.crew_closer_id = officer, crew
    handover.officer_sensor = foreknown.sensor_of(session, handover.id, officer)
    handover.crew_closer_sensor = foreknown.sensor_of(session, handover.id, crew)
    _set_status(session, handover, StopStatus.CLOSED, leaf, record)
    return []


def _frozen(session: Session, handover: Handover, leaf: AnyLeaf, record: Record) -> list[str]:
    handover.state = "frozen"
    handover.reason = record.fields["reason"]
    _set_status(session, handover, StopStatus.FROZEN, leaf, record)
    return []


def _restarted(session: Session, handover: Handover, leaf: AnyLeaf, record: Record) -> list[str]:
    handover.state = "restarted"
    handover.reason = record.fields["reason"]
    handover.finished = record.time
    _set_status(session, handover, StopStatus.PLANNED, leaf, record)
    return []


def _left(_session: Session, handover: Handover, _leaf: AnyLeaf, record: Record) -> list[str]:
    handover.finished = record.time
    if handover.state in DONE:
        handover.state = "left"
        return []
    return [] if handover.state in ("refused", "frozen") else ["left_open"]


_STEPS: dict[str, Step] = {
    "crew": _crew,
    "approval": _approval,
    "boxes": _boxes,
    "foreign_box": _foreign_box,
    "closed": _closed,
    "frozen": _frozen,
    "restarted": _restarted,
    "left": _left,
}


def _was_revoked(session: Session, stop: Stop, handover: Handover) -> bool:
    """Whether a newer version had been released, or the stop cancelled, when the handover began (D4)."""
    if was_cancelled(session, stop, handover.started):
        return True
    return any(
        version > handover.order_version and to_milliseconds(released) <= handover.started
        for version, released in foreknown.versions(session, stop.run_id)
    )


def _skips_a_stop(session: Session, stop: Stop, started: int) -> bool:
    """Whether an earlier stop of the run, at a site that had a unit, has not been completed (S9).

    What was cancelled or registered later does not count: a rebuild years from now comes to the same.
    """
    if all(one.sequence >= stop.sequence for one in stops_of_run(session, stop.run_id)):
        return False
    before = session.exec(
        select(Stop)
        .join(Unit, col(Unit.site_id) == col(Stop.site_id))
        .where(
            Stop.run_id == stop.run_id,
            Stop.sequence < stop.sequence,
            Unit.registered <= started,
        )
    ).all()
    earlier = {(one.id, one.site_id) for one in before if not was_cancelled(session, one, started)}
    tasks = [task for task, _ in earlier]
    done = session.exec(
        select(Handover.task, Handover.site_id).where(
            col(Handover.task).in_(tasks), col(Handover.state).in_(DONE)
        )
    ).all()
    return not earlier <= set(done)


def _set_status(
    session: Session, handover: Handover, status: StopStatus, leaf: AnyLeaf, record: Record
) -> None:
    """Carry the handover's state over to planning. A twin changes nothing about what was completed, and a
    unit nothing about the stops of other sites."""
    if handover.twin or stop_at(session, handover.task, handover.site_id) is None:
        return
    time = record.time if record.clock == records.CLOCK_SURE else leaf.received
    set_stop_status(session, handover.task, status, from_milliseconds(time))
