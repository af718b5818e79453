"""What the journal of decisions tells of restores: what was lost, and whether two people have gone on since.

A restored server is older than its units. Until two people have looked at its plan (`confirm.py`), no unit is
given a new manifest: each works on with the one it holds, which may list orders that the server has lost.

Numbers that were given out between the backup and the restore are gone, but units, printed reports and people
still know them. So none of them is given twice: each kind goes on from a number above all lost ones.
"""

from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from doorward_server.audit import entries
from doorward_server.audit.models import Decision
from doorward_server.services import services_of

RESTORED, CONFIRMED = entries.RESTORED, "restore_confirmed"
SUBJECT = "server"
_PART = "restorations"


class Restoration(NamedTuple):
    """One restore. Times in ms since 1970 UTC.

    `made`: when the backup was; `numbers`: by table, the last number in the backup and the next one to give.
    """

    made: int
    restored: int
    numbers: dict[str, tuple[int, int]]
    confirmed: bool


def known(session: Session) -> list[Restoration]:
    """All restores of this server, the first one first; read once."""
    parts = services_of(session).parts
    if _PART not in parts:
        parts[_PART] = _read(session)
    return parts[_PART]


def forget(parts: dict[str, Any]) -> None:
    """Read them again the next time."""
    parts.pop(_PART, None)


def waiting(session: Session) -> Restoration | None:
    """The restore after which nobody has decided yet that units are given manifests again."""
    found = known(session)
    return found[-1] if found and not found[-1].confirmed else None


def was_lost(session: Session, table: str, number: int) -> bool:
    """Whether a number was given between a backup and the restore from it."""
    return any(
        last < number < following
        for one in known(session)
        for last, following in (one.numbers.get(table, (0, 0)),)
    )


def lowest(session: Session, table: str) -> int:
    """The lowest number that may still be given in this table; 0: any."""
    found = known(session)
    return found[-1].numbers.get(table, (0, 0))[1] if found else 0


def _read(session: Session) -> list[Restoration]:
    found: list[Restoration] = []
    query = select(Decision).where(col(Decision.kind).in_((RESTORED, CONFIRMED)))
    for decision in session.exec(query.order_by(col(Decision.index))):
        if decision.kind == CONFIRMED:
            found = [one._replace(confirmed=True) for one in found]
        elif decision.entry is not None:
            said = entries.decode(decision.entry).after or {}
            numbers = {table: (last, following) for table, (last, following) in said["numbers"].items()}
            found.append(Restoration(said["made"], decision.time, numbers, False))
    return found
