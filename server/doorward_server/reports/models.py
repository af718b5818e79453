"""The print queue: one job per closed handover at a site that has a printer."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class PrintJob(SQLModel, table=True):
    """One report to be printed once. `printed` is set when the printer or its spool took it."""

    handover_id: int = Field(primary_key=True, sa_type=BigInteger)
    site_id: int = Field(foreign_key="site.id", index=True)
    printer: str
    created: int = Field(sa_type=BigInteger)
    attempts: int = 0
    printed: int | None = Field(default=None, sa_type=BigInteger)
    problem: str = ""
