"""Tables of the units: the unit itself, the manifests it was given, and the blobs these name.

Times are integer milliseconds since 1970 UTC, as in the records and objects they are compared with.
"""

from sqlalchemy import JSON, BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel


class Unit(SQLModel, table=True):
    """One authentication unit: its site, three public keys, what it should hold and what it says it holds."""

    id: int = Field(default=None, primary_key=True)
    kid: bytes = Field(unique=True, max_length=8)
    site_id: int = Field(foreign_key="site.id", index=True)
    dh_key: bytes = Field(max_length=64)
    signing_key: bytes = Field(max_length=64)
    bundle_key: bytes = Field(max_length=64)
    registered: int = Field(sa_type=BigInteger)
    # Desired: the newest manifest made for it. Zero: none yet.
    manifest_version: int = 0
    # Actual, as its last `status` and `have` said.
    actual_version: int = 0
    actual_complete: bool = False
    actual_missing: list = Field(default_factory=list, sa_type=JSON)
    firmware: str = ""
    health: list = Field(default_factory=list, sa_type=JSON)
    online: bool = False
    last_seen: int | None = Field(default=None, sa_type=BigInteger)
    # Unit's clock minus ours in ms, and whether the unit itself trusts it.
    clock_offset: int | None = Field(default=None, sa_type=BigInteger)
    clock_sure: bool = False
    # The journal it said it has.
    epoch: int = Field(default=0, sa_type=BigInteger)
    size: int = Field(default=0, sa_type=BigInteger)


class ManifestVersion(SQLModel, table=True):
    """One signed manifest as it was given to a unit. Never changed afterwards."""

    __table_args__ = (UniqueConstraint("unit_id", "version"),)

    id: int = Field(default=None, primary_key=True)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    version: int
    issued: int = Field(sa_type=BigInteger)
    fresh_until: int = Field(sa_type=BigInteger)
    # SHA-256 over the encoded entries: a new version is made only when this changes or freshness runs out.
    entries_hash: bytes = Field(max_length=32)
    object: bytes


class Blob(SQLModel, table=True):
    """Content named by its SHA-256. What belongs to a person is sealed with that person's key."""

    hash: bytes = Field(primary_key=True, max_length=32)
    size: int
    content: bytes
    person_id: int | None = Field(default=None, foreign_key="person.id", index=True)


class Derived(SQLModel, table=True):
    """Remembers which blob was made from which source, so that nothing is drawn or spoken twice."""

    kind: str = Field(primary_key=True)
    source: bytes = Field(primary_key=True, max_length=32)
    hash: bytes = Field(max_length=32)
