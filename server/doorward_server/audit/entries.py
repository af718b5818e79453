"""What one decision looks like in the server's journal: bytes that are hashed, signed over and never changed.

An entry is the CBOR array [kind, time, actor, subject, salt, before, after]: what was decided, when
(milliseconds since 1970 UTC), by which user (null: the server itself), about what ("run:7"), 16 random bytes
(nobody can guess an entry from its leaf hash once its content was deleted), and the changed fields before and
after.
"""

from datetime import date, datetime
from enum import Enum
from typing import Any, NamedTuple

from doorward_protocol import cbor
from doorward_protocol.errors import ProtocolError

from doorward_server.clock import to_milliseconds

SALT_BYTES = 16
# The kind of the entry that says of another one that its content was deleted; its subject is "decision:7".
DELETED = "entry_deleted"
# The kind of the entry with which an epoch begins: the server was restored from a backup.
RESTORED = "restored"
_DECISION = "decision:"


class Entry(NamedTuple):
    """One decision. `before` is None for something new, `after` for something gone."""

    kind: str
    time: int
    actor: int | None
    subject: str
    salt: bytes
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def encode(entry: Entry) -> bytes:
    """The bytes of an entry."""
    return cbor.encode(list(entry))


def decode(data: bytes) -> Entry:
    """The entry in these bytes. Raises ProtocolError, or ValueError if it is no entry."""
    fields = cbor.decode(data)
    if not isinstance(fields, list) or len(fields) != len(Entry._fields):
        raise ValueError("this is no entry of a decision journal")
    entry = Entry(*fields)
    if not all(side is None or isinstance(side, dict) for side in (entry.before, entry.after)):
        raise ValueError("an entry of a decision journal has fields, or none, on each side")
    return entry


def readable(data: bytes) -> Entry | None:
    """The entry in these bytes; None if they are none, as somebody may have left them in the database."""
    try:
        return decode(data)
    except (ProtocolError, ValueError):
        return None


def sides(data: bytes | None) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """What an entry says was before and is after, as JSON can hold it: bytes in hexadecimal.

    Nothing for one whose content was deleted; of what is no entry the bytes themselves, as `unreadable`.
    """
    if data is None:
        return None, None
    entry = readable(data)
    if entry is None:
        return None, {"unreadable": data.hex()}
    return _as_json(entry.before), _as_json(entry.after)


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: _as_json(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_as_json(member) for member in value]
    return value


def subject_of(position: int) -> str:
    """What an entry about another one has as its subject."""
    return f"{_DECISION}{position}"


def deleted_by(entry: Entry) -> int | None:
    """The position of the entry whose content was deleted, if this one says so."""
    if entry.kind != DELETED:
        return None
    number = str(entry.subject).removeprefix(_DECISION)
    return int(number) if number.isdecimal() else None


def plain(value: Any) -> Any:
    """A value as CBOR can hold it: moments as milliseconds, days and choices as text, sets sorted."""
    if isinstance(value, datetime):
        return to_milliseconds(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(member) for member in value)
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    return value


def difference(
    before: dict[str, Any] | None, after: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Both sides reduced to the fields that differ. What is new or gone is kept whole."""
    if before is None or after is None:
        return before, after
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in changed if name in before},
        {name: after[name] for name in changed if name in after},
    )
