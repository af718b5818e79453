"""Tables of the units' journals as received: leaves, heads, and each epoch's progress.

Nothing here is ever overwritten: what contradicts a leaf or head is kept beside it as `JournalConflict`.
"""

from dataclasses import dataclass
from typing import Any

from doorward_protocol import merkle
from sqlalchemy import BigInteger, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

SERIAL = BigInteger().with_variant(Integer, "sqlite")


class Leaf(SQLModel, table=True):
    """One journal entry of a unit. `id` is the order of storing, given by the link's one writer: projections
    replay by it."""

    __table_args__ = (UniqueConstraint("unit_id", "epoch", "index"),)

    id: int = Field(default=None, primary_key=True, sa_type=SERIAL)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    epoch: int = Field(sa_type=BigInteger)
    index: int = Field(sa_type=BigInteger)
    leaf_hash: bytes = Field(max_length=32)
    # None once the content was deleted; the hash stays, so the tree still proves its place.
    entry: bytes | None = None
    received: int = Field(sa_type=BigInteger)


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """A leaf as it is stored, before anybody has read it back: the columns of `Leaf`."""

    id: int
    unit_id: int
    epoch: int
    index: int
    leaf_hash: bytes
    entry: bytes | None
    received: int

    def row(self) -> dict[str, Any]:
        """By the columns' names."""
        return {
            "id": self.id,
            "unit_id": self.unit_id,
            "epoch": self.epoch,
            "index": self.index,
            "leaf_hash": self.leaf_hash,
            "entry": self.entry,
            "received": self.received,
        }


AnyLeaf = Leaf | StoredLeaf


class JournalEpoch(SQLModel, table=True):
    """How far one epoch of one unit's journal has come: leaves without a gap, and the last head agreed on."""

    __table_args__ = (UniqueConstraint("unit_id", "epoch"),)

    id: int = Field(default=None, primary_key=True)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    epoch: int = Field(sa_type=BigInteger)
    # Leaves 0..size-1 are stored and projected.
    size: int = Field(default=0, sa_type=BigInteger)
    # The newest head that agreed with the leaves, and merkle.Frontier.to_bytes() at its size.
    head_size: int = Field(default=0, sa_type=BigInteger)
    frontier: bytes = merkle.Frontier().to_bytes()
    disputed: bool = False


class Head(SQLModel, table=True):
    """A head signed by the unit, that agreed with the stored leaves, and the receipt given for it."""

    __table_args__ = (UniqueConstraint("unit_id", "epoch", "size"),)

    id: int = Field(default=None, primary_key=True)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    epoch: int = Field(sa_type=BigInteger)
    size: int = Field(sa_type=BigInteger)
    root: bytes = Field(max_length=32)
    time: int = Field(sa_type=BigInteger)
    object: bytes
    receipt: bytes
    received: int = Field(sa_type=BigInteger)


class JournalConflict(SQLModel, table=True):
    """Evidence that a unit contradicted itself: a changed leaf, a fork, a journal that went back."""

    id: int = Field(default=None, primary_key=True)
    unit_id: int = Field(foreign_key="unit.id", index=True)
    epoch: int = Field(sa_type=BigInteger)
    position: int = Field(sa_type=BigInteger)
    what: str
    evidence: bytes
    received: int = Field(sa_type=BigInteger)
