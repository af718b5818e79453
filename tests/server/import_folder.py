"""Writes import folders for tests: a sound small bank, and whatever should be wrong with it."""

import io
import zipfile
from copy import deepcopy
from datetime import date
from pathlib import Path

from doorward_server.importing.columns import SHEETS
from openpyxl import Workbook
from PIL import Image

ROWS = {
    "sites": [
        ["vault", "金库", "Vault", "vault", "east", "ipp://printer/vault"],
        ["north", "城北支行", "North Branch", "branch", "east", None],
    ],
    "companies": [["safe", "平安押运", "Safe Escort"]],
    "people": [
        ["E001", "张伟", "Zhang Wei", "escort", "safe", None, date(2026, 12, 31), "04A1B2C3", "e001.jpg"],
        ["E002", "李娜", "Li Na", "escort", "safe", None, "2026-12-31", None, "photos/e002.png"],
        ["D001", "王强", "Wang Qiang", "driver", "safe", None, date(2026, 12, 31), None, None],
        ["O001", "赵敏", "Zhao Min", "officer", None, "north", None, "04A1B2C4", None],
        ["K001", "孙库", "Sun Ku", "keeper", None, "vault", None, None, None],
    ],
    "fingers": [
        ["E001", 1, "R503", "no", "e001-1.fpt"],
        ["E001", 2, "R503", "yes", "e001-2.fpt"],
        ["E002", 1, "R503", "no", "fingers/e002-1.fpt"],
    ],
    "vehicles": [["京A10001", "safe", "E2801160AA01", "E2801105200000001122BB01"]],
    "boxes": [
        ["B001", "E2801160AA11", "E2801105200000001122BB11", "north"],
        ["B002", "E2801160AA12", "E2801105200000001122BB12", "north"],
    ],
    "users": [
        ["zhao", "赵敏", "officer", "north", "O001", "zh"],
        ["chen", "陈调度", "dispatcher", None, None, "zh"],
        ["lin", "Lin", "dispatcher", None, None, "en"],
    ],
}


def write(folder: Path, change=None) -> Path:
    """Write the sound bank; `change(rows, headings)` may spoil rows and headings before."""
    rows = deepcopy(ROWS)
    headings = {sheet: [column.name for column in columns] for sheet, columns in SHEETS.items()}
    if change is not None:
        change(rows, headings)
    book = Workbook()
    del book["Sheet"]
    for sheet, content in rows.items():
        opened = book.create_sheet(sheet)
        opened.append(headings.get(sheet, []))
        for row in content:
            opened.append(row)
    for place in ("photos", "fingers"):
        (folder / place).mkdir(parents=True, exist_ok=True)
    book.save(folder / "bank.xlsx")
    (folder / "photos" / "e001.jpg").write_bytes(photo("JPEG"))
    (folder / "photos" / "e002.png").write_bytes(photo("PNG"))
    for number, name in enumerate(("e001-1", "e001-2", "e002-1")):
        (folder / "fingers" / f"{name}.fpt").write_bytes(bytes([number]) * 512)
    return folder


def photo(kind: str, size: tuple[int, int] = (120, 160), color: str = "gray") -> bytes:
    """A picture of one colour."""
    content = io.BytesIO()
    Image.new("RGB", size, color).save(content, kind)
    return content.getvalue()


def pack(folder: Path) -> bytes:
    """The folder as the archive that the pages upload."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return content.getvalue()


def cell(sheet: str, row: int, column: str, value):
    """A change that puts one value into one cell; `row` counts the data rows from 0."""

    def change(rows, headings):
        rows[sheet][row][headings[sheet].index(column)] = value

    return change
