"""The sheets of the workbook: which columns there are and what each may hold, in one table.

A parser takes a cell's value and returns (value, None) or (None, (reason, texts)).
"""

import datetime
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from doorward_server.fleet.models import SiteKind
from doorward_server.people.models import PersonRole
from doorward_server.security.roles import Role
from doorward_server.security.users import LOGIN_NAME

Parsed = tuple[Any, tuple[str, dict] | None]
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_LOGIN = re.compile(LOGIN_NAME)
_SUSPICIOUS_FIRST = "=+-@"


class Column(NamedTuple):
    """A column: its heading, how a cell is read, and whether it must be filled in."""

    name: str
    parse: Callable[[Any], Parsed]
    required: bool = True


def text(limit: int) -> Callable[[Any], Parsed]:
    """A line of text; whole numbers are taken as they are written."""

    def parse(value: Any) -> Parsed:
        value = _as_text(value)
        if value is None:
            return None, ("text_expected", {})
        if len(value) > limit or not value.isprintable() or value[0] in _SUSPICIOUS_FIRST:
            return None, ("text_bad", {"limit": limit})
        return value, None

    return parse


def matching(pattern: re.Pattern) -> Callable[[Any], Parsed]:
    """A code of a certain form."""

    def parse(value: Any) -> Parsed:
        value = _as_text(value)
        if value is None:
            return None, ("text_expected", {})
        return (value, None) if pattern.fullmatch(value) else (None, ("code_bad", {"value": value}))

    return parse


def choice(*allowed: str) -> Callable[[Any], Parsed]:
    """One of a few words."""

    def parse(value: Any) -> Parsed:
        word = value.lower() if isinstance(value, str) else value
        if word in allowed:
            return str(word), None
        return None, ("choice_bad", {"value": value, "allowed": ", ".join(allowed)})

    return parse


def yes_no(value: Any) -> Parsed:
    """yes or no, or the spreadsheet's own truth values."""
    if isinstance(value, bool):
        return value, None
    word, wrong = choice("yes", "no")(value)
    return (None, wrong) if wrong else (word == "yes", None)


def day(value: Any) -> Parsed:
    """A date, as a date cell or as text like 2026-12-31."""
    if isinstance(value, datetime.datetime):
        return value.date(), None
    if isinstance(value, datetime.date):
        return value, None
    try:
        return datetime.date.fromisoformat(value), None
    except (TypeError, ValueError):
        return None, ("date_bad", {"value": value})


def hexadecimal(*lengths: int) -> Callable[[Any], Parsed]:
    """So many bytes in hexadecimal, in a text cell: a number cell has lost digits already."""
    shown = (
        ", ".join(map(str, lengths)) if len(lengths) < 3 else f"{lengths[0]}, {lengths[1]} … {lengths[-1]}"
    )

    def parse(value: Any) -> Parsed:
        wrong = ("hex_bad", {"value": value, "lengths": shown})
        if not isinstance(value, str):
            return None, ("text_expected", {})
        try:
            content = bytes.fromhex(value)
        except ValueError:
            return None, wrong
        return (content, None) if len(content) in lengths else (None, wrong)

    return parse


def number(least: int, most: int) -> Callable[[Any], Parsed]:
    """A whole number."""

    def parse(value: Any) -> Parsed:
        written = _as_text(value)
        if written is None or not written.isdecimal() or len(written) > 9:
            return None, ("number_bad", {"value": value, "least": least, "most": most})
        if not least <= int(written) <= most:
            return None, ("number_bad", {"value": value, "least": least, "most": most})
        return int(written), None

    return parse


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) else None


_code, _name, _login = matching(_CODE), text(80), matching(_LOGIN)
# What units' readers can select and read: EPCs of up to 15 words, 96 bits of a TID or 64 of an older chip's.
_epc, _tid = hexadecimal(*range(4, 31, 2)), hexadecimal(8, 12)
_file = text(120)

SHEETS: dict[str, tuple[Column, ...]] = {
    "sites": (
        Column("code", _code),
        Column("name_zh", _name),
        Column("name_en", _name),
        Column("kind", choice(*SiteKind)),
        Column("area", _name),
        Column("host_printer", text(200), required=False),
    ),
    "companies": (Column("code", _code), Column("name_zh", _name), Column("name_en", _name)),
    "people": (
        Column("staff_number", _code),
        Column("name_zh", _name),
        Column("name_en", _name),
        Column("role", choice(*PersonRole)),
        Column("company", _code, required=False),
        Column("site", _code, required=False),
        Column("permit_until", day, required=False),
        Column("card_uid", hexadecimal(*range(4, 11)), required=False),
        Column("photo", _file, required=False),
    ),
    "fingers": (
        Column("staff_number", _code),
        Column("finger", number(1, 10)),
        Column("model", text(40)),
        Column("duress", yes_no),
        Column("file", _file),
    ),
    "vehicles": (
        Column("plate", text(20)),
        Column("company", _code),
        Column("epc", _epc),
        Column("tid", _tid),
    ),
    "boxes": (
        Column("number", text(40)),
        Column("epc", _epc),
        Column("tid", _tid),
        Column("home_site", _code),
    ),
    "users": (
        Column("login", _login),
        Column("name", _name),
        Column("role", choice(*Role)),
        Column("site", _code, required=False),
        Column("staff_number", _code, required=False),
        Column("language", choice("zh", "en")),
    ),
}
