"""The outbox: what is still to be told to whom. A row leaves it when it was told or given up."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from doorward_server.link.models import SERIAL


class Notice(SQLModel, table=True):
    """One thing to be told to one target. What it says is looked up when it is told."""

    id: int = Field(default=None, primary_key=True, sa_type=SERIAL)
    target: str = Field(index=True)
    # "alarm" or "arrival"
    kind: str
    # The alarm's key, or the number of the arrival's event.
    key: str
    # When it happened: by the unit's clock if that is sure and not ahead of ours.
    time: int = Field(sa_type=BigInteger)


class UntoldCount(SQLModel, table=True):
    """How much a target was never told, and has not been told so yet."""

    target: str = Field(primary_key=True)
    # When the first of them was given up.
    since: int = Field(sa_type=BigInteger)
    arrivals: int = 0
    alarms: int = 0
