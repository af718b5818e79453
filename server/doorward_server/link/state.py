"""What a unit says about itself, written down: status, what it holds, refusals, pictures, presence.

Each function runs in a writing transaction on the link's writer and returns what is to be answered.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from doorward_protocol import records
from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from doorward_server import live
from doorward_server.alarms import service as alarms
from doorward_server.alarms.rules import CLOCK_LIMIT
from doorward_server.backup import restorations
from doorward_server.handovers.models import Command, Picture
from doorward_server.link.heads import newest_head
from doorward_server.link.journal import LARGEST, note_conflict
from doorward_server.link.models import JournalEpoch
from doorward_server.units import manifests
from doorward_server.units.models import ManifestVersion, Unit

PICTURES_PER_STATUS = 64
EPOCHS_LOOKED_AT = 16  # the newest: a unit may begin any number of them
_LONGEST_TEXT = 100
# Every status asks for these, and all units say theirs when the server comes back: built once.
_EPOCHS = (
    select(JournalEpoch)
    .where(col(JournalEpoch.unit_id) == bindparam("unit"))
    .order_by(col(JournalEpoch.id).desc())
    .limit(EPOCHS_LOOKED_AT)
)
_LACKING = (
    select(Picture.hash)
    .where(col(Picture.unit_id) == bindparam("unit"), col(Picture.content).is_(None))
    .order_by(col(Picture.time).desc())
    .limit(PICTURES_PER_STATUS)
)


class StatusAnswer(NamedTuple):
    """A manifest to offer (None: it has it), what it may fetch, a missed receipt, pictures we lack.

    `lacking`: we have lost records that the unit has a receipt for.
    """

    manifest: bytes | None
    listed: set[bytes]
    receipt: bytes | None
    pictures: list[bytes]
    lacking: bool


def note_online(session: Session, unit_id: int, now: int) -> None:
    """The unit has proved its key on a new connection."""
    unit = session.get_one(Unit, unit_id)
    unit.online, unit.last_seen = True, now
    session.add(unit)
    session.flush()
    alarms.end_all(session, "unit_offline", unit)
    publish(session, unit, "online")


def note_offline(session: Session, unit_id: int, now: int) -> None:
    """The unit's connection has ended."""
    unit = session.get_one(Unit, unit_id)
    unit.online, unit.last_seen = False, now
    session.add(unit)
    session.flush()
    publish(session, unit, "offline")


def note_status(
    session: Session, unit_id: int, fields: dict[str, Any], now: int, first: bool
) -> StatusAnswer:
    """Take a `status`: clock, health, journal; answer with what the unit lacks.

    The `first` one of a connection is sent before the unit has our time: it says nothing about its clock yet.
    What it may fetch is worked out then; a manifest is made with each change of what it lists, here only if
    there is none that is fresh.
    """
    unit = session.get_one(Unit, unit_id)
    before = _shown(unit)
    unit.last_seen = now
    unit.actual_version = min(fields["manifest"], LARGEST)
    unit.firmware = fields["firmware"][:_LONGEST_TEXT]
    unit.health = _health(fields["health"])
    unit.epoch, unit.size = min(fields["epoch"], LARGEST), min(fields["size"], LARGEST)
    _take_clock(session, unit, fields["clock"] == records.CLOCK_SURE, fields["time"] - now, first)
    session.add(unit)
    session.flush()
    epochs = session.exec(_EPOCHS, params={"unit": unit_id}).all()
    _watch_journal(session, unit, epochs)
    newest = manifests.fresh(session, unit) if first else manifests.newest(session, unit)
    listed = manifests.blobs_of(session, newest) if first and newest is not None else set()
    if first or _shown(unit) != before:
        publish(session, unit, "status")
    return StatusAnswer(
        _to_offer(session, newest, fields["manifest"]),
        listed,
        _missed_receipt(session, unit, epochs, fields["acknowledged"]),
        _missing_pictures(session, unit_id),
        first and _has_lost(unit, epochs, fields["acknowledged"]),
    )


def note_have(session: Session, unit_id: int, fields: dict[str, Any]) -> None:
    """Take a `have`: what the unit holds of its manifest."""
    unit = session.get_one(Unit, unit_id)
    unit.actual_version = min(fields["manifest"], LARGEST)
    unit.actual_complete = fields["complete"]
    unit.actual_missing = [name.hex() for name in fields["missing"]]
    session.add(unit)
    session.flush()
    publish(session, unit, "have")


def note_refused(session: Session, unit_id: int, fields: dict[str, Any]) -> None:
    """Take a `refused`: a command remembers it. The unit's journal has the record that alarms."""
    unit = session.get_one(Unit, unit_id)
    if fields["what"] == "command":
        command = session.get(Command, fields["reference"])
        if command is not None and command.unit_id == unit_id:
            command.refused = min(fields["reason"], LARGEST)
            session.add(command)
            session.flush()
    publish(session, unit, "refused", what=fields["what"][:_LONGEST_TEXT], reason=fields["reason"])


