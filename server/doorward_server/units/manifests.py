"""Compiles a unit's manifest: what it should hold now, listed, signed, and renewed before it goes stale.

A new version is made only when what is listed has changed, or when half of the freshness is used up.
Which orders are listed depends on the time (D11: from 12 h before a window until 2 h after the handover
closed), so `next_boundary` says when to look again: nothing here polls.
"""

import hashlib
import logging
from datetime import datetime

from doorward_protocol import cbor, objects
from sqlalchemy import ColumnElement, bindparam
from sqlmodel import Session, col, func, select

from doorward_server.backup import restorations
from doorward_server.clock import from_milliseconds, to_milliseconds
from doorward_server.fleet.models import Site
from doorward_server.planning.progress import last_changes, next_change, stops_to_hold
from doorward_server.services import services_of
from doorward_server.units import authority, blobs, contents
from doorward_server.units.authority import Entry
from doorward_server.units.models import ManifestVersion, Unit

log = logging.getLogger(__name__)

HOUR = 3_600_000  # ms
# Orders in one manifest, the earliest if there are more: it has to fit a frame, whatever its numbers are.
MOST_ORDERS = 70
# One pack of prompts; its id in the manifest.
PROMPTS_ID = 1
# Asked for with every status: built once.
_OF_UNIT = select(ManifestVersion).where(
    col(ManifestVersion.unit_id) == bindparam("unit"), col(ManifestVersion.version) == bindparam("version")
)


def next_boundary(session: Session) -> datetime | None:
    """When the manifest of some unit has to be looked at again; None if nothing is ahead."""
    if restorations.waiting(session) is not None:
        return None
    first = session.exec(
        select(func.min(ManifestVersion.issued + ManifestVersion.fresh_until)).join(Unit, _is_newest())
    ).one()
    renewal = None if first is None else from_milliseconds(first // 2)
    return min((moment for moment in (renewal, next_change(session)) if moment is not None), default=None)


def due(session: Session) -> list[int]:
    """The units, by number, that have no manifest, or one that time has made old since it was issued."""
    now = services_of(session).clock.milliseconds()
    changes = {site: to_milliseconds(moment) for site, moment in last_changes(session).items()}
    query = (
        select(Unit.id, Unit.site_id, ManifestVersion.issued, ManifestVersion.fresh_until)
        .join(ManifestVersion, _is_newest(), isouter=True)
        .order_by(col(Unit.id))
    )
    return [
        unit_id
        for unit_id, site_id, issued, fresh_until in session.exec(query)
        if issued is None or now >= (issued + fresh_until) // 2 or changes.get(site_id, -1) >= issued
    ]


def compile_manifest(session: Session, unit: Unit) -> ManifestVersion | None:
    """Make the unit's next manifest if it needs one; None if the newest still says what it should.

    None also between a restore and its confirmation.
    """
    if restorations.waiting(session) is not None:
        return None
    services = services_of(session)
    now = services.clock.milliseconds()
    last = newest(session, unit)
    version = unit.manifest_version + 1
    entries = _entries(session, unit, version, [] if last is None else _entries_of(session, last))
    digest = hashlib.sha256(cbor.encode([list(entry) for entry in entries])).digest()
    if last is not None and last.entries_hash == digest and now < _renewal(last):
        return None
    fresh_until = now + services.settings.manifest_fresh_hours * HOUR
    made = ManifestVersion(
        unit_id=unit.id,
        version=version,
        issued=now,
        fresh_until=fresh_until,
        entries_hash=digest,
        object=authority.sign_manifest(services, unit.kid, version, now, fresh_until, entries),
    )
    session.add(made)
    unit.manifest_version = version
    session.add(unit)
    session.flush()
    return made


def fresh(session: Session, unit: Unit) -> ManifestVersion | None:
    """The unit's newest manifest; made now if it has none, or one that should have been renewed by now.

    Looks at time alone. What changes a manifest's entries makes the new one itself (`service.refresh`, the
    keeper), once, and not each of the units that connect.
    """
    found = newest(session, unit)
    if found is None or services_of(session).clock.milliseconds() >= _renewal(found):
        return compile_manifest(session, unit)
    return found


def newest(session: Session, unit: Unit) -> ManifestVersion | None:
    """The unit's newest manifest."""
    return session.exec(_OF_UNIT, params={"unit": unit.id, "version": unit.manifest_version}).first()


def blobs_of(session: Session, manifest: ManifestVersion) -> set[bytes]:
    """The hashes of everything that a manifest lists, directly or within a listed blob."""
    kinds = {name: kind for kind, _, _, name, _ in _entries_of(session, manifest)}
    listed = set(kinds)
    for name, content in blobs.get_all(session, kinds).items():
        listed.update(contents.referenced(kinds[name], content))
    return listed


def _entries(session: Session, unit: Unit, version: int, before: list[Entry]) -> list[Entry]:
    """What the unit should hold. Entries other than orders keep their version while their content stays."""
    site = session.get_one(Site, unit.site_id)
    stops = stops_to_hold(session, site.id)
    if len(stops) > MOST_ORDERS:
        log.warning("unit %d is given %d of %d orders", unit.id, MOST_ORDERS, len(stops))
        stops = stops[:MOST_ORDERS]
    listed = [
        (objects.ROSTER, site.id, contents.roster(session, site, stops)),
        (objects.CONFIGURATION, site.id, contents.configuration(session, site)),
        (objects.PROMPTS, PROMPTS_ID, contents.prompts(session)),
    ]
    versions = {(kind, name): old for kind, _, old, name, _ in before}
    entries: list[Entry] = [
        (kind, number, versions.get((kind, name), version), name, blobs.size(session, name))
        for kind, number, name in listed
    ]
    for stop in stops:
        name = contents.order(session, stop)
        entries.append((objects.ORDER, stop.id, stop.order_version, name, blobs.size(session, name)))
    return sorted(entries)


def _entries_of(session: Session, manifest: ManifestVersion) -> list[Entry]:
    return [tuple(row) for row in authority.open_manifest(services_of(session), manifest.object)["entries"]]


def _is_newest() -> ColumnElement[bool]:
    """Joins a unit with its newest manifest."""
    return (col(ManifestVersion.unit_id) == Unit.id) & (col(ManifestVersion.version) == Unit.manifest_version)


def _renewal(manifest: ManifestVersion) -> int:
    """When half of its freshness is used up, in ms since 1970 UTC."""
    return (manifest.issued + manifest.fresh_until) // 2
