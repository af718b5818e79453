"""What a version of a run says, as JSON-like data: shown to approvers, kept with the version, sent to units.

A released version is kept whole, tags and officers included, so that what a unit holds is what two people
approved, whatever is edited afterwards; anything else is a new version.
"""

from typing import Any

from doorward_protocol import objects
from sqlmodel import Session, select

from doorward_server.clock import to_milliseconds
from doorward_server.fleet.models import Box, Vehicle
from doorward_server.people.service import officers_of
from doorward_server.planning.models import Duty, Run, RunVersion, Stop, StopKind
from doorward_server.planning.plan import Plan, PlannedBox, PlannedStop

_KINDS = {
    StopKind.DELIVER: objects.DELIVER,
    StopKind.COLLECT: objects.COLLECT,
    StopKind.TRANSFER: objects.TRANSFER,
    StopKind.REPLENISH: objects.REPLENISH,
}
_DUTIES = {Duty.DOOR: objects.DUTY_DOOR, Duty.VEHICLE: objects.DUTY_VEHICLE}


def content_of(session: Session, plan: Plan) -> dict[str, Any]:
    """The whole content of a plan without findings; times in ms since 1970 UTC, tags in hexadecimal."""
    content = outline_of(session, plan)
    for stop in content["stops"]:
        stop["officers"] = [person.id for person in officers_of(session, stop["site"], plan.date)]
    return content


def outline_of(session: Session, plan: Plan) -> dict[str, Any]:
    """The content but for the officers, whom only the units are told."""
    vehicle = session.get_one(Vehicle, plan.vehicle_id)
    return {
        "date": plan.date.isoformat(),
        "vehicle": {
            "id": vehicle.id,
            "plate": vehicle.plate,
            "epc": vehicle.epc.hex(),
            "tid": vehicle.tid.hex(),
        },
        "crew": [{"person": one.person_id, "duty": str(one.duty)} for one in plan.crew],
        "stops": [_stop(session, stop) for stop in plan.stops],
    }


def changes_between(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What differs in vehicle, crew and stops, each with both sides: {"crew": {"before": …, "after": …}}."""
    return {
        name: {"before": before[name], "after": after[name]} for name in after if before[name] != after[name]
    }


def order_fields(session: Session, stop: Stop) -> dict[str, Any]:
    """The fields of the stop's `order` blob, in its present version, as objects.encode_blob takes them.

    Clip and label of the vehicle are None: the units' side knows the clips and drawings. Only for a stop that
    has been released (`order_version` above 0).
    """
    said = content_of_version(session, stop.run_id, stop.order_version)
    here = next(one for one in said["stops"] if one["task"] == stop.id)
    vehicle = said["vehicle"]
    return {
        "task": stop.id,
        "version": stop.order_version,
        "kind": _KINDS[here["kind"]],
        "site": here["site"],
        "window_from": here["window_from"],
        "window_until": here["window_until"],
        "expires": here["expires"],
        "vehicle": [
            vehicle["id"],
            vehicle["plate"],
            bytes.fromhex(vehicle["epc"]),
            bytes.fromhex(vehicle["tid"]),
            None,
            None,
        ],
        "crew": [[one["person"], _DUTIES[one["duty"]]] for one in said["crew"]],
        "officers": here["officers"],
        "boxes": [
            [box["id"], box["number"], bytes.fromhex(box["epc"]), bytes.fromhex(box["tid"]), box["seal"]]
            for box in here["boxes"]
        ],
    }


def content_of_version(session: Session, run_id: int, version: int) -> dict[str, Any]:
    """What one released version of a run said."""
    query = select(RunVersion).where(RunVersion.run_id == run_id, RunVersion.version == version)
    return session.exec(query).one().content


def keep_version(
    session: Session, run: Run, previous: int, content: dict[str, Any], approved_by: list[int], now: Any
) -> None:
    """Keep what the run's present version says, and how it differs from the previous one (0: none)."""
    before = content_of_version(session, run.id, previous) if previous else None
    session.add(
        RunVersion(
            run_id=run.id,
            version=run.version,
            content=content,
            changes=changes_between(before, content) if before else {},
            approved_by=approved_by,
            released_at=now,
        )
    )
    session.flush()


def _stop(session: Session, stop: PlannedStop) -> dict[str, Any]:
    assert stop.expires is not None, "a kept stop has its expiry"
    return {
        "task": stop.task,
        "site": stop.site_id,
        "kind": str(stop.kind),
        "window_from": to_milliseconds(stop.window_from),
        "window_until": to_milliseconds(stop.window_until),
        "expires": to_milliseconds(stop.expires),
        "boxes": [_box(session, planned) for planned in stop.boxes],
    }


def _box(session: Session, planned: PlannedBox) -> dict[str, Any]:
    box = session.get_one(Box, planned.box_id)
    return {
        "id": box.id,
        "number": box.number,
        "epc": box.epc.hex(),
        "tid": box.tid.hex(),
        "seal": planned.seal,
    }
