"""The whole journal of decisions as a file to take away: a line of JSON for its key, then one for each entry.

Line by line, so that neither who writes it nor who checks it holds a journal of years in memory.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

from sqlmodel import col, select

from doorward_server.audit import service
from doorward_server.audit.models import Decision
from doorward_server.audit.verifier import Leaf
from doorward_server.services import Services

FORMAT = "doorward-journal-1"
LONGEST_LINE = 16 * 1024 * 1024


class BadJournalError(Exception):
    """The file is no journal of decisions; the text says why."""


class JournalKey(NamedTuple):
    """The key whose signatures the heads bear."""

    kid: bytes
    public: bytes


def lines(services: Services) -> Iterator[str]:
    """The file's lines, each with its end; the journal as it stands when the first one is asked for."""
    with services.database.reading() as session:
        key = service.journal_key(session)
        yield _line({"format": FORMAT, "kid": key.kid.hex(), "public_key": key.public.hex()})
        for row in session.exec(select(Decision).order_by(col(Decision.index))).yield_per(500):
            entry = None if row.entry is None else row.entry.hex()
            said = {"index": row.index, "leaf_hash": row.leaf_hash.hex(), "entry": entry}
            yield _line(said | {"head": row.head.hex()})


def read(file: BinaryIO) -> tuple[JournalKey, Iterator[Leaf]]:
    """The key and the leaves in an open file. Raises BadJournalError, also while the leaves are read."""
    rows = iter(lambda: file.readline(LONGEST_LINE + 1), b"")
    first = _parsed(next(rows, b""))
    if first.get("format") != FORMAT:
        raise BadJournalError(f"its first line does not say {FORMAT}")
    return JournalKey(_bytes(first, "kid", 1), _bytes(first, "public_key", 1)), _leaves(rows)


def _leaves(rows: Iterable[bytes]) -> Iterator[Leaf]:
    for number, row in enumerate(rows, 2):
        said = _parsed(row, number)
        index = said.get("index")
        if type(index) is not int:
            raise BadJournalError(f"line {number} has no index")
        entry = None if said.get("entry") is None else _bytes(said, "entry", number)
        yield Leaf(index, _bytes(said, "leaf_hash", number), entry, _bytes(said, "head", number))


def _parsed(row: bytes, number: int = 1) -> dict[str, Any]:
    try:
        said = json.loads(row) if len(row) <= LONGEST_LINE else None
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise BadJournalError(f"line {number} is no JSON object")
    return said


def _bytes(said: dict[str, Any], name: str, number: int) -> bytes:
    try:
        return bytes.fromhex(said[name])
    except (KeyError, TypeError, ValueError):
        raise BadJournalError(f"line {number} has no {name} in hexadecimal") from None


def _line(said: dict[str, Any]) -> str:
    return json.dumps(said) + "\n"
