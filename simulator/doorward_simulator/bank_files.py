"""The demo bank as files: bank.xlsx, photos/*.jpg, fingers/*.fpt, byte for byte the same for equal seeds.

`write_spoiled` makes the same folder with mistakes in it, one per row, for whoever must refuse them.
"""

import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from doorward_simulator import portraits
from doorward_simulator.bank import COMPANY, SITES, USERS, Bank

COLUMNS = {
    "sites": "code name_zh name_en kind area host_printer",
    "companies": "code name_zh name_en",
    "people": "staff_number name_zh name_en role company site permit_until card_uid photo",
    "fingers": "staff_number finger model duress file",
    "vehicles": "plate company epc tid",
    "boxes": "number epc tid home_site",
    "users": "login name role site staff_number language",
}


def rows(bank: Bank, spool: Path | None = None) -> dict[str, list[list]]:
    """All sheets' rows below the heading; `spool` as in `write`."""
    return {
        "sites": [[*site, f"spool:{spool / site[0]}" if spool else ""] for site in SITES],
        "companies": [list(COMPANY)],
        "people": [
            [p.staff_number, p.name_zh, p.name_en, p.role, p.company, p.site, p.permit_until.isoformat(),
             p.card.uid.hex(), f"{p.staff_number}.jpg"]
            for p in bank.people
        ],
        "fingers": [
            [p.staff_number, number, bank.profile.model, "yes" if number == p.duress else "no",
             _template_name(p.staff_number, number)]
            for p in bank.people
            for number in sorted(p.templates)
        ],
        "vehicles": [[v.plate, v.company, v.epc.hex(), v.tid.hex()] for v in bank.vehicles],
        "boxes": [[b.number, b.epc.hex(), b.tid.hex(), b.home_site] for b in bank.boxes],
        "users": [list(user) for user in USERS],
    }  # fmt: skip


def write(bank: Bank, folder: Path, spool: Path | None = None) -> None:
    """Write the bank into a folder, which is made if needed; files of an earlier bank there are replaced.

    With `spool`, every site prints its reports into a folder of its code below it; without, sites have no
    printer of their own.
    """
    for name in ("photos", "fingers"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    (folder / "bank.xlsx").write_bytes(workbook(rows(bank, spool)))
    for person in bank.people:
        (folder / "photos" / f"{person.staff_number}.jpg").write_bytes(portraits.photo(person.look))
        for number, template in person.templates.items():
            (folder / "fingers" / _template_name(person.staff_number, number)).write_bytes(template)


def workbook(sheets: dict[str, list[list]]) -> bytes:
    """The workbook's bytes, with headings that stay in sight."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        sheet.append(COLUMNS[name].split())
        for line in lines:
            sheet.append([None if value == "" else value for value in line])
        _dress(sheet)
    out = BytesIO()
    book.save(out)
    return _without_times(out.getvalue())


def _template_name(staff_number: str, finger: int) -> str:
    return f"{staff_number}-{finger:02d}.fpt"


def _dress(sheet: Worksheet) -> None:
    sheet.freeze_panes = "A2"
    for cell in sheet[1]:
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="1F3A5F")
        cell.alignment = Alignment(vertical="center")
    for index, column in enumerate(sheet.columns, 1):
        widest = max(sum(2 if ord(c) > 0x2E7F else 1 for c in str(cell.value or "")) for cell in column)
        sheet.column_dimensions[get_column_letter(index)].width = widest + 3


def _without_times(data: bytes) -> bytes:
    """The same workbook with fixed times, so that equal banks are equal files."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for item in source.infolist():
            content = re.sub(rb"(W3CDTF\">)[^<]*", rb"\g<1>2026-01-01T00:00:00Z", source.read(item.filename))
            info = zipfile.ZipInfo(item.filename, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, content)
    return out.getvalue()


@dataclass(frozen=True)
class Mistake:
    """A mistake in one row: where it will stand (Excel's row number) and what is wrong with it."""

    sheet: str
    row: int
    column: str
    why: str


# sheet, row (0: first below the heading; None: a copy of the first row is added), column, wrong value, why
_MISTAKES: tuple[tuple[str, int | None, str, object, str], ...] = (
    ("sites", 1, "kind", "kiosk", "no such kind"),
    ("sites", None, "code", None, "the same code twice"),
    ("people", 1, "name_zh", "", "a name is missing"),
    ("people", 2, "permit_until", "31.02.2026", "no date of the calendar"),
    ("people", 3, "role", "guard", "no such role"),
    ("people", 4, "company", "ZZ", "no such company"),
    ("people", 5, "photo", "nobody.jpg", "the file is missing"),
    ("people", 9, "card_uid", "04zz11", "no hexadecimal number"),
    ("people", None, "staff_number", None, "the same staff number twice"),
    ("fingers", 1, "finger", 11, "people have ten fingers"),
    ("fingers", 2, "duress", "maybe", "neither yes nor no"),
    ("fingers", 4, "staff_number", "E9999", "nobody has this staff number"),
    ("fingers", 5, "file", "lost.fpt", "the file is missing"),
    ("vehicles", 0, "epc", "30751feb705", "an odd number of digits"),
    ("vehicles", None, "plate", None, "the same plate twice"),
    ("boxes", 1, "tid", "", "the TID is missing"),
    ("boxes", 2, "home_site", "B99", "no such site"),
    ("boxes", None, "number", None, "the same box twice"),
    ("users", 1, "language", "fr", "only zh and en"),
    ("users", None, "login", None, "the same login twice"),
)


def write_spoiled(
    bank: Bank, folder: Path, chosen: Callable[[Mistake], bool] = lambda _mistake: True
) -> list[Mistake]:
    """Write the bank with mistakes (those for which `chosen` says yes); returns them in the file's order."""
    write(bank, folder)
    sheets = rows(bank)
    made = []
    for sheet, row, column, value, why in _MISTAKES:
        lines = sheets[sheet]
        mistake = Mistake(sheet, (len(lines) if row is None else row) + 2, column, why)
        if not chosen(mistake):
            continue
        if row is None:
            lines.append(list(lines[-1]))
        else:
            lines[row][COLUMNS[sheet].split().index(column)] = value
        made.append(mistake)
    (folder / "bank.xlsx").write_bytes(workbook(sheets))
    return made
