"""Who would gain what by an import: whoever approves it sees that by name, for a count hides much (F7)."""

from typing import Any

from sqlmodel import Session, SQLModel, select

from doorward_server.importing.judge import Bundle
from doorward_server.people.models import Person
from doorward_server.security.models import User


def people_of(session: Session, bundle: Bundle) -> list[dict[str, Any]]:
    """Everybody in the sheets of people and fingers: number, names, role, whether new, photo, finger numbers.

    Who is new comes first. Names and role are None for somebody who only gets fingers.
    """
    known = _known(session, Person, "staff_number")
    fingers: dict[str, list[int]] = {}
    for row in bundle.rows["fingers"]:
        fingers.setdefault(row.values["staff_number"], []).append(row.values["finger"])
    said = {row.values["staff_number"]: row.values for row in bundle.rows["people"]}
    numbers = sorted(said.keys() | fingers.keys(), key=lambda number: (number in known, number))
    return [
        {
            "number": number,
            **{name: said.get(number, {}).get(name) for name in ("name_zh", "name_en", "role")},
            "new": number not in known,
            "photo": number in bundle.photos,
            "fingers": sorted(fingers.get(number, [])),
        }
        for number in numbers
    ]


def logins_of(session: Session, bundle: Bundle) -> list[dict[str, Any]]:
    """Everybody in the sheet of users: login, name, role, whether new; who is comes first."""
    known = _known(session, User, "login")
    rows = [row.values for row in bundle.rows["users"]]
    rows.sort(key=lambda values: (values["login"] in known, values["login"]))
    return [
        {name: values[name] for name in ("login", "name", "role")} | {"new": values["login"] not in known}
        for values in rows
    ]


def _known(session: Session, model: type[SQLModel], key: str) -> set[str]:
    return set(session.exec(select(getattr(model, key))))
