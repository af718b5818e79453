"""Tables of alarms. Those that come from records are a projection; who handled them is kept apart."""

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field, SQLModel


class Alarm(SQLModel, table=True):
    """One alarm: what happened, where, how bad, and whether the condition still stands.

    `key` says where it comes from: "record:LEAF:RULE", of a unit's journal, or "server:RULE:…", of the
    server's own.
    """

    key: str = Field(primary_key=True)
    rule: str = Field(index=True)
    severity: str
    site_id: int | None = Field(default=None, foreign_key="site.id", index=True)
    unit_id: int | None = Field(default=None, foreign_key="unit.id", index=True)
    handover_id: int | None = Field(default=None, index=True)
    task: int | None = Field(default=None, sa_type=BigInteger)
    reason: int | None = None
    time: int = Field(sa_type=BigInteger)
    received: int = Field(sa_type=BigInteger, index=True)
    # When the condition ended (connection back, sensor recovered, door closed); None while it stands.
    ended: int | None = Field(default=None, sa_type=BigInteger)
    # Holds `subject` too: the door, panel, sensor or input it is about; what ends the alarm names the same.
    details: dict = Field(default_factory=dict, sa_type=JSON)

    @property
    def leaf_id(self) -> int | None:
        """The leaf, and so the event, of the record that raised it; None for the server's own."""
        source, number, *_ = self.key.split(":")
        return int(number) if source == "record" else None


class AlarmHandling(SQLModel, table=True):
    """What people did about an alarm: acknowledged (heard) and closed, by whom, when, with which words."""

    key: str = Field(primary_key=True)
    acknowledged: int | None = Field(default=None, sa_type=BigInteger)
    acknowledged_by: int | None = None
    closed: int | None = Field(default=None, sa_type=BigInteger)
    closed_by: int | None = None
    note: str = ""
