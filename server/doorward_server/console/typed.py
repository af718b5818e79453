"""Keys that people type because they know things by them, and what they mean: plates, numbers, codes."""

import re

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from doorward_server.console.texts import text
from doorward_server.fleet.models import Box, Site, Vehicle
from doorward_server.people.models import Person

LONGEST_BOX_NUMBER = 40


class Unclear(Exception):  # noqa: N818 (it is what the form is told)
    """What was typed means nothing. `key`: what is said of it, in TEXTS."""

    def __init__(self, key: str, typed: str) -> None:
        super().__init__(key, typed)
        self.key, self.typed = key, typed

    def said(self, language: str) -> str:
        """The sentence in "zh" or "en"."""
        return text(self.key, language, typed=self.typed)


def vehicle(session: Session, plate: str) -> int:
    """The id of the vehicle with this plate. Raises Unclear."""
    return _the_one(session, select(Vehicle.id).where(Vehicle.plate == plate), "typed_plate", plate)


def person(session: Session, number: str) -> int:
    """The id of the person with this staff number who has not been removed. Raises Unclear."""
    query = select(Person.id).where(Person.staff_number == number, col(Person.removed_at).is_(None))
    return _the_one(session, query, "typed_person", number)


def site(session: Session, code: str) -> int:
    """The id of the site with this code. Raises Unclear."""
    return _the_one(session, select(Site.id).where(Site.code == code), "typed_site", code)


def box_of_line(session: Session, line: str) -> tuple[int, str]:
    """The id and the number of the box whose number begins the line, by itself or before a space.

    Numbers may have spaces themselves: the longest one counts. Raises Unclear.
    """
    ends = [space.start() for space in re.finditer(r"\s+|$", line[: LONGEST_BOX_NUMBER + 1])]
    query = select(Box.id, Box.number).where(col(Box.number).in_([line[:end] for end in ends]))
    found = max(session.exec(query), key=lambda one: len(one[1]), default=None)
    if found is None:
        raise Unclear("typed_box", line.split(maxsplit=1)[0])
    return found


def _the_one(session: Session, query: SelectOfScalar[int], key: str, typed: str) -> int:
    found = session.exec(query).first()
    if found is None:
        raise Unclear(key, typed)
    return found
