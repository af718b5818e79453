"""What a unit should hold against what it holds (F3): by kind, id, version and hash, and why they differ.

What it holds follows from the manifest that it says is in force there, of which every version is kept, less
what it said it still misses. A trust object stands in no manifest, so nothing is said about it here.
"""

import hashlib
from typing import Any, NamedTuple

from doorward_protocol import objects
from sqlmodel import Session, select

from doorward_server.services import services_of
from doorward_server.units import authority, blobs, contents, manifests
from doorward_server.units.models import ManifestVersion, Unit

KINDS = {
    objects.ROSTER: "roster",
    objects.ORDER: "order",
    objects.CONFIGURATION: "configuration",
    objects.PROMPTS: "prompts",
    objects.RELEASE: "release",
}


class Version(NamedTuple):
    """A content as a manifest lists it. `hash` is hexadecimal."""

    version: int
    hash: str
    size: int


class Holding(NamedTuple):
    """One entry: as it should be (None: no longer listed), as it is (None: not there), and what is missing.

    `missing_parts` counts pictures, clips and templates that the content names and the unit lacks.
    """

    kind: str
    id: int
    desired: Version | None
    held: Version | None
    missing_parts: int

    @property
    def revoked(self) -> bool:
        """Whether it is there and is no longer listed."""
        return self.desired is None

    @property
    def missing(self) -> bool:
        """Whether the content that should be there is not."""
        return self.desired is not None and (self.held is None or self.held.hash != self.desired.hash)

    @property
    def differs(self) -> bool:
        """Whether it is not what it should be, or not whole."""
        return self.revoked or self.missing or self.missing_parts > 0


def holdings(session: Session, unit: Unit) -> list[Holding]:
    """Everything that the unit should hold or holds: its newest manifest's entries, then what was revoked."""
    newest = manifests.newest(session, unit)
    held = _held(session, unit)
    wanted = {} if newest is None else _entries(session, newest)
    missing = _missing(unit)
    present = {key: one for key, one in held.items() if one.hash not in missing}
    parts = _missing_parts(session, wanted, missing) if missing else {}
    return [
        Holding(KINDS[kind], number, wanted.get(key), present.get(key), parts.get(key, 0))
        for key in [*wanted, *(key for key in present if key not in wanted)]
        for kind, number in (key,)
    ]


def manifest_of(session: Session, unit: Unit) -> Holding:
    """The manifest itself, as if it were listed: the newest one, and the one in force at the unit."""
    newest, held = manifests.newest(session, unit), held_manifest(session, unit)
    return Holding("manifest", 0, _signed(newest), _signed(held), 0)


def held_manifest(session: Session, unit: Unit) -> ManifestVersion | None:
    """The manifest in force at the unit, by its own word; None if it has none of ours."""
    query = select(ManifestVersion).where(
        ManifestVersion.unit_id == unit.id, ManifestVersion.version == unit.actual_version
    )
    return session.exec(query).first()


def _signed(manifest: ManifestVersion | None) -> Version | None:
    if manifest is None:
        return None
    return Version(manifest.version, hashlib.sha256(manifest.object).hexdigest(), len(manifest.object))


_Key = tuple[int, int]


def _held(session: Session, unit: Unit) -> dict[_Key, Version]:
    manifest = held_manifest(session, unit)
    return {} if manifest is None else _entries(session, manifest)


def _entries(session: Session, manifest: ManifestVersion) -> dict[_Key, Version]:
    rows = authority.open_manifest(services_of(session), manifest.object)["entries"]
    return {(kind, number): Version(version, name.hex(), size) for kind, number, version, name, size in rows}


def _missing(unit: Unit) -> set[str]:
    """Hashes that the unit lacks of the manifest in force there, as far as it has named them."""
    return set() if unit.actual_complete else set(unit.actual_missing)


def _missing_parts(session: Session, wanted: dict[_Key, Version], missing: set[str]) -> dict[_Key, int]:
    """How many of the contents that each listed one names are missing."""
    stored: dict[bytes, Any] = blobs.get_all(
        session, [bytes.fromhex(one.hash) for one in wanted.values() if one.hash not in missing]
    )
    return {
        key: len({name.hex() for name in contents.referenced(key[0], content)} & missing)
        for key, one in wanted.items()
        if (content := stored.get(bytes.fromhex(one.hash))) is not None
    }
