"""Rows that are inserted together: what comes by the hundred goes to the database in one statement per table.

`insert` keeps a row until the transaction commits or somebody reads its table, whichever comes first, so that
nobody can tell the difference. Tables are written in the order in which their first rows came, after
everything that the session itself still has to write.
"""

from typing import Any

from sqlalchemy import event
from sqlalchemy import insert as insert_into
from sqlalchemy.orm import ORMExecuteState
from sqlmodel import Session, SQLModel

_KEPT = "bulk"


def insert(session: Session, model: type[SQLModel], row: dict[str, Any]) -> None:
    """Insert a row of a model, with all its columns, before the transaction ends."""
    if _KEPT not in session.info:
        session.info[_KEPT] = {}
        event.listen(session, "before_commit", write)
        event.listen(session, "do_orm_execute", _before_reading)
    session.info[_KEPT].setdefault(model, []).append(row)


def write(session: Session) -> None:
    """Insert what is kept, now."""
    kept: dict[type[SQLModel], list[dict[str, Any]]] = session.info.get(_KEPT, {})
    if not kept:
        return
    session.flush()  # what the rows refer to
    connection = session.connection()
    for model in list(kept):
        connection.execute(insert_into(model), kept.pop(model))


def forget(session: Session) -> None:
    """Drop what is kept: a savepoint is being rolled back."""
    session.info.get(_KEPT, {}).clear()


def _before_reading(reading: ORMExecuteState) -> None:
    kept = reading.session.info[_KEPT]
    if kept and any(mapper.class_ in kept for mapper in reading.all_mappers):
        write(reading.session)  # type: ignore[arg-type]
