"""Compiles a unit's manifest: what it should hold now, listed, signed, and renewed before it goes stale.

A new version is made only when what is listed has changed, or when half of the freshness is used up.
Which orders are listed depends on the time (D11: from 12 h before a window until 2 h after the handover
closed), so `next_boundary` says when to look again: nothing here polls.
"""

import hashlib
from datetime import datetime

from doorward_protocol import cbor, objects
from sqlmodel import Session, col, func, select

from doorward_server.clock import from_milliseconds
from doorward_server.fleet.models import Site
from doorward_server.planning.progress import next_change, stops_to_hold
from doorward_server.services import services_of
from doorward_server.units import authority, blobs, contents
from doorward_server.units.authority import Entry
from doorward_server.units.models import ManifestVersion, Unit

HOUR = 3_600_000  # ms
# One pack of prompts; its id in the manifest.
PROMPTS_ID = 1


def next_boundary(session: Session) -> datetime | None:
    """When the manifest of some unit has to be looked at again; None if nothing is ahead."""
    first = session.exec(
        select(func.min(ManifestVersion.issued + ManifestVersion.fresh_until))
        .join(Unit, col(Unit.id) == ManifestVersion.unit_id)
        .where(ManifestVersion.version == Unit.manifest_version)
    ).one()
    renewal = None if first is None else from_milliseconds(first // 2)
    return min((moment for moment in (renewal, next_change(session)) if moment is not None), default=None)


def compile_manifest(session: Session, unit: Unit) -> ManifestVersion | None:
    """Make the unit's next manifest if it needs one; None if the newest still says what it should."""
    services = services_of(session)
    now = services.clock.milliseconds()
    newest = _newest(session, unit)
    version = 1 if newest is None else newest.version + 1
    entries = _entries(session, unit, version, _entries_of(session, newest))
    digest = hashlib.sha256(cbor.encode([list(entry) for entry in entries])).digest()
    if newest is not None and newest.entries_hash == digest and now < _renewal(newest):
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


def is_overdue(session: Session, unit: Unit) -> bool:
    """Whether the unit has no manifest, or one that should have been renewed by now.

    Looks at time alone. What changes a manifest's entries makes the new one itself (`service.refresh`, the
    keeper), once, and not each of the units that connect.
    """
    newest = _newest(session, unit)
    return newest is None or services_of(session).clock.milliseconds() >= _renewal(newest)


def newest_object(session: Session, unit_id: int) -> bytes | None:
    """The unit's newest signed manifest."""
    unit = session.get_one(Unit, unit_id)
    newest = _newest(session, unit)
    return None if newest is None else newest.object


def blobs_of(session: Session, unit_id: int) -> set[bytes]:
    """The hashes of everything that the unit's newest manifest lists, directly or within a listed blob."""
    newest = _newest(session, session.get_one(Unit, unit_id))
    listed = set()
    for kind, _, _, name, _ in _entries_of(session, newest):
        listed.add(name)
        content = blobs.get(session, name)
        if content is not None:
            listed.update(contents.referenced(kind, content))
    return listed


def _entries(session: Session, unit: Unit, version: int, before: list[Entry]) -> list[Entry]:
    """What the unit should hold. Entries other than orders keep their version while their content stays."""
    site = session.get_one(Site, unit.site_id)
    stops = stops_to_hold(session, site.id)
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


def _entries_of(session: Session, manifest: ManifestVersion | None) -> list[Entry]:
    if manifest is None:
        return []
    return [tuple(row) for row in authority.open_manifest(services_of(session), manifest.object)["entries"]]


def _newest(session: Session, unit: Unit) -> ManifestVersion | None:
    statement = select(ManifestVersion).where(
        ManifestVersion.unit_id == unit.id, ManifestVersion.version == unit.manifest_version
    )
    return session.exec(statement).first()


def _renewal(manifest: ManifestVersion) -> int:
    """When half of its freshness is used up, in ms since 1970 UTC."""
    return (manifest.issued + manifest.fresh_until) // 2
