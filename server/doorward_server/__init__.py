"""The server: planning, handovers, alarms, audit and pages, and the units' side of the link.

Every constraint has a name that follows from what it binds, so that later migrations can find it. This must
be known before the first table is declared, hence here.
"""

from sqlmodel import SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
