"""Looks at all rows together: duplicates, references, roles, files. Changes nothing.

The outcome is a `Bundle`, the rows with their file contents, ready to be written, or findings.
"""

import hashlib
import io
from typing import Any, NamedTuple

from PIL import Image, UnidentifiedImageError
from sqlmodel import Session, select

from doorward_server.fleet.models import Box, Company, Site, Vehicle
from doorward_server.importing.findings import Finding, finding
from doorward_server.importing.sources import FINGERS, PHOTOS, BadFile, Source
from doorward_server.importing.workbook import Row, Workbook, read
from doorward_server.people.models import Person, PersonRole
from doorward_server.security.models import User
from doorward_server.security.roles import SITE_ROLES

PHOTO_LIMIT = 2 * 1024 * 1024
PHOTO_LEAST, PHOTO_MOST = 64, 4000
TEMPLATE_LIMIT = 8 * 1024
TEMPLATE_LEAST = 64
_CREW = (PersonRole.ESCORT, PersonRole.DRIVER)
_KEYS = {
    "sites": ("code",),
    "companies": ("code",),
    "people": ("staff_number",),
    "fingers": ("staff_number", "finger", "model"),
    "vehicles": ("plate",),
    "boxes": ("number",),
    "users": ("login",),
}


class Bundle(NamedTuple):
    """A whole import: rows by sheet, photos by staff number, templates by row number of the sheet fingers."""

    rows: dict[str, list[Row]]
    photos: dict[str, bytes]
    templates: dict[int, bytes]
    digest: str
    findings: list[Finding]


def judge(session: Session, source: Source) -> Bundle:
    """Read and judge everything a source holds."""
    try:
        content = source.workbook()
    except BadFile as bad:
        return Bundle({}, {}, {}, "", [finding(bad.reason, value="bank.xlsx", limit="8 MB")])
    book = read(content)
    findings = list(book.findings)
    for sheet, rows in book.sheets.items():
        findings += _duplicates(sheet, rows)
    findings += _tags(session, book.sheets)
    findings += _cards(session, book.sheets["people"])
    findings += _references(session, book)
    findings += _roles(book.sheets)
    photos, wrong_photos = _photos(source, book.sheets["people"])
    templates, wrong_templates = _templates(source, book.sheets["fingers"])
    findings += wrong_photos + wrong_templates
    findings.sort(key=lambda found: (found.sheet, found.row))
    digest = _digest(content, photos, templates)
    return Bundle(book.sheets, photos, templates, digest, findings)


def _duplicates(sheet: str, rows: list[Row]) -> list[Finding]:
    findings = []
    seen: dict[tuple, int] = {}
    for row in rows:
        key = tuple(row.values[name] for name in _KEYS[sheet])
        if key in seen:
            value = " / ".join(str(part) for part in key)
            findings.append(
                finding("twice", sheet, row.number, _KEYS[sheet][0], value=value, other=seen[key])
            )
        seen.setdefault(key, row.number)
    return findings


def _tags(session: Session, sheets: dict[str, list[Row]]) -> list[Finding]:
    """EPC and TID each belong to one thing, vehicle or box, across workbook and database."""
    findings = []
    for field in ("epc", "tid"):
        owners: dict[bytes, str] = {}
        imported = {("vehicles", row.values["plate"]) for row in sheets["vehicles"]}
        imported |= {("boxes", row.values["number"]) for row in sheets["boxes"]}
        for vehicle in session.exec(select(Vehicle)):
            if ("vehicles", vehicle.plate) not in imported:
                owners[getattr(vehicle, field)] = vehicle.plate
        for box in session.exec(select(Box)):
            if ("boxes", box.number) not in imported:
                owners[getattr(box, field)] = box.number
        for sheet, name in (("vehicles", "plate"), ("boxes", "number")):
            findings += _taken(sheet, field, name, sheets[sheet], owners)
    return findings


def _cards(session: Session, rows: list[Row]) -> list[Finding]:
    imported = {row.values["staff_number"] for row in rows}
    owners = {
        card: number
        for card, number in session.exec(select(Person.card_uid, Person.staff_number))
        if card is not None and number not in imported
    }
    return _taken("people", "card_uid", "staff_number", rows, owners)


def _taken(sheet: str, field: str, name: str, rows: list[Row], owners: dict[bytes, str]) -> list[Finding]:
    findings = []
    for row in rows:
        value = row.values[field]
        if value is None:
            continue
        owner = owners.setdefault(value, row.values[name])
        if owner != row.values[name]:
            findings.append(finding("taken", sheet, row.number, field, value=value.hex(), other=owner))
    return findings