def note_abuse(session: Session, unit_id: int, reason: int, detail: str) -> None:
    """The unit sent what no unit may send."""
    unit = session.get_one(Unit, unit_id)
    alarms.raise_alarm(session, "link_abuse", unit, reason=reason, detail=detail)


def note_absence(session: Session, unit_id: int) -> None:
    """The unit has been away for too long; it is offline, if that could not be written down at once."""
    unit = session.get_one(Unit, unit_id)
    if unit.online:
        note_offline(session, unit_id, unit.last_seen or unit.registered)
    alarms.raise_alarm(session, "unit_offline", unit, last_seen=unit.last_seen)


def note_uncovered(session: Session, unit_id: int, gap: bool) -> None:
    """Leaves without a signed head (or a head without its leaves: `gap`) have waited for too long."""
    unit = session.get_one(Unit, unit_id)
    if gap:
        alarms.raise_alarm(session, "journal_gap", unit)
        return
    # What an epoch that has ended left without a head is under the next one's, which names it.
    statement = select(JournalEpoch).where(JournalEpoch.unit_id == unit_id)
    newest = session.exec(statement.order_by(col(JournalEpoch.epoch).desc()).limit(1)).first()
    if newest is not None and newest.size > newest.head_size:
        alarms.raise_alarm(session, "head_missing", unit)


def publish(session: Session, unit: Unit, name: str, **more: Any) -> None:
    """Tell the pages about the unit itself."""
    payload = {
        "name": name,
        "site": unit.site_id,
        "unit": unit.kid.hex(),
        "online": unit.online,
        "complete": unit.actual_complete and unit.actual_version == unit.manifest_version,
        **more,
    }
    live.publish(session, "unit", payload)


def _take_clock(session: Session, unit: Unit, sure: bool, offset: int, first: bool) -> None:
    """Take what the unit says of its clock, but nothing bad from the first status of a connection."""
    wrong = {"clock_off": abs(offset) > CLOCK_LIMIT, "clock_unsure": not sure}
    if first and any(wrong.values()):
        return
    unit.clock_sure, unit.clock_offset = sure, max(-LARGEST, min(LARGEST, offset))
    for name, is_wrong in wrong.items():
        if is_wrong:
            alarms.raise_alarm(session, name, unit, offset=unit.clock_offset)
        else:
            alarms.end_all(session, name, unit)


def _watch_journal(session: Session, unit: Unit, epochs: Sequence[JournalEpoch]) -> None:
    """A unit whose journal is shorter than what it has signed was restored or replaced (S25)."""
    latest = next((one for one in epochs if one.head_size > 0), None)
    if latest is not None and unit.epoch == latest.epoch and unit.size < latest.head_size:
        evidence = f"status: size {unit.size} of epoch {unit.epoch}"
        note_conflict(session, unit, "journal_back", unit.epoch, unit.size, evidence.encode())


def _missed_receipt(
    session: Session, unit: Unit, epochs: Sequence[JournalEpoch], acknowledged: int
) -> bytes | None:
    if not any(one.epoch == unit.epoch and acknowledged < one.head_size for one in epochs):
        return None
    head = newest_head(session, unit.id, unit.epoch)
    return head.receipt if head is not None and head.size <= unit.size else None


def _to_offer(session: Session, newest: ManifestVersion | None, held: int) -> bytes | None:
    """The newest manifest for a unit that holds another one. A restored server's is older than the unit's."""
    if newest is None or newest.version == held or restorations.waiting(session) is not None:
        return None
    return newest.object


def _has_lost(unit: Unit, epochs: Sequence[JournalEpoch], acknowledged: int) -> bool:
    """Whether this server, restored from a backup, lacks what it once gave a receipt for.

    Of an epoch that it has never met it cannot know how much came before: that is asked for too.
    """
    here = next((one.size for one in epochs if one.epoch == unit.epoch), None)
    if here is None:
        return acknowledged > 0 or any(one.epoch < unit.epoch for one in epochs)
    return acknowledged > here


def _missing_pictures(session: Session, unit_id: int) -> list[bytes]:
    """Pictures named in records whose content has not come, the oldest of the newest first."""
    return list(reversed(session.exec(_LACKING, params={"unit": unit_id}).all()))


def _shown(unit: Unit) -> tuple[Any, ...]:
    """What pages show of a status, but for the clock to the millisecond: they are told when it changes."""
    off = abs(unit.clock_offset or 0) > CLOCK_LIMIT
    return unit.actual_version, unit.firmware, list(unit.health), unit.clock_sure, off


def _health(items: list[Any]) -> list[Any]:
    """Health as the unit words it, as far as JSON and a page can hold it."""
    return [item if isinstance(item, str | int | bool | None) else str(item) for item in items[:64]]
