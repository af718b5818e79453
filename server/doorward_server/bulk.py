"""Rows that are inserted together: what comes by the hundred goes to the database in one statement per table.

`insert` keeps a row until the transaction commits or somebody reads its table, whichever comes first, so that
nobody can tell the difference. Tables are written in the order in which their first rows came, after
everything that the session itself still has to write. The statement of a table is compiled once, and values
go to the driver as it wants them, in one call for all rows.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, LargeBinary, event
from sqlalchemy import insert as insert_into
from sqlalchemy.orm import ORMExecuteState
from sqlmodel import Session, SQLModel

_KEPT = "bulk"

Row = dict[str, Any]


def insert(session: Session, model: type[SQLModel], row: Row) -> None:
    """Insert a row of a model before the transaction ends; all rows of a model with the same columns."""
    kept = session.info.get(_KEPT)
    if kept is None:
        kept = session.info[_KEPT] = {}
        event.listen(session, "before_commit", write)
        event.listen(session, "do_orm_execute", _before_reading)
    rows = kept.get(model)
    if rows is None:
        kept[model] = [row]
    else:
        rows.append(row)


def write(session: Session) -> None:
    """Insert what is kept, now."""
    kept: dict[type[SQLModel], list[Row]] = session.info.get(_KEPT, {})
    if not kept:
        return
    session.flush()  # what the rows refer to
    connection = session.connection()
    for model in list(kept):
        rows = kept.pop(model)
        table: Any = model
        statement = _statement(connection.dialect, table, tuple(rows[0]))
        connection.exec_driver_sql(statement.text, statement.values(rows))


def forget(session: Session) -> None:
    """Drop what is kept: a savepoint is being rolled back."""
    session.info.get(_KEPT, {}).clear()


class _Statement:
    """The insertion of rows with these columns, in a driver's own words."""

    def __init__(self, dialect: Dialect, model: type[SQLModel], names: tuple[str, ...]) -> None:
        table = model.__table__  # type: ignore[attr-defined]
        compiled = insert_into(table).compile(dialect=dialect, column_keys=list(names))
        self.text = str(compiled)
        self._names = tuple(compiled.positiontup or names) if compiled.positional else names
        self._positional = compiled.positional
        self._convert: list[tuple[str, Callable[[Any], Any]]] = []
        for name in names:
            kind = table.c[name].type
            processor = kind.dialect_impl(dialect).bind_processor(dialect)
            if processor is not None and not isinstance(kind, LargeBinary):  # drivers take bytes as they are
                self._convert.append((name, processor))

    def values(self, rows: list[Row]) -> Any:
        """The rows as the driver's `executemany` takes them."""
        names, convert = self._names, self._convert
        found: list[Any] = []
        for row in rows:
            ready = dict(row)
            for name, processor in convert:
                ready[name] = processor(row[name])
            found.append(tuple([ready[name] for name in names]) if self._positional else ready)
        return found


@lru_cache(maxsize=64)
def _statement(dialect: Dialect, model: Any, names: tuple[str, ...]) -> _Statement:
    return _Statement(dialect, model, names)


def _before_reading(reading: ORMExecuteState) -> None:
    kept = reading.session.info[_KEPT]
    if kept and any(mapper.class_ in kept for mapper in reading.all_mappers):
        write(reading.session)  # type: ignore[arg-type]