def _references(session: Session, book: Workbook) -> list[Finding]:
    sheets = book.sheets
    kept = session.exec(select(Person.staff_number, Person.removed_at)).all()
    gone = {number for number, removed in kept if removed is not None}
    gone_users = {user.login for user in session.exec(select(User)) if user.removed_at is not None}
    sites = _keys(book, "sites") | set(session.exec(select(Site.code)))
    companies = _keys(book, "companies") | set(session.exec(select(Company.code)))
    people = (_keys(book, "people") | {number for number, _ in kept}) - gone
    findings = []
    for sheet, column, known, what in (
        ("people", "company", companies, "companies"),
        ("people", "site", sites, "sites"),
        ("fingers", "staff_number", people, "people"),
        ("vehicles", "company", companies, "companies"),
        ("boxes", "home_site", sites, "sites"),
        ("users", "site", sites, "sites"),
        ("users", "staff_number", people, "people"),
    ):
        for row in sheets[sheet]:
            value = row.values[column]
            if value is not None and value not in known:
                findings.append(
                    finding("unknown_reference", sheet, row.number, column, what=what, value=value)
                )
    for sheet, column, removed in (("people", "staff_number", gone), ("users", "login", gone_users)):
        for row in sheets[sheet]:
            if row.values[column] in removed:
                findings.append(finding("removed", sheet, row.number, column, value=row.values[column]))
    return findings


def _keys(book: Workbook, sheet: str) -> set[str]:
    name = _KEYS[sheet][0]
    return {row.values[name] for row in (*book.sheets[sheet], *book.broken[sheet])}


def _roles(sheets: dict[str, list[Row]]) -> list[Finding]:
    """Crew belong to a company and need a permit; the bank's people belong to a site."""
    findings = []
    for row in sheets["people"]:
        crew = row.values["role"] in _CREW
        needed = ("company", "permit_until") if crew else ("site",)
        findings += _needs("people", row, needed, () if not crew else ("site",))
        if not crew:
            findings += _needs("people", row, (), ("company",))
    for row in sheets["users"]:
        findings += _needs("users", row, ("site",) if row.values["role"] in SITE_ROLES else (), ())
    return findings


def _needs(sheet: str, row: Row, needed: tuple[str, ...], forbidden: tuple[str, ...]) -> list[Finding]:
    role = row.values["role"]
    missing = [name for name in needed if row.values[name] is None]
    surplus = [name for name in forbidden if row.values[name] is not None]
    return [finding("needs", sheet, row.number, name, role=role) for name in missing] + [
        finding("must_not", sheet, row.number, name, role=role) for name in surplus
    ]


def _photos(source: Source, rows: list[Row]) -> tuple[dict[str, bytes], list[Finding]]:
    photos, findings = {}, []
    for row in rows:
        name = row.values["photo"]
        if name is None:
            continue
        content, reason = _fetch(source, PHOTOS, name, PHOTO_LIMIT)
        if reason is None and not _is_photo(content):
            reason = "photo_bad"
        if reason is None:
            photos[row.values["staff_number"]] = content
        else:
            texts = {
                "value": name,
                "folder": PHOTOS,
                "limit": "2 MB",
                "least": PHOTO_LEAST,
                "most": PHOTO_MOST,
            }
            findings.append(finding(reason, "people", row.number, "photo", **texts))
    return photos, findings


def _templates(source: Source, rows: list[Row]) -> tuple[dict[int, bytes], list[Finding]]:
    templates, findings = {}, []
    for row in rows:
        name = row.values["file"]
        content, reason = _fetch(source, FINGERS, name, TEMPLATE_LIMIT)
        if reason is None and len(content) < TEMPLATE_LEAST:
            reason = "template_bad"
        if reason is None:
            templates[row.number] = content
        else:
            texts: dict[str, Any] = {"value": name, "folder": FINGERS, "limit": "8 KB"}
            findings.append(finding(reason, "fingers", row.number, "file", **texts))
    return templates, findings


def _fetch(source: Source, folder: str, name: str, limit: int) -> tuple[bytes, str | None]:
    try:
        return source.file(folder, name, limit), None
    except BadFile as bad:
        return b"", bad.reason


def _is_photo(content: bytes) -> bool:
    """Whether it is a JPEG or PNG of sensible size. The size is read before any pixel is unpacked."""
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            if not all(PHOTO_LEAST <= side <= PHOTO_MOST for side in image.size):
                return False
            image.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
    return True


def _digest(workbook: bytes, photos: dict[str, bytes], templates: dict[int, bytes]) -> str:
    """SHA-256 over the workbook and every file it names."""
    whole = hashlib.sha256(hashlib.sha256(workbook).digest())
    files = [(f"{PHOTOS}/{number}", content) for number, content in photos.items()]
    files += [(f"{FINGERS}/{row}", content) for row, content in templates.items()]
    for name, content in sorted(files):
        whole.update(hashlib.sha256(name.encode()).digest())
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()
