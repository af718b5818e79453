"""Numbers after a restore: above all that may have been given since the backup was made.

How many those were nobody can know, also because the same backup may be restored twice. So the next number
follows the clock: two a second since 2026 are more than people plan, enter and approve, and last until 2060
in 32 bits; leaves, which have 64, come a thousand a second.
"""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Integer, event
from sqlalchemy.orm import Mapper, object_session
from sqlmodel import Session, SQLModel, func, select

from doorward_server.backup import restorations
from doorward_server.services import Services, services_of

SINCE = 1_767_225_600_000  # 2026-01-01 UTC, in ms since 1970
A_SECOND = 2
LEAVES_A_SECOND = 1000
LEAST = 1000  # at any rate
LEAF = "leaf"
_NEXT = "next_numbers"


def following(last: int, milliseconds: int, a_second: int = A_SECOND) -> int:
    """The next number after a restore at this moment, where `last` is the last one known."""
    return max(last + LEAST, (milliseconds - SINCE) // 1000 * a_second)


def after_restore(session: Session, present: dict[str, int]) -> dict[str, tuple[int, int]]:
    """By table: the last number in the restored database, and the next one to give.

    `present`: the last numbers in the data that are being replaced, as far as they can be read.
    """
    now = services_of(session).clock.milliseconds()
    found = {}
    for name, table in _numbered().items():
        last = session.exec(select(func.max(table.c.id))).one() or 0
        a_second = LEAVES_A_SECOND if name == LEAF else A_SECOND
        found[name] = last, following(max(last, present.get(name, 0)), now, a_second)
    return found


def last_numbers(database: Path) -> dict[str, int]:
    """The last number of each table in this database, as far as it can be read."""
    found: dict[str, int] = {}
    if database.is_file():
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            for name in _numbered():
                with suppress(sqlite3.Error):
                    found[name] = connection.execute(f'SELECT max(id) FROM "{name}"').fetchone()[0] or 0  # noqa: S608
    return found


def give_from_here(services: Services) -> None:
    """Let new rows of a server that was restored have numbers above the lost ones."""
    with services.database.reading() as session:
        found = restorations.known(session)
    if not found:
        return
    services.parts[_NEXT] = {name: following for name, (_, following) in found[-1].numbers.items()}
    if not event.contains(Mapper, "before_insert", _number):
        event.listen(Mapper, "before_insert", _number)


def _numbered() -> dict[str, Any]:
    """The tables whose rows the database itself numbers."""
    return {
        name: table
        for name, table in SQLModel.metadata.tables.items()
        if [column.name for column in table.primary_key] == ["id"] and isinstance(table.c.id.type, Integer)
    }


def _number(mapper: Mapper, connection: Any, row: Any) -> None:
    """Several rows are numbered before any of them is inserted, and another process may insert too."""
    session = object_session(row)
    services = None if session is None else session.info.get("services")
    given = {} if services is None else services.parts.get(_NEXT, {})
    name = getattr(mapper.local_table, "name", "")
    if name not in given or row.id is not None:
        return
    last = connection.execute(select(func.max(mapper.local_table.c.id))).scalar_one() or 0
    row.id = max(last + 1, given[name])
    given[name] = row.id + 1
