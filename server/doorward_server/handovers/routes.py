"""Handovers over the JSON API: list, one with its records, pictures, decision, restart."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from doorward_server.database import SessionDependency
from doorward_server.handovers import pictures, service
from doorward_server.handovers.models import Command, Handover, HandoverEvent
from doorward_server.problems import not_found, problem_responses
from doorward_server.security.dependencies import needs, site_bound
from doorward_server.security.models import User
from doorward_server.security.roles import Permission

router = APIRouter(prefix="/api", tags=["handovers"], responses=problem_responses(401, 403, 404))

HandoverId = Annotated[int, Path(ge=1, le=2**53)]
AtSite = Annotated[User, needs(Permission.SEE_SITE)]


class HandoverAnswer(BaseModel):
    """One attempt at a task. Times in ms since 1970 UTC, hashes, nonces and tags in hexadecimal."""

    id: int
    unit: int
    site: int
    task: int
    nonce: str
    state: str
    started: int
    finished: int | None
    received: int
    clock_unsure: bool
    vehicle: int
    order_version: int
    manifest_version: int
    last_contact: int
    crew: list[int]
    crew_picture: str | None
    approved: bool | None
    approved_by: list[int]
    approved_where: int | None
    head_count: int | None
    boxes_expected: list[str]
    boxes_read: list[str]
    boxes_missing: list[str]
    boxes_foreign: list[str]
    box_attempts: int
    officer: int | None
    officer_sensor: str | None
    crew_closer: int | None
    crew_closer_sensor: str | None
    reason: int | None
    twin: bool
    revoked_version: bool


class EventAnswer(BaseModel):
    """One record: when the unit wrote it, when the centre had it, and its fields."""

    id: int
    index: int
    epoch: int
    name: str
    time: int
    received: int
    clock_unsure: bool
    details: dict


class HandoverDetails(HandoverAnswer):
    """A handover with its records."""

    events: list[EventAnswer]


class Decision(BaseModel):
    """What the officer decides: approve with a head count, or refuse with a reason."""

    approve: bool
    head_count: Annotated[int | None, Field(ge=0, le=service.MOST_PEOPLE)] = None
    reason: Literal["picture_mismatch", "head_count_mismatch"] | None = None
    picture: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


class Restart(BaseModel):
    """Why a task may begin again."""

    why: Annotated[str, Field(min_length=3, max_length=1000)]


class CommandAnswer(BaseModel):
    """The command that went to the unit."""

    id: str
    verb: int
    issued: int
    expires: int


def _handover(handover: Handover) -> dict:
    said = handover.model_dump(exclude={"unit_id", "site_id", "vehicle_id", "epoch", "epc", "tid"})
    said |= {
        "unit": handover.unit_id,
        "site": handover.site_id,
        "vehicle": handover.vehicle_id,
        "nonce": handover.nonce.hex(),
        "crew_picture": None if handover.crew_picture is None else handover.crew_picture.hex(),
        "officer": said.pop("officer_id"),
        "crew_closer": said.pop("crew_closer_id"),
    }
    return said


def _event(event: HandoverEvent) -> EventAnswer:
    return EventAnswer(**event.model_dump(exclude={"handover_id", "unit_id", "site_id"}))


def _command(command: Command) -> CommandAnswer:
    return CommandAnswer(
        id=command.id.hex(), verb=command.verb, issued=command.issued, expires=command.expires
    )


@router.get("/handovers")
def list_handovers(
    session: SessionDependency,
    user: AtSite,
    site: Annotated[int | None, Query(ge=1)] = None,
    since: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[HandoverAnswer]:
    """Handovers, the newest first. People of a site see their own."""
    bound = site_bound(user)
    if bound is not None and site not in (None, bound):
        raise not_found("网点", "site")
    found = service.list_handovers(session, bound if bound is not None else site, since, limit)
    return [HandoverAnswer(**_handover(handover)) for handover in found]


@router.get("/handovers/{handover_id}")
def get_handover(session: SessionDependency, user: AtSite, handover_id: HandoverId) -> HandoverDetails:
    """One handover with its records."""
    handover = service.get_handover(session, user, handover_id)
    events = [_event(event) for event in service.events_of(session, handover)]
    return HandoverDetails(**_handover(handover), events=events)


@router.post("/handovers/{handover_id}/decide", responses=problem_responses(409, 422))
def decide(
    session: SessionDependency,
    user: Annotated[User, needs(Permission.DECIDE_HANDOVER)],
    handover_id: HandoverId,
    decision: Decision,
) -> CommandAnswer:
    """Approve or refuse the crew that waits at the door."""
    command = service.decide(
        session,
        user,
        handover_id,
        approve=decision.approve,
        head_count=decision.head_count,
        reason=decision.reason,
        picture=bytes.fromhex(decision.picture),
    )
    return _command(command)


@router.post("/handovers/{handover_id}/restart", responses=problem_responses(409, 422))
def restart(
    session: SessionDependency,
    user: Annotated[User, needs(Permission.HANDLE_ALARMS)],
    handover_id: HandoverId,
    wish: Restart,
) -> CommandAnswer:
    """Let a frozen task begin again at the vehicle."""
    handover = service.get_handover(session, user, handover_id)
    return _command(service.restart(session, user, handover, wish.why))


@router.get(
    "/pictures/{name}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
)
def get_picture(
    session: SessionDependency, user: AtSite, name: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
) -> Response:
    """A face picture taken at a panel, as JPEG; 404 until its content has come."""
    content = pictures.content_of(session, service.get_picture(session, user, bytes.fromhex(name)))
    if content is None:
        raise not_found("照片", "picture")
    return Response(content, media_type="image/jpeg", headers={"cache-control": "private, max-age=3600"})
