"""The table of decisions. Rows are appended, never changed; only `entry` may be deleted, its hash stays."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class Decision(SQLModel, table=True):
    """One leaf of the server's journal, and the journal's state and signed head right after it."""

    # Position in the journal, from 0.
    index: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    time: int = Field(sa_type=BigInteger, index=True)
    kind: str = Field(index=True)
    subject: str = Field(index=True)
    # The user who decided; None for the server itself.
    actor_id: int | None = Field(default=None, index=True)
    leaf_hash: bytes = Field(max_length=32)
    # The encoded entry; see audit/entries.py. None once its content was deleted.
    entry: bytes | None = None
    # merkle.Frontier after this leaf, and the head object signed over it.
    frontier: bytes
    head: bytes
